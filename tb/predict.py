"""Predicts traces, open loop or with an engine as the hardware: checks them, groups them, runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hw.config import GicConfig
from hw.errors import InputError
from sim.kvm.profile import Profile
from sim.predict import NOT_PREDICTABLE, Report, find_order, is_predictable, placement
from sim.trace import check_trace, find_traces, open_trace
from tb.engines import ENGINES, RECORDED
from tb.runner import run_job

__all__ = ["RECORDED", "Predictions", "predict_traces"]

#: Called with what is being done, how much of it is done, and how much there is.
Listener = Callable[[str, int, int], None]


@dataclass
class Predictions:
    """What came of a number of traces.

    ``reports``: one for each that could be predicted; ``refused``: a line for each that could not;
    ``skipped``: files of a directory that hold no stimulus.
    """

    engine: str
    reports: list[Report] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def entries(self) -> int:
        """Entries compared."""
        return sum(report.entries for report in self.reports)

    @property
    def equal(self) -> int:
        """Entries that agree in everything."""
        return sum(report.equal for report in self.reports)

    @property
    def status(self) -> int:
        """Exit status: 0 all agree, 1 something differs, 2 something could not be predicted."""
        return 2 if self.refused else int(not all(report.good for report in self.reports))

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON can carry it."""
        return {
            "engine": self.engine,
            "entries": self.entries,
            "equal": self.equal,
            "different": self.entries - self.equal,
            "files": [report.to_json() for report in self.reports],
            "refused": self.refused,
            "skipped": self.skipped,
        }


def predict_traces(
    paths: Iterable[str | Path],
    profile: Profile | None = None,
    engine: str = RECORDED,
    listener: Listener | None = None,
) -> Predictions:
    """Predict traces, or those of directories.

    Parameters
    ----------
    paths : iterable of str or Path
        Trace files and directories. A file must hold its stimulus; those of a directory that do not are
        skipped.
    profile : Profile or None
        None: each trace's own kernel.
    engine : str
        ``recorded``: open loop; else one of :data:`tb.runner.ENGINES` as the hardware.
    listener : callable or None
        Called with progress.

    Raises
    ------
    InputError
        When nothing is there to predict, a path is missing, or the engine is unknown.
    """
    if engine != RECORDED and engine not in ENGINES:
        raise InputError(f"unknown engine {engine!r}; one of {RECORDED}, {', '.join(ENGINES)}")
    paths = [Path(path) for path in paths]
    named = set(paths)
    result = Predictions(engine)
    groups: dict[tuple[int, int], list[dict[str, Any]]] = {}
    traces = find_traces(paths)
    for done, path in enumerate(traces):
        try:
            _examine(path, path in named, profile, result, groups, engine)
        except InputError as error:
            result.refused.append(str(error))
        if listener is not None:
            listener("predicting", done + 1, len(traces))
    for (vtr, pes), tasks in groups.items():
        config = GicConfig.from_vtr(vtr)
        arguments = {"engine": engine, "tasks": tasks}
        answers = run_job("sim.predict.job:predict_files", arguments, engine=engine, config=config, pes=pes)
        by_path = {report.path: report for report in result.reports}
        for answer in answers:
            closed = Report.from_json(answer)
            closed.placed = by_path[closed.path].placed
            result.reports[result.reports.index(by_path[closed.path])] = closed
    if not result.reports and not result.refused:
        raise InputError(
            "none of these traces holds its stimulus (meta.stimulus); there is nothing to predict"
        )
    return result


def _examine(
    path: Path,
    named: bool,
    profile: Profile | None,
    result: Predictions,
    groups: dict[tuple[int, int], list[dict[str, Any]]],
    engine: str,
) -> None:
    """Predict one trace open loop, and plan its closed loop."""
    name = str(path)
    try:
        with open_trace(path) as trace:
            predictable = is_predictable(trace.meta)
    except InputError as error:
        if named or "GICv2" not in str(error):
            raise
        predictable = False
    if not predictable:
        if named:
            raise InputError(NOT_PREDICTABLE.format(name))
        result.skipped.append(name)
        return
    check_trace(path)
    placements, report = find_order(name, profile)
    result.reports.append(report)
    if engine == RECORDED:
        return
    with open_trace(path) as trace:
        task = {"path": name, "profile": report.profile, "placements": sorted(placements.items())}
        pes = 1 + max(placement(trace).values())
        groups.setdefault((trace.config.vtr, pes), []).append(task)
