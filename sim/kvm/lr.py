"""List register values: computing, populating and folding one (spec sections 7.1, 10.1, 11)."""

from __future__ import annotations

from sim.kvm.ap_list import VgicCorruptionError
from sim.kvm.irq import (
    VGIC_MIN_LPI,
    VGIC_NR_PRIVATE_IRQS,
    Config,
    VgicIrq,
    VgicModel,
    irq_is_pending,
    vgic_irq_is_mapped_level,
    vgic_irq_is_multi_sgi,
    vgic_irq_needs_resampling,
    vgic_is_v2_sgi,
)
from sim.kvm.regs import (
    LR_A,
    LR_CPUID_SHIFT,
    LR_EOI,
    LR_GROUP1,
    LR_HW,
    LR_P,
    LR_PINTID_SHIFT,
    LR_PRIORITY_SHIFT,
    LR_STATE,
    lr_intid,
    lr_priority,
)
from sim.kvm.vm import Vcpu, Vm

__all__ = [
    "VIRTUAL_ID",
    "claim_pending",
    "kvm_notify_acked_irq",
    "lowest_source",
    "lr_signals_eoi_mi",
    "vgic_get_irq",
    "vgic_get_phys_line_level",
    "vgic_get_vcpu_irq",
    "vgic_irq_handle_resampling",
    "vgic_v3_compute_lr",
    "vgic_v3_fold_lr",
    "vgic_v3_populate_lr",
    "vgic_v3_sample_line",
    "vgic_valid_spi",
]

#: INTID bits of a GICv2 guest (GICH_LR<n>.VirtualID).
VIRTUAL_ID = 0x3FF


def vgic_get_irq(vm: Vm, intid: int) -> VgicIrq | None:
    """Return an SPI or LPI, or None."""
    if VGIC_NR_PRIVATE_IRQS <= intid < VGIC_NR_PRIVATE_IRQS + vm.dist.nr_spis:
        return vm.dist.spis[intid - VGIC_NR_PRIVATE_IRQS]
    return vm.dist.lpis.get(intid) if intid >= VGIC_MIN_LPI else None


def vgic_get_vcpu_irq(vcpu: Vcpu, intid: int) -> VgicIrq | None:
    """Return an interrupt as a vCPU sees it: private ones are its own."""
    return vcpu.private_irqs[intid] if intid < VGIC_NR_PRIVATE_IRQS else vgic_get_irq(vcpu.vm, intid)


def vgic_valid_spi(vm: Vm, intid: int) -> bool:
    """Return whether ``intid`` is one of the VM's SPIs."""
    return VGIC_NR_PRIVATE_IRQS <= intid < VGIC_NR_PRIVATE_IRQS + vm.dist.nr_spis


def vgic_get_phys_line_level(irq: VgicIrq) -> bool:
    """Return the level of the physical line behind a mapped interrupt."""
    if irq.ops is not None and irq.ops.get_input_level is not None:
        return irq.ops.get_input_level(irq.intid)
    return irq.vm.host.irqs.level(irq.hwintid)


def kvm_notify_acked_irq(vm: Vm, intid: int) -> None:
    """Tell the resamplers (irqfd with a resamplefd) that the guest is done with an SPI (section 11.2)."""
    vm.acked.append(intid)


def vgic_v3_compute_lr(vcpu: Vcpu, irq: VgicIrq) -> int:
    """Return the LR value of an interrupt; nothing is changed (m14).

    A level or mapped interrupt that is active gets no pending bit: its line decides again once the
    active state is gone. See the result table of section 7.1.

    Raises
    ------
    VgicCorruptionError
        When the interrupt has been freed.
    """
    if irq.freed:
        raise VgicCorruptionError(f"LPI {irq.intid} is used after it was freed")
    profile = vcpu.vm.profile
    priority, group = irq.priority, irq.group
    allow_pending = not profile.pending_if_enabled or (irq.enabled and vcpu.vm.dist.enabled)
    rewritten = False
    if irq.active:
        if profile.walk_by_priority and irq.acked is not None:
            rewritten = irq.acked != (priority, group)
            priority, group = irq.acked
    lr = irq.intid | priority << LR_PRIORITY_SHIFT | (LR_GROUP1 if group else 0)
    if irq.active:
        lr |= LR_A
        if vgic_is_v2_sgi(irq):
            lr |= irq.active_source << LR_CPUID_SHIFT
        if vgic_irq_is_multi_sgi(irq):
            allow_pending = False
            lr |= LR_EOI
    if irq.hw and not vgic_irq_needs_resampling(irq):
        lr |= LR_HW | irq.hwintid << LR_PINTID_SHIFT
        allow_pending &= not irq.active
    elif irq.config is Config.LEVEL or (rewritten and irq_is_pending(irq)):
        lr |= LR_EOI
        allow_pending &= not irq.active
    if allow_pending and irq_is_pending(irq):
        lr |= LR_P
        if vgic_is_v2_sgi(irq):
            if not irq.source:  # the kernel warns
                return 0
            source = lowest_source(irq)
            lr |= source << LR_CPUID_SHIFT
            if irq.source != 1 << source:
                lr |= LR_EOI
        if not profile.compute_primitive:
            claim_pending(irq)
    return lr


def lowest_source(irq: VgicIrq) -> int:
    """Return the vCPU whose request of an SGI goes first."""
    return (irq.source & -irq.source).bit_length() - 1


def claim_pending(irq: VgicIrq) -> None:
    """Account for a pending state that goes into an LR: the latch, a source, or the line of a mapped one."""
    irq.unpended = False
    if irq.config is Config.EDGE:
        irq.pending_latch = False
    elif irq.vm.profile.soft_pending_kept:
        irq.latch_on_lr, irq.pending_latch = irq.pending_latch, False
    if vgic_is_v2_sgi(irq):
        irq.source &= irq.source - 1 if irq.source else 0
        if irq.source:
            irq.pending_latch = True
    if vgic_irq_is_mapped_level(irq):
        irq.line_level = False


def vgic_v3_populate_lr(vcpu: Vcpu, irq: VgicIrq, lr: int) -> None:
    """Put an interrupt into shadow list register ``lr`` with the side effects of doing so."""
    value = vgic_v3_compute_lr(vcpu, irq)
    vcpu.cpu_if.vgic_lr[lr] = value
    if value & LR_P and vcpu.vm.profile.compute_primitive:
        claim_pending(irq)
    irq.on_lr = vcpu.vm.profile.track_on_lr


def vgic_v3_sample_line(irq: VgicIrq) -> None:
    """Sample a mapped level interrupt that waits for an LR (cure ``sample_at_flush``).

    Its line may have fallen while it was outside the LRs, where no fold looks again. The line itself is
    looked at, on a host that resamples in software too (VGIC_IRQ_SW_RESAMPLE): what
    ``vgic_irq_handle_resampling`` does there, to deactivate the physical interrupt so that it fires again, is
    for one that has left its LR; one that still waits would fire again at every entry.
    """
    if vgic_irq_is_mapped_level(irq) and irq.line_level and not irq.active:
        irq.line_level = vgic_get_phys_line_level(irq)
        if not irq.line_level:
            irq.vm.host.irqs.set_active(irq.hwintid, False)


def lr_signals_eoi_mi(lr: int) -> bool:
    """Return whether an LR value is one the guest finished and that asked for an EOI interrupt."""
    return not lr & LR_STATE and bool(lr & LR_EOI) and not lr & LR_HW


def vgic_irq_handle_resampling(irq: VgicIrq, lr_deactivated: bool, lr_pending: bool) -> None:
    """Sample the line of a mapped level interrupt again, and let it fire again if it fell (section 11.1).

    Its line was dropped in memory when P went into the LR, and only rising edges come from the physical
    side; so if the guest did not take it, or deactivated it with the line still thought high, look again.
    """
    if not vgic_irq_is_mapped_level(irq):
        return
    if vgic_irq_needs_resampling(irq):
        resample = not (irq.active or irq.pending_latch)
    elif lr_pending or (lr_deactivated and irq.line_level):
        irq.line_level = vgic_get_phys_line_level(irq)
        resample = not irq.line_level
    else:
        resample = False
    if resample:
        irq.vm.host.irqs.set_active(irq.hwintid, False)


def _fold_pending(irq: VgicIrq, lr: int) -> None:
    """Take back the pending state that went into the LR, as far as the guest has not acknowledged it."""
    profile = irq.vm.profile
    waits = bool(lr & LR_P) and not (profile.unpend_in_lr and irq.unpended)
    if irq.config is Config.EDGE:
        if waits:
            irq.pending_latch = True
    elif profile.soft_pending_kept:
        if waits and irq.latch_on_lr:
            irq.pending_latch = True
    elif not lr & LR_STATE:
        irq.pending_latch = False
    irq.latch_on_lr = irq.unpended = False


def vgic_v3_fold_lr(vcpu: Vcpu, lr: int) -> None:
    """Fold one LR value, real or made up, back into its interrupt (section 10.1)."""
    vm = vcpu.vm
    profile = vm.profile
    intid, cpuid = lr_intid(lr), 0
    if vm.vgic_model is VgicModel.V2:
        intid, cpuid = intid & VIRTUAL_ID, intid >> LR_CPUID_SHIFT & 7
    eoi_spi = lr_signals_eoi_mi(lr) and vgic_valid_spi(vm, intid)
    if eoi_spi and not profile.notify_needs_deact:
        kvm_notify_acked_irq(vm, intid)
    irq = vgic_get_vcpu_irq(vcpu, intid)
    if irq is None:  # an LPI can go away while it is in an LR
        return
    if intid >= VGIC_MIN_LPI and profile.lpi_drop_active:
        lr &= ~LR_A
    deactivated = irq.active and not lr & LR_A
    finished = irq.on_lr and profile.notify_unseen
    if lr & LR_A and not irq.active:
        irq.acked = lr_priority(lr), int(bool(lr & LR_GROUP1))
    elif deactivated:
        irq.acked = None
    irq.active = bool(lr & LR_A)
    if vgic_is_v2_sgi(irq):
        if irq.active:
            irq.active_source = cpuid
        if lr & LR_P:
            irq.source |= 1 << cpuid
    _fold_pending(irq, lr)
    vgic_irq_handle_resampling(irq, deactivated, bool(lr & LR_P))
    irq.on_lr = False
    if (deactivated or finished) and eoi_spi and profile.notify_needs_deact:
        kvm_notify_acked_irq(vm, intid)
    if deactivated and eoi_spi:
        if profile.track_spis:
            vm.dist.active_spis = max(0, vm.dist.active_spis - 1)
