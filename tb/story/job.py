"""One act as a job: a sequence of the story's scenario, watched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sim.kvm.profile import profile_named
from sim.machine.schedule import Scheduler, run_guests
from sim.port import CpuPort
from sim.scenario.build import build_machine, pes_needed
from sim.scenario.parser import read_scenario
from sim.scenario.play import Play
from tb.story.chronicle import Chronicle, WatchedPort

__all__ = ["tell"]

#: How often a loop that was found is gone round again, so that the waveform shows it as one.
_MORE_TURNS = 4


async def tell(ports: list[CpuPort], path: str, profile: str) -> dict[str, Any]:
    """Play the steps that a scenario has for a profile and return what happened, as JSON data.

    Returns
    -------
    dict
        ``lines`` and ``marks`` (:mod:`tb.story.chronicle`); ``raised``, ``delivered``, ``wrong`` and
        ``stuck``: INTIDs; ``exits`` by cause; ``accesses``: the hypervisor's; ``verdict``; ``loop``: the
        first and last operation of a live-lock; ``problems``: expectations that did not hold.
    """
    scenario = read_scenario(Path(path))
    steps = next(steps for steps in scenario.sequences if profile in steps.profiles)
    watched = [WatchedPort(port) for port in ports[: pes_needed(steps.machine)]]
    for port in ports:
        await port.reset()
    machine = build_machine(scenario, steps.machine, profile_named(profile), watched)
    chronicle = Chronicle()
    chronicle.watch(machine)
    play = Play(scenario, steps, machine, True, None)
    await play.run()
    runner = machine.runners[0]
    if (
        play.verdict is not None
        and play.verdict.kind == "asleep"
        and len(chronicle.raised) > len(chronicle.delivered)
    ):
        now = watched[0].now()
        chronicle.say(machine, now, "guest", "sleeps on", "bad")
        chronicle.mark(now, "the guest sleeps on")
    told = {
        "raised": list(chronicle.raised),
        "delivered": list(chronicle.delivered),
        "wrong": chronicle.wrong,
        "stuck": chronicle.stuck,
        "exits": dict(runner.causes),
        "accesses": sum(port.hypervisor for port in watched),
        "verdict": play.verdict.kind if play.verdict else "running",
        "loop": None,
        "problems": [f"{one.place}: {one.text}: {one.found}" for one in play.problems],
        "lines": list(chronicle.lines),
    }
    if play.verdict is not None and play.verdict.kind == "live-lock":
        # The loop is the end of the log.
        first = list(machine.log.events)[-len(play.verdict.loop)].time
        told["loop"] = [first, machine.time]
        began = next(line.ns for line in chronicle.lines if line.operation >= first)
        chronicle.mark(began, "live-lock entered", True)
        for _ in range(_MORE_TURNS):
            await run_guests(machine, Scheduler())
    told["marks"] = chronicle.marks
    return told
