"""Builds of whole systems, as the soak runs them."""

from __future__ import annotations

from typing import NamedTuple

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config

__all__ = ["CONFIGURATIONS_SYSTEM", "CONFIGURATIONS_SYSTEM_V2", "SystemBuild"]


class SystemBuild(NamedTuple):
    """A system's virtual side, physical side and number of PEs."""

    config: GicConfig | GicV2Config
    physical: PhysicalConfig
    pes: int

    @property
    def name(self) -> str:
        """A short name."""
        physical = self.physical
        kind = "" if physical.are else "GICv2 "
        return f"{kind}{self.pes} PEs {physical.spis} SPIs {physical.pri_bits} bits, {self.config.lrs} LRs"


#: Every number of priority bits, one PE and several, few SPIs and many; the virtual side wider and narrower
#: than the physical one (PHY-11).
CONFIGURATIONS_SYSTEM: tuple[SystemBuild, ...] = (
    SystemBuild(GicConfig(), PhysicalConfig(), 2),
    SystemBuild(GicConfig(lrs=1), PhysicalConfig(pri_bits=4), 1),
    SystemBuild(GicConfig(lrs=2, id_bits=24), PhysicalConfig(pri_bits=6, spis=64), 3),
    SystemBuild(GicConfig(pri_bits=7, pre_bits=7), PhysicalConfig(pri_bits=5), 2),
    SystemBuild(GicConfig(tds=False), PhysicalConfig(pri_bits=7, spis=64), 2),
    SystemBuild(GicConfig(lrs=2, pri_bits=7, pre_bits=6), PhysicalConfig(pri_bits=8, spis=96), 1),
    SystemBuild(GicConfig(lrs=1), PhysicalConfig(pri_bits=8), 4),
    SystemBuild(GicConfig(lrs=8, nv4=False), PhysicalConfig(spis=288), 8),
)
#: The same for GICv2: every number of priority bits, one PE and several, up to the width of a target byte.
CONFIGURATIONS_SYSTEM_V2: tuple[SystemBuild, ...] = (
    SystemBuild(GicV2Config(), PhysicalConfig(are=False), 2),
    SystemBuild(GicV2Config(lrs=1), PhysicalConfig(pri_bits=4, are=False), 1),
    SystemBuild(GicV2Config(lrs=2), PhysicalConfig(pri_bits=6, spis=64, are=False), 3),
    SystemBuild(GicV2Config(), PhysicalConfig(pri_bits=7, spis=64, are=False), 2),
    SystemBuild(GicV2Config(lrs=2), PhysicalConfig(pri_bits=8, are=False), 4),
    SystemBuild(GicV2Config(lrs=1), PhysicalConfig(are=False), 8),
)
