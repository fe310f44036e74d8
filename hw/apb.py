"""AMBA APB4 in front of the internal bus (IHI 0024: PSTRB and PSLVERR, no PPROT)."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.bus import BusFrame, BusResponse, BusSignature, Size
from hw.cluster import check_pes
from hw.config_v2 import GicV2Config
from hw.gicv2 import GicV2Interface
from hw.port import Deactivation

__all__ = ["ADDRESS_BITS", "PLACES", "ApbBridge", "ApbCluster", "ApbSignature"]

#: Width of PADDR in bits.
ADDRESS_BITS = 15
#: Where a frame stands and how long it is, in bytes: as in GIC-400. The rest answers with an error.
PLACES: dict[BusFrame, tuple[int, int]] = {
    BusFrame.GICD: (0x1000, 0x1000),
    BusFrame.GICC: (0x2000, 0x2000),
    BusFrame.GICH: (0x4000, 0x1000),
    BusFrame.GICV: (0x6000, 0x2000),
}
#: Byte strobes of a write -> its size and the byte of the word where it begins.
_STROBES = {
    0b1111: (Size.WORD, 0),
    0b0011: (Size.HALF, 0),
    0b1100: (Size.HALF, 2),
    **{1 << byte: (Size.BYTE, byte) for byte in range(4)},
}


class ApbSignature(wiring.Signature):
    """An APB4 completer from the requester's side: 32 bits of data, :data:`ADDRESS_BITS` of address."""

    def __init__(self):
        super().__init__({
            "psel": Out(1),
            "penable": Out(1),
            "pwrite": Out(1),
            "paddr": Out(ADDRESS_BITS),
            "pwdata": Out(32),
            "pstrb": Out(4),
            "pready": In(1),
            "prdata": In(32),
            "pslverr": In(1),
        })  # fmt: skip

    def __eq__(self, other):
        return type(self) is type(other)


class ApbBridge(wiring.Component):
    """Turn APB4 transfers into accesses on the internal bus.

    A transfer takes three cycles more than the bus does, counted from the access phase. Answered with
    PSLVERR, changing nothing and reading 0: an address outside :data:`PLACES`; one that is not a multiple
    of four; a write whose strobes are no naturally aligned byte, halfword or word, none at all included;
    and whatever the internal bus answers with an error.

    Members
    -------
    apb : In(ApbSignature())
        The completer.
    bus : Out(BusSignature())
        Where accesses go.
    """

    apb: In(ApbSignature())
    bus: Out(BusSignature())

    def elaborate(self, platform):
        m = Module()
        apb, bus = self.apb, self.bus
        payload = bus.request.payload
        start, mapped = Signal(3), Signal()
        self._place(m, mapped)
        sized = Signal()
        m.d.comb += [payload.write.eq(apb.pwrite), payload.size.eq(Size.WORD), sized.eq(~apb.pwrite)]
        with m.Switch(Mux(apb.pwrite, apb.pstrb, 0)):
            for strobes, (size, byte) in _STROBES.items():
                with m.Case(strobes):
                    m.d.comb += [payload.size.eq(size), start.eq(byte), sized.eq(1)]
        m.d.comb += payload.offset[:2].eq(start)
        m.d.comb += payload.data.eq(apb.pwdata >> (start << 3))
        proper = mapped & sized & (apb.paddr[:2] == 0)

        answer = Signal(BusResponse)
        m.d.comb += [apb.prdata.eq(answer.data), apb.pslverr.eq(answer.error & apb.pready)]
        with m.FSM():
            with m.State("IDLE"):
                with m.If(apb.psel & apb.penable):
                    m.d.sync += [answer.error.eq(1), answer.data.eq(0)]
                    m.next = "DONE"
                    with m.If(proper):
                        m.next = "REQUEST"
            with m.State("REQUEST"):
                m.d.comb += bus.request.valid.eq(1)
                with m.If(bus.request.ready):
                    m.next = "WAIT"
            with m.State("WAIT"):
                with m.If(bus.response.valid):
                    m.d.sync += answer.eq(bus.response.payload)
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += apb.pready.eq(1)
                m.next = "IDLE"
        return m

    def _place(self, m, mapped):
        """Find the frame of an address; all but the lowest two bits of the offset."""
        payload, address = self.bus.request.payload, self.apb.paddr
        for frame, (base, length) in PLACES.items():
            bits = (length - 1).bit_length()
            assert base % length == 0 and base >> ADDRESS_BITS == 0
            with m.If(address[bits:] == base >> bits):
                m.d.comb += [mapped.eq(1), payload.frame.eq(frame), payload.offset[2:].eq(address[2:bits])]


class ApbPeSignature(wiring.Signature):
    """One PE of an :class:`ApbCluster`: the members of :class:`ApbSignature`, its lines and deactivations."""

    def __init__(self):
        super().__init__({
            **ApbSignature().members,
            "virq": In(1),
            "vfiq": In(1),
            "maintenance": In(1),
            "deactivate": In(stream.Signature(Deactivation)),
        })  # fmt: skip

    def __eq__(self, other):
        return type(self) is type(other)


class ApbCluster(wiring.Component):
    """The GICv2 virtual interfaces of several PEs, each behind an APB4 completer of its own.

    Parameters
    ----------
    config : GicV2Config
        Implementation choices, the same for all.
    pes : int, 1..8
        Number of PEs.

    Members
    -------
    pe0, pe1, ... : In(ApbPeSignature())
        The bus and the lines of each PE.

    Raises
    ------
    InputError
        When ``pes`` is out of range.
    """

    def __init__(self, config: GicV2Config, pes: int = 1):
        check_pes(pes)
        self.config = config
        self.pes = pes
        super().__init__({f"pe{n}": In(ApbPeSignature()) for n in range(pes)})

    def elaborate(self, platform):
        m = Module()
        for n in range(self.pes):
            m.submodules[f"pe{n}"] = core = GicV2Interface(self.config)
            m.submodules[f"apb{n}"] = bridge = ApbBridge()
            pe, cpu = getattr(self, f"pe{n}"), core.cpu
            for name, member in bridge.apb.signature.flip().members.items():
                inside, outside = getattr(bridge.apb, name), getattr(pe, name)
                m.d.comb += inside.eq(outside) if member.flow == Out else outside.eq(inside)
            m.d.comb += [
                cpu.request.valid.eq(bridge.bus.request.valid),
                cpu.request.payload.eq(bridge.bus.request.payload),
                bridge.bus.request.ready.eq(cpu.request.ready),
                bridge.bus.response.valid.eq(cpu.response.valid),
                bridge.bus.response.payload.eq(cpu.response.payload),
                *(getattr(pe, line).eq(getattr(cpu, line)) for line in ("virq", "vfiq", "maintenance")),
            ]
            connect(m, flipped(pe.deactivate), cpu.deactivate)
        return m
