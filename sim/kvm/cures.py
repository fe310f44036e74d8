"""The cures: what makes of 7.3 the profile ``fixed``, one switch each.

Each row says what goes wrong, why, the smallest change to the kernel's functions that puts it right, what
that costs and what stays as it is. A cure uses only what the kernel can know: its memory, and what ICH_*
shows at an exit; and it takes locks in the kernel's order (spec section 3.5). Faults are named as in
:mod:`sim.kvm.bugs`, by section of the specification; R names are what random guests found beyond it.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CURES", "Cure", "cure_of"]


@dataclass(frozen=True)
class Cure:
    """One cure.

    Parameters
    ----------
    switch : str
        The switch of :class:`sim.kvm.profile.Profile`.
    faults : tuple of str
        What it cures.
    symptom, why : str
        What a guest, a device or the host notices, and how it comes about.
    functions : tuple of str
        The kernel's functions that change.
    change : str
        The smallest change to them.
    exits, accesses, locking : str
        What it costs.
    unchanged : str
        What it does not change.
    scenarios : tuple of str
        Scenario files whose sequences for ``fixed`` fail without it.
    evidence : str
        Recordings of real kernels (names without kernel version) that show the fault; "" if there is none.
    """

    switch: str
    faults: tuple[str, ...]
    symptom: str
    why: str
    functions: tuple[str, ...]
    change: str
    exits: str = "none"
    accesses: str = "none"
    locking: str = "none"
    unchanged: str = ""
    scenarios: tuple[str, ...] = ()
    evidence: str = ""


CURES: tuple[Cure, ...] = (
    Cure(
        "one_lr_refill",
        ("22.1",),
        "one list register and two interrupts: exits for ever, no guest instruction",
        "U is true with at most one LR in use, so with one LR it is true at entry",
        ("vgic_v3_configure_hcr",),
        "leave UIE out when nr_lr is 1: NPIE brings the refill when the pending one is "
        "taken, LRENPIE the deactivation of what is outside, and a new interrupt kicks",
        exits="fewer: none at entry",
        unchanged="two and more LRs",
        scenarios=("A30",),
        evidence="s22_1",
    ),
    Cure(
        "npie_enabled_group",
        ("22.2",),
        "more pending interrupts in a disabled group than LRs: exits for ever",
        "nr_pend counts them, so NPIE is set; the sort puts the enabled group's active "
        "ones first, so no LR is pending and NP is true at entry",
        ("summarize_ap_list", "irqs_pending_outside_lrs"),
        "count pending entries of groups that the shadow VMCR disables apart, and leave "
        "them out of NPIE; the group's enable makes an exit anyway (VGrpXEIE), which "
        "counts again",
        exits="fewer",
        unchanged="order of the list, UIE, LRENPIE, TDIR",
        scenarios=("F22_2", "F22_2_swapped"),
        evidence="s22_2",
    ),
    Cure(
        "tdir_by_route",
        ("22.3", "22.5", "R6"),
        "DIR traps for the life of the VM; or a DIR on another vCPU does not trap and the "
        "interrupt stays active for ever, at the second time of a level SPI or while the "
        "broadcast of the first SPI is under way",
        "active_spis is a count of SPIs that rises at queueing and falls at some folds "
        "only, also for one that stays listed; and the kicks it causes arrive after the "
        "SPI may have been taken",
        (
            "vgic_v3_configure_hcr",
            "vgic_queue_irq_unlock",
            "vgic_v3_fold_lr",
            "vgic_mmio_write_senable",
            "vgic_mmio_write_sactive",
            "vgic_mmio_write_irouter",
        ),
        "drop active_spis and its broadcast. A vCPU sets TDIR while an SPI is enabled and "
        "routed to, or listed on, another vCPU; this is computed when the distributor is "
        "written, and the write waits (KVM_REQUEST_WAIT) for the vCPUs that begin to trap",
        exits="no broadcast when an SPI comes; no traps on the vCPU that has all SPIs, so "
        "none with one vCPU. A vCPU beside it traps each DIR while any SPI is "
        "enabled, where 7.3 does so from the first edge SPI on",
        locking="a loop over the SPIs at ISENABLER, IROUTER and ISACTIVER, with irq_lock "
        "for each; an atomic increment less at queueing",
        unchanged="TDIR for own overflow, hardware without TDIR",
        scenarios=("F22_3", "F22_5", "R6"),
        evidence="s22_3, s22_5",
    ),
    Cure(
        "notify_unseen",
        ("22.4",),
        "a level SPI with a resamplefd that is taken and ended without an exit in between "
        "is not notified: the device keeps its line high and the guest gets it again and "
        "again",
        "since 6.19 the notification needs an interrupt that an earlier fold has seen "
        "active",
        ("vgic_v3_fold_lr",),
        "notify when an LR that was in use comes back empty with its EOI bit, as before "
        "6.19: an LR is filled pending or active, and only the guest's end empties it",
        exits="fewer: the interrupt comes once",
        unchanged="ICACTIVER notifies nobody",
        scenarios=("F22_4",),
        evidence="s22_4",
    ),
    Cure(
        "walk_by_priority",
        ("22.6", "21.9"),
        "after a rewrite of priority, group, group enable or active state of an interrupt in flight the "
        "EOI of the inner one deactivates the outer one, which fires inside its own "
        "handler; or the walk follows a freed LPI",
        "the walk trusts the list's order to be the reverse of the order of acknowledges; "
        "the order is that of the present priorities and enables, and starts behind a "
        "remembered entry",
        (
            "vgic_v3_fold_lr",
            "vgic_v3_compute_lr",
            "vgic_v3_fold_lr_state",
            "__vgic_v3_save_state",
            "vgic_mmio_write_cactive",
            "vgic_prune_ap_list",
        ),
        "remember the priority and group of the LR when an interrupt becomes active, and "
        "put these into its LR while it is; when EOIcount is not 0 read the active "
        "priorities too, and deactivate those entries outside the LRs whose level is gone, "
        "most urgent first. last_lr_irq is not needed any more. In EOImode 0 ICACTIVER leaves an interrupt "
        "whose level is not known to be dropped on its list, with LRENPIE set: its EOI is still to come, and "
        "deactivates it if ISACTIVER has made it active again",
        exits="one for each end of an interrupt that was rewritten while active and "
        "pending, or whose active state was written in its handler",
        accesses="the active priorities (2 with 5 preemption bits, up to 8) at exits with "
        "EOIcount not 0",
        locking="the walk takes ap_list_lock",
        unchanged="order of the list, everything with EOIcount 0",
        scenarios=("F22_6", "F22_6_active", "A29"),
        evidence="s22_6",
    ),
    Cure(
        "emulated_eoicount",
        ("22.7",),
        "where EOIR is emulated (TALL0, TALL1) in EOImode 1, ending an interrupt outside "
        "the LRs deactivates one",
        "the emulation counts before it looks at EOImode",
        ("__vgic_v3_write_eoir",),
        "look at EOImode first",
        unchanged="hardware that does not trap EOIR",
        scenarios=("F22_7",),
        evidence="eoi-keeps-active-alltraps",
    ),
    Cure(
        "dir_whole_intid",
        ("22.8",),
        "DIR of 1064 deactivates 40",
        "bits 12:10 are cut off as a GICv2 source CPU, for GICv3 guests too",
        ("vgic_v3_deactivate",),
        "cut them off for a GICv2 guest only",
        unchanged="GICv2 guests",
        scenarios=("F22_8",),
        evidence="s22_8",
    ),
    Cure(
        "kick_after_dir",
        ("22.9",),
        "an interrupt deactivated by another vCPU is pending again, and its own vCPU "
        "sleeps on or runs on",
        "the deactivation posts a request without a kick, and nobody queues it again",
        ("vgic_v3_deactivate",),
        "kick its vCPU if it is still to be delivered",
        exits="one of its vCPU, when the interrupt is pending too",
        unchanged="a DIR on the vCPU itself, or of what is idle afterwards",
        scenarios=("F22_9",),
        evidence="s22_9",
    ),
    Cure(
        "dir_after_stop",
        ("R8",),
        "a level SPI with a resamplefd, deactivated on another vCPU while it is in an LR of its own, is not "
        "notified: it comes again and again",
        "such a DIR is turned into a write of ICACTIVER, which notifies nobody",
        ("vgic_v3_deactivate",),
        "stop the VM as that write does, and then deactivate as usual: nothing is in an LR any more",
        unchanged="ICACTIVER itself, written by the guest",
        scenarios=("R8",),
    ),
    Cure(
        "dir_phys_if_active",
        ("22.10",),
        "DIR of a mapped interrupt that is only pending deactivates the physical one, "
        "which fires again",
        "the value computed for the fold has HW set whether the interrupt is active or not",
        ("vgic_v3_deactivate",),
        "deactivate the physical interrupt of an active one only",
        exits="fewer: no physical interrupt for nothing",
        scenarios=("F22_10",),
        evidence="s22_10",
    ),
    Cure(
        "wfi_signalled",
        ("22.11",),
        "WFI returns at once, for ever: the vCPU burns its CPU",
        "an interrupt of a disabled group, or one that does not preempt, counts as a "
        "reason to wake",
        ("kvm_vgic_vcpu_pending_irq",),
        "look at the group enables of the shadow VMCR and at the shadow's active "
        "priorities, which kvm_vcpu_wfi has just saved by putting the vgic",
        exits="fewer",
        unchanged="a vCPU in its guest is still kicked for anything pending",
        scenarios=("F22_11",),
        evidence="s22_11",
    ),
    Cure(
        "soft_pending_kept",
        ("22.13",),
        "a level interrupt made pending by ISPENDR while active is forgotten at its end",
        "every fold of an empty state clears the latch, whether or not it was what the "
        "guest acknowledged",
        ("vgic_v3_populate_lr", "vgic_v3_fold_lr"),
        "take the latch into the LR as for an edge interrupt, and give it back if the fold "
        "finds it pending",
        unchanged="the line",
        scenarios=("F22_13",),
        evidence="s22_13",
    ),
    Cure(
        "requeue_on_enable",
        ("22.14",),
        "what was pending while the distributor was off is never delivered",
        "prune takes it off its list, and enabling only kicks vCPUs that still list "
        "something",
        ("vgic_mmio_write_v3_misc",),
        "on enabling, queue every interrupt that is pending, enabled and on no list",
        locking="a loop over all interrupts at that write",
        scenarios=("F22_14",),
        evidence="s22_14",
    ),
    Cure(
        "pending_if_enabled",
        ("R1",),
        "an edge interrupt that is disabled while active and pending is delivered once "
        "more after its end",
        "the LR of an active interrupt carries its pending bit whether it is enabled or "
        "not; it is seen when the end makes no exit: EOImode 0, or a DIR that does not trap or "
        "that hyp emulates (no TDIR). A DIR that traps to the kernel folds the LR first",
        ("vgic_v3_compute_lr",),
        "leave the pending bit out unless interrupt and distributor are enabled; it stays "
        "in memory",
        unchanged="inactive interrupts, which get no LR when disabled",
        scenarios=("R1",),
    ),
    Cure(
        "move_on_route",
        ("R2",),
        "an interrupt routed away from a sleeping vCPU is delivered nowhere until that one "
        "wakes; so is one that was active there when it was routed away",
        "a new route is used by the next queueing or prune only, and a sleeping vCPU does "
        "neither",
        (
            "vgic_mmio_write_irouter",
            "vgic_mmio_write_cactive",
            "vgic_queue_irq_unlock",
            "vgic_v3_deactivate",
        ),
        "move what waits on another vCPU's list to the list of its target at once, when its "
        "route is written and when it is queued or deactivated; what is in a running "
        "vCPU's LR moves when that one has been kicked out",
        exits="one, of the vCPU that runs with it in an LR",
        locking="both ap_list_locks, lower vcpu_id first, and a second look, as in "
        "vgic_prune_ap_list",
        unchanged="an active interrupt stays with its vCPU",
        scenarios=("R2",),
    ),
    Cure(
        "wait_when_disabling",
        ("R3",),
        "an interrupt that another vCPU has disabled is still delivered, though "
        "GICD_CTLR.RWP reads 0",
        "the write changes memory only, and a running vCPU keeps its LR until it exits for "
        "something else",
        ("vgic_mmio_write_cenable", "vgic_mmio_write_v3_misc"),
        "wait (KVM_REQUEST_WAIT) for the vCPU in whose LR it is; for every running one "
        "when the distributor is switched off",
        exits="one, of a running vCPU with the interrupt in an LR",
        unchanged="a vCPU that disables its own",
        scenarios=("R3",),
    ),
    Cure(
        "sample_at_flush",
        ("R4",),
        "a mapped level interrupt whose line fell while it had no LR is delivered all the "
        "same",
        "its line is sampled when an LR is folded, and it was in none",
        ("vgic_flush_lr_state",),
        "before the summary, sample the line of what is pending by its line and mapped; if it has "
        "fallen, drop it and deactivate the physical interrupt. Not by vgic_irq_handle_resampling: for "
        "VGIC_IRQ_SW_RESAMPLE that deactivates without looking at the line, which is right for what "
        "comes out of an LR only",
        accesses="one of the physical line at an entry with such an interrupt waiting",
        unchanged="interrupts that are not mapped",
        scenarios=("R4",),
    ),
    Cure(
        "unpend_in_lr",
        ("R5",),
        "ICPENDR of what waits in another vCPU's LR has no effect",
        "the fold finds the LR pending and sets the latch again",
        ("vgic_mmio_write_cpending", "vgic_v3_fold_lr"),
        "mark an interrupt that is in an LR, kick its vCPU, and let the fold drop the "
        "pending state of a marked one",
        exits="one, of the vCPU that runs with it in an LR",
        unchanged="what the guest has acknowledged before the exit",
        scenarios=("R5",),
    ),
    Cure(
        "kick_after_rewrite",
        ("R7",),
        "an interrupt that another vCPU makes urgent enough does not wake its vCPU",
        "a write of a priority changes memory only",
        ("vgic_mmio_write_priority", "vgic_mmio_write_group"),
        "kick the vCPU that lists it, if the value is new",
        exits="one, of a running vCPU whose interrupt is rewritten",
        unchanged="interrupts on no list",
        scenarios=("R7",),
    ),
    Cure(
        "emulated_preemption",
        ("R9",),
        "where IAR is emulated (TALL0, TALL1) and the groups have different binary points, "
        "an interrupt is taken that does not preempt the running one",
        "the group priority of the pending one is compared with the running priority as "
        "it is, not with its bits that are the group's",
        ("__vgic_v3_read_iar",),
        "mask both, unless nothing is running",
        unchanged="equal binary points, hardware that does not trap IAR",
        scenarios=("R9",),
    ),
)  # fmt: skip


def cure_of(fault: str) -> Cure | None:
    """Return the cure of a fault such as ``22.4``, or None."""
    return next((cure for cure in CURES if fault in cure.faults), None)
