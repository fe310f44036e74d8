"""Bit masks and field helpers of the ICH registers, taken from the register table."""

from __future__ import annotations

from hw.registers import BY_NAME, LRState

__all__ = [
    "HCR",
    "LR_A",
    "LR_CPUID_SHIFT",
    "LR_EOI",
    "LR_GROUP1",
    "LR_HW",
    "LR_P",
    "LR_PINTID_SHIFT",
    "LR_PRIORITY_SHIFT",
    "LR_STATE",
    "VMCR",
    "hcr_eoicount",
    "lr_intid",
    "lr_pintid",
    "lr_priority",
    "vmcr_pmr",
]


class _Masks:
    """The fields of one register as attributes, each the mask of its bits."""

    def __init__(self, register: str) -> None:
        for field in BY_NAME[register].fields:
            setattr(self, field.name, field.mask)

    def __getattr__(self, name: str) -> int:
        raise AttributeError(f"the register has no field {name}")


#: ICH_HCR_EL2 masks, for example ``HCR.LRENPIE``.
HCR = _Masks("ICH_HCR_EL2")
#: ICH_VMCR_EL2 masks.
VMCR = _Masks("ICH_VMCR_EL2")

_EOICOUNT = BY_NAME["ICH_HCR_EL2"].field("EOIcount")
_PMR = BY_NAME["ICH_VMCR_EL2"].field("VPMR")
_LR = {field.name: field for field in BY_NAME["ICH_LR0_EL2"].fields}
LR_STATE = _LR["State"].mask
LR_P = LRState.PENDING << _LR["State"].lsb
LR_A = LRState.ACTIVE << _LR["State"].lsb
LR_HW = _LR["HW"].mask
LR_GROUP1 = _LR["Group"].mask
#: With HW=0 bit 9 of the pINTID field (bit 41) asks for an EOI maintenance interrupt.
LR_EOI = 1 << (_LR["pINTID"].lsb + 9)
#: A GICv2 guest on a GICv3 host: source CPU of an SGI, where GICH_LR<n> has it (section 2).
LR_CPUID_SHIFT = 10
LR_PRIORITY_SHIFT = _LR["Priority"].lsb
LR_PINTID_SHIFT = _LR["pINTID"].lsb


def lr_intid(lr: int) -> int:
    """Return vINTID of an LR value."""
    return _LR["vINTID"].get(lr)


def lr_pintid(lr: int) -> int:
    """Return pINTID of an LR value (meaningful with HW=1)."""
    return _LR["pINTID"].get(lr)


def lr_priority(lr: int) -> int:
    """Return the priority of an LR value."""
    return _LR["Priority"].get(lr)


def hcr_eoicount(hcr: int) -> int:
    """Return EOIcount of an ICH_HCR_EL2 value."""
    return _EOICOUNT.get(hcr)


def vmcr_pmr(vmcr: int) -> int:
    """Return the priority mask of an ICH_VMCR_EL2 value."""
    return _PMR.get(vmcr)
