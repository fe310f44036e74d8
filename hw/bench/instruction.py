"""The guest engine's instruction set, as its program memory holds it: one 64-bit word each.

It is the guest language's (:mod:`sim.guest.program`) with literals resolved. ``sim/bench/assembler.py``
makes the words, :mod:`hw.bench.engine` executes them.
"""

from amaranth.lib import data, enum

__all__ = ["FREE_LIMIT", "REGISTERS", "Condition", "Instruction", "MemoryDetail", "Op"]

#: Registers of the guest, 64 bits each.
REGISTERS = 8
#: Free instructions in a row after which one operation has passed.
FREE_LIMIT = 64


class Op(enum.IntEnum, shape=5):
    """What an instruction does. HALT to EXIT are operations, the others are free.

    ``src`` is the register ``rs``, or with ``literal`` ``imm`` (its upper half is what WIDE has brought).
    """

    #: Stop for good; also what unwritten program memory holds.
    HALT = 0x00
    #: ``rd`` := register ``detail``, with ``store``; without, the value is only looked at.
    MRS = 0x01
    #: Register ``detail`` := src. ``rd`` is the transfer register's number in a syndrome.
    MSR = 0x02
    #: Read device address ``imm``; ``detail`` is :class:`MemoryDetail`, ``store`` as for MRS.
    LOAD = 0x03
    #: Write device address ``imm``: ``rs``, or with ``literal`` the 64 bits that two WIDE have brought.
    STORE = 0x04
    #: Spend ``imm`` operations, at least one.
    NOP = 0x05
    #: Wait for interrupt.
    WFI = 0x06
    #: A hypercall.
    EXIT = 0x07
    #: ``rd`` := src, and so on: ``rd`` := ``rd`` op src.
    MOV = 0x08
    ADD = 0x09
    SUB = 0x0A
    AND = 0x0B
    ORR = 0x0C
    BIC = 0x0D
    LSL = 0x0E
    LSR = 0x0F
    #: Flags from ``rd`` and src.
    CMP = 0x10
    #: Branch to ``imm`` if :class:`Condition` ``detail`` holds.
    B = 0x11
    #: ``rd`` -= 1, branch to ``imm`` unless it became zero.
    LOOP = 0x12
    #: Record src.
    LOG = 0x13
    #: Record a failure unless ``rd`` == src.
    EXPECT = 0x14
    #: Record a failure unless the last value read == literal; nothing after a fault. Takes no time at all.
    CHECK = 0x15
    #: Record a failure unless the last access has faulted (``imm`` 1) or has not (``imm`` 0).
    CHECK_FAULT = 0x16
    #: Bring 32 bits for the literal of the next instruction; a second one moves the first up.
    WIDE = 0x17


class Condition(enum.IntEnum, shape=3):
    """When B branches, by the last CMP, unsigned."""

    ALWAYS = 0
    EQ = 1
    NE = 2
    LO = 3
    HS = 4


class MemoryDetail(data.Struct):
    """``detail`` of LOAD and STORE: log2 of the bytes; with ``select`` a LOAD keeps only bit ``bit``."""

    size: 2
    bit: 5
    select: 1


class Instruction(data.Struct):
    """One instruction."""

    imm: 32
    detail: 16
    rd: 3
    rs: 3
    literal: 1
    store: 1
    op: Op
    _: 3
