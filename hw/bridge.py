"""What the bridges from standard buses share: their constructors, and the two sides that they connect."""

from typing import ClassVar

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.bus import BusSignature
from hw.bus_access import AddressMap, BusMaster

__all__ = ["Bridge", "OuterSignature"]


class OuterSignature(wiring.Signature):
    """A standard bus from the side of who makes accesses: 32 bits of data.

    Parameters
    ----------
    bits : int
        Width of an address of a byte.
    members : dict
        The signals.
    """

    def __init__(self, bits: int, members: dict):
        self.bits = bits
        super().__init__(members)

    def __eq__(self, other):
        return type(self) is type(other) and self.bits == other.bits


class Bridge(wiring.Component):
    """Turn accesses on a standard bus into accesses on the internal bus, one at a time.

    Errors (:mod:`hw.bus_access`) are answered as the standard has it. A subclass says in ``_serve`` what its
    signals have to do with the :class:`hw.bus_access.BusMaster`.

    Parameters
    ----------
    places : AddressMap
        Where the frames are.

    Members
    -------
    outer : In(signature_type(places.bits))
        The standard bus.
    bus : Out(BusSignature())
        Where accesses go.
    """

    #: The standard bus, made from the width of an address.
    signature_type: ClassVar[type[OuterSignature]]
    #: Cycles from a request to its answer beyond the internal bus'; :func:`hw.bus_cluster.cycles`.
    cycles: ClassVar[int]

    def __init__(self, places: AddressMap):
        self.map = places
        super().__init__({"outer": In(self.signature_type(places.bits)), "bus": Out(BusSignature())})

    def elaborate(self, platform):
        m = Module()
        m.submodules.master = master = BusMaster(self.map)
        connect(m, master.bus, flipped(self.bus))
        self._serve(m, master)
        return m

    def _serve(self, m: Module, master: BusMaster) -> None:
        """Connect ``outer`` with what makes the accesses."""
        raise NotImplementedError
