"""Lockstep: the same accesses on two CPU ports, everything compared after every one of them.

Compared are the response, all storage, the output lines and the physical deactivations. The first
difference stops the run and is told with the accesses that led to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields

from hw.registers import Register, lookup
from sim import progress
from sim.engines.golden import GoldenPort
from sim.port import Access, CpuPort, Lines, Outcome, Response, State
from sim.stimulus import ListChoices, RandomChoices, Stimulus

__all__ = [
    "Difference",
    "Lockstep",
    "apply",
    "describe",
    "describe_access",
    "random_job",
    "shrinkable_job",
    "state_parts",
]

#: Accesses shown before the one that made the difference.
_HISTORY = 12
#: Operations between two progress reports.
_REPORT = 256

_STATE_REGISTERS = {
    "hcr": "ICH_HCR_EL2",
    "vmcr": "ICH_VMCR_EL2",
    "misr": "ICH_MISR_EL2",
    "eisr": "ICH_EISR_EL2",
    "elrsr": "ICH_ELRSR_EL2",
}


@dataclass(frozen=True)
class Difference:
    """The first difference of a run.

    ``operation`` counts from 0; ``what`` names a part of the response, a register, a line or
    ``deactivations``; ``report`` is for people.
    """

    operation: int
    what: str
    report: str


def describe(register: Register, value: int) -> str:
    """Return a register value with the fields that are not zero."""
    parts = []
    for field in register.fields:
        number = field.get(value)
        if number or field.values:
            shown = field.values(number).name if field.values else f"{number:#x}" if number > 9 else number
            parts.append(f"{field.name}={shown}")
    return f"{value:#x} ({' '.join(map(str, parts)) or '0'})"


def describe_access(access: Access, response: Response | None = None) -> str:
    """Return one line on an access and its answer."""
    name = access.register.name
    text = f"EL{access.el} " + (
        f"{name} := {describe(access.register, access.value)}" if access.write else name
    )
    changed = [
        f"{key}={int(value)}"
        for key, value in access.context._asdict().items()
        if value != access.context._field_defaults[key]
    ]
    text += f" rt={access.rt}" if access.rt else ""
    text += f" [{' '.join(changed)}]" if changed else ""
    if response is not None:
        if response.outcome:
            text += f" -> {response.outcome.name} esr={response.esr:#x}"
        elif not access.write:
            text += f" -> {describe(access.register, response.value)}"
    return text


def state_parts(state: State) -> dict[str, int]:
    """Return storage as register name -> value."""
    parts = {name: getattr(state, attribute) for attribute, name in _STATE_REGISTERS.items()}
    for group, words in ((0, state.ap0r), (1, state.ap1r)):
        parts |= {f"ICH_AP{group}R{n}_EL2": word for n, word in enumerate(words)}
    return parts | {f"ICH_LR{n}_EL2": lr for n, lr in enumerate(state.lr)}


@dataclass
class _Snapshot:
    """What one port shows after an access."""

    response: Response
    state: State
    lines: Lines
    deactivations: list[int]


async def _step(port: CpuPort, access: Access) -> _Snapshot:
    response = await port.access(access)
    return _Snapshot(response, await port.state(), await port.lines(), await port.deactivations())


def _differences(expected: _Snapshot, got: _Snapshot) -> list[tuple[str, str, str]]:
    """Return (what, expected, got) for everything that differs."""
    found = []
    for name, want, have in zip(Response._fields, expected.response, got.response, strict=True):
        if want != have:
            shown = (want.name, have.name) if name == "outcome" else (f"{want:#x}", f"{have:#x}")
            found.append((f"response {name}", *shown))
    wanted, had = state_parts(expected.state), state_parts(got.state)
    for name in wanted | had:
        want, have = wanted.get(name), had.get(name)
        if want != have:
            register = lookup(name)
            shown = ("missing" if value is None else describe(register, value) for value in (want, have))
            found.append((name, *shown))
    for name, want, have in zip(Lines._fields, expected.lines, got.lines, strict=True):
        if want != have:
            found.append((f"line {name}", str(int(want)), str(int(have))))
    if expected.deactivations != got.deactivations:
        found.append(("deactivations", str(expected.deactivations), str(got.deactivations)))
    return found


class Lockstep:
    """A reference port and a port under test, stepped together.

    Parameters
    ----------
    port : CpuPort
        Under test.
    reference : CpuPort or None
        What is right; a golden model of the same configuration if None.

    Attributes
    ----------
    operations : int
        Accesses compared so far.
    state : State
        The reference's storage, to aim the next access with.
    response : Response
        The reference's answer to the last access.
    """

    def __init__(self, port: CpuPort, reference: CpuPort | None = None):
        self.port = port
        self.reference = reference or GoldenPort(port.config)
        self.operations = 0
        self.state = State()
        self.response = Response(Outcome.OK)
        self._history: deque[tuple[Access, Response]] = deque(maxlen=_HISTORY)

    async def start(self) -> Difference | None:
        """Reset both and compare what reset leaves (REG-13)."""
        await self.reference.reset()
        await self.port.reset()
        return await self.step(Access(2, lookup("ICH_HCR_EL2")))

    async def step(self, access: Access) -> Difference | None:
        """Apply one access to both; return the difference it made, or None."""
        before = self.state
        expected = await _step(self.reference, access)
        got = await _step(self.port, access)
        self.state, self.response = expected.state, expected.response
        self.operations += 1
        # The common case is settled by four comparisons.
        if (
            expected.response == got.response
            and expected.state == got.state
            and expected.lines == got.lines
            and expected.deactivations == got.deactivations
        ):
            self._history.append((access, expected.response))
            return None
        return self._explain(access, before, expected, got)

    def _explain(self, access: Access, before: State, expected: _Snapshot, got: _Snapshot) -> Difference:
        differences = _differences(expected, got)
        number = self.operations - 1
        lines = [f"difference at operation {number} of {self.port.config}", "  after:"]
        lines += [f"    {describe_access(*entry)}" for entry in self._history]
        lines.append("  storage before:")
        for name, value in state_parts(before).items():
            lines.append(f"    {name} = {describe(lookup(name), value)}")
        lines.append(f"  operation: {describe_access(access)}")
        for what, want, have in differences:
            lines.append(f"  {what}: expected {want}, got {have}")
        return Difference(number, differences[0][0], "\n".join(lines))


async def apply(
    port: CpuPort, accesses: Iterable[Access], reference: CpuPort | None = None
) -> Difference | None:
    """Reset both ports, apply a fixed list of accesses and return the first difference, or None."""
    lockstep = Lockstep(port, reference)
    difference = await lockstep.start()
    for access in accesses:
        if difference:
            break
        difference = await lockstep.step(access)
    return difference


async def shrinkable_job(ports: list[CpuPort], decisions: list[list[int]]) -> Difference | None:
    """Run accesses made from lists of numbers, which Hypothesis can shrink, one list for each access.

    Dropping a list drops an access; smaller numbers make simpler ones.
    """
    lockstep = Lockstep(ports[0])
    stimulus = Stimulus(ports[0].config, ListChoices(()))
    difference = await lockstep.start()
    for numbers in decisions:
        if difference:
            break
        stimulus.choices = ListChoices(numbers)
        difference = await lockstep.step(stimulus.next(lockstep.state))
    return difference


async def random_job(
    ports: list[CpuPort],
    operations: int,
    seed: int,
    mood: str | None = None,
    observe: Callable[[State, Access, Response], None] | None = None,
) -> dict:
    """Run random accesses in lockstep with golden, in turn on every PE; a job for any engine.

    Parameters
    ----------
    ports : list of CpuPort
        One per PE; every PE has its own golden twin and its own stimulus.
    operations : int
        Accesses in total.
    seed : int
        Of the stimulus; PE n uses ``seed + n``.
    mood : str or None
        One of :data:`sim.stimulus.MOODS`, or None for all of them.
    observe : callable or None
        Called with the storage before every access, the access and golden's response.

    Returns
    -------
    dict
        ``operations`` compared and ``difference``: None or a dict of :class:`Difference`.
    """
    pairs = [Lockstep(port) for port in ports]
    stimuli = [Stimulus(port.config, RandomChoices(seed + n), mood) for n, port in enumerate(ports)]
    difference = None
    for pair in pairs:
        difference = difference or await pair.start()
    done = 0
    while done < operations and difference is None:
        pair, stimulus = pairs[done % len(pairs)], stimuli[done % len(pairs)]
        before = pair.state
        access = stimulus.next(before)
        difference = await pair.step(access)
        if observe:
            observe(before, access, pair.response)
        done += 1
        if not done % _REPORT:
            progress.report(done, operations)
    progress.report(done, operations)
    found = None
    if difference:
        found = {field.name: getattr(difference, field.name) for field in fields(difference)}
        found["report"] = f"seed {seed}, mood {mood or 'any'}: {found['report']}"
    return {"operations": done, "difference": found}
