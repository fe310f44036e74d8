"""Lockstep of whole systems: the same operations on two of them, everything compared.

After every operation the answer, the lines of all PEs and their HW deactivations are compared, and all
visible state of both sides, or that every so many operations where an engine finds looking expensive.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from sim import progress
from sim.golden_physical import GoldenSystem
from sim.lockstep import Difference, describe_access
from sim.port import Access, MmioAccess, MmioResponse, Response
from sim.stimulus.choices import ListChoices, RandomChoices
from sim.stimulus.physical import PhysicalStimulus
from sim.system_port import Drive, PhysicalState, System, SystemStep

__all__ = [
    "SystemLockstep",
    "apply_to_systems",
    "describe_step",
    "random_system_job",
    "shrinkable_system_job",
]

#: Operations shown before the one that made the difference.
_HISTORY = 16
#: Operations between two progress reports.
_REPORT = 256


def describe_step(step: SystemStep, answer: Response | MmioResponse | None = None) -> str:
    """Return one line on an operation and its answer."""
    action = step.action
    if isinstance(action, Drive):
        owner = "" if action.pe is None else f" of PE {action.pe}"
        return f"input {action.intid}{owner} {'high' if action.level else 'low'}"
    if isinstance(action, MmioAccess):
        operand = f" := {action.value:#x}" if action.write else ""
        text = f"PE {step.pe} bus {action.frame.name}+{action.offset:#x} size {action.size}{operand}"
        if isinstance(answer, MmioResponse):
            text += " -> error" if answer.error else "" if action.write else f" -> {answer.value:#x}"
        return text
    return f"PE {step.pe} {describe_access(action, answer if isinstance(answer, Response) else None)}"


async def _perform(system: System, step: SystemStep) -> Response | MmioResponse | None:
    """Execute one operation."""
    action = step.action
    if isinstance(action, Drive):
        await system.drive(action.intid, action.level, action.pe)
        return None
    port = system.ports[step.pe]
    if isinstance(action, Access):
        return await port.access(action)
    return await port.mmio(action)


async def _outputs(system: System) -> list[tuple[str, Any]]:
    """Return what leaves a system: lines and HW deactivations of every PE."""
    found: list[tuple[str, Any]] = []
    for n, port in enumerate(system.ports):
        found += [
            (f"PE {n} lines", await port.lines()),
            (f"PE {n} deactivations", await port.deactivations()),
        ]
    return found


def _parts(value: Any, name: str) -> dict[str, Any]:
    """Flatten a state into named numbers."""
    if isinstance(value, list):
        return {
            key: part for n, item in enumerate(value) for key, part in _parts(item, f"{name}[{n}]").items()
        }
    if hasattr(value, "__dataclass_fields__"):
        parts: dict[str, Any] = {}
        for field in fields(value):
            parts |= _parts(getattr(value, field.name), f"{name} {field.name}")
        return parts
    return {name: value}


def _shown(value: Any) -> str:
    return f"{value:#x}" if type(value) is int else str(value)


class SystemLockstep:
    """A reference system and a system under test, stepped together.

    Parameters
    ----------
    system : System
        Under test.
    reference : System or None
        What is right; a golden system of the same build if None.
    every : int
        Operations from one comparison of all state to the next. Answers, lines and deactivations are
        always compared.

    Attributes
    ----------
    state : PhysicalState
        The reference's physical side after the last operation, to aim the next one with.
    """

    def __init__(self, system: System, reference: System | None = None, every: int = 1) -> None:
        self.system = system
        config = system.ports[0].config
        self.reference = reference or GoldenSystem(config, system.physical, len(system.ports))
        self.operations = 0
        self.state = PhysicalState()
        self._every = every
        self._high: set[tuple[int, int | None]] = set()
        self._history: deque[tuple[SystemStep, Response | MmioResponse | None]] = deque(maxlen=_HISTORY)

    async def start(self) -> Difference | None:
        """Reset both and compare what reset leaves (DIST-36, PHY-14)."""
        await self.reference.reset()
        await self.system.reset()
        self.state = await self.reference.physical_state()
        return await self._compare("reset", [], [], True)

    async def finish(self) -> None:
        """Take back every input that is high, so that the system can serve another run."""
        for intid, pe in self._high:
            await self.system.drive(intid, False, pe)
            await self.reference.drive(intid, False, pe)
        self._high.clear()

    async def step(self, step: SystemStep) -> Difference | None:
        """Apply one operation to both; return the difference it made, or None."""
        expected = await _perform(self.reference, step)
        got = await _perform(self.system, step)
        if isinstance(step.action, Drive):
            where = (step.action.intid, step.action.pe)
            self._high = self._high | {where} if step.action.level else self._high - {where}
        self.state = await self.reference.physical_state()
        self.operations += 1
        everything = not self.operations % self._every
        difference = await self._compare(
            describe_step(step, expected), [("answer", expected)], [("answer", got)], everything
        )
        self._history.append((step, expected))
        return difference

    async def _compare(
        self, what: str, expected: list[tuple[str, Any]], got: list[tuple[str, Any]], everything: bool
    ) -> Difference | None:
        expected += await _outputs(self.reference)
        got += await _outputs(self.system)
        if everything:
            expected += [("physical", self.state), *await _virtual(self.reference)]
            got += [("physical", await self.system.physical_state()), *await _virtual(self.system)]
        if expected == got:
            return None
        found = []
        for (name, want), (_, have) in zip(expected, got, strict=True):
            if want != have:
                wanted, had = _parts(want, name), _parts(have, name)
                for part in wanted | had:
                    if wanted.get(part) != had.get(part):
                        found.append((part, _shown(wanted.get(part)), _shown(had.get(part))))
        number = max(self.operations - 1, 0)
        lines = [f"difference at operation {number} of {self.system.physical}", "  after:"]
        lines += [f"    {describe_step(*entry)}" for entry in self._history]
        lines.append(f"  operation: {what}")
        lines += [f"  {name}: expected {want}, got {have}" for name, want, have in found]
        return Difference(number, found[0][0], "\n".join(lines))


async def _virtual(system: System) -> list[tuple[str, Any]]:
    return [(f"PE {n} virtual", await port.state()) for n, port in enumerate(system.ports)]


async def apply_to_systems(
    system: System, steps: Iterable[SystemStep], reference: System | None = None
) -> Difference | None:
    """Reset both systems, apply a fixed list of operations and return the first difference, or None."""
    lockstep = SystemLockstep(system, reference)
    difference = await lockstep.start()
    for step in steps:
        if difference:
            break
        difference = await lockstep.step(step)
    await lockstep.finish()
    return difference


async def shrinkable_system_job(
    system: System, decisions: list[list[int]], reference: System | None = None
) -> Difference | None:
    """Run operations made from lists of numbers, which Hypothesis can shrink, one list for each.

    Dropping a list drops an operation; smaller numbers make simpler ones.
    """
    lockstep = SystemLockstep(system, reference)
    stimulus = _stimulus(system, ListChoices(()), None)
    difference = await lockstep.start()
    for numbers in decisions:
        if difference:
            break
        stimulus.choices = ListChoices(numbers)
        difference = await lockstep.step(stimulus.next(lockstep.state))
    await lockstep.finish()
    return difference


def _stimulus(system: System, choices: ListChoices | RandomChoices, mood: str | None) -> PhysicalStimulus:
    return PhysicalStimulus(system.physical, system.ports[0].config, len(system.ports), choices, mood)


async def random_system_job(
    system: System,
    operations: int,
    seed: int,
    mood: str | None = None,
    every: int = 1,
    reference: System | None = None,
) -> dict[str, Any]:
    """Run random operations in lockstep with golden; a job for any engine that has a system.

    Parameters
    ----------
    system : System
        Under test.
    operations : int
        How many.
    seed : int
        Of the stimulus.
    mood : str or None
        One of :data:`sim.stimulus.physical.PHYSICAL_MOODS`, or None for all of them.
    every : int
        As of :class:`SystemLockstep`.
    reference : System or None
        As of :class:`SystemLockstep`.

    Returns
    -------
    dict
        ``operations`` compared and ``difference``: None or a dict of :class:`sim.lockstep.Difference`.
    """
    lockstep = SystemLockstep(system, reference, every)
    stimulus = _stimulus(system, RandomChoices(seed), mood)
    difference = await lockstep.start()
    while lockstep.operations < operations and difference is None:
        difference = await lockstep.step(stimulus.next(lockstep.state))
        if not lockstep.operations % _REPORT:
            progress.report(lockstep.operations, operations)
    progress.report(lockstep.operations, operations)
    await lockstep.finish()
    found = None
    if difference:
        found = {field.name: getattr(difference, field.name) for field in fields(difference)}
        found["report"] = f"seed {seed}, mood {mood or 'any'}: {found['report']}"
    return {"operations": lockstep.operations, "difference": found}
