"""The virtual CPU interfaces of several PEs, each behind a standard bus of its own."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.apb import ApbBridge
from hw.axi4lite import AxiLiteBridge
from hw.bus_access import GICV2_MAP, SYSREG_MAP, AddressMap
from hw.cluster import check_pes, interface_of
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.core import latency
from hw.errors import InputError
from hw.port import Deactivation
from hw.sysreg_window import SysRegWindow
from hw.wishbone import WishboneBridge

__all__ = ["BRIDGES", "BusCluster", "BusPeSignature", "address_map", "check_bus", "cycles", "join"]

#: The standard buses, by name.
BRIDGES = {"apb": ApbBridge, "axi4lite": AxiLiteBridge, "wishbone": WishboneBridge}


def check_bus(bus: str) -> None:
    """Refuse a bus that there is not.

    Raises
    ------
    InputError
        When ``bus`` is not one of :data:`BRIDGES`.
    """
    if bus not in BRIDGES:
        raise InputError(f"unknown bus {bus!r}; one of none, {', '.join(BRIDGES)}")


def address_map(config: GicConfig | GicV2Config) -> AddressMap:
    """Return what stands where behind a PE's bus."""
    return GICV2_MAP if isinstance(config, GicV2Config) else SYSREG_MAP


def cycles(bus: str, config: GicConfig | GicV2Config, own: bool = False) -> int:
    """Return how many cycles after a request over ``bus`` its answer comes.

    The request is there with PENABLE of APB4, ARVALID (AWVALID and WVALID) of AXI4-Lite, STB of Wishbone;
    the answer is PREADY, RVALID (BVALID), ACK or ERR.

    Parameters
    ----------
    bus : str
        One of :data:`BRIDGES`.
    config : GicConfig or GicV2Config
        The build.
    own : bool
        Of a register of the window itself, such as CONTEXT (:mod:`hw.sysreg_window`).
    """
    # The window answers its own registers itself; it adds a cycle before the port's latency and one after.
    inside = 1 if own else latency(config) + 2 * isinstance(config, GicConfig)
    return inside + BRIDGES[bus].cycles


def join(m: Module, pe, bridge, source, port) -> None:
    """Connect the bus of ``pe`` with ``bridge``, and ``source`` of accesses with what executes them.

    Parameters
    ----------
    pe
        Signals that begin with those of the bus.
    bridge : Bridge
        Whose ``outer`` these become.
    source, port
        A request and a response each; ``source`` is the bridge's bus, or what stands behind it.
    """
    for name, member in bridge.outer.signature.flip().members.items():
        inside, outside = getattr(bridge.outer, name), getattr(pe, name)
        m.d.comb += inside.eq(outside) if member.flow == Out else outside.eq(inside)
    m.d.comb += [
        port.request.valid.eq(source.request.valid),
        port.request.payload.eq(source.request.payload),
        source.request.ready.eq(port.request.ready),
        source.response.valid.eq(port.response.valid),
        source.response.payload.eq(port.response.payload),
    ]


class BusPeSignature(wiring.Signature):
    """One PE of a :class:`BusCluster`, from outside.

    Parameters
    ----------
    bus : str
        One of :data:`BRIDGES`.
    bits : int
        Width of an address of a byte.

    Members
    -------
    (those of the bus)
        Of :class:`hw.apb.ApbSignature`, :class:`hw.axi4lite.AxiLiteSignature` or
        :class:`hw.wishbone.WishboneSignature`.
    virq, vfiq, maintenance : In(1)
        Level outputs, registered.
    deactivate : In(stream.Signature(Deactivation))
        Physical deactivation requests. While one waits no further access ends.
    """

    def __init__(self, bus: str, bits: int):
        self.bus = bus
        self.bits = bits
        super().__init__({
            **BRIDGES[bus].signature_type(bits).members,
            "virq": In(1),
            "vfiq": In(1),
            "maintenance": In(1),
            "deactivate": In(stream.Signature(Deactivation)),
        })  # fmt: skip

    def __eq__(self, other):
        return type(self) is type(other) and (self.bus, self.bits) == (other.bus, other.bits)


class BusCluster(wiring.Component):
    """One interface for each PE, behind a bus: GICv2's frames, or a window onto GICv3's system registers.

    Parameters
    ----------
    config : GicConfig or GicV2Config
        Implementation choices, the same for all.
    pes : int, 1..8
        Number of PEs.
    bus : str
        One of :data:`BRIDGES`.

    Members
    -------
    pe0, pe1, ... : In(BusPeSignature(bus, bits))
        The bus and the lines of each PE.

    Raises
    ------
    InputError
        When ``pes`` is out of range or ``bus`` unknown.
    """

    def __init__(self, config: GicConfig | GicV2Config, pes: int = 1, bus: str = "apb"):
        check_pes(pes)
        check_bus(bus)
        self.config = config
        self.pes = pes
        self.bus = bus
        self.map = address_map(config)
        super().__init__({f"pe{n}": In(BusPeSignature(bus, self.map.bits)) for n in range(pes)})

    def elaborate(self, platform):
        m = Module()
        for n in range(self.pes):
            m.submodules[f"pe{n}"] = core = interface_of(self.config)
            m.submodules[f"{self.bus}{n}"] = bridge = BRIDGES[self.bus](self.map)
            pe, cpu = getattr(self, f"pe{n}"), core.cpu
            source = bridge.bus
            if isinstance(self.config, GicConfig):
                m.submodules[f"window{n}"] = source = window = SysRegWindow()
                connect(m, bridge.bus, window.bus)
            join(m, pe, bridge, source, cpu)
            m.d.comb += [getattr(pe, line).eq(getattr(cpu, line)) for line in ("virq", "vfiq", "maintenance")]
            connect(m, flipped(pe.deactivate), cpu.deactivate)
        return m
