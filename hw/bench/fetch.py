"""What a guest engine executes and with what: program memory, program counter, registers."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.bench.instruction import REGISTERS, Instruction, Op
from hw.bench.protocol import Kind

__all__ = ["Fetch"]

#: The instructions that are operations.
_KINDS = {
    Op.MRS: Kind.SYSREG, Op.MSR: Kind.SYSREG, Op.LOAD: Kind.MMIO, Op.STORE: Kind.MMIO, Op.WFI: Kind.WFI,
    Op.EXIT: Kind.EXIT, Op.NOP: Kind.NOP, Op.HALT: Kind.HALT,
}  # fmt: skip


class Fetch(wiring.Component):
    """Holds program and registers, and takes the instruction at the program counter with its operands.

    The memory is read one instruction further than ``pc``, so that the next one is there when ``pc`` has
    moved on. After a jump there is a cycle in which it is not.

    Parameters
    ----------
    depth : int, power of two, at most 65536
        Instructions of program memory.

    Members
    -------
    write, address, instruction : In(1), In(16), In(Instruction)
        Write program memory. What was shown before is as it was until a jump.
    moves, jumps, target : In(1), In(1), In(16)
        Go to the next instruction; read one anew, the next with ``moves``, else that at ``target``.
    pc : Out(16)
        Where the guest is. Its instruction there can be taken two cycles after ``jumps``.
    take, pause, wide : In(1), In(1), In(32)
        Take the instruction, or with ``pause`` a NOP in its place; the upper half of its literal.
    one, a, source, kind, paused : Out(Instruction), Out(64), Out(64), Out(Kind), Out(1)
        What was taken last: the instruction, its ``rd``, its src; which operation it is, or NONE; whether it
        is such a NOP.
    reads, writes, branches : Out(1)
        It is an operation that reads, or writes, a system register or a device; it is B.
    running, index, shown : In(1), In(3), Out(64)
        While the guest does not run: the register of that number, without delay.
    put, number, value : In(1), In(3), In(64)
        Write a register; it is read so from the next cycle on, and written a cycle later.
    """

    write: In(1)
    address: In(16)
    instruction: In(Instruction)
    moves: In(1)
    jumps: In(1)
    target: In(16)
    pc: Out(16)
    take: In(1)
    pause: In(1)
    wide: In(32)
    one: Out(Instruction)
    a: Out(64)
    source: Out(64)
    kind: Out(Kind)
    paused: Out(1)
    reads: Out(1)
    writes: Out(1)
    branches: Out(1)
    running: In(1)
    index: In(3)
    shown: Out(64)
    put: In(1)
    number: In(3)
    value: In(64)

    def __init__(self, depth: int):
        self._depth = depth
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.program = program = Memory(shape=Instruction, depth=self._depth, init=[])
        m.submodules.registers = registers = Memory(shape=64, depth=REGISTERS, init=[])
        write, read = program.write_port(), program.read_port(domain="comb")
        rd, rs = registers.read_port(domain="comb"), registers.read_port(domain="comb")
        put = registers.write_port()
        fetched = Signal(Instruction)
        at, after, turning = Signal(range(self._depth)), Signal(range(self._depth)), Signal()
        # The next two instructions: whether ``pc`` moves is known too late for an adder.
        second, third = Signal.like(at, init=1 % self._depth), Signal.like(at, init=2 % self._depth)
        m.d.comb += [
            write.en.eq(self.write), write.addr.eq(self.address), write.data.eq(self.instruction),
            after.eq(Mux(self.moves, second, Mux(self.jumps, self.target, at))), self.pc.eq(at),
            read.addr.eq(Mux(self.jumps, after, Mux(self.moves, third, second))),
            rd.addr.eq(Mux(self.running, fetched.rd, self.index)), self.shown.eq(rd.data),
            rs.addr.eq(fetched.rs),
        ]  # fmt: skip
        m.d.sync += [put.en.eq(self.put), put.addr.eq(self.number), put.data.eq(self.value)]
        a, b = (Mux(put.en & (put.addr == port.addr), put.data, port.data) for port in (rd, rs))
        m.d.sync += [at.eq(after), turning.eq(self.jumps)]
        with m.If(self.moves):
            m.d.sync += [second.eq(third), third.eq(third + 1)]
        with m.Elif(self.jumps):
            m.d.sync += [second.eq(self.target + 1), third.eq(self.target + 2)]
        # Synthesis puts this register into the block RAM. It takes nothing while that is written: what it
        # would take is undefined, and around a synchronous port Yosys builds logic for the case.
        read_data = Signal(Instruction, reset_less=True)
        with m.If(~self.write):
            m.d.sync += read_data.eq(read.data)
        with m.If(self.moves | turning):
            m.d.sync += fetched.eq(read_data)
        with m.If(self.take):
            m.d.sync += [
                self.one.eq(fetched), self.a.eq(a), self.paused.eq(self.pause),
                self.source.eq(Mux(fetched.literal, Cat(fetched.imm, self.wide), b)),
                self.kind.eq(Kind.NONE), self.branches.eq((fetched.op == Op.B) & ~self.pause),
                self.reads.eq(Cat(fetched.op == op for op in (Op.MRS, Op.LOAD)).any() & ~self.pause),
                self.writes.eq(Cat(fetched.op == op for op in (Op.MSR, Op.STORE)).any() & ~self.pause),
            ]  # fmt: skip
            with m.Switch(fetched.op):
                for op, kind in _KINDS.items():
                    with m.Case(op):
                        m.d.sync += self.kind.eq(kind)
            with m.If(self.pause):
                m.d.sync += [self.one.op.eq(Op.NOP), self.kind.eq(Kind.NOP)]
        return m
