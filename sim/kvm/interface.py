"""What the common code calls by the kind of host: functions of vgic-v2.c or vgic-v3.c (kernel: vgic.c)."""

from __future__ import annotations

from sim.kvm.ap_list import ApListSummary
from sim.kvm.hcr import vgic_v3_configure_hcr, vgic_v3_set_underflow
from sim.kvm.hcr_v2 import vgic_v2_configure_hcr, vgic_v2_set_underflow
from sim.kvm.irq import VgicIrq
from sim.kvm.lr import vgic_v3_compute_lr, vgic_v3_fold_lr, vgic_v3_populate_lr
from sim.kvm.lr_v2 import vgic_v2_compute_lr, vgic_v2_fold_lr, vgic_v2_populate_lr
from sim.kvm.regs import LR_A, LR_HW, lr_pintid
from sim.kvm.regs_v2 import GICH_LR_ACTIVE_BIT, GICH_LR_HW, gich_lr_physid
from sim.kvm.vm import Vcpu

__all__ = [
    "vgic_compute_inactive_lr",
    "vgic_configure_hcr",
    "vgic_deactivate_phys",
    "vgic_fold_lr",
    "vgic_populate_lr",
    "vgic_set_underflow",
]


def vgic_populate_lr(vcpu: Vcpu, irq: VgicIrq, lr: int) -> None:
    """Put an interrupt into a shadow list register."""
    (vgic_v2_populate_lr if vcpu.vm.host.gicv2 else vgic_v3_populate_lr)(vcpu, irq, lr)


def vgic_fold_lr(vcpu: Vcpu, lr: int) -> None:
    """Fold an LR value back into its interrupt."""
    (vgic_v2_fold_lr if vcpu.vm.host.gicv2 else vgic_v3_fold_lr)(vcpu, lr)


def vgic_set_underflow(vcpu: Vcpu) -> None:
    """Legacy: set UIE."""
    (vgic_v2_set_underflow if vcpu.vm.host.gicv2 else vgic_v3_set_underflow)(vcpu)


def vgic_configure_hcr(vcpu: Vcpu, als: ApListSummary) -> None:
    """Build the shadow HCR."""
    (vgic_v2_configure_hcr if vcpu.vm.host.gicv2 else vgic_v3_configure_hcr)(vcpu, als)


def vgic_compute_inactive_lr(vcpu: Vcpu, irq: VgicIrq) -> int:
    """Return the LR value of an interrupt as a deactivation leaves it: without the active state."""
    if vcpu.vm.host.gicv2:
        return vgic_v2_compute_lr(vcpu, irq) & ~GICH_LR_ACTIVE_BIT
    return vgic_v3_compute_lr(vcpu, irq) & ~LR_A


def vgic_deactivate_phys(vcpu: Vcpu, lr: int) -> None:
    """Deactivate the physical interrupt behind an LR value, if there is one.

    On GICv2 that is a write of GICC_DIR, which needs the mapping of GICC (m02).
    """
    vm = vcpu.vm
    if not vm.host.gicv2:
        if lr & LR_HW:
            vm.host.irqs.vgic_v3_deactivate_phys(lr_pintid(lr))
    elif lr & GICH_LR_HW and vm.profile.v2_gicc_va:
        vm.host.irqs.vgic_v2_deactivate_phys(gich_lr_physid(lr))
