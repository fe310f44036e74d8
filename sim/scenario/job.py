"""Scenarios as a job: the same coroutine on every engine, with JSON on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sim import progress
from sim.guest.language import Where
from sim.kvm.irq import VGIC_MIN_LPI
from sim.kvm.profile import Profile
from sim.policy.applies import applies
from sim.policy.names import command_line_name, hypervisor_named
from sim.port import CpuPort
from sim.scenario.build import pes_needed
from sim.scenario.header import parse_machine
from sim.scenario.judged import nearest
from sim.scenario.model import MachineSpec, Scenario, Steps
from sim.scenario.parser import find_scenarios, read_scenario
from sim.scenario.play import play
from sim.scenario.result import FAIL, KNOWN, OPEN, Result
from sim.system_port import System

__all__ = ["Task", "play_tasks", "play_tasks_on_system", "select"]

#: Why a scenario is left out where a part was asked for.
_NO_LPIS = "a GICv2 has no LPIs"


@dataclass(frozen=True)
class Task:
    """One sequence of one file under one profile.

    ``file`` is its name in messages, ``path`` where it is. ``overrides`` are machine settings in the words
    of the file format, empty for none; ``seed`` is that of the scheduler and of ``hammer``. ``judged_as``
    names the profile whose expectations it is held to, empty for its own: what ``fixed`` without one of its
    cures does is no profile of a file, and must fail the lines of ``fixed``.
    """

    file: str
    path: str
    sequence: int
    profile: str
    overrides: str = ""
    seed: int | None = None
    judged_as: str = ""

    def spec(self, steps: Steps) -> MachineSpec:
        """Return the machine it runs on."""
        if not self.overrides:
            return steps.machine
        return parse_machine(self.overrides, steps.machine, Where("command line", 0))

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return asdict(self)


def select(
    paths: Sequence[Path], profile: str | None = None, overrides: str = "", seed: int | None = None
) -> tuple[list[tuple[Task, MachineSpec]], list[Result]]:
    """Find what is to be played.

    Parameters
    ----------
    paths : sequence of Path
        Scenario files or directories of them.
    profile : str or None
        Play only this profile; None: every profile that a file speaks of. Where no steps of a file are for
        it, those of its base (7.3 of 7.3,-walk_from_tail) or of the file's first profile are played and
        only observed.
    overrides : str
        Machine settings that replace the files'.
    seed : int or None
        See :class:`Task`.

    Returns
    -------
    (list, list)
        Tasks with the machine each needs, and the results of the open scenarios.

    Raises
    ------
    InputError
        For a path, a file, a profile or a setting that is not right.
    """
    wanted = None if profile is None else hypervisor_named(profile)
    tasks: list[tuple[Task, MachineSpec]] = []
    opened: list[Result] = []
    for path in (file for given in paths for file in find_scenarios(given)):
        scenario = read_scenario(path)
        if scenario.open_reason is not None:
            reason = scenario.open_reason
            opened.append(Result(scenario.name, scenario.title, str(path), "", OPEN, reason=reason))
            continue
        rows = applies(wanted.policy) if wanted is not None and wanted.policy else None
        if rows is not None and scenario.name in rows.without and not _speaks_of(scenario, wanted):
            reason = rows.without[scenario.name]
            opened.append(Result(scenario.name, scenario.title, str(path), wanted.name, OPEN, reason=reason))
            continue
        for index, name in _wanted(scenario, wanted):
            task = Task(str(path), str(path.resolve()), index, name, overrides, seed)
            spec = task.spec(scenario.sequences[index])
            if spec.gicv2_guest and any(one.intid >= VGIC_MIN_LPI for one in scenario.interrupts):
                opened.append(Result(scenario.name, scenario.title, str(path), name, OPEN, reason=_NO_LPIS))
                continue
            tasks.append((task, spec))
    return tasks, opened


def _speaks_of(scenario: Scenario, profile: Profile) -> bool:
    """Return whether some steps of a scenario are meant for this hypervisor."""
    return any(profile.name in steps.profiles for steps in scenario.sequences)


def _wanted(scenario: Scenario, profile: Profile | None) -> list[tuple[int, str]]:
    """Return the sequences to play, each with the name of its hypervisor: a policy file by its path."""
    pairs = [(n, name) for n, steps in enumerate(scenario.sequences) for name in steps.profiles]
    if profile is None:
        return pairs
    known = list(dict.fromkeys(name for _, name in pairs))
    chosen = nearest(profile, known)
    name = command_line_name(profile)
    return [(n, name) for n, one in pairs if one == chosen]


async def play_tasks_on_system(system: System, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Play tasks whose physical interrupts go through a system's distributor; see :func:`play_tasks`."""
    return await play_tasks([], tasks, system)


async def play_tasks(
    ports: list[CpuPort], tasks: list[dict[str, Any]], system: System | None = None
) -> list[dict[str, Any]]:
    """Play tasks one after another on the same hardware; the results are :class:`Result` as JSON data."""
    results = []
    for number, data in enumerate(tasks):
        progress.report(number, len(tasks))
        task = Task(**data)
        scenario = read_scenario(Path(task.path), task.file)
        steps = scenario.sequences[task.sequence]
        spec = task.spec(steps)
        used = ports[: pes_needed(spec)]
        profile = hypervisor_named(task.profile, Path(task.path).parent)
        if task.judged_as:
            profile = replace(profile, name=task.judged_as)
        result = await play(scenario, steps, profile, used, spec, task.seed, system)
        if result.status == FAIL and profile.policy and profile.name not in steps.profiles:
            result.reason = applies(profile.policy).weakness(scenario.name, result.marked)
            result.status = KNOWN if result.reason else FAIL
        results.append(result.as_dict())
    return results
