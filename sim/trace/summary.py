"""One full pass over a trace: every line checked, and what a replay of it needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from sim.trace.events import ExceptionTaken, MaintenanceLine, RegisterAccess, VirtualLines
from sim.trace.reader import Kind, open_trace
from sim.trace.sequences import OperationKind

__all__ = ["TraceSummary", "check_trace"]


@dataclass(frozen=True)
class TraceSummary:
    """What a replay must know before it starts.

    ``operations``: accesses and changes of physical interrupts to apply, repeats counted. ``pes``: how many
    physical CPUs use their CPU interface.
    """

    path: str
    kind: Kind
    config: GicConfig | GicV2Config
    operations: int
    pes: int


def check_trace(path: str | Path) -> TraceSummary:
    """Read and check every line of a trace.

    Raises
    ------
    InputError
        At the first line that is not as it should be, and when no line is a register access.
    """
    operations, cpus = 0, set()
    with open_trace(path) as trace:
        config = trace.config
        if trace.kind is Kind.SEQUENCES:
            for sequence in trace.sequences():
                operations += sum(op.kind is not OperationKind.SKIP for op in sequence.operations)
        else:
            for event in trace.events():
                if type(event) is RegisterAccess:
                    operations += event.count
                    cpus.add(event.cpu)
                elif isinstance(event, VirtualLines | MaintenanceLine):
                    cpus.add(event.cpu)
                elif isinstance(event, ExceptionTaken) and event.decided_by_gic:
                    operations += 1
                    cpus.add(event.cpu)
    if not operations:
        raise InputError(f"{path}: no register access in it, so nothing to replay; record them too")
    return TraceSummary(str(path), trace.kind, config, operations, max(len(cpus), 1))
