"""The ICH_HCR_EL2 word of an entry (spec section 8)."""

from __future__ import annotations

from sim.kvm.ap_list import ApListSummary
from sim.kvm.regs import HCR, VMCR
from sim.kvm.route import vgic_v3_needs_tdir
from sim.kvm.vm import Vcpu

__all__ = ["maintenance_bits", "vcpu_set_ich_hcr", "vgic_v3_configure_hcr", "vgic_v3_set_underflow"]


def vcpu_set_ich_hcr(vcpu: Vcpu) -> None:
    """Trap every CPU-interface register of a VM without an in-kernel vgic (section 15.7)."""
    vcpu.cpu_if.vgic_hcr |= HCR.TALL0 | HCR.TALL1 | HCR.TC


def vgic_v3_set_underflow(vcpu: Vcpu) -> None:
    """Legacy: ask for an exit when at most one LR is in use (section 18)."""
    vcpu.cpu_if.vgic_hcr |= HCR.UIE


def vgic_v3_configure_hcr(vcpu: Vcpu, als: ApListSummary) -> None:
    """Rebuild the shadow ICH_HCR_EL2 from what the LRs hold and what they do not (section 8.1).

    EOIcount is 0 in the result because the word is new.
    """
    vm = vcpu.vm
    profile, host, cpu_if = vm.profile, vm.host, vcpu.cpu_if
    if not vm.irqchip_in_kernel and profile.no_vgic_stays_off:
        return
    hcr = HCR.En | maintenance_bits(vcpu, als)
    if profile.maintenance and not als.nr_sgi:
        hcr |= HCR.vSGIEOICount
    if _trap_dir(vcpu, als):
        hcr |= HCR.TDIR
    if not profile.constant_traps:
        hcr |= host.trap_options
    cpu_if.vgic_hcr = hcr


def maintenance_bits(vcpu: Vcpu, als: ApListSummary) -> int:
    """Return the conditions for a maintenance interrupt that ICH_HCR_EL2 and GICH_HCR share."""
    profile, cpu_if = vcpu.vm.profile, vcpu.cpu_if
    hcr = 0
    if profile.maintenance:
        if als.irqs_pending_outside_lrs(vcpu.nr_lr):
            hcr |= HCR.NPIE
        if als.eoi_outside_lrs(vcpu.nr_lr):
            hcr |= HCR.LRENPIE
        if als.irqs_outside_lrs(vcpu.nr_lr) and not (profile.one_lr_refill and vcpu.nr_lr == 1):
            hcr |= HCR.UIE
    else:
        hcr |= cpu_if.vgic_hcr & HCR.UIE
    if profile.group_maintenance:
        hcr |= HCR.VGrp0DIE if cpu_if.vgic_vmcr & VMCR.VENG0 else HCR.VGrp0EIE
        hcr |= HCR.VGrp1DIE if cpu_if.vgic_vmcr & VMCR.VENG1 else HCR.VGrp1EIE
    return hcr


def _trap_dir(vcpu: Vcpu, als: ApListSummary) -> bool:
    """Return the shadow TDIR: some deactivation may concern an interrupt that is not in our LRs.

    On hardware without TDIR the bit is a software flag for the emulation in hyp.
    """
    vm = vcpu.vm
    if not vm.host.has_tdir and vm.profile.broadcast_needs_tdir:
        return True
    if vm.profile.tdir_on_overflow and als.irqs_active_outside_lrs(vcpu.nr_lr):
        return True
    if vm.profile.tdir_by_route:
        return vgic_v3_needs_tdir(vcpu)
    return vm.profile.track_spis and vm.dist.active_spis != 0
