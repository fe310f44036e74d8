"""A trapped ICV_DIR_EL1 write in the kernel (spec section 12.3)."""

from __future__ import annotations

from typing import NamedTuple

from sim.kvm.ap_list import vgic_target_oracle
from sim.kvm.irq import VGIC_NR_PRIVATE_IRQS
from sim.kvm.lr import vgic_get_vcpu_irq, vgic_v3_compute_lr, vgic_v3_fold_lr
from sim.kvm.regs import LR_A, LR_HW, VMCR, lr_pintid
from sim.kvm.requests import kvm_make_request, kvm_vcpu_kick
from sim.kvm.vm import Request, Vcpu

__all__ = ["CactiveWrite", "vgic_v3_deactivate"]

_CPUID = 0x7 << 10


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
    lr = vgic_v3_compute_lr(vcpu, irq) & ~LR_A
    if lr & LR_HW and (irq.active or not profile.dir_phys_if_active):
        vm.host.irqs.vgic_v3_deactivate_phys(lr_pintid(lr))
    vgic_v3_fold_lr(vcpu, lr)
    kvm_make_request(Request.VGIC_PROCESS_UPDATE, target)
    if profile.kick_after_dir and target is not vcpu and vgic_target_oracle(irq) is not None:
        kvm_vcpu_kick(target)
    return None
