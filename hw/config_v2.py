"""Parameters of one GICv2 virtual CPU interface (GICH and GICV), validated.

GICv2 leaves only the number of list registers open: priorities have 5 bits, all of which preempt, and
INTIDs have 10. Source: spec sections 0 and 1.9.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from hw.config import ConfigError

__all__ = ["GicV2Config"]


@dataclass(frozen=True)
class GicV2Config:
    """Implementation choices of a GICv2 virtual CPU interface.

    Parameters
    ----------
    lrs : int, 1..64
        Number of list registers (GICH_VTR.ListRegs + 1).

    Raises
    ------
    ConfigError
        When the value is out of range.
    """

    lrs: int = 4

    def __post_init__(self) -> None:
        """Refuse what section 0 of the spec does not allow."""
        if not isinstance(self.lrs, int) or isinstance(self.lrs, bool) or not 1 <= self.lrs <= 64:
            raise ConfigError(f"GICv2 lrs must be an integer from 1 to 64, not {self.lrs!r}")

    @property
    def pri_bits(self) -> int:
        """Implemented priority bits: 5."""
        return 5

    @property
    def pre_bits(self) -> int:
        """Preemption bits: 5."""
        return 5

    @property
    def id_bits(self) -> int:
        """INTID bits: 10."""
        return 10

    @property
    def id_mask(self) -> int:
        """Implemented INTID bits as a mask."""
        return (1 << self.id_bits) - 1

    @property
    def pri_mask(self) -> int:
        """Implemented bits of an 8-bit priority: 0xF8."""
        return 0xFF << (8 - self.pri_bits) & 0xFF

    @property
    def min_bpr0(self) -> int:
        """Smallest value of GICV_BPR: 2."""
        return 7 - self.pre_bits

    @property
    def min_bpr1(self) -> int:
        """Smallest value of GICV_ABPR: 3."""
        return 8 - self.pre_bits

    @property
    def apr_words(self) -> int:
        """Active-priority words, for both groups together: 1 (V2-1)."""
        return 1

    @functools.cached_property
    def vtr(self) -> int:
        """GICH_VTR as this configuration reads (REG-1)."""
        return (self.pri_bits - 1) << 29 | (self.pre_bits - 1) << 26 | (self.lrs - 1)

    @classmethod
    def from_vtr(cls, vtr: int) -> GicV2Config:
        """Return the configuration that reads as ``vtr``.

        Raises
        ------
        ConfigError
            When ``vtr`` is no GICH_VTR: priorities of other than 5 bits, or reserved bits set.
        """
        config = cls(lrs=(vtr & 0x3F) + 1)
        if vtr != config.vtr:
            raise ConfigError(
                f"GICH_VTR {vtr:#x}: it must be {config.vtr & ~0x3F:#x} plus the number of LRs less one"
            )
        return config
