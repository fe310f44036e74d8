"""Runs of refinement: one, many, and a failing one made small."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sim.engines.golden import golden_port
from sim.port import CpuPort, run
from sim.refinement.acting import act
from sim.refinement.actions import Action, random_actions
from sim.refinement.divergence import Divergence
from sim.refinement.exceptions import recognise
from sim.refinement.finishing import finish
from sim.refinement.setup import Setup, random_setup
from sim.refinement.world import World
from sim.scenario.build import pes_needed

__all__ = ["LENGTH", "Finding", "Outcome", "Tally", "refine", "refine_on", "shrink", "soak"]

#: Actions in a random run.
LENGTH = 120


@dataclass
class Outcome:
    """What came of one run.

    ``divergence`` is None when everything agreed, ``name`` the exception it is (None: a finding);
    ``operations`` counts guest operations; ``widths`` the priority inversions by width; ``log`` the last
    events; ``exits`` counts exits by their causes, ``emulated`` accesses that hyp emulated.
    """

    operations: int
    divergence: Divergence | None = None
    name: str | None = None
    widths: Counter[int] = field(default_factory=Counter)
    log: list[str] = field(default_factory=list)
    exits: Counter[str] = field(default_factory=Counter)
    emulated: int = 0

    @property
    def finding(self) -> bool:
        """Whether it diverged in a way nobody has a name for."""
        return self.divergence is not None and self.name is None


async def refine_on(
    ports: Sequence[CpuPort], setup: Setup, actions: Sequence[Action], log: int = 0
) -> Outcome:
    """Run actions on a machine made of ``ports`` and on the ideal GIC, to the first divergence or the end."""
    for port in ports:
        await port.reset()
    world = World(setup, ports, log)
    divergence = name = None
    try:
        await world.start()
        for action in actions:
            await act(world, action)
        await finish(world)
    except Divergence as found:
        divergence = found
        name = None if setup.strict else await recognise(world, found)
    tail = world.machine.log.tail(log) if log else []
    exits = sum((runner.causes for runner in world.runners), start=Counter())
    emulated = sum(runner.emulated for runner in world.runners)
    return Outcome(world.machine.time, divergence, name, world.windows.widths, tail, exits, emulated)


def refine(setup: Setup, actions: Sequence[Action], log: int = 0) -> Outcome:
    """Run actions on golden; see :func:`refine_on`."""
    ports = [golden_port(setup.spec.config) for _ in range(pes_needed(setup.spec))]
    return run(refine_on(ports, setup, actions, log))


def shrink(setup: Setup, actions: Sequence[Action], same: Callable[[Outcome], bool]) -> list[Action]:
    """Return a short list of actions whose outcome is still ``same``: pieces are left out while it is."""
    kept = list(actions)
    size = len(kept) // 2
    while size:
        start = 0
        while start < len(kept):
            shorter = kept[:start] + kept[start + size :]
            if same(refine(setup, shorter)):
                kept = shorter
            else:
                start += size
        size = size // 2
    return kept


@dataclass(frozen=True)
class Finding:
    """A divergence without a name: what leads to it, made short, and the last events."""

    seed: int
    setup: Setup
    actions: tuple[Action, ...]
    text: str
    log: tuple[str, ...]

    def __str__(self) -> str:
        actions = "\n".join(f"  {action}" for action in self.actions)
        events = "\n".join(f"  {event}" for event in self.log)
        return f"seed {self.seed}: {self.text}\n{self.setup}\nactions:\n{actions}\nlast events:\n{events}"


@dataclass
class Tally:
    """Totals of many runs. ``exceptions`` counts runs by the exception that ended them."""

    runs: int = 0
    operations: int = 0
    exceptions: Counter[str] = field(default_factory=Counter)
    widths: Counter[int] = field(default_factory=Counter)
    findings: list[Finding | str] = field(default_factory=list)

    def as_dict(self) -> dict:
        """Return it as JSON data."""
        return {
            "runs": self.runs,
            "operations": self.operations,
            "exceptions": dict(sorted(self.exceptions.items())),
            "inversions": {str(width): count for width, count in sorted(self.widths.items())},
            "findings": [str(one) for one in self.findings],
        }

    def add(self, data: dict) -> None:
        """Add another one's totals, given as JSON data; findings stay text."""
        self.runs += data["runs"]
        self.operations += data["operations"]
        self.exceptions += Counter(data["exceptions"])
        self.widths += Counter({int(width): count for width, count in data["inversions"].items()})
        self.findings += data["findings"]


def soak(
    operations: int,
    seed: int = 0,
    latency: int = 0,
    profile: str = "7.3",
    trouble: bool | None = None,
    report: Callable[[int, int], None] | None = None,
    most: int = 3,
    strict: bool = False,
) -> Tally:
    """Do random runs until so many guest operations were compared.

    Parameters
    ----------
    operations : int
        Guest operations, at least.
    seed : int
        Of the first run; the others follow.
    latency : int
        Guest operations until a maintenance interrupt or a kick takes effect.
    profile : str
        The kernel.
    trouble : bool or None
        See :class:`sim.refinement.setup.Setup`; None: in three runs out of ten.
    report : callable or None
        Called with (operations done, wanted).
    most : int
        Stop at so many findings.
    strict : bool
        See :class:`sim.refinement.setup.Setup`. The runs are wide then: up to three vCPUs, EOImode switched.
    """
    tally = Tally()
    while tally.operations < operations and len(tally.findings) < most:
        number = seed + tally.runs
        generator = random.Random(number)
        setup = replace(random_setup(generator, latency, profile, trouble, strict), strict=strict)
        actions = random_actions(generator, LENGTH, setup.trouble, strict)
        outcome = refine(setup, actions)
        tally.runs += 1
        tally.operations += outcome.operations
        tally.widths += outcome.widths
        if outcome.name is not None:
            tally.exceptions[outcome.name] += 1
        if outcome.finding:
            tally.findings.append(_finding(number, setup, actions, outcome))
        if report is not None:
            report(tally.operations, operations)
    return tally


def _finding(seed: int, setup: Setup, actions: Sequence[Action], outcome: Outcome) -> Finding:
    kind = outcome.divergence.kind
    short = shrink(setup, actions, lambda one: one.finding and one.divergence.kind == kind)
    again = refine(setup, short, log=24)
    return Finding(seed, setup, tuple(short), str(again.divergence), tuple(again.log))
