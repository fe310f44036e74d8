"""Bit masks and field helpers of the GICH list registers, taken from the register table.

GICH_HCR and GICH_VMCR need none: KVM's bits are those of :data:`sim.kvm.regs.HCR` and
:data:`sim.kvm.regs.VMCR`.
"""

from __future__ import annotations

from hw.mmio_map import MMIO_BY_NAME as BY_NAME
from hw.registers import LRState
from hw.registers_v2 import LR_CPUID, LR_EOI

__all__ = [
    "GICH_LR_ACTIVE_BIT",
    "GICH_LR_CPUID_SHIFT",
    "GICH_LR_EOI",
    "GICH_LR_GROUP1",
    "GICH_LR_HW",
    "GICH_LR_PENDING_BIT",
    "GICH_LR_PHYSID_SHIFT",
    "GICH_LR_PRIORITY_SHIFT",
    "GICH_LR_STATE",
    "gich_lr_cpuid",
    "gich_lr_physid",
    "gich_lr_virtualid",
]

_LR = {field.name: field for field in BY_NAME["GICH_LR0"].fields}
GICH_LR_STATE = _LR["State"].mask
GICH_LR_PENDING_BIT = LRState.PENDING << _LR["State"].lsb
GICH_LR_ACTIVE_BIT = LRState.ACTIVE << _LR["State"].lsb
GICH_LR_HW = _LR["HW"].mask
GICH_LR_GROUP1 = _LR["Grp1"].mask
GICH_LR_PHYSID_SHIFT = _LR["PhysicalID"].lsb
GICH_LR_EOI = LR_EOI.mask
GICH_LR_CPUID_SHIFT = LR_CPUID.lsb
#: The five implemented bits of a priority.
GICH_LR_PRIORITY_SHIFT = _LR["Priority"].lsb


def gich_lr_virtualid(lr: int) -> int:
    """Return VirtualID of a GICH_LR value."""
    return _LR["VirtualID"].get(lr)


def gich_lr_physid(lr: int) -> int:
    """Return PhysicalID of a GICH_LR value (meaningful with HW=1)."""
    return _LR["PhysicalID"].get(lr)


def gich_lr_cpuid(lr: int) -> int:
    """Return the source CPU of an SGI in a GICH_LR value (HW=0)."""
    return LR_CPUID.get(lr)
