"""Running guest programs: the scheduler, and how a run ends."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sim.machine.fingerprint import fingerprint
from sim.machine.machine import Machine
from sim.machine.runner import Place, Runner
from sim.machine.view import deserved

__all__ = ["Scheduler", "Verdict", "run_guests"]


class Scheduler:
    """Decides which vCPU does the next guest operation.

    ``seed`` None: round robin. Else pseudo-random, in slices of 1 to ``slice`` operations.
    """

    def __init__(self, seed: int | None = None, slice: int = 4):
        self.seed = seed
        self.slice = slice
        self._random = random.Random(seed)
        self._last = -1
        self._left = 0

    def pick(self, ready: list[Runner]) -> Runner:
        """Choose one of the vCPUs that can run."""
        if self.seed is None:
            chosen = next((r for r in ready if r.number > self._last), ready[0])
        elif self._left and any(r.number == self._last for r in ready):
            self._left -= 1
            chosen = next(r for r in ready if r.number == self._last)
        else:
            chosen = self._random.choice(ready)
            self._left = self._random.randrange(self.slice)
        self._last = chosen.number
        return chosen

    def snapshot(self) -> int:
        """Return the part of the state that is the same when round robin is at the same place."""
        return self._last


@dataclass(frozen=True)
class Verdict:
    """How a run ended.

    ``kind``: ``finished`` (all halted), ``asleep`` (all halted or in WFI with nothing to wake them),
    ``lost`` (the same, but an interrupt is due that nobody woke the vCPU for), ``storm`` (exits without guest
    operations), ``live-lock`` (operations that lead nowhere although an
    interrupt is due), ``running`` (the limit was reached, or the guests idle). ``loop``: the events of the
    loop found; ``due``: interrupts that should have been delivered, by vCPU.
    """

    kind: str
    loop: tuple[str, ...] = ()
    due: dict[int, list[int]] = field(default_factory=dict)


async def run_guests(
    machine: Machine,
    scheduler: Scheduler,
    limit: int = 0,
    between: Callable[[], Awaitable[bool]] | None = None,
) -> Verdict:
    """Run the guests of a machine until they end, block, or go round in a loop.

    A loop is a state of everything that comes back without anything outside having happened, after every
    vCPU that can run has run; no time-out is involved.

    Parameters
    ----------
    machine : Machine
        With a guest on each vCPU that is to run.
    scheduler : Scheduler
        Whose turn it is.
    limit : int
        Stop after so many operations; 0: no limit.
    between : coroutine function or None
        Called before each operation; does what devices do, and returns whether more is to come.
    """
    seen: dict[object, tuple[int, dict[int, int]]] = {}
    start = machine.time
    while not limit or machine.time - start < limit:
        more = between is not None and await between()
        if more:
            seen.clear()
        runners = [r for r in machine.runners if r.guest is not None]
        stuck = [r for r in runners if r.stuck]
        ready = [r for r in runners if r.place in (Place.OUT, Place.GUEST) and not r.stuck]
        if not ready and more:
            continue
        if not ready:
            if stuck:
                return Verdict("storm", tuple(stuck[0].stuck), await deserved(machine))
            halted = all(r.place is Place.HALTED for r in runners)
            due = {} if halted else await deserved(machine)
            return Verdict("finished" if halted else "lost" if due else "asleep", (), due)
        runner = scheduler.pick(ready)
        if runner.place is Place.OUT:
            await machine.enter(runner)
            await machine.settle()
            # Where vCPUs share a CPU the next one's entry takes this one off it: it goes on at once.
            if len(machine.ports) >= len(machine.runners) or runner.place is not Place.GUEST:
                continue
        await _one_operation(machine, runner)
        loop = await _look_for_loop(machine, scheduler, seen)
        if loop is not None:
            due = await deserved(machine)
            return Verdict("live-lock" if due else "running", loop, due)
    return Verdict("running")


async def _one_operation(machine: Machine, runner: Runner) -> None:
    lines = await machine.port(runner).lines()
    logged = len(runner.guest.log)
    operation = runner.guest.next(lines.virq, lines.vfiq)
    for value in runner.guest.log[logged:]:
        machine.log.add(machine.time, runner.number, "note", f"the guest logs {value} ({value:#x})")
    value, fault = await machine.operate(runner, operation)
    runner.guest.complete(operation, value, fault)


async def _look_for_loop(
    machine: Machine, scheduler: Scheduler, seen: dict[object, tuple[int, dict[int, int]]]
) -> tuple[str, ...] | None:
    """Return the events since the machine was last in the state it is in now, if it was."""
    key = (await fingerprint(machine), scheduler.snapshot())
    counts = {r.number: r.operations for r in machine.runners}
    before = seen.get(key)
    seen.setdefault(key, (machine.time, counts))
    if before is None:
        return None
    time, then = before
    able = [r for r in machine.runners if r.guest is not None and r.place in (Place.OUT, Place.GUEST)]
    if any(counts[r.number] == then[r.number] for r in able):
        return None
    return tuple(str(event) for event in machine.log.events if event.time > time)
