"""Parameters of the physical side: the ICC (or GICC) interfaces and the distributor, validated.

A :class:`PhysicalConfig` answers every question that the fields of an ICC register ask of a configuration
(:mod:`hw.registers`), so one table serves both sides: the ICV registers take a
:class:`hw.config.GicConfig`, the ICC registers take this. Source: spec sections 0 and 1.8.
"""

from __future__ import annotations

from dataclasses import dataclass

from hw.config import ConfigError

__all__ = ["MAINTENANCE_PPI", "MAX_PES", "PhysicalConfig"]

#: INTID of the maintenance interrupt, a PPI of every PE (MNT-8).
MAINTENANCE_PPI = 25
#: PEs of one system, at most: the width of a GICD_ITARGETSR byte.
MAX_PES = 8


@dataclass(frozen=True)
class PhysicalConfig:
    """Implementation choices of the physical CPU interfaces and of the distributor.

    One Security state (GICD_CTLR.DS is 1), no EL3, no LPIs, no extended ranges.

    Parameters
    ----------
    pri_bits : int, 4..8
        Implemented priority bits (``PPRI``, ICC_CTLR_EL1.PRIbits + 1).
    spis : int, a multiple of 32 from 32 to 960
        Shared peripheral interrupts; their INTIDs start at 32.
    are : bool
        True: affinity routing, the GICv3 programmers' model with GICR frames and ICC registers. False: the
        GICv2 model with banked GICD registers, GICD_ITARGETSR, GICD_SGIR and the GICC frame.

    Raises
    ------
    ConfigError
        When a value is out of range.
    """

    pri_bits: int = 5
    spis: int = 32
    are: bool = True

    def __post_init__(self) -> None:
        """Refuse what no distributor may have."""
        for name, low, high in (("pri_bits", 4, 8), ("spis", 32, 960)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise ConfigError(f"physical {name} must be an integer from {low} to {high}, not {value!r}")
        if self.spis % 32:
            raise ConfigError(f"physical spis must be a multiple of 32, not {self.spis}")
        if not isinstance(self.are, bool):
            raise ConfigError(f"physical are must be True or False, not {self.are!r}")

    @property
    def pre_bits(self) -> int:
        """Preemption bits: all priority bits, at most 7."""
        return min(self.pri_bits, 7)

    @property
    def pri_mask(self) -> int:
        """Implemented bits of an 8-bit priority."""
        return 0xFF << (8 - self.pri_bits) & 0xFF

    @property
    def min_bpr0(self) -> int:
        """Smallest value, and reset value, of ICC_BPR0_EL1 and GICC_BPR."""
        return 7 - self.pre_bits

    @property
    def min_bpr1(self) -> int:
        """Smallest value, and reset value, of ICC_BPR1_EL1 and GICC_ABPR."""
        return 8 - self.pre_bits

    @property
    def levels(self) -> int:
        """Group priority levels, and bits of the active priorities that exist: 16 to 128."""
        return 1 << self.pre_bits

    @property
    def apr_words(self) -> int:
        """Active-priority words per group: 1, 2 or 4."""
        return max(self.levels // 32, 1)

    @property
    def id_bits(self) -> int:
        """INTID bits of the ICC registers: 16 (ICC_CTLR_EL1.IDbits 0)."""
        return 16

    @property
    def id_mask(self) -> int:
        """Implemented INTID bits."""
        return (1 << self.id_bits) - 1

    @property
    def seis(self) -> bool:
        """ICC_CTLR_EL1.SEIS: no SError is ever generated."""
        return False

    @property
    def a3v(self) -> bool:
        """ICC_CTLR_EL1.A3V: the PEs have affinity 0.0.0.n."""
        return False

    @property
    def intids(self) -> int:
        """INTIDs the distributor knows: 0 to ``intids - 1``."""
        return 32 + self.spis
