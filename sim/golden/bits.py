"""Bit positions of the golden model as plain ints, taken from the register table once."""

from hw.registers import Field, Register, lookup

HCR: Register = lookup("ICH_HCR_EL2")
LR: Register = lookup("ICH_LR0_EL2")
VMCR: Register = lookup("ICH_VMCR_EL2")
CTLR: Register = lookup("ICV_CTLR_EL1")
MISR: Register = lookup("ICH_MISR_EL2")


def _bit(register: Register, name: str) -> int:
    return register.field(name).mask


# ICH_HCR_EL2
HCR_EN, HCR_UIE, HCR_LRENPIE, HCR_NPIE = (_bit(HCR, name) for name in ("En", "UIE", "LRENPIE", "NPIE"))
HCR_VGRP0EIE, HCR_VGRP0DIE, HCR_VGRP1EIE, HCR_VGRP1DIE = (
    _bit(HCR, name) for name in ("VGrp0EIE", "VGrp0DIE", "VGrp1EIE", "VGrp1DIE")
)
HCR_VSGIEOICOUNT, HCR_TC, HCR_TALL0, HCR_TALL1, HCR_TSEI, HCR_TDIR, HCR_DVIM = (
    _bit(HCR, name) for name in ("vSGIEOICount", "TC", "TALL0", "TALL1", "TSEI", "TDIR", "DVIM")
)
HCR_EOICOUNT = _bit(HCR, "EOIcount")
#: What one deactivation outside the LRs adds to ICH_HCR_EL2.
HCR_EOICOUNT_ONE = 1 << HCR.field("EOIcount").lsb
HCR_NOT_EOICOUNT = HCR_EOICOUNT_ONE - 1

# ICH_MISR_EL2
MISR_EOI, MISR_U, MISR_LRENP, MISR_NP, MISR_VGRP0E, MISR_VGRP0D, MISR_VGRP1E, MISR_VGRP1D = (
    _bit(MISR, name) for name in ("EOI", "U", "LRENP", "NP", "VGrp0E", "VGrp0D", "VGrp1E", "VGrp1D")
)

# ICH_LR<n>_EL2
_STATE: Field = LR.field("State")
LR_STATE_LSB = _STATE.lsb
LR_PENDING = 1 << _STATE.lsb
LR_ACTIVE = 2 << _STATE.lsb
LR_HW = _bit(LR, "HW")
LR_GROUP = _bit(LR, "Group")
LR_PRIORITY_LSB = LR.field("Priority").lsb
LR_VINTID_MASK = LR.field("vINTID").mask
LR_PINTID_LSB = LR.field("pINTID").lsb
LR_PINTID_MASK = LR.field("pINTID").mask >> LR_PINTID_LSB
#: HW=0: raise a maintenance interrupt when the entry becomes empty (bit 41, inside pINTID).
LR_EOI = 1 << 41

# ICH_VMCR_EL2
VMCR_VENG0, VMCR_VENG1, VMCR_VCBPR, VMCR_VEOIM, VMCR_VFIQEN = (
    _bit(VMCR, name) for name in ("VENG0", "VENG1", "VCBPR", "VEOIM", "VFIQEn")
)
VMCR_VPMR_LSB, VMCR_VBPR0_LSB, VMCR_VBPR1_LSB = (VMCR.field(name).lsb for name in ("VPMR", "VBPR0", "VBPR1"))
CTLR_CBPR, CTLR_EOIMODE = _bit(CTLR, "CBPR"), _bit(CTLR, "EOImode")

#: INTIDs 1020..1023 have special meanings; 1023 is "none".
SPECIAL_FIRST, NONE = 1020, 1023
#: INTIDs from here on are LPIs.
LPI_FIRST = 8192
