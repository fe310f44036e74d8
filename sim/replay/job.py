"""The replay of whole files, as a function and as a job for any engine."""

from __future__ import annotations

from typing import Any

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from sim import progress
from sim.deviations import Deviations
from sim.deviations_v2 import DeviationsV2
from sim.port import CpuPort
from sim.replay.events import EventReplay
from sim.replay.report import FileReport
from sim.replay.sequences import SequenceReplay
from sim.replay.twins import Twins
from sim.replay.variant import recorder_deviations
from sim.trace import Kind, open_trace

__all__ = ["replay", "replay_files"]

#: Operations between two progress reports.
_STEP = 256


def _build(config: GicConfig | GicV2Config) -> tuple[type, int]:
    """Return what a trace can tell of a configuration."""
    return type(config), config.vtr


async def replay(
    ports: list[CpuPort],
    path: str,
    deviations: Deviations | DeviationsV2 | None = None,
    *,
    done: int = 0,
    total: int = 0,
) -> FileReport:
    """Replay one trace and report what agreed, what a rule explains, and what differs.

    Parameters
    ----------
    ports : list of CpuPort
        One for each physical CPU of the trace that uses its CPU interface; all of the trace's
        configuration. A golden model is made to deviate as the recorder does, so that everything is
        compared; anything else is held to the architecture where the recorder left it.
    path : str
        The trace.
    deviations : Deviations, DeviationsV2 or None
        What the recorder does differently; None takes it from the trace (:func:`recorder_deviations`).
    done, total : int
        Operations before this file and altogether, for the progress report only.

    Raises
    ------
    InputError
        When the trace is malformed, needs other hardware, or more ports.
    """
    if deviations is None:
        deviations = recorder_deviations(path)
    with open_trace(path) as trace:
        if any(_build(port.config) != _build(trace.config) for port in ports):
            raise InputError(
                f"{path}: meta.vtr is {trace.config.vtr:#010x}, but the hardware has "
                f"{ports[0].config.vtr:#010x}; build it for this trace"
            )
        report = FileReport(
            path, trace.kind.value, trace.config.vtr, trace.meta.qemu or "", list(deviations.enabled)
        )
        last = 0
        if trace.kind is Kind.SEQUENCES:
            sequences = SequenceReplay(Twins(ports[0], deviations), report)
            for sequence in trace.sequences():
                await sequences.run(sequence)
                progress.report(done + report.operations, total)
        else:
            events = EventReplay(ports, deviations, report)
            await events.start()
            for event in trace.events():
                await events.apply(event)
                if report.operations >= last + _STEP:
                    last = report.operations
                    progress.report(done + last, total)
            await events.finish()
    return report


async def replay_files(ports: list[CpuPort], paths: list[str], total: int = 0) -> list[dict[str, Any]]:
    """Replay traces of one configuration one after the other (a job, see :mod:`sim.engines.job`).

    Returns
    -------
    list of dict
        :meth:`sim.replay.report.FileReport.to_json` of each.

    Raises
    ------
    InputError
        As :func:`replay`.
    """
    reports, done = [], 0
    for path in paths:
        report = await replay(ports, path, done=done, total=total)
        done += report.operations
        reports.append(report.to_json())
    return reports
