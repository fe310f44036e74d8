"""Export of the gateware as Verilog or RTLIL text."""

from amaranth.back import rtlil, verilog

from hw.apb import ApbCluster
from hw.bench.bench import Bench
from hw.cluster import Cluster, check_pes
from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from hw.plain_names import plain_names
from hw.system import System, SystemV2, check_system, system_of
from hw.verilog_text import finish

__all__ = ["BUSES", "to_bench_verilog", "to_rtlil", "to_verilog"]

#: How a build may be reached: its own port, or a standard bus in front of it (GICv2 only).
BUSES = ("port", "apb")


def _top(
    config: GicConfig | GicV2Config, pes: int, bus: str, physical: PhysicalConfig | None
) -> Cluster | ApbCluster | System | SystemV2:
    """Return the component to export; arguments checked before it is made."""
    check_pes(pes)
    if physical is not None:
        check_system(config, physical, pes)
        if bus != "port":
            raise InputError("a system with a physical side has ports only; use --bus port")
        return system_of(config, physical, pes)
    if bus not in BUSES:
        raise InputError(f"unknown bus {bus!r}; one of {', '.join(BUSES)}")
    if bus == "apb" and not isinstance(config, GicV2Config):
        raise InputError("APB reaches memory-mapped frames, which GICv3 does not have; use GICv2")
    return ApbCluster(config, pes) if bus == "apb" else Cluster(config, pes)


def to_verilog(
    config: GicConfig | GicV2Config,
    pes: int = 1,
    name: str = "cluster",
    bus: str = "port",
    physical: PhysicalConfig | None = None,
) -> str:
    """Return one self-contained Verilog module ``name`` (clock ``clk``, synchronous reset ``rst``).

    Port names are those of :class:`hw.port.CpuPortSignature` (:class:`hw.port_v2.GicV2PortSignature` for
    GICv2, :class:`hw.apb.ApbPeSignature` with ``bus="apb"``), joined with two underscores, such as
    ``pe0__request__valid``; all names inside are plain too. The text depends on the arguments only.
    With ``physical`` it is a whole :class:`hw.system.System` or :class:`hw.system.SystemV2` and has that
    one's ports.

    Raises
    ------
    InputError
        When ``pes`` is out of range, or the build has no such ``bus``.
    """
    top = _top(config, pes, bus, physical)
    text = verilog.convert(top, name=name, emit_src=False, strip_internal_attrs=True)
    return finish(plain_names(text))


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
    bus: str = "port",
    physical: PhysicalConfig | None = None,
) -> str:
    """Return the same design as RTLIL, for Yosys.

    Raises
    ------
    InputError
        When ``pes`` is out of range, or the build has no such ``bus``.
    """
    return rtlil.convert(_top(config, pes, bus, physical), name=name, emit_src=False)
