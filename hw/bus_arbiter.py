"""Several PEs on one bus: a GICv2's distributor answers each of them, and must know which one asks."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.bus import BusSignature
from hw.config_physical import MAX_PES

__all__ = ["BusArbiter"]


class BusArbiter(wiring.Component):
    """Serve one access after another, in turn; no latency when the bus is free.

    Parameters
    ----------
    pes : int, 1..8
        Number of PEs.

    Members
    -------
    pe0, pe1, ... : In(BusSignature())
        The PEs.
    bus : Out(BusSignature())
        Whom they share.
    accessor : Out(3)
        The PE whose request is on ``bus``.
    """

    def __init__(self, pes: int):
        self._pes = pes
        super().__init__({
            **{f"pe{n}": In(BusSignature()) for n in range(pes)},
            "bus": Out(BusSignature()),
            "accessor": Out(range(MAX_PES)),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        buses = [getattr(self, f"pe{n}") for n in range(self._pes)]
        bus = self.bus
        asking = Cat(one.request.valid for one in buses)
        later = Signal(self._pes, init=-1)  # those who have not had their turn in this round
        preferred = Signal(self._pes)
        chosen = Signal(range(MAX_PES))
        held, owner, waits = Signal(), Signal(range(MAX_PES)), Signal()
        m.d.comb += preferred.eq(Mux((asking & later).any(), asking & later, asking))
        for n in reversed(range(self._pes)):
            with m.If(preferred[n]):
                m.d.comb += chosen.eq(n)
        # A request on the bus stands until it is taken.
        current = Signal(range(MAX_PES))
        m.d.comb += [
            current.eq(Mux(held, owner, chosen)),
            self.accessor.eq(current),
            bus.request.valid.eq(asking.any() & ~waits),
            bus.request.payload.eq(Array(one.request.payload.as_value() for one in buses)[current]),
        ]
        taken = bus.request.valid & bus.request.ready
        m.d.sync += [held.eq(bus.request.valid & ~taken)]
        with m.If(bus.request.valid):
            m.d.sync += owner.eq(current)
        with m.If(taken):
            m.d.sync += [waits.eq(1), later.eq(~((2 << current) - 1)[: self._pes])]
        with m.Elif(bus.response.valid):
            m.d.sync += waits.eq(0)
        for n, one in enumerate(buses):
            m.d.comb += [
                one.request.ready.eq(taken & (current == n)),
                one.response.valid.eq(bus.response.valid & waits & (owner == n)),
                one.response.payload.eq(bus.response.payload),
            ]
        return m
