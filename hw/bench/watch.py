"""How late an exit comes: the wait that a maintenance interrupt or a kick begins."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.bench.protocol import LatencyWord

__all__ = ["Watch"]


class Watch(wiring.Component):
    """Counts from the first look that finds ``level`` high; :class:`sim.machine.latency.Latency` in gateware.

    Members
    -------
    latency : In(LatencyWord)
        How long.
    operations, clock : In(32)
        The two clocks it may count on.
    level : In(1)
        What asks for the exit.
    look : In(1)
        Between two operations: begin the wait, or forget it if ``level`` is low.
    forget : In(1)
        Begin afresh.
    over : Out(1)
        The exit is due, if this is a look. Combinational.
    armed, age : Out(1), Out(24)
        The wait has begun, and so long ago.
    """

    latency: In(LatencyWord)
    operations: In(32)
    clock: In(32)
    level: In(1)
    look: In(1)
    forget: In(1)
    over: Out(1)
    armed: Out(1)
    age: Out(24)

    def elaborate(self, platform):
        m = Module()
        latency = self.latency
        width = len(latency.amount)
        assert width == len(self.age)
        armed, age = self.armed, self.age
        since, now, passed, next_passed = (Signal(width) for _ in range(4))
        earlier = Signal(width, init=-1)  # one before ``since``
        before, same_age, one_older, at_once = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            passed.eq(now - since),
            next_passed.eq(now - earlier),
            now.eq(Mux(latency.cycles, self.clock, self.operations)),
            age.eq(Mux(armed, passed, 0)),
        ]
        # Compared a cycle early, for both values that the age may have a cycle later: the clocks count by
        # one, and at least a cycle lies between two looks.
        m.d.sync += [
            before.eq(now[0]),
            at_once.eq(latency.amount == 0),
            same_age.eq(passed >= latency.amount),
            one_older.eq(next_passed >= latency.amount),
        ]
        due = Mux(armed, Mux(now[0] == before, same_age, one_older), at_once)
        m.d.comb += self.over.eq(self.level & ~latency.never & due)
        with m.If(self.forget | (self.look & ~self.level)):
            m.d.sync += armed.eq(0)
        with m.Elif(self.look):
            m.d.sync += armed.eq(1)
        with m.If(~armed):
            m.d.sync += [since.eq(now), earlier.eq(now - 1)]
        return m
