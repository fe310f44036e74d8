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
        since, now = Signal(width), Signal(width)
        m.d.comb += [
            now.eq(Mux(latency.cycles, self.clock, self.operations)),
            age.eq(Mux(armed, now - since, 0)),
            self.over.eq(self.level & ~latency.never & (age >= latency.amount)),
        ]
        with m.If(self.forget | (self.look & ~self.level)):
            m.d.sync += armed.eq(0)
        with m.Elif(self.look & ~armed):
            m.d.sync += [armed.eq(1), since.eq(now)]
        return m
