"""Playing scenarios on an engine: those that need the same hardware share one run of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from sim.engines.job import find_function
from sim.scenario.build import pes_needed, physical_side
from sim.scenario.job import Task, select
from sim.scenario.model import MachineSpec, Scenario
from sim.scenario.parser import read_scenario
from sim.scenario.result import OPEN, Problem, Result
from tb.build import bench_verilog_of
from tb.engines import SYSTEM_PREFIX
from tb.runner import run_job

if TYPE_CHECKING:
    from sim.bench.attached import Attached

__all__ = ["play_scenarios", "play_selected"]

_JOB = "sim.scenario.job:play_tasks"
_SYSTEM_JOB = "sim.scenario.job:play_tasks_on_system"
_Build = tuple[GicConfig | GicV2Config, int, PhysicalConfig | None]
Listener = Callable[[str, int, int], None]


def play_scenarios(
    paths: Sequence[Path],
    engine: str = "golden",
    profile: str | None = None,
    overrides: str = "",
    seed: int | None = None,
    waves: Path | None = None,
    listener: Listener | None = None,
    board: Attached | None = None,
    netlist: Callable[[str], str] | None = None,
) -> list[Result]:
    """Play scenarios and return their results, file by file.

    Parameters
    ----------
    paths, profile, overrides, seed
        See :func:`sim.scenario.job.select`.
    engine : str
        One of :data:`tb.engines.PLAYERS`.
    waves : Path or None
        Directory for waveforms, one file for each sequence and profile; created if it is not there.
    listener : callable or None
        Called with (what, done, total) now and then.
    board : Attached or None
        A board to play them on, in place of an engine; those that it cannot hold are open.
    netlist : callable or None
        Makes what is simulated of the bench's Verilog, on ``bench-verilator`` and ``bench-icarus``.

    Raises
    ------
    InputError
        For anything wrong with the files or the options.
    """
    tasks, opened = select(paths, profile, overrides, seed)
    return play_selected(tasks, engine, waves, listener, board, netlist, opened)


def play_selected(
    tasks: Sequence[tuple[Task, MachineSpec]],
    engine: str = "golden",
    waves: Path | None = None,
    listener: Listener | None = None,
    board: Attached | None = None,
    netlist: Callable[[str], str] | None = None,
    opened: Sequence[Result] = (),
) -> list[Result]:
    """Play what :func:`sim.scenario.job.select` found, of any number of profiles.

    Parameters
    ----------
    tasks : sequence of (Task, MachineSpec)
        What to play, with the machine each needs.
    engine, waves, listener, board, netlist
        See :func:`play_scenarios`.
    opened : sequence of Result
        Results that are there already, put in order with the others.

    Raises
    ------
    InputError
        For waves of golden, or a directory of waves that cannot be made.
    """
    results = list(opened)
    whole, engine = engine.startswith(SYSTEM_PREFIX), engine.removeprefix(SYSTEM_PREFIX)
    if waves is not None and engine == "golden":
        raise InputError("golden has no cycles, so no waveform; choose another --engine")
    done = 0
    for (config, pes, physical), group in _groups(tasks, whole).items():
        if board is not None and (reason := board.refuses(config, pes)):
            results += [_open(task, reason) for task in group]
            done += len(group)
            continue
        for bunch, file in _bunches(group, waves, engine):
            arguments = {"tasks": [task.as_dict() for task in bunch]}
            if listener is not None:
                listener(f"{config.lrs} LRs, {pes} CPUs", done, len(tasks))
            if board is not None:
                found = board.run_job(find_function(_JOB), arguments, config, pes)
            else:
                found = run_job(
                    _SYSTEM_JOB if whole else _JOB, arguments,
                    engine=engine, config=config, pes=pes, physical=physical, waves=file,
                    verilog=netlist and netlist(bench_verilog_of(config, pes)),
                )  # fmt: skip
            results += [_result(data) for data in found]
            done += len(bunch)
    return sorted(results, key=lambda result: (result.file, result.line))


def _groups(tasks: Sequence[tuple[Task, MachineSpec]], whole: bool) -> dict[_Build, list[Task]]:
    """Return what runs on the same hardware; ``whole``: with its physical side."""
    groups: dict[_Build, list[Task]] = {}
    for task, spec in tasks:
        physical = physical_side(spec, _scenario(task.path).interrupts) if whole else None
        groups.setdefault((spec.config, pes_needed(spec), physical), []).append(task)
    return groups


@cache
def _scenario(path: str) -> Scenario:
    return read_scenario(Path(path))


def _bunches(group: list[Task], waves: Path | None, engine: str) -> list[tuple[list[Task], Path | None]]:
    """Return what runs together, and the wave file: with waves every task runs alone."""
    if waves is None:
        return [(group, None)]
    try:
        waves.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{waves}: {error.strerror}; give a directory for the waveforms") from None
    suffix = "fst" if engine == "icarus" else "vcd"
    return [
        ([task], waves / f"{Path(task.file).stem}-{task.sequence + 1}-{Path(task.profile).name}.{suffix}")
        for task in group
    ]


def _open(task: Task, reason: str) -> Result:
    return Result(Path(task.file).stem, "", task.file, task.profile, OPEN, reason=reason)


def _result(data: dict) -> Result:
    problems = [Problem(**problem) for problem in data.pop("problems")]
    return Result(**data, problems=problems)
