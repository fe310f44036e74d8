"""Flush before an entry, sync after an exit (spec sections 7, 9, 10; legacy: 18).

These are the memory halves: the world switch writes the shadow to the registers after
``kvm_vgic_flush_hwstate`` and fills it from them before ``kvm_vgic_sync_hwstate``.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.kvm.ap_list import (
    ApListSummary,
    VgicCorruptionError,
    compute_ap_list_depth,
    summarize_ap_list,
    vgic_get_irq_ref,
    vgic_prune_ap_list,
    vgic_sort_ap_list,
    vgic_target_oracle,
)
from sim.kvm.interface import (
    vgic_compute_inactive_lr,
    vgic_configure_hcr,
    vgic_deactivate_phys,
    vgic_fold_lr,
    vgic_populate_lr,
    vgic_set_underflow,
)
from sim.kvm.irq import VgicIrq, vgic_irq_is_multi_sgi
from sim.kvm.lr import vgic_get_vcpu_irq, vgic_v3_sample_line
from sim.kvm.priorities import active_levels, vgic_v3_level
from sim.kvm.profile import Profile
from sim.kvm.regs import HCR, LR_A, LR_GROUP1, hcr_eoicount, lr_intid, lr_priority
from sim.kvm.vm import Vcpu

__all__ = [
    "kvm_vgic_flush_hwstate",
    "kvm_vgic_sync_hwstate",
    "summarize_and_sort",
    "vgic_flush_lr_state",
    "vgic_fold_state",
]

#: Above every priority.
_NO_LIMIT = 0x100


def kvm_vgic_flush_hwstate(vcpu: Vcpu, als: ApListSummary | None = None) -> bool:
    """Choose what goes into the shadow list registers and build the shadow HCR.

    Parameters
    ----------
    vcpu : Vcpu
        The vCPU that is about to run.
    als : ApListSummary or None
        See ``vgic_flush_lr_state``.

    Returns
    -------
    bool
        Whether there was anything to do: an old kernel leaves at once when the list is empty (m19), and
        then writes no register either.
    """
    if not vcpu.ap_list and not vcpu.vm.profile.always_compute:
        return False
    vgic_flush_lr_state(vcpu, als)
    return True


def summarize_and_sort(vcpu: Vcpu) -> ApListSummary:
    """Do the first half of a flush: count the list, and sort it if it does not fit."""
    if vcpu.vm.profile.sample_at_flush:
        for irq in vcpu.ap_list:
            vgic_v3_sample_line(irq)
    als = summarize_ap_list(vcpu)
    depth = als.nr_pend + als.nr_act if vcpu.vm.profile.maintenance else compute_ap_list_depth(vcpu)
    if depth > vcpu.nr_lr or _multi_sgi(vcpu):
        vgic_sort_ap_list(vcpu)
    return als


def _multi_sgi(vcpu: Vcpu) -> bool:
    """Legacy: return whether some SGI waits from several sources; then all of them go before others."""
    return not vcpu.vm.profile.maintenance and any(map(vgic_irq_is_multi_sgi, vcpu.ap_list))


def vgic_flush_lr_state(vcpu: Vcpu, als: ApListSummary | None = None) -> None:
    """Fill the shadow LRs from the ap_list.

    The kernel holds the list's lock meanwhile, but another CPU's trapped DIR takes only the interrupt's
    (section 3.5): it can fall between the summary and the LRs. ``als`` is a summary that was taken earlier.
    """
    profile, host = vcpu.vm.profile, vcpu.vm.host
    if als is None:
        als = summarize_and_sort(vcpu)
    host.last_lr_irq.pop(vcpu.cpu, None)
    nr_lr = vcpu.nr_lr
    multi_sgi, limit = _multi_sgi(vcpu), _NO_LIMIT
    count = 0
    last: VgicIrq | None = None
    for irq in vcpu.ap_list:
        if multi_sgi and irq.priority > limit:
            break
        if vgic_target_oracle(irq) is vcpu:
            vgic_populate_lr(vcpu, irq, count)
            last = irq
            count += 1
            if irq.source:
                limit = irq.priority
        if count == nr_lr:
            break
    if not profile.maintenance:
        # A full set of LRs with anything behind it, eligible or not, is an overflow to the old test.
        vcpu.cpu_if.vgic_hcr &= ~HCR.UIE
        if count == nr_lr and last is not vcpu.ap_list[-1]:
            vgic_set_underflow(vcpu)
    if last is not None and _follows_last_lr(profile) and (count == nr_lr or not profile.last_lr_on_overflow):
        host.last_lr_irq[vcpu.cpu] = last
        if profile.last_lr_reference:
            vgic_get_irq_ref(last)
    if last is not None and profile.split_overflow:
        cut = vcpu.ap_list.index(last) + 1
        vcpu.overflow_ap_list, vcpu.ap_list = vcpu.ap_list[cut:], vcpu.ap_list[:cut]
    for n in range(count, host.nr_lr):
        vcpu.cpu_if.vgic_lr[n] = 0
    vcpu.cpu_if.used_lrs = count
    vgic_configure_hcr(vcpu, als)


def _follows_last_lr(profile: Profile) -> bool:
    """Return whether the EOIcount walk starts behind ``last_lr_irq``; other forms of it do not need it."""
    others = profile.walk_by_priority or profile.skip_in_lrs or profile.serialise_replay
    return profile.walk_from_tail and not others


def kvm_vgic_sync_hwstate(vcpu: Vcpu) -> None:
    """Fold the shadow list registers into the interrupts, then prune the list."""
    profile = vcpu.vm.profile
    if not vcpu.ap_list and not vcpu.overflow_ap_list and not profile.always_compute:
        return
    if vcpu.cpu_if.used_lrs or profile.always_compute:
        vgic_fold_state(vcpu)
    vgic_prune_ap_list(vcpu)


def vgic_fold_state(vcpu: Vcpu) -> None:
    """Fold every used LR, then deactivate what the guest EOIed outside of them (section 10.2).

    ``vgic_v3_fold_lr_state`` and ``vgic_v2_fold_lr_state`` of the kernel, which differ in the LR layout.
    With the cure ``walk_by_priority`` the walk holds the list's lock and does not need ``last_lr_irq``.

    Raises
    ------
    VgicCorruptionError
        When the walk would go on from an entry that left the list (section 21.9).
    """
    profile, cpu_if = vcpu.vm.profile, vcpu.cpu_if
    eoicount = hcr_eoicount(cpu_if.vgic_hcr)
    by_priority = _WalkByPriority(vcpu) if profile.walk_by_priority and eoicount else None
    in_lrs = _in_lrs(vcpu)
    for n in range(cpu_if.used_lrs):
        vgic_fold_lr(vcpu, cpu_if.vgic_lr[n])
    cpu_if.used_lrs = 0
    v2 = vcpu.vm.host.gicv2
    walk = profile.v2_eoicount_walk if v2 else profile.eoicount_walk
    if not walk or not (profile.v2_fold_primitive if v2 else profile.fold_primitive):
        return
    if profile.walk_by_priority:
        entries = by_priority.entries() if by_priority else ()
    else:
        entries = _walked_entries(vcpu, eoicount, in_lrs)
    for irq in entries:
        if not eoicount:
            break
        if not irq.active or vgic_target_oracle(irq) is not vcpu:
            continue
        lr = vgic_compute_inactive_lr(vcpu, irq)
        vgic_deactivate_phys(vcpu, lr)
        vcpu.vm.walked.append(irq.intid)
        vgic_fold_lr(vcpu, lr)
        eoicount -= 1


class _WalkByPriority:
    """Which active entries outside the LRs the guest has ended (cure of 22.6).

    The guest's EOI drops the running priority, and that is to be seen: a level that an active interrupt was
    acknowledged at, and that is not active any more, or was taken by a later acknowledge, has been dropped.
    The order of drops is that of the levels, most urgent first, whatever became of the list since.

    Made before the LRs are folded: what is in them is not outside, and what becomes active at the fold was
    acknowledged in this run.

    The handler of an interrupt may end it by ICACTIVER and make it active again by ISACTIVER: its EOI
    deactivates it all the same. So a listed interrupt keeps the level it was acknowledged at beyond an
    ICACTIVER, until that level has been dropped.
    """

    def __init__(self, vcpu: Vcpu):
        self.vcpu = vcpu
        self.outside = [
            irq for irq in vcpu.ap_list
            if irq.active and not irq.on_lr and irq.acked is not None and vgic_target_oracle(irq) is vcpu
        ]  # fmt: skip
        self.handled = [irq for irq in vcpu.ap_list if irq.acked is not None and not irq.active]
        cpu_if, pre_bits = vcpu.cpu_if, vcpu.vm.host.config.pre_bits
        self.active = [active_levels(words, pre_bits) for words in (cpu_if.vgic_ap0r, cpu_if.vgic_ap1r)]
        for lr in cpu_if.vgic_lr[: cpu_if.used_lrs]:
            irq = vgic_get_vcpu_irq(vcpu, lr_intid(lr))
            if lr & LR_A and irq is not None and not irq.active:
                group = int(bool(lr & LR_GROUP1))
                self.active[group].discard(vgic_v3_level(vcpu, lr_priority(lr), group))

    def entries(self) -> list[VgicIrq]:
        """Return them in the order in which they were ended; forget the others whose handlers have ended."""
        for irq in self.handled:
            # What the fold has found active was acknowledged anew, and the end of that is still to come.
            if not irq.active and self._dropped(irq.acked):
                irq.acked = None
        ended = [irq for irq in self.outside if self._dropped(irq.acked)]
        return sorted(ended, key=lambda irq: vgic_v3_level(self.vcpu, *irq.acked))

    def _dropped(self, acked: tuple[int, int]) -> bool:
        return vgic_v3_level(self.vcpu, *acked) not in self.active[acked[1]]


def _in_lrs(vcpu: Vcpu) -> list[VgicIrq]:
    """Return the entries of the list that are in list registers, as the walk will tell them."""
    if vcpu.vm.profile.skip_in_lrs:  # by INTID, whatever became of the interrupt since
        intids = {lr_intid(lr) for lr in vcpu.cpu_if.vgic_lr[: vcpu.cpu_if.used_lrs]}
        return [irq for irq in vcpu.ap_list if irq.intid in intids]
    return [irq for irq in vcpu.ap_list if irq.on_lr]


def _walked_entries(vcpu: Vcpu, eoicount: int, in_lrs: Sequence[VgicIrq]) -> Sequence[VgicIrq]:
    """Return the entries the EOIcount walk visits: the parked list, the whole list, its tail, or a part.

    ``in_lrs``: what was in a list register; the posted forms of the walk leave it out.
    With nothing to walk for, the kernel reads the links of ``last_lr_irq`` but does not follow them.
    """
    profile, host = vcpu.vm.profile, vcpu.vm.host
    if profile.split_overflow:
        return tuple(vcpu.overflow_ap_list)
    if profile.skip_in_lrs or profile.serialise_replay:
        return tuple(irq for irq in vcpu.ap_list if irq not in in_lrs)
    if not profile.walk_from_tail:
        return tuple(vcpu.ap_list)
    last = host.last_lr_irq.get(vcpu.cpu)
    if last is None:
        return ()
    if last.freed:
        raise VgicCorruptionError(f"vgic_fold_state: last_lr_irq is LPI {last.intid}, which was freed")
    if not eoicount:
        return ()
    if last not in vcpu.ap_list:
        raise VgicCorruptionError(f"vgic_fold_state: last_lr_irq {last.intid} is not on the list any more")
    return tuple(vcpu.ap_list[vcpu.ap_list.index(last) + 1 :])
