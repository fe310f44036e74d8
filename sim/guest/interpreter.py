"""A guest that executes a program of the guest language."""

from __future__ import annotations

from hw.registers import BY_NAME
from sim.guest.operation import Kind, Operation
from sim.guest.program import REGISTERS, UNDEFINED, Condition, Instruction, Op, Program, Source

__all__ = ["ProgramGuest", "sgi_value"]

_MASK = (1 << 64) - 1
#: Moves and branches are free, but not for ever: after so many in a row one operation has passed.
_FREE_LIMIT = 64
_ARITHMETIC = {
    Op.MOV: lambda a, b: b,
    Op.ADD: lambda a, b: a + b,
    Op.SUB: lambda a, b: a - b,
    Op.AND: lambda a, b: a & b,
    Op.ORR: lambda a, b: a | b,
    Op.BIC: lambda a, b: a & ~b,
    Op.LSL: lambda a, b: a << (b & 63),
    Op.LSR: lambda a, b: a >> (b & 63),
}
_TAKEN = {
    Condition.ALWAYS: lambda a, b: True,
    Condition.EQ: lambda a, b: a == b,
    Condition.NE: lambda a, b: a != b,
    Condition.LO: lambda a, b: a < b,
    Condition.HS: lambda a, b: a >= b,
}


def sgi_value(intid: int, targets: int | None, vcpu: int) -> int:
    """Return the ICC_SGI1R_EL1 operand for SGI ``intid`` from vCPU ``vcpu``.

    ``targets`` is a mask of vCPUs (all in the cluster with affinity 0.0.0.x), None for the sender alone,
    -1 for all but the sender (IRM).
    """
    if targets == -1:
        return 1 << 40 | intid << 24
    return intid << 24 | (1 << vcpu if targets is None else targets) & 0xFFFF


class ProgramGuest:
    """Executes a :class:`sim.guest.program.Program` on vCPU number ``vcpu``.

    Attributes
    ----------
    log : list of int
        What LOG recorded.
    failures : list of str
        Expectations that did not hold, with the source line; the program goes on after one.
    """

    def __init__(self, program: Program, vcpu: int = 0, file: str = ""):
        self.program = program
        self.vcpu = vcpu
        self.file = file
        self.pc = 0
        self.registers = [0] * REGISTERS
        self.flags = (0, 0)
        self.log: list[int] = []
        self.failures: list[str] = []
        self._delay = 0
        self._current: Instruction | None = None

    def snapshot(self) -> object:
        """Return everything that decides what the guest will do next."""
        return self.pc, tuple(self.registers), self.flags, self._delay

    def next(self, virq: bool, vfiq: bool) -> Operation:
        """Run moves and branches up to the next operation and return it."""
        if self._delay:
            self._delay -= 1
            return Operation(Kind.NOP)
        for _ in range(_FREE_LIMIT):
            if self.pc >= len(self.program.instructions):
                return Operation(Kind.HALT)
            one = self.program.instructions[self.pc]
            operation = self._operation(one)
            if operation is not None:
                self._current = one
                return operation
            self._free(one)
        self._current = None
        return Operation(Kind.NOP)

    def complete(self, operation: Operation, value: int, fault: int) -> None:
        """Store a read's result and step past the instruction."""
        one, self._current = self._current, None
        if one is None:
            return
        if fault and one.expect != UNDEFINED:
            self._fail(one, f"faulted (ESR {fault:#x})")
        elif one.expect == UNDEFINED and not fault:
            self._fail(one, "was executed")
        if one.op is Op.LOAD and one.bit is not None:
            value = value >> one.bit & 1
        if one.op in (Op.MRS, Op.LOAD):
            if one.rd is not None:
                self.registers[one.rd] = value
            if one.expect not in (None, UNDEFINED, value) and not fault:
                self._fail(one, f"read {value} ({value:#x})")
        self.pc += 1

    def _fail(self, one: Instruction, what: str) -> None:
        self.failures.append(f"{self.file}:{one.line}: {one.text}: {what}")

    def _value(self, source: Source) -> int:
        return source if isinstance(source, int) else self.registers[source.index]

    def _operation(self, one: Instruction) -> Operation | None:
        """Return the operation an instruction stands for, or None for one that stays inside."""
        if one.op is Op.MRS:
            return Operation(Kind.SYSREG, one.register, rt=one.rd or 0, line=one.line)
        if one.op is Op.MSR:
            return Operation(Kind.SYSREG, one.register, True, self._value(one.src), line=one.line)
        if one.op is Op.SGI:
            register = BY_NAME[f"ICC_SGI{one.group}R_EL1"]
            value = sgi_value(self._value(one.src), one.targets, self.vcpu)
            return Operation(Kind.SYSREG, register, True, value, line=one.line)
        if one.op in (Op.LOAD, Op.STORE):
            write = one.op is Op.STORE
            value = self._value(one.src) if write else 0
            address = one.place.address(self.vcpu)
            return Operation(Kind.MMIO, None, write, value, 0, address, one.size, one.line)
        if one.op is Op.NOP:
            self._delay = self._value(one.src) - 1
            return Operation(Kind.NOP, line=one.line)
        if one.op in (Op.WFI, Op.EXIT, Op.HALT):
            return Operation(Kind[one.op.name], line=one.line)
        return None

    def _free(self, one: Instruction) -> None:
        """Execute an instruction that only concerns the guest itself."""
        self.pc += 1
        if one.op is Op.B:
            if _TAKEN[one.condition](*self.flags):
                self.pc = one.target
        elif one.op is Op.LOOP:
            self.registers[one.rd] = self.registers[one.rd] - 1 & _MASK
            if self.registers[one.rd]:
                self.pc = one.target
        elif one.op is Op.LOG:
            self.log.append(self._value(one.src))
        elif one.op is Op.CMP:
            self.flags = (self.registers[one.rd], self._value(one.src))
        elif one.op is Op.EXPECT:
            got, want = self.registers[one.rd], self._value(one.src)
            if got != want:
                self._fail(one, f"r{one.rd} is {got} ({got:#x})")
        else:
            result = _ARITHMETIC[one.op](self.registers[one.rd], self._value(one.src))
            self.registers[one.rd] = result & _MASK
