"""What a memory-mapped register is: its frame, its offset and the accesses it takes.

The tables themselves are :mod:`hw.registers_v2` (GICH, GICV, GICC) and those of the distributor;
:mod:`hw.mmio_map` holds all of them together. This module needs neither Amaranth nor a simulator.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hw.fields import Access, Field, HasFields

__all__ = ["BYTES_OR_WORD", "WORD", "WORD_OR_DOUBLE", "Frame", "MmioRegister"]

#: Sizes in bytes that a register takes: a word, as most.
WORD = (4,)
#: A register made of byte-wide fields (GICD_IPRIORITYR, GICD_ITARGETSR).
BYTES_OR_WORD = (1, 4)
#: A 64-bit register (GICR_TYPER, GICD_IROUTER).
WORD_OR_DOUBLE = (4, 8)


class Frame(enum.Enum):
    """A memory-mapped block of registers."""

    GICH = "virtual interface control"
    GICV = "virtual CPU interface"
    GICC = "physical CPU interface"
    GICD = "distributor"
    GICR = "redistributor"


@dataclass(frozen=True)
class MmioRegister(HasFields):
    """One memory-mapped register.

    Parameters
    ----------
    name : str
        Architectural name, such as ``GICH_LR3``.
    frame, offset : Frame, int
        Where it is; the offset in bytes from the start of the frame.
    access : Access
        A read of a WO register reads 0, a write of an RO one is ignored; neither is an error.
    width : int
        32 or 64 bits.
    index : int
        n of ``LR<n>`` and the like.
    exists : function of the configuration
        False: the register is mapped in every build, but reads 0 and ignores writes in this one (REG-8).
    read_effect : bool
        The read is destructive (IAR-8).
    sizes : tuple of int
        Access sizes in bytes, naturally aligned; any other is a bus error and changes nothing.
    """

    name: str
    frame: Frame
    offset: int
    access: Access
    width: int
    fields: tuple[Field, ...]
    doc: str
    index: int = 0
    exists: Callable[[Any], bool] = lambda config: True
    read_effect: bool = False
    sizes: tuple[int, ...] = WORD

    def takes(self, offset: int, size: int) -> bool:
        """Whether an access of ``size`` bytes at ``offset`` of the frame is defined for this register."""
        inside = self.offset <= offset and offset + size <= self.offset + self.width // 8
        return inside and size in self.sizes and offset % size == 0
