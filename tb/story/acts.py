"""The acts of the story, how each must come out, and playing one on an engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw.errors import InputError
from sim.scenario.parser import read_scenario
from tb.runner import run_job
from tb.story.chronicle import Line, Mark

__all__ = ["ACTS", "STORY", "Act", "Told", "play_act"]

#: The guest, its interrupts, and what must be seen, for every profile.
STORY = Path(__file__).with_name("story.scenario")
#: As many PEs as the recorded guest's machine has, so that all acts share one compiled simulation.
_PES = 2


@dataclass(frozen=True)
class Told:
    """What happened in an act.

    Attributes
    ----------
    raised, delivered, wrong, stuck : list of int
        Interrupts that arrived; that the guest acknowledged; that the hypervisor deactivated while they were
        being handled; that stayed active after their end.
    exits : dict
        Number by cause; a maintenance interrupt's is its ICH_MISR_EL2 bits joined with ``+``.
    accesses : int
        Accesses of the hypervisor to ICH registers.
    verdict : str
        How the run ended (:class:`sim.machine.schedule.Verdict`).
    loop : (int, int) or None
        First and last guest operation of the live-lock's loop.
    problems : list of str
        What the scenario expects and was not so.
    lines, marks : list
        See :mod:`tb.story.chronicle`; no marks from an engine that cannot tell the time.
    """

    raised: list[int]
    delivered: list[int]
    wrong: list[int]
    stuck: list[int]
    exits: dict[str, int]
    accesses: int
    verdict: str
    loop: tuple[int, int] | None
    problems: list[str]
    lines: list[Line]
    marks: list[Mark]

    @property
    def missing(self) -> list[int]:
        """Interrupts that arrived and were not delivered."""
        left = list(self.delivered)
        return [intid for intid in self.raised if intid not in left or left.remove(intid)]

    @property
    def per_exit(self) -> float:
        """ICH accesses for each exit."""
        return self.accesses / max(1, sum(self.exits.values()))


@dataclass(frozen=True)
class Act:
    """One act: ``name`` on the command line, ``profile`` of the hypervisor, ``title`` and ``opening`` text.

    ``since``: the interrupt with whose arrival the printed part begins. ``judge`` returns what came of it in
    a few words if it came out as it must, else None. ``cycles``: what the waveform shows before and after
    the moment to look at.
    """

    name: str
    profile: str
    title: str
    opening: str
    since: int
    judge: Callable[[Told], str | None]
    cycles: tuple[int, int]


def _numbers(intids: list[int]) -> str:
    return ", ".join(map(str, intids))


def _live_lock(told: Told) -> str | None:
    if told.verdict != "live-lock" or told.loop is None or not told.missing:
        return None
    return f"live-lock: {_numbers(told.missing)} never delivered"


def _wrong_one(told: Told) -> str | None:
    if not told.wrong or not told.stuck or not told.missing:
        return None
    return f"the wrong one deactivated: {_numbers(told.wrong)}, not {_numbers(told.stuck)}"


def _correct(told: Told) -> str | None:
    if told.wrong or told.stuck or told.missing or told.verdict != "asleep":
        return None
    return "correct"


ACTS: dict[str, Act] = {
    act.name: act
    for act in (
        Act(
            "legacy", "legacy", "the live-lock of kernels before the overflow work",
            "Five devices raise interrupts, each more urgent than the one before, and the guest's handlers "
            "interrupt each other. The hardware has four list registers.",
            32, _live_lock, (25, 85),
        ),
        Act(
            "6.19", "6.19", "the wrong interrupt is deactivated",
            "Linux 6.19, as first released, moves active interrupts out of the list registers. The hardware "
            "counts their ends (EOIcount), and the hypervisor then deactivates as many. Here the maintenance "
            "interrupt (MI) that asks for it is taken three guest operations late; the guest goes on.",
            36, _wrong_one, (110, 40),
        ),
        Act(
            "7.3", "7.3", "the same guest and the same delay, correct",
            "Linux 7.3 searches its list of interrupts from the other end, where those outside the list "
            "registers stand.",
            36, _correct, (110, 40),
        ),
    )
}  # fmt: skip


def play_act(act: Act, engine: str, waves: Path | None = None, scenario: Path = STORY) -> Told:
    """Play an act.

    Parameters
    ----------
    act : Act
    engine : str
        One of ``tb.runner.ENGINES``.
    waves : Path or None
        Wave file to write.
    scenario : Path
        Another story, with steps for the act's profile.

    Raises
    ------
    InputError
        When the story has no steps for the profile, or as :func:`tb.runner.run_job`.
    """
    sequences = read_scenario(scenario).sequences
    steps = next((steps for steps in sequences if act.profile in steps.profiles), None)
    if steps is None:
        raise InputError(f"{scenario}: no steps for profile {act.profile}; add 'steps {act.profile}:'")
    arguments = {"path": str(scenario.resolve()), "profile": act.profile}
    told: dict[str, Any] = run_job(
        "tb.story.job:tell", arguments, engine=engine, config=steps.machine.config, pes=_PES, waves=waves
    )
    told["lines"] = [Line(*line) for line in told["lines"]]
    told["marks"] = [Mark(*mark) for mark in told["marks"]]
    told["loop"] = tuple(told["loop"]) if told["loop"] else None
    return Told(**told)
