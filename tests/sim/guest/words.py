"""A few A64 instructions as words, and programs made of them, for tests of AArch64 guests."""

import struct

from hw.registers import BY_NAME, sys_reg
from sim.guest.aarch64_image import Aarch64Program, Memory, Segment

CODE = 0x4000_0000
#: Vectors are here, one instruction for each of the three exceptions a test cares about, then ``DATA``.
VECTORS = CODE + 0x800
DATA = 0x4000_2000

WFI, YIELD, WFE, ERET, NOP = 0xD503207F, 0xD503203F, 0xD503205F, 0xD69F03E0, 0xD503201F
UNDEFINED = 0x0000_0000
SPIN = 0x1400_0000
REGISTERS = {
    "ELR_EL1": sys_reg(3, 0, 4, 0, 1), "SPSR_EL1": sys_reg(3, 0, 4, 0, 0), "DAIF": sys_reg(3, 3, 4, 2, 1),
    "ESR_EL1": sys_reg(3, 0, 5, 2, 0), "FAR_EL1": sys_reg(3, 0, 6, 0, 0), "SPSEL": sys_reg(3, 0, 4, 2, 0),
    "MPIDR_EL1": sys_reg(3, 0, 0, 0, 5), "VBAR_EL1": sys_reg(3, 0, 12, 0, 0),
    "CNTVCT_EL0": sys_reg(3, 3, 14, 0, 2), "PMCCNTR_EL0": sys_reg(3, 3, 9, 13, 0),
}  # fmt: skip


def encoding(name):
    return BY_NAME[name].encoding if name in BY_NAME else REGISTERS[name]


def mrs(rt, name):
    return 0xD520_0000 | encoding(name) << 5 | rt


def msr(name, rt):
    return 0xD500_0000 | encoding(name) << 5 | rt


def mov(rd, value):
    """MOVZ and three MOVK."""
    return [(0xD280_0000 if n == 0 else 0xF280_0000) | n << 21 | (value >> 16 * n & 0xFFFF) << 5 | rd
            for n in range(4)]  # fmt: skip


def add(rd, rn, value):
    return 0x9100_0000 | value << 10 | rn << 5 | rd


def branch(instructions):
    return 0x1400_0000 | instructions & 0x3FF_FFFF


def hvc(immediate=0):
    return 0xD400_0002 | immediate << 5


def svc(immediate):
    return 0xD400_0001 | immediate << 5


def daifset(bits):
    return 0xD503_40DF | bits << 8


def daifclr(bits):
    return 0xD503_40FF | bits << 8


def ldr(rt, rn, size=8):
    """LDR, LDRH or LDRB without offset."""
    return 0x3940_0000 | size.bit_length() - 1 << 30 | rn << 5 | rt


def store(rt, rn, size=8):
    """STR, STRH or STRB without offset."""
    return 0x3900_0000 | size.bit_length() - 1 << 30 | rn << 5 | rt


def log(rt, mailbox=20):
    """Store a register to the mailbox, whose address is in x20."""
    return store(rt, mailbox)


def flat(*words):
    return [word for each in words for word in (each if isinstance(each, list) else [each])]


def program(*words, synchronous=(), irq=(), fiq=(), arguments=()):
    """Return a program: x20 is the mailbox, VBAR_EL1 is set if any vector is given, then ``words``."""
    start = flat(mov(20, 0x0900_0000))
    if synchronous or irq or fiq:
        start += flat(mov(21, VECTORS), msr("VBAR_EL1", 21))
    areas = {0: start + flat(*words), 0xA00: synchronous, 0xA80: irq, 0xB00: fiq}
    code = bytearray(0xB80)
    for offset, area in areas.items():
        area = flat(*area)
        assert offset == 0 or len(area) <= 32
        code[offset : offset + 4 * len(area)] = struct.pack(f"<{len(area)}I", *area)
    segments = (Segment(CODE, bytes(code), len(code), False, True), Segment(DATA, b"", 0x1000, True, False))
    return Aarch64Program("test", CODE, segments, arguments)


def memory(*words, **others):
    return Memory(program(*words, **others))
