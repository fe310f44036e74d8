"""AMBA APB4 in front of the internal bus (IHI 0024: PSTRB and PSLVERR, no PPROT)."""

from amaranth.hdl import Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.bus import BusSignature
from hw.bus_access import AddressMap, BusMaster

__all__ = ["ApbBridge", "ApbSignature"]


class ApbSignature(wiring.Signature):
    """An APB4 completer from the requester's side: 32 bits of data, ``bits`` of address (of a byte)."""

    def __init__(self, bits: int):
        self.bits = bits
        super().__init__({
            "psel": Out(1),
            "penable": Out(1),
            "pwrite": Out(1),
            "paddr": Out(bits),
            "pwdata": Out(32),
            "pstrb": Out(4),
            "pready": In(1),
            "prdata": In(32),
            "pslverr": In(1),
        })  # fmt: skip

    def __eq__(self, other):
        return type(self) is type(other) and self.bits == other.bits


class ApbBridge(wiring.Component):
    """Turn APB4 transfers into accesses on the internal bus.

    A transfer takes three cycles more than the bus does, counted from the access phase. Errors
    (:mod:`hw.bus_access`) are answered with PSLVERR; a read is always one of a word.

    Parameters
    ----------
    places : AddressMap
        Where the frames are.

    Members
    -------
    outer : In(ApbSignature(places.bits))
        The completer.
    bus : Out(BusSignature())
        Where accesses go.
    """

    signature_type = ApbSignature

    def __init__(self, places: AddressMap):
        self.map = places
        super().__init__({"outer": In(ApbSignature(places.bits)), "bus": Out(BusSignature())})

    def elaborate(self, platform):
        m = Module()
        m.submodules.master = master = BusMaster(self.map)
        connect(m, master.bus, flipped(self.bus))
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
        return m
