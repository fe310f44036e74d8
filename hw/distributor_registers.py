"""What an access to the distributor reads and changes, once decoded (DIST-3..10, DIST-14, DIST-35)."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.bus import Size
from hw.config_physical import PhysicalConfig
from hw.distributor_decode import Kind, Place
from hw.distributor_storage import QUADS, InterruptWord, route_of, words_of
from hw.mmio_map import lookup_mmio

__all__ = ["DistributorRegisters"]

#: INTIDs of the SGIs, the lower half of a private word.
_SGIS = 0xFFFF


def _constant(name: str, config: PhysicalConfig) -> int:
    return lookup_mmio(name).reset_value(config)


class DistributorRegisters(wiring.Component):
    """Combinational, from the accessed storage to its new value and the data read.

    Parameters
    ----------
    config : PhysicalConfig
        SPIs and priority bits.
    pes : int, 1..8
        Number of PEs.

    Members
    -------
    place, size, data : In
        The decoded access and the operand of a write.
    state, line, priority, route : In
        Storage that ``place`` names.
    forward, asleep : In(2), In(pes)
        GICD_CTLR.EnableGrpn, GICR_WAKER.ProcessorSleep of every PE.
    read : Out(64)
        Data of a read.
    new_state : Out(InterruptWord)
        State after a write.
    lanes, new_priority, new_route : Out(4), Out(8).array(4), Out(route_of(config)).array(4)
        Members of the quad that a write of priorities or routes replaces, and by what.
    quad : Out
        Number of the quad within the word.
    """

    def __init__(self, config: PhysicalConfig, pes: int):
        self._config = config
        self._pes = pes
        self._spi_words = words_of(config, 0)
        self._route = data.ArrayLayout(route_of(config), 4)
        super().__init__({
            "place": In(Place(config, pes)),
            "size": In(Size),
            "data": In(64),
            "state": In(InterruptWord),
            "line": In(32),
            "priority": In(data.ArrayLayout(8, 4)),
            "route": In(self._route),
            "forward": In(2),
            "asleep": In(pes),
            "read": Out(64),
            "new_state": Out(InterruptWord),
            "lanes": Out(4),
            "new_priority": Out(data.ArrayLayout(8, 4)),
            "new_route": Out(self._route),
            "quad": Out(range(QUADS)),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        self._quads(m)
        self._write(m)
        self._read(m)
        return m

    def _quads(self, m):
        """Which quad, and which lanes of it, an access to priorities or routes means."""
        position = self.place.position
        is_router = self.place.kind == Kind.IROUTER
        m.d.comb += self.quad.eq(Mux(is_router, position[5:], position[2:5]))
        route = lookup_mmio("GICD_IROUTER32")
        aff0, mode = route.field("Aff0"), route.field("Interrupt_Routing_Mode")
        for lane in range(4):
            byte = Mux(self.size == Size.BYTE, self.data[:8], self.data[8 * lane : 8 * lane + 8])
            m.d.comb += self.new_priority[lane].eq(byte)
            new_route = self.new_route[lane]
            if self._config.are:
                m.d.comb += [
                    new_route.aff0.eq(self.data[aff0.lsb :]),
                    new_route.irm.eq(self.data[mode.lsb]),
                ]
            else:
                m.d.comb += new_route.pes.eq(self._senders(lane, byte))
        own_lane = Mux(is_router, position[3:5], position[:2])
        whole = ~is_router & (self.size == Size.WORD)
        m.d.comb += self.lanes.eq(Mux(whole, 0b1111, Const(1, 4) << own_lane))

    def _senders(self, lane, operand):
        """Return targets or sources after a write of a byte (DIST-16, DIST-28)."""
        stored = self.route[lane].pes
        written = operand[: self._pes]
        return Mux(
            self.place.kind == Kind.ITARGETSR,
            written,
            Mux(self.place.kind == Kind.SPENDSGIR, stored | written, stored & ~operand),
        )

    def _latches(self, m, old, new):
        """Latches of a GICv2's SGIs: any source; ISPENDR and ICPENDR leave them alone (DIST-25, DIST-28)."""
        private = self.place.word >= self._spi_words
        with m.Switch(self.place.kind):
            with m.Case(Kind.ISPENDR, Kind.ICPENDR), m.If(private):
                m.d.comb += new.latch[:16].eq(old.latch[:16])
            with m.Case(Kind.SPENDSGIR, Kind.CPENDSGIR):
                for n in range(16):
                    with m.If((self.quad == n // 4) & self.lanes[n % 4]):
                        m.d.comb += new.latch[n].eq(self.new_route[n % 4].pes.any())

    def _write(self, m):
        """State of the word after a write; SGIs stay edge (DIST-9)."""
        old, new, operand = self.state, self.new_state, self.data[:32]
        private = self.place.word >= self._spi_words
        m.d.comb += new.eq(old)
        with m.Switch(self.place.kind):
            with m.Case(Kind.IGROUPR):
                m.d.comb += new.group.eq(operand)
            for kind, name in (("ENABLER", "enable"), ("PENDR", "latch"), ("ACTIVER", "active")):
                with m.Case(Kind[f"IS{kind}"]):
                    m.d.comb += new[name].eq(old[name] | operand)
                with m.Case(Kind[f"IC{kind}"]):
                    m.d.comb += new[name].eq(old[name] & ~operand)
            with m.Case(Kind.ICFGR):
                edges = operand[1::2]
                upper = self.place.position[2]
                merged = Mux(upper, Cat(old.edge[:16], edges), Cat(edges, old.edge[16:]))
                m.d.comb += new.edge.eq(merged | Mux(private, _SGIS, 0))
        if not self._config.are:
            self._latches(m, old, new)

    def _read(self, m):
        config, state, place = self._config, self.state, self.place
        control = lookup_mmio("GICD_CTLR")
        waker, typer = lookup_mmio("GICR_WAKER"), lookup_mmio("GICR_TYPER")
        pending = state.latch | (self.line & ~state.edge)
        half = Mux(place.position[2], state.edge[16:], state.edge[:16])
        asleep = Array(self.asleep)[place.pe]
        route = Signal(route_of(config))
        lane = Signal(2)
        m.d.comb += [
            lane.eq(Mux(place.kind == Kind.IROUTER, place.position[3:5], place.position[:2])),
            route.eq(Array(self.route[n].as_value() for n in range(4))[lane]),
        ]
        pe_typer = _constant("GICR_TYPER", config) | place.pe << typer.field("Processor_Number").lsb
        pe_typer |= place.pe << typer.field("Affinity_Value").lsb
        pe_typer |= (place.pe == self._pes - 1) << typer.field("Last").lsb
        whole = self.priority.as_value()
        byte = Array(self.priority[n] for n in range(4))[lane]
        values = {
            Kind.CTLR: _constant("GICD_CTLR", config) | self.forward << control.field("EnableGrp0").lsb,
            Kind.TYPER: self._typer(),
            Kind.IIDR: _constant("GICD_IIDR", config),
            Kind.PIDR2: _constant("GICD_PIDR2" if config.are else "GICD_ICPIDR2", config),
            Kind.WAKER: asleep << waker.field("ProcessorSleep").lsb
            | asleep << waker.field("ChildrenAsleep").lsb,
            Kind.PE_TYPER: Mux(
                (self.size == Size.WORD) & place.position[2], Const(0, 32) | pe_typer[32:], pe_typer
            ),
            Kind.IGROUPR: state.group,
            Kind.ISENABLER: state.enable,
            Kind.ICENABLER: state.enable,
            Kind.ISPENDR: pending,
            Kind.ICPENDR: pending,
            Kind.ISACTIVER: state.active,
            Kind.ICACTIVER: state.active,
            Kind.IPRIORITYR: Mux(self.size == Size.BYTE, byte, whole),
            Kind.ICFGR: Cat(bit for edge in half for bit in (Const(0, 1), edge)),
            **(self._routes(route) if config.are else self._bytes(route)),
        }
        word = Signal(64)
        with m.Switch(place.kind):
            for kind, value in values.items():
                with m.Case(kind):
                    m.d.comb += word.eq(value)
        # A word of a doubleword register reads its own half.
        m.d.comb += self.read.eq(Mux(self.size == Size.DOUBLE, word, word[:32]))

    def _typer(self):
        """Return GICD_TYPER (DIST-35)."""
        others = 0 if self._config.are else self._pes - 1
        return lookup_mmio("GICD_TYPER").field("CPUNumber").put(_constant("GICD_TYPER", self._config), others)

    def _routes(self, route):
        """Return what registers of a route read with affinity routing (DIST-14)."""
        irouter = lookup_mmio("GICD_IROUTER32")
        low = route.aff0 << irouter.field("Aff0").lsb
        low |= route.irm << irouter.field("Interrupt_Routing_Mode").lsb
        return {Kind.IROUTER: Mux((self.size == Size.WORD) & self.place.position[2], 0, low)}

    def _bytes(self, route):
        """Return what registers of a GICv2's targets and sources read (DIST-16, DIST-28)."""
        whole = Cat(self.route[n].pes for n in range(4))
        own = (Const(1, 8) << self.place.pe)[:8]
        is_byte = self.size == Size.BYTE
        stored = Mux(is_byte, route.pes, whole)
        private = self.place.word >= self._spi_words
        targets = Mux(private, Mux(is_byte, own, own.replicate(4)), stored) if self._pes > 1 else 0
        return {Kind.ITARGETSR: targets, Kind.SPENDSGIR: stored, Kind.CPENDSGIR: stored}
