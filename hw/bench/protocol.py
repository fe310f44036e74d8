"""The mailbox's words: every constant and layout that gateware and host share (``docs/mailbox.md``).

A message is a :class:`Header` and as many words as its ``length`` says, in both directions. Words have 32
bits; a 64-bit value is two words, the low one first.
"""

from amaranth.hdl import ShapeCastable
from amaranth.lib import data, enum

__all__ = [
    "ACCESS_ANSWER_WORDS",
    "GUEST_WORDS",
    "HELLO_WORDS",
    "IDLE",
    "LENGTHS",
    "LOAD_MAX_WORDS",
    "MAX_LENGTH",
    "RECORD_WORDS",
    "REPORT_WORDS",
    "RESUME_WORDS",
    "STATUS_WORDS",
    "VERSION",
    "AccessWord",
    "Cause",
    "Error",
    "Header",
    "HelloWord",
    "Kind",
    "LatencyWord",
    "Mark",
    "Opcode",
    "RecordWord",
    "ResumeWord",
    "StatusWord",
    "StopWord",
    "members",
]

#: Version of the protocol, first word of the answer to HELLO. Any change of meaning raises it.
VERSION = 1
#: A word that may stand between commands and is skipped without an answer.
IDLE = 0
#: Words that a message has behind its header, at most.
MAX_LENGTH = 255


class Mark(enum.IntEnum, shape=4):
    """What a message is; no other value begins one."""

    #: None of these; never sent.
    NONE = 0
    #: Host to bench: a command, answered in any case.
    COMMAND = 0xC
    #: Host to bench: a command that is answered only by errors and by answers that carry words.
    QUIET = 0xD
    #: Bench to host: the command was executed.
    ANSWER = 0xA
    #: Bench to host: it was not; ``opcode`` is an :class:`Error`, the one word the header in question.
    ERROR = 0xE


class Opcode(enum.IntEnum, shape=8):
    """Commands."""

    #: Who is there: version, ICH_VTR_EL2, sizes.
    HELLO = 0x01
    #: Put a PE's interface and engine into their reset state; the program stays.
    RESET = 0x02
    #: Write instructions into a PE's program memory.
    LOAD = 0x03
    #: One system-register access at any exception level.
    ACCESS = 0x04
    #: Output lines, counters.
    STATUS = 0x05
    #: All storage of the interface, through the probe.
    STATE = 0x06
    #: Latencies of maintenance interrupt and kick.
    CONFIGURE = 0x07
    #: Kick a PE out of its guest, after the latency.
    KICK = 0x08
    #: Let the guest run; answered when it stops.
    RESUME = 0x09
    #: Take records out of the log.
    LOG = 0x0A
    #: All that decides how a stopped guest goes on, and its registers.
    GUEST = 0x0B


class Error(enum.IntEnum, shape=8):
    """Why a command was not executed. Nothing of it has been."""

    #: None of these; never sent.
    NONE = 0
    #: The word is no header (wrong mark); only this word was skipped.
    MARK = 0x01
    #: There is no such command.
    OPCODE = 0x02
    #: The command does not have that many words.
    LENGTH = 0x03
    #: There is no such PE.
    PE = 0x04
    #: The PE's guest is running: only HELLO, RESET, STATUS, KICK and LOG are possible.
    BUSY = 0x05
    #: LOAD reaches beyond the program memory.
    RANGE = 0x06
    #: A deactivation waits to be told of; ask for STATUS, then access again.
    PENDING = 0x07


class Cause(enum.IntEnum, shape=8):
    """Why a guest stopped."""

    #: None of these; never sent.
    NONE = 0
    #: The operations that RESUME allowed are done.
    BUDGET = 0x01
    #: A system register trapped to EL2; the operation waits for its completion.
    TRAP = 0x02
    #: A distributor access; the operation waits for its completion.
    MMIO = 0x03
    #: WFI with no interrupt signalled.
    WFI = 0x04
    #: A hypercall.
    EXIT = 0x05
    #: The guest has finished.
    HALT = 0x06
    #: The maintenance interrupt, after its latency.
    MAINTENANCE = 0x07
    #: A kick, after its latency.
    KICK = 0x08
    #: A physical interrupt was deactivated through a HW list register; the report names it.
    DEACTIVATION = 0x09
    #: The log has no room for another record; take it out and resume.
    LOG = 0x0A
    #: The word at ``pc`` is no instruction.
    PROGRAM = 0x0B


class Kind(enum.IntEnum, shape=4):
    """What a record is about. SYSREG to NOP are operations: they take a guest's time."""

    #: None of these; never sent.
    NONE = 0
    SYSREG = 0x1
    MMIO = 0x2
    WFI = 0x3
    EXIT = 0x4
    NOP = 0x5
    HALT = 0x6
    #: LOG: ``value`` is what the guest records.
    NOTE = 0x8
    #: An expectation did not hold; ``value`` is what was found.
    FAILED = 0x9


class Header(data.Struct):
    """First word of every message. ``tag`` is the host's; the answer repeats it, and ``pe``."""

    length: 8
    tag: 8
    opcode: 8
    pe: 4
    mark: Mark


class HelloWord(data.Struct):
    """Third word of HELLO's answer: number of PEs, LRs, words of STATE's answer, GICv2 or GICv3."""

    pes: 8
    lrs: 8
    state_words: 8
    gicv2: 1
    _: 7


class AccessWord(data.Struct):
    """First word of ACCESS. See :func:`hw.bench.frames.place` and :class:`hw.port.PeContext`."""

    encoding: 16
    write: 1
    el: 2
    rt: 5
    context: 7
    _: 1


class LatencyWord(data.Struct):
    """A latency: ``amount`` guest operations, or with ``cycles`` clock cycles; with ``never`` none comes."""

    amount: 24
    _: 6
    cycles: 1
    never: 1


class ResumeWord(data.Struct):
    """First word of RESUME.

    ``entry``: the host has entered the guest anew (kicks and waits begin afresh). ``complete``: finish the
    operation that waits, with the value of words 3 and 4 or, with ``fault``, as an exception. ``record``:
    log operations. ``exact``: look at the lines after every operation, settled. ``jump``: continue at ``pc``.
    """

    entry: 1
    complete: 1
    fault: 1
    record: 1
    exact: 1
    jump: 1
    _: 10
    pc: 16


class RecordWord(data.Struct):
    """First word of a record. ``size`` is log2 of an MMIO's bytes; lines are those before the operation."""

    kind: Kind
    outcome: 2
    write: 1
    size: 2
    rt: 5
    virq: 1
    vfiq: 1
    pc: 16


class StatusWord(data.Struct):
    """First word of STATUS' answer: lines, whether the guest runs, whether an operation waits for completion.

    With ``deactivated`` the physical interrupt of the next word has been deactivated, and is told of now.
    """

    virq: 1
    vfiq: 1
    maintenance: 1
    running: 1
    waiting: 1
    deactivated: 1
    _: 10
    records: 16


class StopWord(data.Struct):
    """First word of a report. ``pintid`` counts with ``deactivated``; ``records`` wait in the log."""

    cause: Cause
    virq: 1
    vfiq: 1
    maintenance: 1
    deactivated: 1
    _: 4
    records: 16


#: Words of a record: RecordWord, clock, encoding or address, value low, value high.
RECORD_WORDS = 5
#: Words of a report: StopWord, pintid, operations since RESUME, ESR, clock, the last operation's record.
REPORT_WORDS = 5 + RECORD_WORDS
#: Words of HELLO's answer: version, ICH_VTR_EL2, HelloWord, program memory (instructions), log (records).
HELLO_WORDS = 5
#: Words of ACCESS' answer: outcome, value low, value high, ESR.
ACCESS_ANSWER_WORDS = 4
#: Words of GUEST's answer: the engine's state, then its registers, two words each.
GUEST_WORDS = 16 + 16
#: Words of STATUS' answer: StatusWord, pintid, operations, clock.
STATUS_WORDS = 4
#: Words of RESUME: ResumeWord, most operations (0: no limit), value low, value high.
RESUME_WORDS = 4
#: Words of LOAD, at most: address and 127 instructions.
LOAD_MAX_WORDS = MAX_LENGTH

#: Lengths a command may have.
LENGTHS: dict[Opcode, tuple[int, ...]] = {
    Opcode.HELLO: (0,),
    Opcode.RESET: (0,),
    Opcode.LOAD: tuple(range(3, LOAD_MAX_WORDS + 1, 2)),
    Opcode.ACCESS: (1, 3),
    Opcode.STATUS: (0,),
    Opcode.STATE: (0,),
    Opcode.CONFIGURE: (2,),
    Opcode.KICK: (0,),
    Opcode.RESUME: (RESUME_WORDS,),
    Opcode.LOG: (0,),
    Opcode.GUEST: (0,),
}


def members(struct: ShapeCastable) -> dict[str, tuple[int, int]]:
    """Return position and mask (at bit 0) of every member of a word, for a host that packs integers."""
    layout = data.Layout.cast(struct)
    return {
        name: (field.offset, (1 << field.width) - 1)
        for name, field in layout
        if not name.startswith("_")
    }  # fmt: skip
