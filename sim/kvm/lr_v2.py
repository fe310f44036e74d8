"""List register values on a GICv2 host (kernel: vgic-v2.c; spec sections 7.1, 10.1, 17)."""

from __future__ import annotations

from sim.kvm.irq import (
    Config,
    VgicIrq,
    irq_is_pending,
    vgic_irq_is_multi_sgi,
    vgic_irq_needs_resampling,
    vgic_is_v2_sgi,
)
from sim.kvm.lr import (
    claim_pending,
    kvm_notify_acked_irq,
    lowest_source,
    vgic_get_vcpu_irq,
    vgic_irq_handle_resampling,
    vgic_valid_spi,
)
from sim.kvm.regs_v2 import (
    GICH_LR_ACTIVE_BIT,
    GICH_LR_CPUID_SHIFT,
    GICH_LR_EOI,
    GICH_LR_GROUP1,
    GICH_LR_HW,
    GICH_LR_PENDING_BIT,
    GICH_LR_PHYSID_SHIFT,
    GICH_LR_PRIORITY_SHIFT,
    GICH_LR_STATE,
    gich_lr_cpuid,
    gich_lr_virtualid,
)
from sim.kvm.vm import Vcpu

__all__ = ["lr_signals_eoi", "vgic_v2_compute_lr", "vgic_v2_fold_lr", "vgic_v2_populate_lr"]


def vgic_v2_compute_lr(vcpu: Vcpu, irq: VgicIrq) -> int:
    """Return the GICH_LR value of an interrupt; nothing is changed (m18).

    As ``vgic_v3_compute_lr``, with five bits of priority and ten of INTID.
    """
    lr = irq.intid | (irq.priority >> 3) << GICH_LR_PRIORITY_SHIFT | (GICH_LR_GROUP1 if irq.group else 0)
    allow_pending = True
    if irq.active:
        lr |= GICH_LR_ACTIVE_BIT
        if vgic_is_v2_sgi(irq):
            lr |= irq.active_source << GICH_LR_CPUID_SHIFT
        if vgic_irq_is_multi_sgi(irq):
            allow_pending = False
            lr |= GICH_LR_EOI
    if irq.hw and not vgic_irq_needs_resampling(irq):
        lr |= GICH_LR_HW | irq.hwintid << GICH_LR_PHYSID_SHIFT
        allow_pending = allow_pending and not irq.active
    elif irq.config is Config.LEVEL:
        lr |= GICH_LR_EOI
        allow_pending = allow_pending and not irq.active
    if allow_pending and irq_is_pending(irq):
        lr |= GICH_LR_PENDING_BIT
        if vgic_is_v2_sgi(irq):
            if not irq.source:  # the kernel warns
                return 0
            source = lowest_source(irq)
            lr |= source << GICH_LR_CPUID_SHIFT
            if irq.source != 1 << source:
                lr |= GICH_LR_EOI
        if not vcpu.vm.profile.v2_compute_primitive:
            claim_pending(irq)
    return lr


def vgic_v2_populate_lr(vcpu: Vcpu, irq: VgicIrq, lr: int) -> None:
    """Put an interrupt into shadow list register ``lr`` with the side effects of doing so."""
    profile = vcpu.vm.profile
    value = vgic_v2_compute_lr(vcpu, irq)
    vcpu.cpu_if.vgic_lr[lr] = value
    if value & GICH_LR_PENDING_BIT and profile.v2_compute_primitive:
        claim_pending(irq)
    irq.on_lr = profile.track_on_lr


def lr_signals_eoi(lr: int) -> bool:
    """Return whether a GICH_LR value is one the guest finished and that asked for an EOI interrupt."""
    return not lr & GICH_LR_STATE and bool(lr & GICH_LR_EOI) and not lr & GICH_LR_HW


def vgic_v2_fold_lr(vcpu: Vcpu, lr: int) -> None:
    """Fold one GICH_LR value, real or made up, back into its interrupt.

    Resamplers are notified whether the interrupt was active before or not, and no SPI is counted.
    """
    vm = vcpu.vm
    intid, cpuid = gich_lr_virtualid(lr), gich_lr_cpuid(lr)
    if lr_signals_eoi(lr) and vgic_valid_spi(vm, intid):
        kvm_notify_acked_irq(vm, intid)
    irq = vgic_get_vcpu_irq(vcpu, intid)
    if irq is None:
        return
    deactivated = irq.active and not lr & GICH_LR_ACTIVE_BIT
    irq.active = bool(lr & GICH_LR_ACTIVE_BIT)
    if irq.active and vgic_is_v2_sgi(irq):
        irq.active_source = cpuid
    if irq.config is Config.EDGE:
        if lr & GICH_LR_PENDING_BIT:
            irq.pending_latch = True
            if vgic_is_v2_sgi(irq):
                irq.source |= 1 << cpuid
    elif not lr & GICH_LR_STATE:
        irq.pending_latch = False
    vgic_irq_handle_resampling(irq, deactivated, bool(lr & GICH_LR_PENDING_BIT))
    irq.on_lr = False
