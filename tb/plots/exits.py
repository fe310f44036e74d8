"""Exits for each interrupt, by interrupts in flight, hypervisor and number of list registers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hw.config import GicConfig
from sim.policy.names import hypervisor_named
from sim.scenario.parser import parse_scenario
from tb.runner import run_job

__all__ = ["PATTERNS", "exits_by_flight", "guest_of"]

#: How interrupts come to be in flight together.
PATTERNS = {
    "nested": "each handler is interrupted by the next, more urgent one: all are active at once",
    "burst": "all become pending at once and are handled one by one",
}
_FIRST = 32
#: Distance of two priorities: with 5 bits there are 32 levels, and 0xf8 is masked.
_STEP = 8
#: The exit of a guest that has finished; it says nothing about interrupts.
_END = "HALT"
Listener = Callable[[str, int, int], None]


def guest_of(pattern: str, count: int, lrs: int) -> str:
    """Return the scenario of ``count`` interrupts in flight, as a file would have it.

    Raises
    ------
    ValueError
        When there are not enough priorities.
    """
    if not 1 <= count <= 30:
        raise ValueError(f"{count} interrupts in flight: 1 to 30 have a priority each")
    intids = range(_FIRST, _FIRST + count)
    priorities = " ".join(f"{0xF0 - _STEP * n:02x}" for n in range(count))
    numbers = " ".join(map(str, intids))
    lines = [f"scenario {pattern}: {count} interrupts in flight", f"machine lrs {lrs}"]
    lines += [f"SPI {numbers} prio {priorities}", "guest 0"]
    if pattern == "nested":
        lines += [f"    MOV r1, {count}", "wait:", "    IAR r0", "    CMP r0, 1023", "    BNE taken"]
        lines += ["    WFI", "    B wait", "taken:", "    LOOP r1, wait"]
        lines += [f"    EOI {intid}" for intid in reversed(intids)]
    else:
        lines += ["next:", "    IAR r0", "    CMP r0, 1023", "    BEQ done", "    EOI r0", "    B next"]
        lines += ["done:"]
    lines += ["    HALT", "end", "steps:"]
    if pattern == "nested":
        lines += [line for intid in intids for line in (f"    inj {intid}", "    RUN 1")]
    else:
        lines += [f"    inj {numbers}"]
    return "\n".join([*lines, "    RUN", ""])


async def measure(ports: list[Any], text: str, profile: str) -> dict[str, Any]:
    """Play a scenario (as a job) and return deliveries, exits by cause, and how it ended."""
    from sim.cost.meter import Deliveries
    from sim.scenario.build import build_machine
    from sim.scenario.play import Play

    scenario = parse_scenario(text, "plot")
    [steps] = scenario.sequences
    machine = build_machine(scenario, steps.machine, hypervisor_named(profile), ports)
    deliveries = Deliveries()
    machine.observers.append(deliveries)
    play = Play(scenario, steps, machine, "none", None)
    await play.run()
    [runner] = machine.runners
    ended = "storm" if runner.stuck else play.verdict.kind if play.verdict is not None else "played"
    return {"delivered": deliveries.count, "exits": dict(sorted(runner.causes.items())), "verdict": ended}


def exits_by_flight(
    profiles: Sequence[str],
    lrs: Sequence[int],
    flights: Sequence[int],
    patterns: Sequence[str] = tuple(PATTERNS),
    engine: str = "golden",
    listener: Listener | None = None,
) -> list[dict[str, Any]]:
    """Measure exits for each interrupt.

    Parameters
    ----------
    profiles : sequence of str
        Hypervisors.
    lrs : sequence of int
        Numbers of list registers.
    flights : sequence of int, 1..30
        Numbers of interrupts in flight.
    patterns : sequence of str
        Of :data:`PATTERNS`.
    engine : str
        One of ``tb.runner.ENGINES`` that is no bench.
    listener : callable or None
        Called with (what, done, total).

    Returns
    -------
    list of dict
        For each combination ``pattern``, ``profile``, ``lrs``, ``in_flight``, ``delivered``, ``exits`` by
        cause, ``verdict``, and ``exits_per_interrupt``: None if not every interrupt was delivered. The exit
        at the guest's end does not count.
    """
    for profile in profiles:
        hypervisor_named(profile)
    rows = []
    combinations = [(p, h, n, f) for p in patterns for h in profiles for n in lrs for f in flights]
    for done, (pattern, profile, count, flight) in enumerate(combinations):
        if listener is not None:
            listener(f"{pattern}, {profile}, {count} LRs", done, len(combinations))
        arguments = {"text": guest_of(pattern, flight, count), "profile": profile}
        config = GicConfig(lrs=count)
        found = run_job("tb.plots.exits:measure", arguments, engine=engine, config=config)
        whole = found["verdict"] == "finished" and found["delivered"] == flight
        exits = sum(number for cause, number in found["exits"].items() if cause != _END)
        each = exits / flight if whole else None
        row = {"pattern": pattern, "profile": profile, "lrs": count, "in_flight": flight}
        rows.append(row | found | {"exits_per_interrupt": each})
    return rows
