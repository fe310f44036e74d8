"""AMBA APB4 in front of the internal bus (IHI 0024: PSTRB and PSLVERR, no PPROT)."""

from amaranth.hdl import Mux
from amaranth.lib.wiring import In, Out

from hw.bridge import Bridge, OuterSignature

__all__ = ["ApbBridge", "ApbSignature"]


class ApbSignature(OuterSignature):
    """An APB4 completer from the requester's side: 32 bits of data, ``bits`` of address (of a byte)."""

    def __init__(self, bits: int):
        members = {
            "psel": Out(1),
            "penable": Out(1),
            "pwrite": Out(1),
            "paddr": Out(bits),
            "pwdata": Out(32),
            "pstrb": Out(4),
            "pready": In(1),
            "prdata": In(32),
            "pslverr": In(1),
        }
        super().__init__(bits, members)


class ApbBridge(Bridge):
    """Turn APB4 transfers into accesses on the internal bus.

    PREADY comes two cycles later after PENABLE than the bus answers a request. Errors
    (:mod:`hw.bus_access`) are answered with PSLVERR; a read is always one of a word.
    """

    signature_type = ApbSignature
    cycles = 2

    def _serve(self, m, master):
        apb = self.outer
        m.d.comb += [
            master.start.eq(apb.psel & apb.penable),
            master.write.eq(apb.pwrite),
            master.address.eq(apb.paddr),
            master.data.eq(apb.pwdata),
            master.strobes.eq(Mux(apb.pwrite, apb.pstrb, 0b1111)),
            apb.pready.eq(master.done),
            apb.prdata.eq(master.value),
            apb.pslverr.eq(master.done & master.error),
        ]
