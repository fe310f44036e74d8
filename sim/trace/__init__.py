"""Recorded traffic: a streaming, validating reader of the two trace formats.

A trace is a (gzip-compressed) file of JSON lines whose first line is ``{"meta": {...}}``. Two kinds exist:

* *sequences*: each line is a short program that starts from reset, with the result of every operation
  and the state after it (recorded bare-metal on QEMU): :mod:`sim.trace.sequences`;
* *events*: each line is one register access, line change, exception, injection ... of a running
  hypervisor and its guest (real KVM): :mod:`sim.trace.events`.

Use :func:`open_trace`::

    with open_trace("some.jsonl.gz") as trace:
        trace.config                  # the hardware, from meta.vtr alone
        for event in trace.events():  # or trace.sequences(), see trace.kind
            ...

Whatever is wrong with a file raises :class:`hw.errors.InputError`, one line that names the file, the line
and the remedy.
"""

from sim.trace.events import (
    DOCUMENTED_EXCEPTIONS,
    Acknowledge,
    Entry,
    Event,
    ExceptionTaken,
    Injection,
    MaintenanceLine,
    RegisterAccess,
    Repeat,
    RunVcpu,
    TimerLine,
    VirtualLines,
)
from sim.trace.meta import Meta, QemuVariant
from sim.trace.reader import Kind, Trace, find_traces, open_trace
from sim.trace.sequences import Operation, OperationKind, PeRegister, Sequence
from sim.trace.summary import TraceSummary, check_trace

__all__ = [
    "DOCUMENTED_EXCEPTIONS",
    "Acknowledge",
    "Entry",
    "Event",
    "ExceptionTaken",
    "Injection",
    "Kind",
    "MaintenanceLine",
    "Meta",
    "Operation",
    "OperationKind",
    "PeRegister",
    "QemuVariant",
    "RegisterAccess",
    "Repeat",
    "RunVcpu",
    "Sequence",
    "TimerLine",
    "Trace",
    "TraceSummary",
    "VirtualLines",
    "check_trace",
    "find_traces",
    "open_trace",
]
