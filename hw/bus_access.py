"""What all bus wrappers share: from an address and byte enables to an access on the internal bus.

A wrapper (:mod:`hw.apb`, :mod:`hw.axi4lite`, :mod:`hw.wishbone`) has 32 bits of data. Answered with an error,
changing nothing and reading 0, are: an address in no frame of its map; byte enables that are no naturally
aligned byte, halfword or word, none at all included; and whatever the internal bus answers with an error.
"""

from dataclasses import dataclass

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.bus import BusFrame, BusRequest, BusResponse, BusSignature, Size

__all__ = ["GICV2_MAP", "SYSREG_MAP", "AddressMap", "BusMaster"]


@dataclass(frozen=True)
class AddressMap:
    """Where frames stand behind a wrapper.

    Parameters
    ----------
    bits : int
        Width of an address in bits; higher ones are for whoever selects the wrapper.
    places : dict of BusFrame to (int, int)
        First byte and length in bytes of each frame; the first is a multiple of the length, the length a
        power of two. The rest answers with an error.
    """

    bits: int
    places: dict[BusFrame, tuple[int, int]]

    def __post_init__(self) -> None:
        for base, length in self.places.values():
            assert length & (length - 1) == 0 and base % length == 0 and base + length <= 1 << self.bits


#: As in GIC-400, 32 KiB.
GICV2_MAP = AddressMap(
    15,
    {
        BusFrame.GICD: (0x1000, 0x1000),
        BusFrame.GICC: (0x2000, 0x2000),
        BusFrame.GICH: (0x4000, 0x1000),
        BusFrame.GICV: (0x6000, 0x2000),
    },
)
#: The system-register window of a GICv3 PE (:mod:`hw.sysreg_window`), 512 KiB.
SYSREG_MAP = AddressMap(19, {BusFrame.SYSREG: (0, 0x8_0000)})

#: Byte enables -> size of the access and the byte of the word where it begins.
_LANES = {
    0b1111: (Size.WORD, 0),
    0b0011: (Size.HALF, 0),
    0b1100: (Size.HALF, 2),
    **{1 << byte: (Size.BYTE, byte) for byte in range(4)},
}


class BusMaster(wiring.Component):
    """Make one access on the internal bus from one on a bus of words.

    Parameters
    ----------
    places : AddressMap
        Where the frames are.

    Members
    -------
    start : In(1)
        Make the access that ``write``, ``address`` (of a byte; the lowest two bits must be 0), ``data`` and
        ``strobes`` tell. They are held until ``done``.
    done : Out(1)
        The access has ended; high for one cycle, one cycle after ``start`` at the earliest.
    value, error : Out(32), Out(1)
        With ``done`` and until the next ``start``: what was read, in its byte lanes, 0 for a write; and
        whether it was an error.
    bus : Out(BusSignature())
        Where accesses go.
    """

    def __init__(self, places: AddressMap):
        self.map = places
        super().__init__({
            "start": In(1),
            "write": In(1),
            "address": In(places.bits),
            "data": In(32),
            "strobes": In(4),
            "done": Out(1),
            "value": Out(32),
            "error": Out(1),
            "bus": Out(BusSignature()),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        bus = self.bus
        request = Signal(BusRequest)
        mapped, sized, byte = Signal(), Signal(), Signal(2)
        for frame, (base, length) in self.map.places.items():
            bits = (length - 1).bit_length()
            with m.If(self.address[bits:] == base >> bits):
                m.d.comb += [mapped.eq(1), request.frame.eq(frame)]
                m.d.comb += request.offset[2:].eq(self.address[2:bits])
        with m.Switch(self.strobes):
            for strobes, (size, start) in _LANES.items():
                with m.Case(strobes):
                    m.d.comb += [sized.eq(1), request.size.eq(size), byte.eq(start)]
        m.d.comb += [
            request.write.eq(self.write),
            request.offset[:2].eq(byte),
            request.data.eq(self.data >> (byte << 3)),
            bus.request.payload.eq(request),
        ]
        proper = mapped & sized & (self.address[:2] == 0)

        answer = Signal(BusResponse)
        m.d.comb += [self.value.eq(answer.data[:32] << (byte << 3)), self.error.eq(answer.error)]
        with m.FSM():
            with m.State("IDLE"):
                with m.If(self.start):
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
                m.d.comb += self.done.eq(1)
                m.next = "IDLE"
        return m
