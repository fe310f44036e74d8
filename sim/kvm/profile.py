"""Profiles: one kernel's vgic as a set of named switches (spec section 0.4).

A switch is one behaviour, named after what the kernel does when it is on, with the patch that brought it:
``mNN`` is the patch's number in the merged overflow series (spec section 20), ``v1-NN`` its number in the
first posting, a bare word one of the later fixes of section 20.4. All switches on is Linux 7.3, except
``split_overflow``, which was dropped before the merge, what was posted and not merged, and the cures, which
no kernel has: ``fixed`` is 7.3 with all of them (:mod:`sim.kvm.cures` says what each is about). Each can be
changed alone with
:meth:`Profile.with_`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, fields, replace

from hw.errors import InputError

__all__ = ["CURES", "PROFILES", "SWITCHES", "Profile", "profile_for_kernel", "profile_named"]


def _switch(patches: str, doc: str, on: bool = True) -> bool:
    """Declare a switch: its patches, what it does, and whether 7.3 has it."""
    return field(default=on, metadata={"patches": patches, "doc": doc})


@dataclass(frozen=True)
class Profile:
    """The behaviour of one kernel; a frozen set of switches.

    Parameters
    ----------
    name : str
        What reports call it.
    policy : str
        Another hypervisor's algorithm in place of KVM's (:mod:`sim.policy.names`); empty: KVM.
    **switches : bool
        See the field metadata (``SWITCHES``); the defaults are Linux 7.3.
    """

    name: str = "7.3"
    policy: str = ""

    # The merged series.
    mi_report: bool = _switch("m03", "a stray maintenance interrupt is reported with ICH_MISR_EL2")
    constant_traps: bool = _switch("m04", "trap bits are fixed at boot and OR-ed at each HCR write; "
                                   "off: they live in the shadow HCR and follow the option")  # fmt: skip
    pkvm_traps: bool = _switch("m05", "protected guests: trapped common registers are emulated, not UNDEF")
    detect_tdir: bool = _switch("m06", "no TDIR in hardware (VTR.TDS=0) is seen; TC stands in for it")
    detect_all_hosts: bool = _switch("v2", "Apple's CPU interface counts as a GICv3 one in that test")
    track_on_lr: bool = _switch("m08", "vgic_irq.on_lr: set by populate, cleared by fold")
    lpi_drop_active: bool = _switch("m10", "an LPI is never active in memory")
    preserve_eoicount: bool = _switch("m11", "EOIcount is copied to the shadow when LRENPIE was set")
    hcr_every_entry: bool = _switch("m12", "ICH_HCR_EL2 is written at every entry, with or without LRs")
    fold_primitive: bool = _switch("m13", "one LR value can be folded without being in an LR")
    compute_primitive: bool = _switch("m14", "computing an LR value changes nothing")
    always_compute: bool = _switch("m19", "flush and sync do their work with an empty list too")
    eager_vmcr: bool = _switch("m20", "VMCR is read at every exit; off: at vcpu_put")
    maintenance: bool = _switch("m21", "NPIE, LRENPIE, UIE, vSGIEOICount from a summary of the list")
    reset_hook: bool = _switch("m22", "vCPU reset leaves HCR alone; configure_hcr owns it")
    pending_first: bool = _switch("m24", "active interrupts sort behind pending ones (keys 3-5)")
    undeliverable_last: bool = _switch(
        "m25", "other vCPUs' and disabled groups' interrupts sort last (keys 1-2)"
    )
    group_maintenance: bool = _switch("m26", "VGrpXEIE/VGrpXDIE: an exit at each group enable or disable")
    eoicount_walk: bool = _switch("m27", "out-of-LR EOIs are deactivated from EOIcount")
    dir_deactivation: bool = _switch("m28", "a trapped ICV_DIR_EL1 write deactivates in memory")
    dir_cpuid: bool = _switch("m29", "bits 12:10 of a DIR value are a source CPU and are cut off")
    tdir_on_overflow: bool = _switch("m30", "TDIR while an active interrupt is outside the LRs")
    track_spis: bool = _switch("m31", "active_spis: TDIR on all vCPUs and a broadcast while SPIs are listed")
    dir_other_lr: bool = _switch("m31", "DIR of an interrupt in another vCPU's LR goes the ICACTIVER way")
    notify_needs_deact: bool = _switch("m31", "a GICv3 host notifies only if the interrupt was active before")
    dir_in_hyp: bool = _switch("m32", "hyp fast path: a DIR of an LR-resident interrupt needs no full exit")
    broadcast_needs_tdir: bool = _switch("m33", "no TDIR in hardware: no broadcast, active_spis stays 0, "
                                         "the shadow TDIR is always set")  # fmt: skip
    misr_read_back: bool = _switch("m36", "ICH_MISR_EL2 is read after HCR is cleared")

    # The same on a GICv2 host.
    v2_gicc_va: bool = _switch("m02", "GICC is mapped: a physical interrupt can be deactivated by software")
    v2_preserve_eoicount: bool = _switch("m15", "GICH_HCR.EOIcount is copied to the shadow")
    v2_hcr_every_entry: bool = _switch("m16", "GICH_HCR is written at every entry, with or without LRs")
    v2_fold_primitive: bool = _switch("m17", "one GICH_LR value can be folded without being in an LR")
    v2_compute_primitive: bool = _switch("m18", "computing a GICH_LR value changes nothing")
    v2_eoicount_walk: bool = _switch("m37", "GICv2: out-of-LR EOIs are deactivated from EOIcount")
    v2_dir_device: bool = _switch("m38", "a write of GICV_DIR that faults deactivates in memory")
    v2_dir_trapped: bool = _switch("m39", "the page of GICV_DIR is never mapped, so it always faults")

    # Dropped before the merge.
    split_overflow: bool = _switch("v1-25", "the list's tail is parked while the guest runs", False)

    # Corrections between v1 and the merge.
    hcr_zero_on_exit: bool = _switch("v3-2", "HCR is written 0 on exit; off: only En is cleared")
    no_vgic_stays_off: bool = _switch("v3-1", "a VM without an in-kernel vgic never gets En")
    dir_owner: bool = _switch("v2", "DIR looks at irq.vcpu; off: at the oracle, and needs an active one")
    icactiver_offset: bool = _switch("v2", "ICACTIVER offset (n/32)*4; off: n/32")
    count_eligible_sgis: bool = _switch("v4", "nr_sgi counts eligible SGIs only (section 21.14)")

    # Later fixes.
    early_cap: bool = _switch("earlycap", "each CPU's own TDS decides before the trap bits are fixed")
    gicv5_cpuif_traps: bool = _switch("gicv5-1", "a GICv5 host in legacy mode turns the emulation on too")
    gicv5_tdir: bool = _switch("gicv5-2", "a GICv5 host in legacy mode has TDIR")
    walk_from_tail: bool = _switch("tail", "the EOIcount walk starts behind the last LR-resident entry")
    hotplug_answer: bool = _switch("hotplug", "pKVM: VTR.TDS is not probed again on CPU hot-plug")
    prune_checks_owner: bool = _switch("prune", "prune tests the owner again after taking the locks")
    inject_needs_init: bool = _switch("lazyinit", "injection before the vgic is initialised is dropped")
    nested_no_phys: bool = _switch("ampere", "no second physical deactivation while nested")
    last_lr_on_overflow: bool = _switch("lastnull", "last_lr_irq is set only when the last LR is filled")
    last_lr_reference: bool = _switch("lastref", "last_lr_irq holds a reference until prune")
    movall_source: bool = _switch("movall", "ITS MOVALL moves the LPIs of its source redistributor")

    # Posted, in no kernel so far.
    stop_vm_for_lpis: bool = _switch("stopvm", "GICR_CTLR stops the VM: LPIs leave no list a vCPU runs with",
                                     False)  # fmt: skip
    vcpu_nr_lr: bool = _switch("cca-lrs", "a vCPU may have fewer list registers than the host", False)
    skip_in_lrs: bool = _switch("skip-lrs", "the EOIcount walk visits the whole list less the INTIDs in LRs; "
                                "no last_lr_irq", False)  # fmt: skip
    serialise_replay: bool = _switch("serialise", "the EOIcount walk holds the list's lock from the fold on: "
                                     "it visits what was not on_lr; no last_lr_irq", False)  # fmt: skip

    # Register traffic only: seen in the recorded kernels.
    vmcr_before_aprs: bool = _switch("traffic", "vcpu_put reads VMCR before the active priorities", False)
    vtr_cached: bool = _switch("traffic", "ICH_VTR_EL2 is not read again around the active priorities")

    # Cures: what 7.3 still gets wrong, put right. One switch for each; no kernel has them.
    one_lr_refill: bool = _switch("cure", "one LR: NPIE alone asks for the refill, UIE is left out", False)
    npie_enabled_group: bool = _switch("cure", "NPIE counts pending interrupts of enabled groups only", False)
    tdir_by_route: bool = _switch("cure", "TDIR wherever an SPI may be active on another vCPU, by its route; "
                                  "no count, no broadcast", False)  # fmt: skip
    notify_unseen: bool = _switch("cure", "the end of a level SPI is notified though not seen active", False)
    walk_by_priority: bool = _switch("cure", "an active interrupt keeps the priority and group it was taken "
                                     "with; the walk takes those whose priority is gone", False)  # fmt: skip
    emulated_eoicount: bool = _switch("cure", "emulated EOIR counts in EOImode 0 only", False)
    emulated_preemption: bool = _switch("cure", "emulated IAR compares group priorities", False)
    dir_whole_intid: bool = _switch("cure", "bits 12:10 of a GICv3 guest's DIR value are INTID bits", False)
    kick_after_dir: bool = _switch("cure", "DIR of what is pending too kicks its vCPU", False)
    dir_after_stop: bool = _switch("cure", "DIR of what is in another vCPU's LR is done as any other, with "
                                   "the VM stopped", False)  # fmt: skip
    dir_phys_if_active: bool = _switch("cure", "DIR deactivates the physical interrupt of an active one only",
                                       False)  # fmt: skip
    wfi_signalled: bool = _switch("cure", "WFI wakes for what would be signalled: group and running priority",
                                  False)  # fmt: skip
    soft_pending_kept: bool = _switch("cure", "a level interrupt's latch goes into the LR too", False)
    requeue_on_enable: bool = _switch("cure", "enabling the distributor queues what is pending", False)
    pending_if_enabled: bool = _switch("cure", "an active LR carries the pending bit of an enabled one only",
                                       False)  # fmt: skip
    move_on_route: bool = _switch("cure", "a new route moves a waiting interrupt at once", False)
    wait_when_disabling: bool = _switch("cure", "ICENABLER and GICD_CTLR wait for running vCPUs", False)
    kick_after_rewrite: bool = _switch("cure", "a new priority or group kicks the vCPU that lists it", False)
    sample_at_flush: bool = _switch("cure", "a mapped level interrupt is sampled before it gets an LR", False)
    unpend_in_lr: bool = _switch("cure", "ICPENDR reaches what waits in a running vCPU's LR", False)

    def with_(self, **switches: bool) -> Profile:
        """Return this profile with some switches changed; the name lists them.

        Raises
        ------
        InputError
            When a switch is unknown.
        """
        for switch in switches:
            if switch not in SWITCHES:
                close = difflib.get_close_matches(switch, SWITCHES, 1)
                hint = f"did you mean {close[0]}?" if close else f"the switches are {', '.join(SWITCHES)}"
                raise InputError(f"profile {self.name}: no switch {switch!r}; {hint}")
        changes = [
            f"{'+' if on else '-'}{switch}" for switch, on in switches.items() if getattr(self, switch) != on
        ]
        return replace(self, name=",".join([self.name, *changes]), **switches)


#: Every switch: name -> {"patches": ..., "doc": ...}.
SWITCHES: dict[str, dict[str, str]] = {f.name: dict(f.metadata) for f in fields(Profile) if f.metadata}

#: The cures among them.
CURES: tuple[str, ...] = tuple(name for name, meta in SWITCHES.items() if meta["patches"] == "cure")

_LATER = (
    "early_cap", "gicv5_cpuif_traps", "gicv5_tdir", "walk_from_tail", "hotplug_answer",
    "prune_checks_owner", "inject_needs_init", "nested_no_phys", "last_lr_on_overflow",
    "last_lr_reference", "movall_source", "vtr_cached",
)  # fmt: skip
#: What the review of v1 corrected before the merge.
_REVIEWED = (
    "detect_all_hosts", "pkvm_traps", "reset_hook", "dir_in_hyp", "broadcast_needs_tdir", "misr_read_back",
    "hcr_zero_on_exit", "no_vgic_stays_off", "dir_owner", "icactiver_offset", "count_eligible_sgis",
)  # fmt: skip
#: Not yet in 7.0.
_AFTER_7_0 = (
    "prune_checks_owner", "nested_no_phys", "last_lr_on_overflow", "last_lr_reference",
    "inject_needs_init", "movall_source", "vtr_cached",
)  # fmt: skip


def _off(name: str, *switches: str, **others: bool) -> Profile:
    return replace(Profile(), name=name, **dict.fromkeys(switches, False), **others)


#: The kernels of section 0.4, and 7.3 with every cure.
PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        _off("legacy", *SWITCHES),
        _off("v1", *_LATER, *_REVIEWED, split_overflow=True),
        _off("6.19", *(name for name in _LATER if name != "early_cap")),
        _off("7.0", *_AFTER_7_0),
        Profile("7.3"),
        replace(Profile(), name="fixed", **dict.fromkeys(CURES, True)),
    )
}


def profile_named(name: str) -> Profile:
    """Return the profile called ``name``, with changes as in ``7.3,-lpi_drop_active,+split_overflow``.

    Raises
    ------
    InputError
        When the profile or a switch is unknown, or a change lacks its sign.
    """
    base, *changes = name.split(",")
    if base not in PROFILES:
        raise InputError(f"unknown profile {base!r}; the profiles are {', '.join(PROFILES)}")
    switches = {}
    for change in changes:
        if change[:1] not in ("+", "-"):
            raise InputError(f"profile {name!r}: write +{change} or -{change} to set or clear a switch")
        switches[change[1:]] = change[0] == "+"
    return PROFILES[base].with_(**switches)


def profile_for_kernel(release: str) -> Profile:
    """Return the profile of a kernel release such as ``6.19.14+deb13-arm64``.

    The walk-from-tail fix reached the 6.19 stable series between .6 and .14; .7 is taken as the border.
    The order of VMCR and the active priorities at vcpu_put changed between 6.1 and 6.12; 6.10 is taken.

    Raises
    ------
    InputError
        When the release has no number, or is newer than what is known here.
    """
    head = release.split("-")[0].split("+")[0]
    try:
        numbers = tuple(int(part) for part in head.split(".")[:3])
    except ValueError:
        raise InputError(
            f"kernel release {release!r} is not of the form X.Y.Z; choose with --profile"
        ) from None
    if len(numbers) < 2:
        raise InputError(f"kernel release {release!r} is not of the form X.Y.Z; choose with --profile")
    if numbers < (6, 10):
        return PROFILES["legacy"].with_(vmcr_before_aprs=True)
    if numbers < (6, 19):
        return PROFILES["legacy"]
    if numbers < (7, 0):
        stable = numbers[2] if len(numbers) > 2 else 0
        return PROFILES["6.19"] if stable < 7 else PROFILES["6.19"].with_(walk_from_tail=True)
    return PROFILES["7.0"] if numbers < (7, 3) else PROFILES["7.3"]
