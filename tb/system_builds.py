"""Builds of whole systems, as the soak runs them."""

from __future__ import annotations

from typing import NamedTuple

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig

__all__ = ["CONFIGURATIONS_SYSTEM", "SystemBuild"]


class SystemBuild(NamedTuple):
    """A system's virtual side, physical side and number of PEs."""

    config: GicConfig
    physical: PhysicalConfig
    pes: int

    @property
    def name(self) -> str:
        """A short name."""
        physical = self.physical
        return f"{self.pes} PEs {physical.spis} SPIs {physical.pri_bits} bits, {self.config.lrs} LRs"


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
