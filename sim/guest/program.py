"""An assembled guest program: what the parser makes and the interpreter (or an assembler) consumes.

The instruction set is kept small enough for a hardware sequencer: eight 64-bit registers, one flag pair,
literals, system-register and memory accesses, and branches to instruction numbers.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from hw.registers import Register
from sim.guest.memory_map import Place

__all__ = ["REGISTERS", "SCRATCH", "UNDEFINED", "Condition", "Instruction", "Op", "Program", "Reg", "Source"]

#: Number of guest registers, r0 to r7.
REGISTERS = 8
#: The register that expanded instructions (IGROUPR) overwrite.
SCRATCH = 7
#: Expected result of an access that must be UNDEFINED.
UNDEFINED = -1


class Op(enum.Enum):
    """Instructions of the guest machine."""

    MRS = "read a CPU interface register"
    MSR = "write a CPU interface register"
    SGI = "generate software interrupts"
    LOAD = "read a distributor register"
    STORE = "write a distributor register"
    MOV = "rd = src"
    ADD = "rd += src"
    SUB = "rd -= src"
    AND = "rd &= src"
    ORR = "rd |= src"
    BIC = "rd &= ~src"
    LSL = "rd <<= src"
    LSR = "rd >>= src"
    CMP = "set the flags from rd - src (unsigned)"
    B = "branch"
    LOOP = "rd -= 1, branch unless it became zero"
    WFI = "wait for interrupt"
    EXIT = "hypercall"
    NOP = "spend one operation"
    LOG = "record src"
    EXPECT = "fail unless rd == src"
    HALT = "stop for good"


class Condition(enum.Enum):
    """Branch conditions, of unsigned comparison."""

    ALWAYS = "B"
    EQ = "BEQ"
    NE = "BNE"
    LO = "BLO"
    HS = "BHS"


@dataclass(frozen=True)
class Reg:
    """A register operand, 0..7."""

    index: int

    def __str__(self) -> str:
        return f"r{self.index}"


#: An operand that is read: a register or a literal.
Source = Reg | int


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    ``rd``: destination or first operand register. ``src``: value written, second operand, or loop counter
    source. ``register``: of MRS and MSR. ``place`` and ``size`` (bytes): of LOAD and STORE. ``bit``: a
    LOAD keeps only this bit, as 0 or 1. ``targets``: bit mask of an SGI's vCPUs; None is the sender
    alone, -1 everyone else; ``group`` is its group. ``target``: instruction number of a branch.
    ``expect``: value that a read must return, or UNDEFINED; else the guest fails. ``line`` and
    ``text``: the source.
    """

    op: Op
    rd: int | None = None
    src: Source = 0
    register: Register | None = None
    place: Place | None = None
    size: int = 4
    bit: int | None = None
    targets: int | None = None
    group: int = 1
    condition: Condition = Condition.ALWAYS
    target: int = 0
    expect: int | None = None
    line: int = 0
    text: str = ""


@dataclass(frozen=True)
class Program:
    """Instructions in order, and the labels by instruction number. It halts when it runs off the end."""

    name: str
    instructions: tuple[Instruction, ...]
    labels: dict[str, int] = field(default_factory=dict)
