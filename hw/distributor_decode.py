"""Decode of an access to the GICD and GICR frames (DIST-30..34).

The register table is grouped into *families*: registers of one name that differ by number lie side by
side, so that a family is one range of offsets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.bus import BusFrame, BusRequest, Size
from hw.config_physical import MAX_PES, PhysicalConfig
from hw.distributor_storage import words_of
from hw.mmio import Frame
from hw.registers_dist import GICR_STRIDE, REGISTERS_DIST

__all__ = ["BITWISE", "DistributorDecoder", "Kind", "Place"]


class Kind(enum.Enum, shape=5):
    """What an access reaches."""

    #: Reads 0, ignores writes.
    ZERO = 0
    CTLR = 1
    TYPER = 2
    IIDR = 3
    PIDR2 = 4
    WAKER = 5
    #: GICR_TYPER.
    PE_TYPER = 6
    SGIR = 7
    IGROUPR = 8
    ISENABLER = 9
    ICENABLER = 10
    ISPENDR = 11
    ICPENDR = 12
    ISACTIVER = 13
    ICACTIVER = 14
    IPRIORITYR = 15
    ICFGR = 16
    IROUTER = 17
    ITARGETSR = 18
    SPENDSGIR = 19
    CPENDSGIR = 20


#: Kinds with one bit for each interrupt.
BITWISE = (
    Kind.IGROUPR, Kind.ISENABLER, Kind.ICENABLER, Kind.ISPENDR, Kind.ICPENDR, Kind.ISACTIVER, Kind.ICACTIVER,
)  # fmt: skip
#: Kinds that a build with affinity routing has, and those that one without has (DIST-32, DIST-33).
_ONLY_ARE = (Kind.IROUTER,)
_ONLY_V2 = (Kind.SGIR, Kind.ITARGETSR, Kind.SPENDSGIR, Kind.CPENDSGIR)
#: log2 of the bytes that 32 interrupts take in a family.
_WORD_SHIFT = {
    **dict.fromkeys(BITWISE, 2), Kind.IPRIORITYR: 5, Kind.ICFGR: 3, Kind.IROUTER: 8,
    Kind.ITARGETSR: 5, Kind.SPENDSGIR: 4, Kind.CPENDSGIR: 4,
}  # fmt: skip


class Place(data.StructLayout):
    """Where an access goes.

    ``error``: it is none (DIST-30). ``word``: number of the storage word, ``position``: offset in bytes
    within the registers of that word; ``pe``: the PE whose redistributor it is, of a GICv2 the PE that makes
    the access (DIST-29).
    """

    def __init__(self, config: PhysicalConfig, pes: int):
        super().__init__({
            "error": 1,
            "kind": Kind,
            "word": ceil_log2(words_of(config, pes)),
            "position": 8,
            "pe": 3,
        })  # fmt: skip


@dataclass(frozen=True)
class _Family:
    """A range of offsets of one frame."""

    name: str
    first: int
    end: int
    sizes: tuple[int, ...]


def _families(frame: Frame, config: PhysicalConfig) -> list[_Family]:
    """Group a frame's registers by name without number."""
    grouped: dict[str, list] = {}
    for register in REGISTERS_DIST:
        if register.frame is frame:
            name = register.name.split("_")[1]
            name = name if name.endswith("PIDR2") else re.sub(r"\d+$", "", name)
            grouped.setdefault(name, []).append(register)
    families = []
    for name, registers in grouped.items():
        first = min(register.offset for register in registers)
        end = max(register.offset + register.width // 8 for register in registers)
        assert end - first == sum(register.width // 8 for register in registers), f"{name} has gaps"
        families.append(_Family(name, first, end, registers[0].sizes))
    return families


class DistributorDecoder(wiring.Component):
    """Find what an access reaches; two cycles.

    Parameters
    ----------
    config : PhysicalConfig
        SPIs.
    pes : int, 1..8
        Number of PEs.

    Members
    -------
    request : In(BusRequest)
        The access, steady.
    accessor : In(3)
        The PE that makes it; only a GICv2 looks at it.
    place : Out(Place(config, pes))
        Two cycles later.
    """

    def __init__(self, config: PhysicalConfig, pes: int):
        self._config = config
        self._pes = pes
        super().__init__({
            "request": In(BusRequest),
            "accessor": In(range(MAX_PES)),
            "place": Out(Place(config, pes)),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        config, request = self._config, self.request
        frame_bits = ceil_log2(GICR_STRIDE)
        redistributor = Signal()
        kind, sizes, mapped = Signal(Kind), Signal(4), Signal()
        base = Signal(frame_bits)
        pe = request.offset[frame_bits:]
        within = request.offset[:frame_bits]
        m.d.sync += [
            redistributor.eq(request.frame == BusFrame.GICR),
            mapped.eq(0),
            sizes.eq(0),
            kind.eq(Kind.ZERO),
            base.eq(0),
        ]
        for frame, here in (
            (Frame.GICD, (request.frame == BusFrame.GICD) & (pe == 0)),
            (Frame.GICR, (request.frame == BusFrame.GICR) & (pe < self._pes)),
        ):
            if frame is Frame.GICR and not config.are:
                continue  # DIST-32
            for family in _families(frame, config):
                inside = within < family.end
                if family.first:  # a comparison with 0 is none
                    inside &= within >= family.first
                with m.If(here & inside):
                    m.d.sync += [
                        mapped.eq(1),
                        sizes.eq(sum(1 << ceil_log2(size) for size in family.sizes)),
                        kind.eq(self._kind(frame, family)),
                        base.eq(family.first),
                    ]
        self._locate(m, kind, sizes, mapped, base, redistributor, within, pe)
        return m

    def _kind(self, frame, family):
        if frame is Frame.GICR and family.name == "TYPER":
            return Kind.PE_TYPER
        if frame is Frame.GICR and family.name == "CTLR":
            return Kind.ZERO
        if family.name.endswith("PIDR2"):
            here = family.name == ("PIDR2" if self._config.are else "ICPIDR2")
            return Kind.PIDR2 if here else Kind.ZERO
        absent = _ONLY_V2 if self._config.are else _ONLY_ARE
        if family.name in (kind.name for kind in absent):
            return Kind.ZERO
        return Kind[family.name] if family.name in Kind.__members__ else Kind.ZERO

    def _locate(self, m, kind, sizes, mapped, base, redistributor, within, pe):
        """Check the size, and find the word; what a build does not have becomes ZERO (DIST-32, DIST-33)."""
        place, request = Signal(Place(self._config, self._pes)), self.request
        spi_words = self._config.spis // 32
        m.d.comb += self.place.eq(place)
        distance = (within - base)[: len(within)]
        number = Signal(6)  # of the 32 interrupts
        position = Signal(8)
        with m.Switch(kind):
            for shifted, shift in _WORD_SHIFT.items():
                with m.Case(shifted):
                    m.d.comb += [number.eq(distance >> shift), position.eq(distance[:shift])]
            with m.Default():
                m.d.comb += position.eq(distance)
        has_words = Signal()
        is_router = kind == Kind.IROUTER
        m.d.comb += has_words.eq(kind.as_value() >= Kind.IGROUPR.value)
        unaligned = Signal()
        with m.Switch(request.size):
            for size in (Size.HALF, Size.WORD, Size.DOUBLE):
                with m.Case(size):
                    m.d.comb += unaligned.eq(request.offset[: size.value].any())
        # IROUTER starts with the first SPI.
        spi_word = Mux(is_router, number, number - 1)[:6]
        private = ~is_router & (number == 0)
        absent = spi_word >= spi_words
        if self._config.are:
            absent, private, owner = absent | private, redistributor, pe
        else:
            absent, owner = absent & ~private, self.accessor  # DIST-29
        m.d.sync += [
            place.error.eq(~mapped | ~Array(sizes)[request.size.as_value()] | unaligned),
            place.kind.eq(Mux(has_words & ~redistributor & absent, Kind.ZERO, kind)),
            place.word.eq(Mux(private, spi_words + owner, spi_word)),
            place.position.eq(position),
            place.pe.eq(owner),
        ]
