"""Arithmetic of the guest engine."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.bench.instruction import Condition, Op

__all__ = ["Alu", "Branch"]


class Alu(wiring.Component):
    """Results of the arithmetic instructions, a cycle after their operands.

    Members
    -------
    op : In(Op)
        What is computed; anything from MOV to LSR, and LOOP (``a`` - 1). Steady for two cycles.
    a, b : In(64)
        Operands ``rd`` and src.
    result, zero : Out(64), Out(1)
        New value of ``rd``, a cycle later; of LOOP's, whether it is 0.
    """

    op: In(Op)
    a: In(64)
    b: In(64)
    result: Out(64)
    zero: Out(1)

    def elaborate(self, platform):
        m = Module()
        a, b, op, result = self.a, self.b, self.op, self.result
        # Shifts are by multiples of eight in the first cycle and by the rest in the second.
        sum_, logic, shifted, rest = Signal(64), Signal(64), Signal(64), Signal(3)
        sums, left, right = Signal(), Signal(), Signal()
        whole = b[3:6] << 3
        m.d.sync += [
            rest.eq(b),
            sums.eq((op == Op.ADD) | (op == Op.SUB) | (op == Op.LOOP)),
            left.eq(op == Op.LSL),
            right.eq(op == Op.LSR),
            # The two are told apart by their last bit.
            shifted.eq(Mux(op[0] == Op.LSL & 1, a << whole, a >> whole)),
            self.zero.eq(a == 1),
        ]
        with m.Switch(op):
            with m.Case(Op.ADD):
                m.d.sync += sum_.eq(a + b)
            with m.Case(Op.SUB):
                m.d.sync += sum_.eq(a - b)
            with m.Default():
                m.d.sync += sum_.eq(a - 1)
        with m.Switch(op):
            with m.Case(Op.AND):
                m.d.sync += logic.eq(a & b)
            with m.Case(Op.ORR):
                m.d.sync += logic.eq(a | b)
            with m.Case(Op.BIC):
                m.d.sync += logic.eq(a & ~b)
            with m.Default():
                m.d.sync += logic.eq(b)
        with m.If(sums):
            m.d.comb += result.eq(sum_)
        with m.Elif(left):
            m.d.comb += result.eq(shifted << rest)
        with m.Elif(right):
            m.d.comb += result.eq(shifted >> rest)
        with m.Else():
            m.d.comb += result.eq(logic)
        return m


class Branch(wiring.Component):
    """The flags of CMP and whether B branches.

    Members
    -------
    a, b : In(64)
        What is compared.
    set : In(1)
        Keep the comparison; the flags are there in the next cycle.
    equal : Out(1)
        ``a`` == ``b`` now, whatever ``set`` is.
    condition : In(3)
        A :class:`~hw.bench.instruction.Condition`.
    taken : Out(1)
        It holds for the flags.
    flags : Out(2)
        "Equal" and "lower" of the last comparison.
    """

    a: In(64)
    b: In(64)
    set: In(1)
    equal: Out(1)
    condition: In(3)
    taken: Out(1)
    flags: Out(2)

    def elaborate(self, platform):
        m = Module()
        # CMP of 0 with 0, as after reset.
        eq, lo = Signal(init=1), Signal()
        m.d.comb += [self.equal.eq(self.a == self.b), self.flags.eq(Cat(eq, lo))]
        with m.If(self.set):
            m.d.sync += [eq.eq(self.equal), lo.eq(self.a < self.b)]
        with m.Switch(self.condition):
            with m.Case(Condition.EQ):
                m.d.comb += self.taken.eq(eq)
            with m.Case(Condition.NE):
                m.d.comb += self.taken.eq(~eq)
            with m.Case(Condition.LO):
                m.d.comb += self.taken.eq(lo)
            with m.Case(Condition.HS):
                m.d.comb += self.taken.eq(~lo)
            with m.Default():
                m.d.comb += self.taken.eq(1)
        return m
