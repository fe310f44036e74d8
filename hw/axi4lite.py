"""AMBA AXI4-Lite in front of the internal bus (IHI 0022, chapter B1; AxPROT is ignored)."""

from amaranth.hdl import Mux, Signal
from amaranth.lib import enum
from amaranth.lib.wiring import In, Out

from hw.bridge import Bridge, OuterSignature

__all__ = ["AxiLiteBridge", "AxiLiteSignature", "Resp"]


class Resp(enum.Enum, shape=2):
    """BRESP and RRESP, as far as a subordinate answers with them."""

    OKAY = 0
    SLVERR = 2


class AxiLiteSignature(OuterSignature):
    """An AXI4-Lite subordinate from the manager's side: 32 bits of data, ``bits`` of address (of a byte)."""

    def __init__(self, bits: int):
        members = {
            "awvalid": Out(1),
            "awready": In(1),
            "awaddr": Out(bits),
            "awprot": Out(3),
            "wvalid": Out(1),
            "wready": In(1),
            "wdata": Out(32),
            "wstrb": Out(4),
            "bvalid": In(1),
            "bready": Out(1),
            "bresp": In(2),
            "arvalid": Out(1),
            "arready": In(1),
            "araddr": Out(bits),
            "arprot": Out(3),
            "rvalid": In(1),
            "rready": Out(1),
            "rdata": In(32),
            "rresp": In(2),
        }
        super().__init__(bits, members)


class AxiLiteBridge(Bridge):
    """Turn AXI4-Lite transactions into accesses on the internal bus, one at a time.

    Address and data of a write may come in any order; both are taken in the cycle in which the access has
    ended, and so is a read's address. The response follows in the next cycle and waits for its ready as
    long as it must; no further access in that direction is made meanwhile. Where reads and writes compete
    they take turns. Errors (:mod:`hw.bus_access`) are answered with SLVERR; a read is always one of a word.

    From valid to valid a transaction takes three cycles more than the bus does.
    """

    signature_type = AxiLiteSignature
    cycles = 3

    def _serve(self, m, master):
        axi = self.outer
        writing, wrote = Signal(), Signal()
        m.d.comb += [
            master.write.eq(writing),
            master.address.eq(Mux(writing, axi.awaddr, axi.araddr)),
            master.data.eq(axi.wdata),
            master.strobes.eq(Mux(writing, axi.wstrb, 0b1111)),
        ]
        with m.If(axi.bready):
            m.d.sync += axi.bvalid.eq(0)
        with m.If(axi.rready):
            m.d.sync += axi.rvalid.eq(0)

        may_write, may_read = Signal(), Signal()
        m.d.comb += [
            may_write.eq(axi.awvalid & axi.wvalid & ~axi.bvalid),
            may_read.eq(axi.arvalid & ~axi.rvalid),
        ]
        response = Mux(master.error, Resp.SLVERR, Resp.OKAY)
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [
                    writing.eq(may_write & ~(may_read & wrote)),
                    master.start.eq(may_write | may_read),
                ]
                with m.If(master.start):
                    m.d.sync += wrote.eq(writing)
                    m.next = "READ"
                    with m.If(writing):
                        m.next = "WRITE"
            with m.State("WRITE"):
                m.d.comb += [writing.eq(1), axi.awready.eq(master.done), axi.wready.eq(master.done)]
                with m.If(master.done):
                    m.d.sync += [axi.bvalid.eq(1), axi.bresp.eq(response)]
                    m.next = "IDLE"
            with m.State("READ"):
                m.d.comb += axi.arready.eq(master.done)
                with m.If(master.done):
                    m.d.sync += [axi.rvalid.eq(1), axi.rresp.eq(response), axi.rdata.eq(master.value)]
                    m.next = "IDLE"
