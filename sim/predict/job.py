"""The closed loop as a job for any engine: the recorded guest and our hypervisor on our hardware."""

from __future__ import annotations

from typing import Any

from hw.errors import InputError
from sim import progress
from sim.kvm.profile import profile_named
from sim.port import CpuPort
from sim.predict.predictor import Predictor
from sim.replay import recorder_deviations
from sim.replay.twins import Twins
from sim.trace import open_trace

__all__ = ["predict_files"]


async def predict_files(
    ports: list[CpuPort], engine: str, tasks: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Predict traces of one configuration one after the other (a job, see :mod:`sim.engines.job`).

    Parameters
    ----------
    ports : list of CpuPort
        One for each physical CPU.
    engine : str
        Name for the report.
    tasks : list of dict
        ``path``, ``profile`` (as ``--profile`` takes it), ``placements`` (pairs, from
        :func:`sim.predict.find_order`).

    Returns
    -------
    list of dict
        :meth:`sim.predict.Report.to_json` of each.

    Raises
    ------
    InputError
        When a trace is malformed or needs other hardware.
    """
    reports = []
    for done, task in enumerate(tasks):
        path = task["path"]
        deviations = recorder_deviations(path)
        with open_trace(path) as trace:
            if any(port.config.vtr != trace.config.vtr for port in ports):
                raise InputError(f"{path}: meta.vtr is {trace.config.vtr:#010x}; build the hardware for it")
            engines = {cpu: Twins(port, deviations) for cpu, port in enumerate(ports)}
            predictor = Predictor(
                trace, profile_named(task["profile"]), engines, engine, dict(task["placements"])
            )
            reports.append((await predictor.run()).to_json())
        progress.report(done + 1, len(tasks))
    return reports
