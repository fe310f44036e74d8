"""Replay of recorded traffic on any CPU port: every recorded operation applied, every value compared.

:func:`replay` replays one trace, :func:`replay_files` is the same as a job for any engine. What the recorder
does differently from the architecture is explained by rule, never tolerated: see :mod:`sim.replay.twins`.
"""

from sim.replay.job import replay, replay_files
from sim.replay.report import Difference, Explained, FileReport
from sim.replay.variant import explain_deviation, recorder_deviations

__all__ = [
    "Difference",
    "Explained",
    "FileReport",
    "explain_deviation",
    "recorder_deviations",
    "replay",
    "replay_files",
]
