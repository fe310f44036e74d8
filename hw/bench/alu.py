"""Arithmetic of the guest engine."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.bench.instruction import Condition, Op

__all__ = ["Alu", "Branch"]


class Alu(wiring.Component):
    """Results of the arithmetic instructions, combinational.

    Members
    -------
    op : In(Op)
        What is computed; anything from MOV to LSR, and LOOP (``a`` - 1).
    a, b : In(64)
        Operands ``rd`` and src.
    result : Out(64)
        New value of ``rd``.
    """

    op: In(Op)
    a: In(64)
    b: In(64)
    result: Out(64)

    def elaborate(self, platform):
        m = Module()
        a, b, result = self.a, self.b, self.result
        with m.Switch(self.op):
            with m.Case(Op.ADD):
                m.d.comb += result.eq(a + b)
            with m.Case(Op.SUB):
                m.d.comb += result.eq(a - b)
            with m.Case(Op.AND):
                m.d.comb += result.eq(a & b)
            with m.Case(Op.ORR):
                m.d.comb += result.eq(a | b)
            with m.Case(Op.BIC):
                m.d.comb += result.eq(a & ~b)
            with m.Case(Op.LSL):
                m.d.comb += result.eq(a << b[:6])
            with m.Case(Op.LSR):
                m.d.comb += result.eq(a >> b[:6])
            with m.Case(Op.LOOP):
                m.d.comb += result.eq(a - 1)
            with m.Default():
                m.d.comb += result.eq(b)
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
