"""Comparing one recorded answer with the hardware's, given what the two models say."""

from __future__ import annotations

from hw.mmio import MmioRegister
from hw.registers import Register
from sim.port import Access, Outcome, Response

__all__ = ["compare_answer", "executed"]

#: What differs, expected, got, and the register whose fields to show.
Found = tuple[str, int, int, Register | MmioRegister | None]


def executed(response: Response) -> bool:
    """Whether the access was executed."""
    return response.outcome is Outcome.OK


def compare_answer(
    access: Access,
    recorded: Response,
    got: Response,
    recorder: Response,
    strict: Response,
    faithful: bool,
) -> Found | None:
    """Return the first thing in which an answer is not as it should be, or None.

    Parameters
    ----------
    access : Access
        What was done.
    recorded : Response
        What the file says; ``value`` 0 unless a read was executed, ``esr`` 0 unless it was not.
    got : Response
        What the hardware answered.
    recorder, strict : Response
        What the two models answered. Where they agree, the hardware must answer as recorded. Where they
        part, it must answer as ``strict`` does, unless it is ``faithful`` to the recorder.
    """
    expected = recorded
    if recorder != strict and not faithful:
        found = _first(access, recorded, recorder)
        if found is not None:
            return f"{found[0]} in the recorder's model", *found[1:]
        expected = strict
    return _first(access, expected, got)


def _first(access: Access, expected: Response, got: Response) -> Found | None:
    if expected == got:
        return None
    name = access.register.name
    if expected.outcome is not got.outcome:
        return (
            f"outcome of {name} ({expected.outcome.name} expected, {got.outcome.name} got)",
            int(expected.outcome),
            int(got.outcome),
            None,
        )
    if expected.esr != got.esr:
        return f"syndrome of {name}", expected.esr, got.esr, None
    return f"value of {name}", expected.value, got.value, access.register
