"""What the values of a signal are called: made from the register table, one table for each kind of signal."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

from hw.config import GicConfig
from hw.registers import BY_ENCODING, Access, Field, LRState, Register, lookup
from sim.port import Outcome

__all__ = ["NOTHING", "WORDS", "Word", "flag_words"]

#: How a set of flags reads when none is set.
NOTHING = "-"


class Word(NamedTuple):
    """A value's ``name`` and, where it helps, a ``color`` of X11 (GTKWave paints the value with it)."""

    name: str
    color: str = ""


def _varies(register: Register, field: Field) -> bool:
    """Tell whether a field ever changes: constants of an otherwise writable register do not."""
    return field.access is Access.RW or register.access is Access.RO


def flag_words(name: str, low: int, width: int) -> dict[int, Word]:
    """Name every combination of the one-bit fields in a part of a register, such as ``U+NP``.

    Parameters
    ----------
    name : str
        A register of the table.
    low, width : int
        The part: bits ``low`` to ``low + width - 1``. Constant bits count in the value, not in the name.

    Raises
    ------
    InputError
        When there is no such register.
    """
    register = lookup(name)
    part = range(low, low + width)
    flags = [f for f in register.fields if f.width == 1 and f.lsb in part and _varies(register, f)]
    constant = sum(
        field.reset(GicConfig()) << field.lsb - low
        for field in register.fields
        if field.lsb in part and not _varies(register, field)
    )
    words = {}
    for chosen in product((False, True), repeat=len(flags)):
        names = [flag.name for flag, on in zip(flags, chosen, strict=True) if on]
        value = sum(1 << flag.lsb - low for flag, on in zip(flags, chosen, strict=True) if on)
        words[constant | value] = Word("+".join(names) or NOTHING)
    return words


def _plain(names: Iterable[tuple[int, str]], colors: dict[int, str] | None = None) -> dict[int, Word]:
    return {value: Word(name, (colors or {}).get(value, "")) for value, name in names}


#: Colours of the states: what waits is yellow, what runs is green.
_STATE_COLORS = {
    LRState.INVALID: "gray20",
    LRState.PENDING: "goldenrod",
    LRState.ACTIVE: "darkgreen",
    LRState.PENDING_ACTIVE: "darkorange4",
}

#: Kind of signal -> its words by value. The kinds are named in :mod:`tb.waves.layout`.
WORDS: dict[str, dict[int, Word]] = {
    "state": _plain(((state.value, state.name) for state in LRState), _STATE_COLORS),
    "level": _plain((el, f"EL{el}") for el in range(4)),
    "outcome": _plain(((o.value, o.name) for o in Outcome), {2: "darkred", 3: "darkred", 1: "darkred"}),
    "register": _plain((encoding, register.name) for encoding, register in BY_ENCODING.items()),
    "hcr_enables": flag_words("ICH_HCR_EL2", 0, 10),
    "hcr_traps": flag_words("ICH_HCR_EL2", 10, 6),
    "vmcr_flags": flag_words("ICH_VMCR_EL2", 0, 10),
    "misr": flag_words("ICH_MISR_EL2", 0, 8),
}
