"""Export of the gateware as Verilog or RTLIL text."""

from amaranth.back import rtlil, verilog

from hw.bench.bench import Bench
from hw.bus_cluster import BRIDGES, BusCluster, check_bus
from hw.bus_system import BusSystemV2
from hw.cluster import Cluster, check_pes
from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from hw.plain_names import plain_names
from hw.ports import Port, ports_of
from hw.system import System, SystemV2, check_system, system_of
from hw.verilog_text import finish

__all__ = ["BUSES", "exported_ports", "to_bench_verilog", "to_rtlil", "to_verilog"]

#: How a build may be reached: by its own port, or over a standard bus in front of it.
BUSES = ("none", *BRIDGES)


def _top(
    config: GicConfig | GicV2Config, pes: int, bus: str, physical: PhysicalConfig | None
) -> Cluster | BusCluster | BusSystemV2 | System | SystemV2:
    """Return the component to export; arguments checked before it is made."""
    check_pes(pes)
    if physical is not None:
        check_system(config, physical, pes)
        if bus == "none":
            return system_of(config, physical, pes)
        check_bus(bus)
        if isinstance(config, GicV2Config):
            return BusSystemV2(config, physical, pes, bus)
        raise InputError(
            f"a whole GICv3 has ports only, no bus {bus!r}: use --bus none with --spis, --gic v2 for a whole "
            "GIC behind a bus, or leave out --spis for the virtual interface alone"
        )
    if bus == "none":
        return Cluster(config, pes)
    check_bus(bus)
    return BusCluster(config, pes, bus)


def to_verilog(
    config: GicConfig | GicV2Config,
    pes: int = 1,
    name: str = "cluster",
    bus: str = "none",
    physical: PhysicalConfig | None = None,
) -> str:
    """Return one self-contained Verilog module ``name`` (clock ``clk``, synchronous reset ``rst``).

    Port names are those of :class:`hw.port.CpuPortSignature` (:class:`hw.port_v2.GicV2PortSignature` for
    GICv2, :class:`hw.bus_cluster.BusPeSignature` with a ``bus``), joined with two underscores, such as
    ``pe0__request__valid``; all names inside are plain too. The text depends on the arguments only.
    With ``physical`` it is a whole :class:`hw.system.System`, :class:`hw.system.SystemV2` or, with a ``bus``,
    :class:`hw.bus_system.BusSystemV2`, and has that one's ports.

    Raises
    ------
    InputError
        When ``pes`` is out of range, or the build has no such ``bus``.
    """
    top = _top(config, pes, bus, physical)
    text = verilog.convert(top, name=name, emit_src=False, strip_internal_attrs=True)
    return finish(plain_names(text))


def exported_ports(
    config: GicConfig | GicV2Config,
    pes: int = 1,
    bus: str = "none",
    physical: PhysicalConfig | None = None,
) -> list[Port]:
    """Return the ports of the module that :func:`to_verilog` writes.

    Raises
    ------
    InputError
        When ``pes`` is out of range, or the build has no such ``bus``.
    """
    top = _top(config, pes, bus, physical)
    # It is looked at, not elaborated, which Amaranth would warn of.
    top._MustUse__used = True
    return ports_of(top)


def to_bench_verilog(config: GicConfig | GicV2Config, pes: int = 1, name: str = "bench") -> str:
    """Return the synthesizable bench as one Verilog module; see :func:`to_verilog`.

    Raises
    ------
    InputError
        When ``pes`` is out of range.
    """
    text = verilog.convert(Bench(config, pes), name=name, emit_src=False, strip_internal_attrs=True)
    return finish(plain_names(text))


def to_rtlil(
    config: GicConfig | GicV2Config,
    pes: int = 1,
    name: str = "cluster",
    bus: str = "none",
    physical: PhysicalConfig | None = None,
) -> str:
    """Return the same design as RTLIL, for Yosys.

    Raises
    ------
    InputError
        When ``pes`` is out of range, or the build has no such ``bus``.
    """
    return rtlil.convert(_top(config, pes, bus, physical), name=name, emit_src=False)
