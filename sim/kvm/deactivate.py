"""A trapped write of ICV_DIR_EL1 or GICV_DIR in the kernel (spec sections 12.3, 13)."""

from __future__ import annotations

from typing import NamedTuple

from sim.kvm.ap_list import vgic_move_irq, vgic_target_oracle
from sim.kvm.interface import vgic_compute_inactive_lr, vgic_deactivate_phys, vgic_fold_lr
from sim.kvm.irq import VGIC_NR_PRIVATE_IRQS, VgicIrq, vgic_is_v2_sgi
from sim.kvm.lr import vgic_get_vcpu_irq
from sim.kvm.regs import VMCR
from sim.kvm.requests import kvm_make_request, kvm_vcpu_kick
from sim.kvm.vm import Request, Vcpu

__all__ = ["CactiveWrite", "vgic_v2_deactivate", "vgic_v3_deactivate"]

_CPUID_SHIFT = 10
_CPUID = 0x7 << _CPUID_SHIFT


class CactiveWrite(NamedTuple):
    """The rest of a deactivation: a ``vgic_mmio_write_cactive`` with every vCPU stopped.

    ``offset`` is relative to GICD_ICACTIVER<0>, in bytes.
    """

    offset: int
    value: int


def vgic_v3_deactivate(vcpu: Vcpu, value: int) -> CactiveWrite | None:
    """Deactivate an interrupt by software.

    The trapping vCPU's own LRs are folded by now, so an interrupt with ``on_lr`` is in the LRs of another
    vCPU, which must be stopped first. What else is wanted is done here, on memory.

    Parameters
    ----------
    vcpu : Vcpu
        The vCPU that wrote.
    value : int
        The operand of the write.

    Returns
    -------
    CactiveWrite or None
        What the caller must carry out with ``vgic_mmio_write_cactive``, if anything.
    """
    vm = vcpu.vm
    profile = vm.profile
    if not profile.dir_deactivation or not profile.fold_primitive:
        return None
    intid = value & ~_CPUID if profile.dir_cpuid and not profile.dir_whole_intid else value
    if not vcpu.cpu_if.vgic_vmcr & VMCR.VEOIM or intid >= vm.dist.nr_spis + VGIC_NR_PRIVATE_IRQS:
        return None
    irq = vgic_get_vcpu_irq(vcpu, intid)
    if irq is None:
        return None
    target = irq.vcpu if profile.dir_owner else vgic_target_oracle(irq)
    if target is None or (not profile.dir_owner and not irq.active):
        return None
    if irq.on_lr and profile.dir_other_lr:
        # The kernel makes the prune request in this case too.
        kvm_make_request(Request.VGIC_PROCESS_UPDATE, target)
        word = intid // 32
        return CactiveWrite(word * 4 if profile.icactiver_offset else word, 1 << intid % 32)
    if profile.dir_cpuid and _wrong_source(irq, value):
        return None
    _deactivate(vcpu, irq, target)
    if profile.move_on_route:
        vgic_move_irq(irq)
    if profile.kick_after_dir and target is not vcpu and vgic_target_oracle(irq) is not None:
        kvm_vcpu_kick(target)
    return None


def vgic_v2_deactivate(vcpu: Vcpu, value: int) -> CactiveWrite | None:
    """Deactivate an interrupt by software on a GICv2 host, as ``vgic_v3_deactivate``.

    GICv2 has always had the owner in mind (``dir_owner``); an SGI needs its source, whatever it is.
    """
    vm = vcpu.vm
    profile = vm.profile
    if not profile.v2_fold_primitive:
        return None
    if not vcpu.cpu_if.vgic_vmcr & VMCR.VEOIM:
        return None
    intid = value & ~_CPUID
    irq = vgic_get_vcpu_irq(vcpu, intid)
    target = irq.vcpu if irq is not None else None
    if target is None:
        return None
    if irq.on_lr:
        kvm_make_request(Request.VGIC_PROCESS_UPDATE, target)
        return CactiveWrite(intid // 32 * 4, 1 << intid % 32)
    if not _wrong_source(irq, value):
        _deactivate(vcpu, irq, target)
    return None


def _wrong_source(irq: VgicIrq, value: int) -> bool:
    """Return whether an SGI of a GICv2 guest is active for another vCPU's request than the one named."""
    return vgic_is_v2_sgi(irq) and irq.active_source != value >> _CPUID_SHIFT & 7


def _deactivate(vcpu: Vcpu, irq: VgicIrq, target: Vcpu) -> None:
    lr = vgic_compute_inactive_lr(vcpu, irq)
    if irq.active or not vcpu.vm.profile.dir_phys_if_active:
        vgic_deactivate_phys(vcpu, lr)
    vgic_fold_lr(vcpu, lr)
    kvm_make_request(Request.VGIC_PROCESS_UPDATE, target)
