"""Bit positions of the GICv2 golden model as plain ints, taken from the register table once."""

from hw.mmio import MmioRegister
from hw.mmio_map import lookup_mmio
from hw.registers_v2 import LR_CPUID, LR_EOI

HCR: MmioRegister = lookup_mmio("GICH_HCR")
LR: MmioRegister = lookup_mmio("GICH_LR0")
VMCR: MmioRegister = lookup_mmio("GICH_VMCR")
CTLR: MmioRegister = lookup_mmio("GICV_CTLR")
MISR: MmioRegister = lookup_mmio("GICH_MISR")
IIDR: MmioRegister = lookup_mmio("GICV_IIDR")
_INTID: MmioRegister = lookup_mmio("GICV_IAR")


def _bit(register: MmioRegister, name: str) -> int:
    return register.field(name).mask


# GICH_HCR
HCR_EN, HCR_UIE, HCR_LRENPIE, HCR_NPIE = (_bit(HCR, name) for name in ("En", "UIE", "LRENPIE", "NPIE"))
HCR_VGRP0EIE, HCR_VGRP0DIE, HCR_VGRP1EIE, HCR_VGRP1DIE = (
    _bit(HCR, name) for name in ("VGrp0EIE", "VGrp0DIE", "VGrp1EIE", "VGrp1DIE")
)
HCR_EOICOUNT = _bit(HCR, "EOICount")
#: What one deactivation outside the LRs adds to GICH_HCR.
HCR_EOICOUNT_ONE = 1 << HCR.field("EOICount").lsb
HCR_NOT_EOICOUNT = HCR_EOICOUNT_ONE - 1

# GICH_MISR
MISR_EOI, MISR_U, MISR_LRENP, MISR_NP, MISR_VGRP0E, MISR_VGRP0D, MISR_VGRP1E, MISR_VGRP1D = (
    _bit(MISR, name) for name in ("EOI", "U", "LRENP", "NP", "VGrp0E", "VGrp0D", "VGrp1E", "VGrp1D")
)

# GICH_LR<n>
_STATE = LR.field("State")
LR_STATE = _STATE.mask
LR_PENDING = 1 << _STATE.lsb
LR_ACTIVE = 2 << _STATE.lsb
LR_HW, LR_GROUP = _bit(LR, "HW"), _bit(LR, "Grp1")
LR_PRIORITY, LR_PRIORITY_LSB = _bit(LR, "Priority"), LR.field("Priority").lsb
LR_VIRTUALID = _bit(LR, "VirtualID")
LR_PHYSICALID, LR_PHYSICALID_LSB = _bit(LR, "PhysicalID"), LR.field("PhysicalID").lsb
#: HW=0: raise a maintenance interrupt when the entry becomes empty; the requesting PE of an SGI.
LR_EOI_BIT, LR_CPUID_BITS = LR_EOI.mask, LR_CPUID.mask

# GICV_CTLR; GICH_VMCR has the same bits at the same places under other names.
CTLR_GRP0, CTLR_GRP1, CTLR_ACKCTL, CTLR_FIQEN, CTLR_CBPR, CTLR_EOIMODE = (
    _bit(CTLR, name) for name in ("EnableGrp0", "EnableGrp1", "AckCtl", "FIQEn", "CBPR", "EOImode")
)
CTLR_ALL = CTLR_GRP0 | CTLR_GRP1 | CTLR_ACKCTL | CTLR_FIQEN | CTLR_CBPR | CTLR_EOIMODE
VMCR_PRIMASK, VMCR_PRIMASK_LSB = _bit(VMCR, "VMPriMask"), VMCR.field("VMPriMask").lsb
VMCR_BP_LSB, VMCR_ABP_LSB = VMCR.field("VMBP").lsb, VMCR.field("VMABP").lsb

#: Operand of EOIR and DIR.
INTID_MASK = _bit(_INTID, "INTID")
#: INTIDs 1020..1023 have special meanings: 1022 "a Group 1 interrupt", 1023 "none".
SPECIAL_FIRST, GROUP1_PENDING, NONE = 1020, 1022, 1023
#: INTIDs from 0 on that are SGIs.
SGIS = 16
