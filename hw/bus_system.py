"""A whole GICv2, each PE's view of it behind a standard bus of its own."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.bus_access import GICV2_MAP
from hw.bus_cluster import BRIDGES, check_bus, join
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.port import Deactivation
from hw.system import SystemV2, check_system

__all__ = ["BusSystemPeSignature", "BusSystemV2"]

#: Outputs of a PE, as :class:`hw.pe_v2.PeV2PortSignature` has them.
_LINES = ("virq", "vfiq", "maintenance", "irq", "fiq")


class BusSystemPeSignature(wiring.Signature):
    """One PE of a :class:`BusSystemV2`, from outside.

    Parameters
    ----------
    bus : str
        One of :data:`hw.bus_cluster.BRIDGES`.

    Members
    -------
    (those of the bus)
        As :class:`hw.bus_cluster.BusPeSignature` has them.
    virq, vfiq, maintenance, irq, fiq : In(1)
        Level outputs, registered.
    deactivate : In(Signature: valid, payload)
        What a HW list register tells the distributor, to be looked at.
    """

    def __init__(self, bus: str):
        self.bus = bus
        super().__init__({
            **BRIDGES[bus].signature_type(GICV2_MAP.bits).members,
            **{line: In(1) for line in _LINES},
            "deactivate": In(wiring.Signature({"valid": Out(1), "payload": Out(Deactivation)})),
        })  # fmt: skip

    def __eq__(self, other):
        return type(self) is type(other) and self.bus == other.bus


class BusSystemV2(wiring.Component):
    """A :class:`hw.system.SystemV2` whose PEs reach all frames over a bus, mapped as in GIC-400.

    Parameters
    ----------
    config : GicV2Config
        The virtual side, the same for all PEs.
    physical : PhysicalConfig
        The physical side; ``are`` must be False.
    pes : int, 1..8
        Number of PEs.
    bus : str
        One of :data:`hw.bus_cluster.BRIDGES`.

    Members
    -------
    pe0, pe1, ... : In(BusSystemPeSignature(bus))
        The bus and the lines of each PE.
    spi, ppi0, ppi1, ..., settled
        As :class:`hw.system.System` has them.

    Raises
    ------
    InputError
        As :func:`hw.system.check_system`, or when ``bus`` is unknown.
    """

    def __init__(self, config: GicV2Config, physical: PhysicalConfig, pes: int = 1, bus: str = "apb"):
        check_system(config, physical, pes)
        check_bus(bus)
        self.config = config
        self.physical = physical
        self.pes = pes
        self.bus = bus
        super().__init__({
            **{f"pe{n}": In(BusSystemPeSignature(bus)) for n in range(pes)},
            "spi": In(physical.spis),
            **{f"ppi{n}": In(16) for n in range(pes)},
            "settled": Out(1),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        m.submodules.system = system = SystemV2(self.config, self.physical, self.pes)
        m.d.comb += [system.spi.eq(self.spi), self.settled.eq(system.settled)]
        for n in range(self.pes):
            m.submodules[f"{self.bus}{n}"] = bridge = BRIDGES[self.bus](GICV2_MAP)
            pe, port = getattr(self, f"pe{n}"), getattr(system, f"pe{n}")
            join(m, pe, bridge, bridge.bus, port)
            m.d.comb += [
                getattr(system, f"ppi{n}").eq(getattr(self, f"ppi{n}")),
                *(getattr(pe, line).eq(getattr(port, line)) for line in _LINES),
                pe.deactivate.valid.eq(port.deactivate.valid),
                pe.deactivate.payload.eq(port.deactivate.payload),
            ]
        return m
