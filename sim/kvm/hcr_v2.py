"""The GICH_HCR word of an entry (kernel: vgic-v2.c; spec section 8.2)."""

from __future__ import annotations

from sim.kvm.ap_list import ApListSummary
from sim.kvm.hcr import maintenance_bits
from sim.kvm.regs import HCR
from sim.kvm.vm import Vcpu

__all__ = ["vgic_v2_configure_hcr", "vgic_v2_set_underflow"]


def vgic_v2_set_underflow(vcpu: Vcpu) -> None:
    """Legacy: ask for an exit when at most one LR is in use (section 18)."""
    vcpu.cpu_if.vgic_hcr |= HCR.UIE


def vgic_v2_configure_hcr(vcpu: Vcpu, als: ApListSummary) -> None:
    """Rebuild the shadow GICH_HCR; GICV_DIR is trapped by stage 2, so no bit is needed for it."""
    vcpu.cpu_if.vgic_hcr = HCR.En | maintenance_bits(vcpu, als)
