"""A whole GICv3: the virtual and physical CPU interfaces of several PEs and their distributor.

Parts with the virtual side alone are :class:`hw.cluster.Cluster`.
"""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.bus import BusSignature
from hw.cluster import check_pes
from hw.config import GicConfig
from hw.config_physical import MAINTENANCE_PPI, PhysicalConfig
from hw.distributor import Distributor
from hw.errors import InputError
from hw.pe import Pe, PePortSignature

__all__ = ["System", "check_system"]

#: INTID of the first PPI.
_FIRST_PPI = 16


def check_system(physical: PhysicalConfig, pes: int) -> None:
    """Refuse a system that cannot be made; apart from :class:`System` for the reason of ``check_pes``.

    Raises
    ------
    InputError
        When ``pes`` is out of range, or ``physical`` is not of the GICv3 model.
    """
    check_pes(pes)
    if not physical.are:
        raise InputError("a GICv3 system has affinity routing; take a PhysicalConfig with are=True")


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
        check_system(physical, pes)
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
        maintenance = MAINTENANCE_PPI - _FIRST_PPI
        settled = [distributor.settled]
        for n in range(self.pes):
            m.submodules[f"pe{n}"] = pe = Pe(self.config, self.physical)
            port, own = getattr(self, f"pe{n}"), pe.cpu
            ppi, lines = getattr(self, f"ppi{n}"), getattr(distributor, f"ppi{n}")
            connect(m, pe.link, getattr(distributor, f"link{n}"))
            m.d.comb += [
                own.request.valid.eq(port.request.valid),
                own.request.payload.eq(port.request.payload),
                port.request.ready.eq(own.request.ready),
                port.response.valid.eq(own.response.valid),
                port.response.payload.eq(own.response.payload),
                port.deactivate.valid.eq(own.deactivate.valid),
                port.deactivate.payload.eq(own.deactivate.payload),
                port.settled.eq(self.settled),
                lines.eq(Cat(ppi[:maintenance], own.maintenance, ppi[maintenance + 1 :])),
            ]
            for name in ("virq", "vfiq", "maintenance", "irq", "fiq", "observe", "observe_physical"):
                m.d.comb += getattr(port, name).eq(getattr(own, name))
            settled.append(own.settled)
        m.d.comb += self.settled.eq(Cat(settled).all())
        return m
