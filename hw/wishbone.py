"""Wishbone B4 in front of the internal bus: standard cycles, and STALL for pipelined masters."""

from amaranth.hdl import Signal
from amaranth.lib.wiring import In, Out

from hw.bridge import Bridge, OuterSignature

__all__ = ["WishboneBridge", "WishboneSignature"]


class WishboneSignature(OuterSignature):
    """A slave from the master's side: 32-bit port, 8-bit granularity, ``adr`` counts words.

    ``bits`` is the width of an address of a byte; ``adr`` is ADR(bits-1 .. 2). ``dat_w`` goes to the slave,
    ``dat_r`` comes from it.
    """

    def __init__(self, bits: int):
        members = {
            "cyc": Out(1),
            "stb": Out(1),
            "we": Out(1),
            "adr": Out(bits - 2),
            "sel": Out(4),
            "dat_w": Out(32),
            "dat_r": In(32),
            "ack": In(1),
            "err": In(1),
            "stall": In(1),
        }
        super().__init__(bits, members)


class WishboneBridge(Bridge):
    """Turn Wishbone cycles into accesses on the internal bus, one at a time.

    ACK or ERR is high for one cycle, four cycles more than the bus takes after STB. STALL is high during a
    cycle until then: a pipelined master sees its request accepted and answered at once (B4 section 5.2), a
    standard one leaves it unconnected. A master that ends a cycle early gets no answer; the access, once
    begun, is made all the same. Errors (:mod:`hw.bus_access`) are answered with ERR; SEL counts for reads,
    too.
    """

    signature_type = WishboneSignature
    cycles = 4

    def _serve(self, m, master):
        bus = self.outer
        request = Signal()
        m.d.comb += [request.eq(bus.cyc & bus.stb), bus.stall.eq(bus.cyc & ~(bus.ack | bus.err))]
        dropped = Signal()
        with m.FSM():
            with m.State("IDLE"):
                with m.If(request):
                    m.d.sync += [
                        master.write.eq(bus.we),
                        master.address[2:].eq(bus.adr),
                        master.data.eq(bus.dat_w),
                        master.strobes.eq(bus.sel),
                        dropped.eq(0),
                    ]
                    m.next = "START"
            with m.State("START"):
                m.d.comb += master.start.eq(1)
                m.d.sync += dropped.eq(~request)
                m.next = "WAIT"
            with m.State("WAIT"):
                with m.If(~request):
                    m.d.sync += dropped.eq(1)
                with m.If(master.done):
                    m.next = "ANSWER"
            with m.State("ANSWER"):
                with m.If(request & ~dropped):
                    m.d.comb += [bus.ack.eq(~master.error), bus.err.eq(master.error)]
                m.next = "IDLE"
        m.d.comb += bus.dat_r.eq(master.value)
