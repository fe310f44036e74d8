"""The port between a guest engine and the mailbox."""

from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.bench.instruction import Instruction
from hw.bench.protocol import LatencyWord, RecordWord, ResumeWord, StopWord
from hw.port import Request, Response

__all__ = ["EnginePortSignature", "GuestState", "Record", "Report"]


class Record(data.Struct):
    """What the log keeps of an operation, :data:`hw.bench.protocol.RECORD_WORDS` words."""

    what: RecordWord
    clock: 32
    target: 32
    value: 64


class Report(data.Struct):
    """What a stop tells, :data:`hw.bench.protocol.REPORT_WORDS` words."""

    stop: StopWord
    pintid: 32
    operations: 32
    esr: 32
    clock: 32
    last: Record


class GuestState(data.Struct):
    """What decides how a stopped guest goes on, beside its registers; 16 words.

    ``free``: free instructions in a row so far; ``equal``, ``lower``: the last CMP; ``result``, ``faulted``,
    ``esr``: of the last access; ``wide``: what WIDE has brought; ``delay``: operations left of a NOP;
    ``mi_age``, ``kick_age``: for how long an exit has been due, 0 with the ``armed`` low.
    """

    pc: 16
    free: 7
    equal: 1
    lower: 1
    faulted: 1
    kicked: 1
    mi_armed: 1
    kick_armed: 1
    _: 3
    delay: 32
    wide: 64
    result: 64
    esr: 32
    mi_age: 32
    kick_age: 32
    _rest: 7 * 32


class EnginePortSignature(wiring.Signature):
    """Control of one engine, from the mailbox's (the initiator's) side.

    Members
    -------
    write, address, instruction : Out(1), Out(16), Out(Instruction)
        Write program memory.
    access : Out(stream.Signature(Request))
        A register access by the host, while the guest does not run.
    response : In(Signature: valid, payload)
        Its answer.
    reset, kick : Out(1)
        Reset engine and interface; kick the guest. For one cycle.
    configure, mi_latency, kick_latency : Out(1), Out(LatencyWord), Out(LatencyWord)
        Set the latencies.
    take : Out(1)
        Forget the deactivation that was shown.
    resume, options, budget, value : Out(1), Out(ResumeWord), Out(32), Out(64)
        Let the guest run.
    ready : In(1)
        Not busy with its reset.
    running, waiting, settled : In(1)
        The guest runs; an operation waits for completion; the interface has settled.
    virq, vfiq, maintenance : In(1)
        Lines.
    deactivated, pintid : In(1), In(13)
        A deactivation that nobody was told of yet.
    operations, clock, records : In(32), In(32), In(16)
        Counters; records in the log.
    report : In(stream.Signature(Report))
        A stop, until it is taken.
    log : In(stream.Signature(Record))
        The oldest record.
    guest : In(GuestState)
        State of the guest while it does not run.
    index, register : Out(3), In(64)
        The guest's register of that number, while it does not run.
    """

    def __init__(self):
        super().__init__({
            "write": Out(1), "address": Out(16), "instruction": Out(Instruction),
            "access": Out(stream.Signature(Request)),
            "response": In(wiring.Signature({"valid": Out(1), "payload": Out(Response)})),
            "reset": Out(1), "kick": Out(1), "take": Out(1),
            "configure": Out(1), "mi_latency": Out(LatencyWord), "kick_latency": Out(LatencyWord),
            "resume": Out(1), "options": Out(ResumeWord), "budget": Out(32), "value": Out(64),
            "ready": In(1), "running": In(1), "waiting": In(1), "settled": In(1),
            "virq": In(1), "vfiq": In(1), "maintenance": In(1),
            "deactivated": In(1), "pintid": In(13),
            "operations": In(32), "clock": In(32), "records": In(16),
            "report": In(stream.Signature(Report)),
            "log": In(stream.Signature(Record)),
            "guest": In(GuestState), "index": Out(3), "register": In(64),
        })  # fmt: skip

    def __eq__(self, other):
        return type(self) is type(other)

    def __repr__(self):
        return "EnginePortSignature()"
