"""Recording a scenario as a job: the same on every engine, with JSON on both sides."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from sim.machine.runner import Place
from sim.policy.names import hypervisor_named
from sim.port import CpuPort
from sim.scenario.build import build_machine, need_time, pes_needed
from sim.scenario.job import Task
from sim.scenario.judged import judged_of
from sim.scenario.parser import read_scenario
from sim.scenario.play import Play
from tb.record.port import RecordingPort
from tb.record.recorder import Recorder
from tb.record.words import access_text

__all__ = ["MISR_MEANINGS", "changes", "record", "weigh"]

#: What a bit of ICH_MISR_EL2 that causes an exit means.
MISR_MEANINGS = {
    "EOI": "an interrupt that asked for it has ended",
    "U": "underflow: at most one list register is in use",
    "LRENP": "an interrupt ended that no list register holds (EOIcount)",
    "NP": "no list register holds a pending interrupt",
    "VGrp0E": "Group 0 is enabled",
    "VGrp0D": "Group 0 is disabled",
    "VGrp1E": "Group 1 is enabled",
    "VGrp1D": "Group 1 is disabled",
}


async def record(
    ports: list[CpuPort], tasks: list[dict[str, Any]], limit: int = 2000, accesses: bool = False
) -> list[dict[str, Any]]:
    """Play tasks (:class:`sim.scenario.job.Task`) and return for each what happened, as JSON data.

    Returns
    -------
    list of dict
        ``events``; ``raised``, ``delivered``, ``wrong`` and ``kept``: INTIDs; ``exits`` by cause;
        ``accesses``: number of the hypervisor's; ``verdict``, ``due`` (INTIDs by vCPU) and ``loop`` (the
        first event of a live-lock's loop, or None); ``judged``: whether the steps are written for this
        profile; ``problems`` and ``notes``: expectations that did not hold; ``lrs``, ``vcpus``, ``mi``;
        ``ideal``: whether the ideal was followed; ``dropped``: events left out. With ``accesses`` also
        ``traffic``: for each physical CPU every access as [EL, text, began, ended], times in ns.

    An event has ``kind`` (step, device, op, exit, entry, note), ``vcpu`` (-1: none), ``text``, ``op`` (guest
    operations so far), ``step``, ``ns`` (None without time), ``views`` by vCPU where they changed, and what
    goes with its kind: ``causes``, ``detail``, ``misr``, ``walked``, ``bits``, ``bad``, ``expects``, ``cpu``,
    ``port`` (the operation is an access to the CPU interface).
    """
    return [await _record(ports, Task(**task), limit, accesses) for task in tasks]


async def _record(ports: list[CpuPort], task: Task, limit: int, accesses: bool) -> dict[str, Any]:
    scenario = read_scenario(Path(task.path), task.file)
    steps = scenario.sequences[task.sequence]
    spec = task.spec(steps)
    need_time(scenario, steps, spec, ports)
    for port in ports:
        await port.reset()
    watched = [RecordingPort(port) for port in ports[: pes_needed(spec)]]
    profile = hypervisor_named(task.profile, Path(task.path).parent)
    machine = build_machine(scenario, spec, profile, watched)
    recorder = Recorder(machine, watched, [one.intid for one in scenario.interrupts], limit)
    judge = judged_of(profile, steps, spec)
    play = Play(scenario, steps, machine, judge, task.seed)
    play.followers.append(recorder)
    await play.run()
    recorder.refresh()
    verdict = play.verdict
    stuck = [runner for runner in machine.runners if runner.stuck]
    traffic = [[[d.access.el, access_text(d), d.began, d.ended] for d in one.accesses] for one in watched]
    return {
        "traffic": traffic if accesses else [],
        "name": scenario.name, "title": scenario.title, "file": task.file, "steps": steps.title,
        "sequence": task.sequence, "written_for": list(steps.profiles), "profile": profile.name,
        "judged": judge != "none", "lrs": spec.config.lrs, "vcpus": spec.vcpus, "mi": str(spec.mi),
        "ideal": recorder.shadow is not None,
        "priorities": {one.intid: one.priority for one in scenario.interrupts},
        "events": changes(weigh(recorder.events)), "dropped": recorder.dropped,
        "raised": recorder.raised, "delivered": recorder.delivered,
        "wrong": recorder.wrong, "kept": recorder.kept,
        "exits": dict(sum((runner.causes for runner in machine.runners), start=Counter())),
        "operations": machine.time, "accesses": sum(port.hypervisor for port in watched),
        "verdict": "storm" if stuck else verdict.kind if verdict is not None else "played",
        "due": {str(vcpu): due for vcpu, due in (verdict.due if verdict is not None else {}).items()},
        "loop": _loop(recorder, len(verdict.loop) if verdict is not None else 0, machine),
        "problems": [f"{one.place}: {one.text}: {one.found}" for one in play.problems],
        "notes": play.notes,
    }  # fmt: skip


def _loop(recorder: Recorder, length: int, machine: Any) -> int | None:
    """Return the first event of the loop that ended a run."""
    logged = list(machine.log.events)
    if not length or length > len(logged) or recorder.dropped:
        return None
    first = logged[-length].time
    return next((n for n, event in enumerate(recorder.events) if event["op"] >= first), None)


def weigh(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the events with each difference as [text, weight].

    A difference is ``late`` if it is gone before the vCPU's next operation, or lasts only while an exit is
    under way that puts it right; else it is ``wrong``.
    """
    weights: dict[tuple[int, int, str], str] = {}
    running: dict[tuple[int, str], list[int]] = {}
    wrong: set[tuple[int, str]] = set()

    def close(key: tuple[int, str]) -> None:
        for number in running.pop(key):
            weights[number, *key] = "wrong" if key in wrong else "late"
        wrong.discard(key)

    for number, event in enumerate(events):
        for vcpu, view in event["views"].items():
            texts = view.get("diff", [])
            for key in [key for key in running if key[0] == vcpu and key[1] not in texts]:
                close(key)
            for text in texts:
                began = (vcpu, text) not in running
                running.setdefault((vcpu, text), []).append(number)
                if event["kind"] == "op" and event["vcpu"] == vcpu and not began and not view["due"]:
                    wrong.add((vcpu, text))
    for key in list(running):
        if events[-1]["views"][key[0]]["place"] == Place.ASLEEP.value:  # nothing comes after it
            wrong.add(key)
        close(key)
    return [
        event
        | {
            "views": {
                vcpu: {name: value for name, value in view.items() if name != "due"}
                | {"diff": [[text, weights[number, vcpu, text]] for text in view.get("diff", [])]}
                for vcpu, view in event["views"].items()
            }
        }
        for number, event in enumerate(events)
    ]


def changes(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out of each event the views that are as they were."""
    last: dict[int, dict[str, Any]] = {}
    result = []
    for event in events:
        changed = {vcpu: view for vcpu, view in event["views"].items() if last.get(vcpu) != view}
        last |= changed
        result.append(event | {"views": {str(vcpu): view for vcpu, view in changed.items()}})
    return result
