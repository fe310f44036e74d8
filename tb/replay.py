"""Replays traces on an engine: checks them, groups them by hardware, runs one job for each group."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from sim.replay import Explained, FileReport, explain_deviation
from sim.trace import TraceSummary, check_trace, find_traces
from tb.runner import run_job

__all__ = ["Replays", "replay_traces"]

#: Called with what is being done, how much of it is done, and how much there is (in operations or bytes).
Listener = Callable[[str, int, int], None]


@dataclass
class Replays:
    """What came of a number of traces.

    Attributes
    ----------
    engine : str
    reports : list of FileReport
        One for each trace that could be replayed, in the order asked for.
    refused : list of str
        One line for each that could not: malformed, not supported.
    seconds : float
        Time the replays took, reading and checking beforehand not included.
    """

    engine: str
    reports: list[FileReport] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def operations(self) -> int:
        """Operations applied."""
        return sum(report.operations for report in self.reports)

    @property
    def compared(self) -> int:
        """Operations of which every recorded value was compared."""
        return sum(report.compared for report in self.reports)

    @property
    def differences(self) -> int:
        """Differences that no rule explains."""
        return sum(report.differences for report in self.reports)

    @property
    def share(self) -> float:
        """Share of the operations that were compared, 0..1."""
        return self.compared / self.operations if self.operations else 1.0

    @property
    def status(self) -> int:
        """Exit status: 0 all agree, 1 something differs, 2 something could not be replayed."""
        return 2 if self.refused else int(self.differences > 0)

    @property
    def explained(self) -> dict[str, Explained]:
        """Counts of every deviation over all files, by report name."""
        total: dict[str, Explained] = {}
        for report in self.reports:
            for name, counts in report.explained.items():
                into = total.setdefault(name, Explained())
                for key, value in vars(counts).items():
                    setattr(into, key, getattr(into, key) + value)
        return dict(sorted(total.items()))

    def to_json(self) -> dict[str, Any]:
        """Return everything but the time, so that the same replay gives the same text."""
        return {
            "engine": self.engine,
            "operations": self.operations,
            "compared": self.compared,
            "share": round(self.share, 6),
            "differences": self.differences,
            "explained": {
                name: {"rule": explain_deviation(name), **vars(counts)}
                for name, counts in self.explained.items()
            },
            "files": [report.to_json() for report in self.reports],
            "refused": self.refused,
        }


def _check(paths: Sequence[Path], result: Replays, listener: Listener | None) -> list[TraceSummary]:
    """Check every file fully before any is replayed."""
    sizes = [path.stat().st_size for path in paths]
    summaries = []
    for index, path in enumerate(paths):
        try:
            summaries.append(check_trace(path))
        except InputError as error:
            result.refused.append(str(error))
        if listener is not None:
            listener("reading", sum(sizes[: index + 1]), sum(sizes))
    return summaries


def replay_traces(
    paths: Iterable[str | Path],
    engine: str = "golden",
    *,
    waves: Path | None = None,
    verilog: str | None = None,
    listener: Listener | None = None,
) -> Replays:
    """Replay traces, or directories of traces, on an engine.

    Parameters
    ----------
    paths : iterable of path
        Files, and directories whose ``*.jsonl[.gz]`` are taken.
    engine : str
        One of :data:`tb.runner.ENGINES`.
    waves : Path or None
        Wave file to write. All traces must then be of one configuration, since they share one simulation.
    verilog : str or None
        Verilog to simulate instead of the gateware, for tests that break it.
    listener : callable or None
        Told how far things are.

    Raises
    ------
    InputError
        When a path does not exist, the engine or a tool is missing, or ``waves`` cannot be written. What is
        wrong with the contents of one file keeps it from being replayed and stands in ``refused``.
    """
    result = Replays(engine)
    summaries = _check(find_traces(paths), result, listener)
    groups: dict[tuple[GicConfig | GicV2Config, int], list[TraceSummary]] = {}
    for summary in summaries:
        groups.setdefault((summary.config, summary.pes), []).append(summary)
    if waves is not None and len(groups) > 1:
        raise InputError(
            f"{waves}: the traces need {len(groups)} different builds; write waves of one at a time"
        )
    total, done = sum(summary.operations for summary in summaries), 0
    reports: dict[str, FileReport] = {}
    start = time.monotonic()
    for (config, pes), members in groups.items():
        part = sum(summary.operations for summary in members)

        def progress(now: int, _total: int, before: int = done) -> None:
            if listener is not None:
                listener("replaying", before + now, total)

        answer = run_job(
            "sim.replay:replay_files",
            {"paths": [str(Path(summary.path).resolve()) for summary in members], "total": part},
            engine=engine,
            config=config,
            pes=pes,
            waves=waves,
            verilog=verilog,
            progress=progress,
        )
        for summary, data in zip(members, answer, strict=True):
            reports[summary.path] = FileReport.from_json(data).renamed(summary.path)
        done += part
    result.seconds = time.monotonic() - start
    result.reports = [reports[summary.path] for summary in summaries]
    return result
