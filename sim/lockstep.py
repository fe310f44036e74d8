"""Lockstep: the same accesses on two CPU ports, everything compared after every one of them.

Compared are the response, all storage, the output lines and the physical deactivations. The first
difference stops the run and is told with the accesses that led to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.mmio import MmioRegister
from hw.mmio_map import find_register, register_on
from hw.registers import Register
from sim import progress
from sim.engines.golden import golden_port
from sim.port import Access, CpuPort, Lines, MmioAccess, MmioResponse, Outcome, Response, State
from sim.state_registers import HCR, state_registers
from sim.stimulus import ListChoices, RandomChoices, Stimulus
from sim.stimulus.sweep import sweep

__all__ = [
    "Difference",
    "Lockstep",
    "apply",
    "describe",
    "describe_access",
    "random_job",
    "shrinkable_job",
    "sweep_job",
]

#: Accesses shown before the one that made the difference.
_HISTORY = 12
#: Operations between two progress reports.
_REPORT = 256


@dataclass(frozen=True)
class Difference:
    """The first difference of a run.

    ``operation`` counts from 0; ``what`` names a part of the response, a register, a line or
    ``deactivations``; ``report`` is for people.
    """

    operation: int
    what: str
    report: str


def describe(register: Register | MmioRegister, value: int) -> str:
    """Return a register value with the fields that are not zero."""
    parts = []
    for field in register.fields:
        number = field.get(value)
        if number or field.values:
            shown = field.values(number).name if field.values else f"{number:#x}" if number > 9 else number
            parts.append(f"{field.name}={shown}")
    return f"{value:#x} ({' '.join(map(str, parts)) or '0'})"


def describe_bus(access: MmioAccess, response: MmioResponse | None = None) -> str:
    """Return one line on a bus access and its answer."""
    register = register_on(access.frame, access.offset)
    text = f"{access.frame.name}+{access.offset:#x} ({register.name if register else 'nothing'})"
    text += f", {access.size} bytes" + (f" := {access.value:#x}" if access.write else "")
    if response is not None:
        text += " -> bus error" if response.error else "" if access.write else f" -> {response.value:#x}"
    return text


def describe_access(access: Access | MmioAccess, response: Response | MmioResponse | None = None) -> str:
    """Return one line on an access and its answer."""
    if isinstance(access, MmioAccess):
        return describe_bus(access, response if isinstance(response, MmioResponse) else None)
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
    if isinstance(response, Response):
        if response.outcome:
            text += f" -> {response.outcome.name} esr={response.esr:#x}"
        elif not access.write:
            text += f" -> {describe(access.register, response.value)}"
    return text


@dataclass
class _Snapshot:
    """What one port shows after an access."""

    response: Response | MmioResponse
    state: State
    lines: Lines
    deactivations: list[int]


async def _step(port: CpuPort, access: Access | MmioAccess) -> _Snapshot:
    if isinstance(access, MmioAccess):
        response = await port.mmio(access)  # type: ignore[attr-defined]
    else:
        response = await port.access(access)
    return _Snapshot(response, await port.state(), await port.lines(), await port.deactivations())


def _differences(
    config: GicConfig | GicV2Config, expected: _Snapshot, got: _Snapshot
) -> list[tuple[str, str, str]]:
    """Return (what, expected, got) for everything that differs."""
    found = []
    for name, want, have in zip(expected.response._fields, expected.response, got.response, strict=True):
        if want != have:
            shown = (want.name, have.name) if name == "outcome" else (f"{want:#x}", f"{have:#x}")
            found.append((f"response {name}", *shown))
    wanted, had = (state_registers(config, one.state) for one in (expected, got))
    for name in wanted | had:
        want, have = wanted.get(name), had.get(name)
        if want != have:
            register = find_register(name)
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
        self.reference = reference or golden_port(port.config)
        self.operations = 0
        self.state = State()
        self.response: Response | MmioResponse = Response(Outcome.OK)
        self._history: deque[tuple[Access | MmioAccess, Response | MmioResponse]] = deque(maxlen=_HISTORY)

    async def start(self) -> Difference | None:
        """Reset both and compare what reset leaves (REG-13)."""
        await self.reference.reset()
        await self.port.reset()
        return await self.step(Access(2, find_register(HCR[type(self.port.config)])))

    async def step(self, access: Access | MmioAccess) -> Difference | None:
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

    def _explain(
        self, access: Access | MmioAccess, before: State, expected: _Snapshot, got: _Snapshot
    ) -> Difference:
        differences = _differences(self.port.config, expected, got)
        number = self.operations - 1
        lines = [f"difference at operation {number} of {self.port.config}", "  after:"]
        lines += [f"    {describe_access(*entry)}" for entry in self._history]
        lines.append("  storage before:")
        for name, value in state_registers(self.port.config, before).items():
            lines.append(f"    {name} = {describe(find_register(name), value)}")
        lines.append(f"  operation: {describe_access(access)}")
        for what, want, have in differences:
            lines.append(f"  {what}: expected {want}, got {have}")
        return Difference(number, differences[0][0], "\n".join(lines))


async def apply(
    port: CpuPort, accesses: Iterable[Access | MmioAccess], reference: CpuPort | None = None
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


async def sweep_job(ports: list[CpuPort]) -> str | None:
    """Run all of :mod:`sim.stimulus.sweep` on the first PE in lockstep; return a difference."""
    difference = await apply(ports[0], sweep(ports[0].config))
    return difference and difference.report


async def random_job(
    ports: list[CpuPort],
    operations: int,
    seed: int,
    mood: str | None = None,
    observe: Callable[[State, Access | MmioAccess, Response | MmioResponse], None] | None = None,
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
