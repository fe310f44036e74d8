"""The virtual CPU interfaces of several PEs side by side, GICv3 or GICv2: the top of every bench."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, connect, flipped

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.core import VirtualCore
from hw.errors import InputError
from hw.gicv2 import GicV2Interface
from hw.interface import VirtualCpuInterface
from hw.port import CpuPortSignature
from hw.port_v2 import GicV2PortSignature

__all__ = ["MAX_PES", "Cluster", "check_pes", "interface_of"]

#: PEs one cluster may have.
MAX_PES = 8


def check_pes(pes: int) -> None:
    """Refuse a number of PEs that no cluster has.

    Apart from :class:`Cluster`, because Amaranth warns of a component that is made and never used, also
    when making it failed.

    Raises
    ------
    InputError
        When ``pes`` is not 1 to :data:`MAX_PES`.
    """
    if not 1 <= pes <= MAX_PES:
        raise InputError(f"a cluster has 1 to {MAX_PES} PEs, not {pes}")


def interface_of(config: GicConfig | GicV2Config) -> VirtualCore:
    """Return the virtual CPU interface that a configuration describes."""
    return GicV2Interface(config) if isinstance(config, GicV2Config) else VirtualCpuInterface(config)


class Cluster(wiring.Component):
    """One :class:`~hw.interface.VirtualCpuInterface` or :class:`~hw.gicv2.GicV2Interface` for each PE.

    Parameters
    ----------
    config : GicConfig or GicV2Config
        Implementation choices, the same for all.
    pes : int, 1..8
        Number of PEs.

    Members
    -------
    pe0, pe1, ... : In(CpuPortSignature(config)) or In(GicV2PortSignature(config))
        The port of each PE.

    Raises
    ------
    InputError
        When ``pes`` is out of range.
    """

    def __init__(self, config: GicConfig | GicV2Config, pes: int = 1):
        check_pes(pes)
        signature = GicV2PortSignature if isinstance(config, GicV2Config) else CpuPortSignature
        self.config = config
        self.pes = pes
        super().__init__({f"pe{n}": In(signature(config)) for n in range(pes)})

    def elaborate(self, platform):
        m = Module()
        for n in range(self.pes):
            m.submodules[f"pe{n}"] = pe = interface_of(self.config)
            connect(m, flipped(getattr(self, f"pe{n}")), pe.cpu)
        return m
