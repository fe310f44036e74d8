"""A whole GIC: the virtual and physical CPU interfaces of several PEs and their distributor.

Parts with the virtual side alone are :class:`hw.cluster.Cluster`.
"""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.bus import BusSignature
from hw.bus_arbiter import BusArbiter
from hw.cluster import check_pes
from hw.config import GicConfig
from hw.config_physical import MAINTENANCE_PPI, PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.distributor import Distributor
from hw.errors import InputError
from hw.pe import Pe, PePortSignature
from hw.pe_v2 import PeV2, PeV2PortSignature

__all__ = ["System", "SystemV2", "check_system", "system_of"]

#: INTID of the first PPI.
_FIRST_PPI = 16


def check_system(config: GicConfig | GicV2Config, physical: PhysicalConfig, pes: int) -> None:
    """Refuse a system that cannot be made; apart from :class:`System` for the reason of ``check_pes``.

    Raises
    ------
    InputError
        When ``pes`` is out of range, or the two sides are of different architecture versions.
    """
    check_pes(pes)
    gicv2 = isinstance(config, GicV2Config)
    if physical.are is gicv2:
        has = "no affinity routing" if gicv2 else "affinity routing"
        raise InputError(
            f"a GICv{2 if gicv2 else 3} system has {has}; take a PhysicalConfig with are={not gicv2}"
        )


def system_of(config: GicConfig | GicV2Config, physical: PhysicalConfig, pes: int = 1):
    """Return the system that two configurations describe.

    Raises
    ------
    InputError
        As :func:`check_system`.
    """
    check_system(config, physical, pes)
    kind = SystemV2 if isinstance(config, GicV2Config) else System
    return kind(config, physical, pes)


#: Outputs of a PE that its port shows as they are.
_SHOWN = ("virq", "vfiq", "maintenance", "irq", "fiq", "observe", "observe_physical")


def _join(m, port, own) -> None:
    """Connect a port of the system with a PE's; ``settled`` is left out."""
    m.d.comb += [
        own.request.valid.eq(port.request.valid),
        own.request.payload.eq(port.request.payload),
        port.request.ready.eq(own.request.ready),
        port.response.valid.eq(own.response.valid),
        port.response.payload.eq(own.response.payload),
        port.deactivate.valid.eq(own.deactivate.valid),
        port.deactivate.payload.eq(own.deactivate.payload),
    ]
    m.d.comb += [getattr(port, name).eq(getattr(own, name)) for name in _SHOWN]


def _lines(ppi, maintenance):
    """Return a PE's PPI lines with the maintenance interrupt among them (DIST-24)."""
    place = MAINTENANCE_PPI - _FIRST_PPI
    return Cat(ppi[:place], maintenance, ppi[place + 1 :])


class System(wiring.Component):
    """PEs, distributor, inputs.

    Parameters
    ----------
    config : GicConfig
        The virtual side, the same for all PEs.
    physical : PhysicalConfig
        The physical side; ``are`` must be True.
    pes : int, 1..8
        Number of PEs.

    Members
    -------
    pe0, pe1, ... : In(PePortSignature(config, physical))
        The port of each PE.
    bus : In(BusSignature())
        GICD and GICR frames.
    spi, ppi0, ppi1, ... : In
        Interrupt inputs, as :class:`hw.distributor.Distributor` has them; the line of PPI 25 is not used.
    settled : Out(1)
        Nothing is under way, and all lines reflect all storage and inputs.

    Raises
    ------
    InputError
        As :func:`check_system`.
    """

    def __init__(self, config: GicConfig, physical: PhysicalConfig, pes: int = 1):
        check_system(config, physical, pes)
        self.config = config
        self.physical = physical
        self.pes = pes
        super().__init__({
            **{f"pe{n}": In(PePortSignature(config, physical)) for n in range(pes)},
            "bus": In(BusSignature()),
            "spi": In(physical.spis),
            **{f"ppi{n}": In(16) for n in range(pes)},
            "settled": Out(1),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        m.submodules.distributor = distributor = Distributor(self.physical, self.pes)
        connect(m, flipped(self.bus), distributor.bus)
        m.d.comb += distributor.spi.eq(self.spi)
        settled = [distributor.settled]
        for n in range(self.pes):
            m.submodules[f"pe{n}"] = pe = Pe(self.config, self.physical)
            port, own = getattr(self, f"pe{n}"), pe.cpu
            connect(m, pe.link, getattr(distributor, f"link{n}"))
            _join(m, port, own)
            lines = _lines(getattr(self, f"ppi{n}"), own.maintenance)
            m.d.comb += [port.settled.eq(self.settled), getattr(distributor, f"ppi{n}").eq(lines)]
            settled.append(own.settled)
        m.d.comb += self.settled.eq(Cat(settled).all())
        return m


class SystemV2(wiring.Component):
    """PEs, distributor and inputs of a GICv2.

    Parameters
    ----------
    config : GicV2Config
        The virtual side, the same for all PEs.
    physical : PhysicalConfig
        The physical side; ``are`` must be False.
    pes : int, 1..8
        Number of PEs.

    Members
    -------
    pe0, pe1, ... : In(PeV2PortSignature(config, physical))
        The port of each PE: GICH, GICV, GICC and GICD, whose INTIDs 0..31 are the PE's own (DIST-29).
    spi, ppi0, ppi1, ..., settled
        As :class:`System` has them.

    Raises
    ------
    InputError
        As :func:`check_system`.
    """

    def __init__(self, config: GicV2Config, physical: PhysicalConfig, pes: int = 1):
        check_system(config, physical, pes)
        self.config = config
        self.physical = physical
        self.pes = pes
        super().__init__({
            **{f"pe{n}": In(PeV2PortSignature(config, physical)) for n in range(pes)},
            "spi": In(physical.spis),
            **{f"ppi{n}": In(16) for n in range(pes)},
            "settled": Out(1),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        m.submodules.distributor = distributor = Distributor(self.physical, self.pes)
        m.submodules.arbiter = arbiter = BusArbiter(self.pes)
        connect(m, arbiter.bus, distributor.bus)
        m.d.comb += [distributor.spi.eq(self.spi), distributor.accessor.eq(self._accessor(arbiter))]
        settled = [distributor.settled]
        for n in range(self.pes):
            m.submodules[f"pe{n}"] = pe = PeV2(self.config, self.physical)
            port, own = getattr(self, f"pe{n}"), pe.cpu
            connect(m, pe.bus, getattr(arbiter, f"pe{n}"))
            connect(m, pe.link, getattr(distributor, f"link{n}"))
            _join(m, port, own)
            lines = _lines(getattr(self, f"ppi{n}"), own.maintenance)
            m.d.comb += [port.settled.eq(self.settled), getattr(distributor, f"ppi{n}").eq(lines)]
            settled.append(own.settled)
        m.d.comb += self.settled.eq(Cat(settled).all())
        return m

    def _accessor(self, arbiter):
        """Return whose registers an access to the distributor means (DIST-29)."""
        return arbiter.accessor
