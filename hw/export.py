"""Export of the gateware as Verilog or RTLIL text."""

from amaranth.back import rtlil, verilog

from hw.cluster import Cluster, check_pes
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.plain_names import plain_names

__all__ = ["to_rtlil", "to_verilog"]


def to_verilog(config: GicConfig | GicV2Config, pes: int = 1, name: str = "cluster") -> str:
    """Return one self-contained Verilog module ``name`` (clock ``clk``, synchronous reset ``rst``).

    Port names are those of :class:`hw.port.CpuPortSignature` (:class:`hw.port_v2.GicV2PortSignature` for
    GICv2), joined with two underscores, such as ``pe0__request__valid``; all names inside are plain too.
    The text depends on the arguments only.

    Raises
    ------
    InputError
        When ``pes`` is out of range.
    """
    check_pes(pes)
    text = verilog.convert(Cluster(config, pes), name=name, emit_src=False, strip_internal_attrs=True)
    return plain_names(text)


def to_rtlil(config: GicConfig | GicV2Config, pes: int = 1, name: str = "cluster") -> str:
    """Return the same design as RTLIL, for Yosys.

    Raises
    ------
    InputError
        When ``pes`` is out of range.
    """
    check_pes(pes)
    return rtlil.convert(Cluster(config, pes), name=name, emit_src=False)
