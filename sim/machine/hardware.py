"""The hardware's storage in one layout, whatever GIC it is: that of the GICv3 registers."""

from __future__ import annotations

from hw.config_v2 import GicV2Config
from hw.registers import BY_NAME
from sim.kvm.regs import LR_EOI, LR_GROUP1, LR_HW
from sim.kvm.regs_v2 import (
    GICH_LR_CPUID_SHIFT,
    GICH_LR_EOI,
    GICH_LR_GROUP1,
    GICH_LR_HW,
    GICH_LR_PRIORITY_SHIFT,
    GICH_LR_STATE,
    gich_lr_cpuid,
    gich_lr_physid,
    gich_lr_virtualid,
)
from sim.port import CpuPort, State

__all__ = ["hardware_state", "wide_lr"]

_LR = {field.name: field for field in BY_NAME["ICH_LR0_EL2"].fields}
_STATE_LSB = (GICH_LR_STATE & -GICH_LR_STATE).bit_length() - 1


def wide_lr(lr: int) -> int:
    """Return a GICH_LR value as ICH_LR<n>_EL2 would hold the same, as KVM uses it for GICv2 guests.

    The source CPU of an SGI goes to bits 12:10 of vINTID.
    """
    value = _LR["State"].put(0, (lr & GICH_LR_STATE) >> _STATE_LSB)
    value = _LR["Priority"].put(value, (lr >> GICH_LR_PRIORITY_SHIFT & 0x1F) << 3)
    intid = gich_lr_virtualid(lr)
    if lr & GICH_LR_GROUP1:
        value |= LR_GROUP1
    if lr & GICH_LR_HW:
        value = _LR["pINTID"].put(value | LR_HW, gich_lr_physid(lr))
    else:
        intid |= gich_lr_cpuid(lr) << GICH_LR_CPUID_SHIFT
        if lr & GICH_LR_EOI:
            value |= LR_EOI
    return _LR["vINTID"].put(value, intid)


async def hardware_state(port: CpuPort) -> State:
    """Return an interface's storage in the layout of the GICv3 registers.

    GICH_HCR, GICH_VMCR and GICH_MISR have it already; the one word of active priorities is in ``ap0r``.
    """
    state = await port.state()
    if not isinstance(port.config, GicV2Config):
        return state
    return State(
        state.hcr, state.vmcr, list(state.ap0r), [0] * len(state.ap0r), [wide_lr(lr) for lr in state.lr],
        state.misr, state.eisr, state.elrsr,
    )  # fmt: skip
