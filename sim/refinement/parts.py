"""The same random guests on every part: what they see must be the ideal's; what it costs differs.

The cost of a part is what its list registers and its traps make of the guest: full exits to the kernel,
registers emulated in hyp between an exit and the re-entry, and accesses to ICH (or GICH) registers.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from hw.errors import InputError
from hw.registers import MISR_BITS
from sim.engines.counting import CountingPort
from sim.engines.golden import golden_port
from sim.ideal import FIRST_LPI
from sim.machine.parts import PARTS, part_named
from sim.port import run
from sim.refinement.actions import Action, random_actions
from sim.refinement.run import LENGTH, refine_on
from sim.refinement.setup import Setup, random_setup

__all__ = ["CAUSES", "PartCost", "describe_parts", "part_guests", "run_parts"]

#: Columns of the table: what ended a run of the guest. One exit with several causes counts as the first.
CAUSES = ("TRAP", "MI", "KICK", "MMIO", "SGI", "WFI", "EXIT")


@dataclass
class PartCost:
    """What the guests saw and cost on one part.

    Attributes
    ----------
    same : int
        Guests that saw what the ideal GIC shows, to their end.
    exceptions : Counter
        Named exceptions that ended a guest's run.
    findings : list of str
        Differences without a name.
    operations : int
        Guest operations.
    exits : Counter
        Full exits by cause (:data:`CAUSES`).
    emulated : int
        Accesses that hyp emulated without a full exit.
    reads, writes : int
        Accesses of ICH or GICH registers.
    """

    same: int = 0
    exceptions: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    operations: int = 0
    exits: Counter[str] = field(default_factory=Counter)
    emulated: int = 0
    reads: int = 0
    writes: int = 0

    def as_dict(self) -> dict:
        """Return it as JSON data."""
        return {
            "same": self.same, "exceptions": dict(sorted(self.exceptions.items())),
            "findings": self.findings, "operations": self.operations,
            "exits": {cause: self.exits[cause] for cause in CAUSES}, "emulated": self.emulated,
            "ich_reads": self.reads, "ich_writes": self.writes,
        }  # fmt: skip


def part_guests(count: int, seed: int = 0, profile: str = "7.3") -> list[tuple[Setup, list[Action]]]:
    """Draw guests that mean the same on every part.

    GICv2 has no LPIs, and tells the sources of an SGI apart: neither is drawn, SGIs only with one vCPU.
    """
    guests = []
    for number in range(seed, seed + count):
        generator = random.Random(number)
        setup = random_setup(generator, profile=profile, trouble=False)
        kept = tuple(
            one for one in setup.interrupts
            if one.intid < FIRST_LPI and (one.intid >= 16 or setup.vcpus == 1)
        )  # fmt: skip
        guests.append((replace(setup, interrupts=kept), random_actions(generator, LENGTH, False)))
    return guests


def run_parts(
    names: Sequence[str] = (),
    guests: int = 50,
    seed: int = 0,
    profile: str = "7.3",
    report: Callable[[str, int, int], None] | None = None,
) -> dict[str, PartCost]:
    """Run the same guests on parts.

    Parameters
    ----------
    names : sequence of str
        Parts; none: all of them.
    guests, seed : int
        How many guests, and the seed of the first.
    profile : str
        The kernel.
    report : callable or None
        Called with (part, guests done, guests wanted).

    Raises
    ------
    InputError
        For an unknown part.
    """
    for name in names:
        part_named(name)
    drawn = part_guests(guests, seed, profile)
    costs = {}
    for name in names or PARTS:
        cost = costs[name] = PartCost()
        for number, (setup, actions) in enumerate(drawn):
            if report is not None:
                report(name, number, guests)
            lrs = PARTS[name].config.lrs
            _run_one(cost, replace(setup, part=name, lrs=lrs), actions, seed + number)
    return costs


def _run_one(cost: PartCost, setup: Setup, actions: Sequence[Action], seed: int) -> None:
    ports = [CountingPort(golden_port(setup.spec.config)) for _ in range(setup.vcpus)]
    outcome = run(refine_on(ports, setup, actions))
    if outcome.divergence is None:
        cost.same += 1
    elif outcome.name is not None:
        cost.exceptions[outcome.name] += 1
    else:
        cost.findings.append(f"seed {seed}: {outcome.divergence}")
    cost.operations += outcome.operations
    for causes, count in outcome.exits.items():
        words = causes.split("+")
        cost.exits["MI" if set(words) & set(MISR_BITS) else words[0]] += count
    cost.emulated += outcome.emulated
    cost.reads += sum(port.reads for port in ports)
    cost.writes += sum(port.writes for port in ports)


def describe_parts(costs: dict[str, PartCost]) -> str:
    """Return the table: everything per thousand guest operations but the guests themselves."""
    if not costs:
        raise InputError("no part was run; name one, or none for all")
    head = ["part", "LRs", "same", "named", "found", "exits", *CAUSES, "emulated", "ICH r", "ICH w"]
    rows = [head]
    for name, cost in costs.items():
        per = 1000 / max(1, cost.operations)
        numbers = [sum(cost.exits.values()), *(cost.exits[cause] for cause in CAUSES), cost.emulated,
                   cost.reads, cost.writes]  # fmt: skip
        guests = [cost.same, sum(cost.exceptions.values()), len(cost.findings)]
        rows.append(
            [name, str(PARTS[name].config.lrs), *map(str, guests), *(f"{n * per:.0f}" for n in numbers)]
        )
    widths = [max(len(row[n]) for row in rows) for n in range(len(head))]
    lines = [
        "  ".join(
            text.ljust(width) if n == 0 else text.rjust(width)
            for n, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    lines += [f"{name}: {text}" for name, cost in costs.items() for text in cost.findings]
    for name, cost in costs.items():
        if cost.exceptions:
            named = ", ".join(f"{count} {known}" for known, count in sorted(cost.exceptions.items()))
            lines.append(f"{name}: ended by the known exceptions {named}")
    return "\n".join(lines)
