"""Taking a difference over, so that the comparison can go on behind it."""

from __future__ import annotations

from sim.kvm.irq import Config, vgic_irq_is_mapped_level
from sim.kvm.lr import vgic_get_vcpu_irq, vgic_v3_fold_lr
from sim.kvm.regs import HCR, LR_P, lr_intid
from sim.kvm.vm import Vcpu

__all__ = ["adopt_entry"]


def adopt_entry(vcpu: Vcpu, recorded: dict[str, int]) -> None:
    """Make the shadow and the interrupts what they would be had our flush done what the kernel did.

    Parameters
    ----------
    vcpu : Vcpu
        Just flushed.
    recorded : dict
        Value of each ICH register at the entry, by name.
    """
    cpu_if, host = vcpu.cpu_if, vcpu.vm.host
    for n in range(cpu_if.used_lrs):
        vgic_v3_fold_lr(vcpu, cpu_if.vgic_lr[n])
    lrs = [recorded[f"ICH_LR{n}_EL2"] for n in range(host.nr_lr)]
    used = max((n + 1 for n, lr in enumerate(lrs) if lr), default=0)
    cpu_if.used_lrs = used
    cpu_if.vgic_lr[: host.nr_lr] = lrs
    cpu_if.vgic_hcr = recorded["ICH_HCR_EL2"] & ~host.trap_bits
    host.last_lr_irq.pop(vcpu.cpu, None)
    for lr in lrs[:used]:
        irq = vgic_get_vcpu_irq(vcpu, lr_intid(lr))
        if irq is None:
            continue
        if irq.vcpu is not vcpu:
            if irq.vcpu is not None:
                irq.vcpu.ap_list.remove(irq)
            irq.vcpu = vcpu
            vcpu.ap_list.append(irq)
        if lr & LR_P:
            if irq.config is Config.EDGE:
                irq.pending_latch = False
            elif vgic_irq_is_mapped_level(irq):
                irq.line_level = False
        irq.on_lr = vcpu.vm.profile.track_on_lr
    _adopt_order(vcpu, [lr_intid(lr) for lr in lrs[:used]])
    tdir_for_spis = bool(cpu_if.vgic_hcr & HCR.TDIR) and not cpu_if.vgic_hcr & HCR.LRENPIE
    if vcpu.vm.profile.track_spis:
        dist = vcpu.vm.dist
        if tdir_for_spis:
            dist.active_spis = max(dist.active_spis, 1)
        elif not cpu_if.vgic_hcr & HCR.TDIR:
            dist.active_spis = 0


def _adopt_order(vcpu: Vcpu, intids: list[int]) -> None:
    """Move the list-register entries to the front, in the recorded order; mark the last as such."""
    first = [irq for intid in intids for irq in vcpu.ap_list if irq.intid == intid]
    rest = [irq for irq in vcpu.ap_list if irq not in first]
    vcpu.ap_list[:] = first + rest
    if len(first) == vcpu.vm.host.nr_lr and vcpu.vm.profile.walk_from_tail:
        vcpu.vm.host.last_lr_irq[vcpu.cpu] = first[-1]
        if vcpu.vm.profile.last_lr_reference:
            first[-1].refcount += 1
