"""The ap_list: who gets an interrupt, queueing, ordering, pruning (spec sections 4 and 6).

Locks do not exist here: every function runs as if it held them. Where the kernel drops its locks and
looks again, ``Vm.race`` is called, so that a test can act as another CPU in that window.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cmp_to_key

from sim.kvm.irq import (
    VGIC_MIN_LPI,
    VGIC_NR_PRIVATE_IRQS,
    VGIC_NR_SGIS,
    VgicIrq,
    VgicModel,
    irq_is_pending,
    vgic_irq_get_lr_count,
)
from sim.kvm.priorities import vgic_v3_preempts
from sim.kvm.regs import VMCR, vmcr_pmr
from sim.kvm.requests import kvm_make_all_cpus_request, kvm_make_request, kvm_vcpu_kick
from sim.kvm.vm import Mode, Request, Vcpu, Vm

__all__ = [
    "ApListSummary",
    "VgicCorruptionError",
    "kvm_vgic_process_async_update",
    "kvm_vgic_vcpu_pending_irq",
    "summarize_ap_list",
    "vgic_get_irq_ref",
    "vgic_irq_cmp",
    "vgic_kick_vcpus",
    "vgic_move_irq",
    "vgic_prune_ap_list",
    "vgic_put_irq",
    "vgic_queue_all",
    "vgic_queue_irq_unlock",
    "vgic_sort_ap_list",
    "vgic_target_oracle",
]


class VgicCorruptionError(RuntimeError):
    """The kernel would have followed a freed or unlinked list entry here: memory corruption, not a result."""


def vgic_get_irq_ref(irq: VgicIrq) -> None:
    """Take a reference; only LPIs count them."""
    if irq.intid >= VGIC_MIN_LPI:
        irq.refcount += 1


def vgic_put_irq(irq: VgicIrq) -> None:
    """Drop a reference; an LPI without any is freed and leaves the table of LPIs."""
    if irq.intid < VGIC_MIN_LPI:
        return
    irq.refcount -= 1
    if irq.refcount == 0:
        irq.freed = True
        irq.vm.dist.lpis.pop(irq.intid, None)


def vgic_target_oracle(irq: VgicIrq) -> Vcpu | None:
    """Return the vCPU that should have the interrupt now, or None (section 4.2).

    An active interrupt is pinned to the list it is on, whatever its routing.
    """
    if irq.active:
        return irq.vcpu or irq.target_vcpu
    if irq.enabled and irq_is_pending(irq) and irq.vm.dist.enabled:
        return irq.target_vcpu
    return None


def vgic_queue_irq_unlock(vm: Vm, irq: VgicIrq) -> bool:
    """Put a pending or active interrupt on its vCPU's ap_list (section 4.3).

    The vCPU is kicked even when the interrupt is listed already: an edge interrupt has no EOI maintenance
    interrupt, so the guest may have finished it behind the hypervisor's back.

    Returns
    -------
    bool
        Whether it was newly queued.
    """
    if irq.ops is not None and irq.ops.queue_irq_unlock is not None:
        return irq.ops.queue_irq_unlock(vm, irq)
    while True:
        vcpu = vgic_target_oracle(irq)
        if irq.vcpu is not None or vcpu is None:
            if vm.profile.move_on_route:
                vgic_move_irq(irq)
            if vcpu is not None:
                kvm_make_request(Request.IRQ_PENDING, vcpu)
                kvm_vcpu_kick(vcpu)
            return False
        if vm.race is not None:
            vm.race("vgic_queue_irq_unlock", irq)
        if irq.vcpu is None and vgic_target_oracle(irq) is vcpu:
            break
    vgic_get_irq_ref(irq)
    vcpu.ap_list.append(irq)
    irq.vcpu = vcpu
    if _first_spi(vm, irq):
        kvm_make_all_cpus_request(vm, Request.IRQ_PENDING)
    else:
        kvm_make_request(Request.IRQ_PENDING, vcpu)
        kvm_vcpu_kick(vcpu)
    return True


def _first_spi(vm: Vm, irq: VgicIrq) -> bool:
    """Count an SPI in active_spis; return whether every vCPU must re-enter to trap DIR (m31, m33).

    Nothing is counted where a test before it already says no: GICv2 guests, no TDIR in hardware.
    """
    profile = vm.profile
    if vm.vgic_model is VgicModel.V2 or not profile.track_spis or profile.tdir_by_route:
        return False
    if profile.broadcast_needs_tdir and not vm.host.has_tdir:
        return False
    if not VGIC_NR_PRIVATE_IRQS <= irq.intid < VGIC_MIN_LPI:
        return False
    vm.dist.active_spis += 1
    return vm.dist.active_spis == 1


def vgic_irq_cmp(vcpu: Vcpu, a: VgicIrq, b: VgicIrq) -> int:
    """Compare two entries for ``list_sort``: negative if ``a`` goes first (section 6.1, legacy: 18)."""
    if a is b:
        return 0
    profile = vcpu.vm.profile
    if profile.undeliverable_last:
        ret = (vgic_target_oracle(b) is vcpu) - (vgic_target_oracle(a) is vcpu)
        ret = ret or _group_enabled(vcpu, b) - _group_enabled(vcpu, a)
        if ret:
            return ret
    if profile.pending_first:
        return (
            _deliverable(b) - _deliverable(a)
            or a.priority - b.priority
            or b.hw - a.hw
        )  # fmt: skip
    if a.active or b.active:
        return b.active - a.active
    pend_a, pend_b = (irq.enabled and irq_is_pending(irq) for irq in (a, b))
    if not pend_a or not pend_b:
        return pend_b - pend_a
    return a.priority - b.priority


def _group_enabled(vcpu: Vcpu, irq: VgicIrq) -> bool:
    """Return whether the shadow VMCR enables the interrupt's group."""
    return bool(vcpu.cpu_if.vgic_vmcr & (VMCR.VENG1 if irq.group else VMCR.VENG0))


def _deliverable(irq: VgicIrq) -> bool:
    """Key 3: enabled, pending and not active. Pending-and-active counts as active."""
    return irq.enabled and not irq.active and irq_is_pending(irq)


def vgic_sort_ap_list(vcpu: Vcpu) -> None:
    """Sort the list; ties keep their order, which is the order of queueing."""
    vcpu.ap_list.sort(key=cmp_to_key(lambda a, b: vgic_irq_cmp(vcpu, a, b)))


@dataclass(slots=True)
class ApListSummary:
    """What of a list a vCPU must take (``struct ap_list_summary``): counts of its eligible entries.

    ``nr_masked``: the pending ones of disabled groups (cure ``npie_enabled_group``; else 0); ``nr_handled``:
    those that ICACTIVER has ended within their handlers (cure ``walk_by_priority``; else 0).
    """

    nr_pend: int = 0
    nr_act: int = 0
    nr_sgi: int = 0
    nr_masked: int = 0
    nr_handled: int = 0

    def irqs_outside_lrs(self, nr_lr: int) -> bool:
        """Return whether there are more eligible entries than list registers."""
        return self.nr_pend + self.nr_act > nr_lr

    def irqs_pending_outside_lrs(self, nr_lr: int) -> bool:
        """Return whether some pending entry has no LR.

        With the cure of 22.2: whether they fill the LRs. Those of a disabled group sort behind everything,
        so they say nothing about what is in the LRs.
        """
        return self.nr_pend - self.nr_masked > nr_lr

    def eoi_outside_lrs(self, nr_lr: int) -> bool:
        """Return whether the guest may write an EOI that no LR will match."""
        return self.irqs_active_outside_lrs(nr_lr) or self.nr_handled > 0

    def irqs_active_outside_lrs(self, nr_lr: int) -> bool:
        """Return whether some active entry has no LR; since pending ones go first, it spills first."""
        return self.nr_act > 0 and self.irqs_outside_lrs(nr_lr)


def summarize_ap_list(vcpu: Vcpu) -> ApListSummary:
    """Count the eligible entries (section 6.2); pending-and-active ones count as active."""
    als = ApListSummary()
    for irq in vcpu.ap_list:
        eligible = vgic_target_oracle(irq) is vcpu
        als.nr_handled += irq.acked is not None and not irq.active
        if eligible:
            if irq.active:
                als.nr_act += 1
            else:
                als.nr_pend += 1
                if vcpu.vm.profile.npie_enabled_group and not _group_enabled(vcpu, irq):
                    als.nr_masked += 1
        if irq.intid < VGIC_NR_SGIS and (eligible or not vcpu.vm.profile.count_eligible_sgis):
            als.nr_sgi += 1
    return als


def compute_ap_list_depth(vcpu: Vcpu) -> int:
    """Legacy: count LRs for all entries, eligible or not (section 18)."""
    return sum(vgic_irq_get_lr_count(irq) for irq in vcpu.ap_list)


def vgic_prune_ap_list(vcpu: Vcpu) -> None:
    """Drop what is idle and hand over what belongs to another vCPU (section 4.5).

    Raises
    ------
    VgicCorruptionError
        Where the kernel would unlink an entry that is on no list (the race of section 21.15).
    """
    vm = vcpu.vm
    if vcpu.overflow_ap_list:
        vcpu.ap_list += vcpu.overflow_ap_list
        vcpu.overflow_ap_list.clear()
    again = True
    while again:
        again = False
        for irq in tuple(vcpu.ap_list):
            target = vgic_target_oracle(irq)
            if target is None:
                if irq.acked is not None:  # its handler has not ended, and EOIcount will tell of its end
                    continue
                vcpu.ap_list.remove(irq)
                irq.vcpu = None
                vgic_put_irq(irq)
            elif target is not vcpu:
                _move(vcpu, irq, target)
                again = True
                break
    _drop_last_lr_irq(vm, vcpu)


def _move(vcpu: Vcpu, irq: VgicIrq, target: Vcpu) -> None:
    """Move an entry to another vCPU's list: drop the locks, take both lists' locks, look again."""
    vm = vcpu.vm
    vgic_get_irq_ref(irq)
    if vm.race is not None:
        vm.race("vgic_prune_ap_list", irq)
    owned = irq.vcpu is vcpu or not vm.profile.prune_checks_owner
    moved = owned and vgic_target_oracle(irq) is target
    if moved:
        holder = next((other for other in vm.vcpus if irq in other.ap_list), None)
        if holder is None:
            raise VgicCorruptionError(f"vgic_prune_ap_list: interrupt {irq.intid} is unlinked twice")
        holder.ap_list.remove(irq)
        irq.acked = None
        irq.vcpu = target
        target.ap_list.append(irq)
    vgic_put_irq(irq)
    if moved:
        kvm_make_request(Request.IRQ_PENDING, target)
        kvm_vcpu_kick(target)


def vgic_move_irq(irq: VgicIrq) -> None:
    """Move a waiting interrupt to where it is routed now (cure ``move_on_route``).

    One in a running vCPU's LR moves when that one has been kicked out; an active one stays.
    """
    owner = irq.vcpu
    if owner is None or owner is irq.target_vcpu or irq.active:
        return
    if irq.on_lr:  # memory does not say whether it still waits there
        kvm_vcpu_kick(owner)
    elif vgic_target_oracle(irq) is not None:
        _move(owner, irq, irq.target_vcpu)


def _drop_last_lr_irq(vm: Vm, vcpu: Vcpu) -> None:
    """Forget ``last_lr_irq`` and its reference, if it holds one (lastref)."""
    if vm.profile.last_lr_reference:
        last = vm.host.last_lr_irq.pop(vcpu.cpu, None)
        if last is not None:
            vgic_put_irq(last)


def kvm_vgic_process_async_update(vcpu: Vcpu) -> None:
    """Serve KVM_REQ_VGIC_PROCESS_UPDATE: prune, outside of a sync."""
    vgic_prune_ap_list(vcpu)


def kvm_vgic_vcpu_pending_irq(vcpu: Vcpu) -> bool:
    """Return whether WFI should wake: some listed interrupt could be taken (section 4.6).

    Group enables and the running priority are not looked at (22.11), unless the cure ``wfi_signalled`` does;
    the active priorities are in the shadow then, because a vCPU that blocks is put first. The mask is
    that of the shadow VMCR.
    """
    if not vcpu.vm.dist.enabled:
        return False
    pmr = vmcr_pmr(vcpu.cpu_if.vgic_vmcr)
    deliverable = [irq for irq in vcpu.ap_list if _deliverable(irq) and irq.priority < pmr]
    if not vcpu.vm.profile.wfi_signalled or vcpu.mode is Mode.IN_GUEST_MODE:
        return bool(deliverable)
    return any(
        _group_enabled(vcpu, irq) and vgic_v3_preempts(vcpu, irq.priority, irq.group) for irq in deliverable
    )


def vgic_queue_all(vm: Vm) -> None:
    """Queue every interrupt that is pending on no list (cure ``requeue_on_enable``)."""
    private = (irq for vcpu in vm.vcpus for irq in vcpu.private_irqs)
    for irq in (*private, *vm.dist.spis, *vm.dist.lpis.values()):
        if irq.vcpu is None and irq.enabled and irq_is_pending(irq):
            vgic_queue_irq_unlock(vm, irq)


def vgic_kick_vcpus(vm: Vm) -> None:
    """Kick every vCPU that has something pending."""
    for vcpu in vm.vcpus:
        if kvm_vgic_vcpu_pending_irq(vcpu):
            kvm_make_request(Request.IRQ_PENDING, vcpu)
            kvm_vcpu_kick(vcpu)
