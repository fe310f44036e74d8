"""Known failures: of the algorithm before 6.19 (spec section 18), reported (21) and found by reading (22).

Those named R were found by refinement (:mod:`sim.refinement.exceptions`); they follow from the kernel's
functions named there and were not tried on a real one, but R1 is in recordings of one. Each is shown by
scenario files, whose steps say which kernels fail, or by a test. Those of section 22 were tried on real
kernels; ``seen`` says where. Those still there in 7.3 need no fault of the hardware.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BUGS", "Bug"]

_NESTED = "needs nested virtualisation"
_SWITCHES = "tests/sim/kvm/test_switches.py"


@dataclass(frozen=True)
class Bug:
    """One failure.

    Parameters
    ----------
    name : str
        Section of the specification, with the number of the item; R: found by refinement.
    title : str
        What a guest, a device or the host notices.
    fails, works : tuple of str
        Profiles that have it, and that do not; a name may have switches changed.
    scenarios : tuple of str
        Scenario files that show it.
    test : str
        The test that shows it, where no scenario can.
    seen : str
        Kernels it was seen on.
    open_reason : str
        Why this build cannot show it.
    """

    name: str
    title: str
    fails: tuple[str, ...] = ()
    works: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    test: str = ""
    seen: str = ""
    open_reason: str = ""


_OLD, _NEW, _BOTH = ("legacy",), ("7.3", "6.19"), ("7.3", "6.19", "legacy")
_NOW = "7.3.4, 6.19.14"
_EVER = "7.3.4, 6.19.14, 6.18.15"

BUGS: tuple[Bug, ...] = (
    Bug("18.1", "live-lock: as many active interrupts as LRs, and the next one is never seen", _OLD, _NEW,
        ("A04",)),
    Bug("18.2", "the interrupts the guest ends next are outside", _OLD, ("7.3",), ("F18_2", "A02", "A24")),
    Bug("18.3", "an EOI outside the LRs is lost: active for ever", _OLD, ("7.3",), ("A24", "F21_2")),
    Bug("18.4", "a disabled group's interrupts keep the other group's out", _OLD, _NEW, ("A05",)),
    Bug("18.5", "a DIR on another vCPU is lost", _OLD, _NEW, ("A11",), seen="6.18.15"),
    Bug("18.6", "a DIR outside the LRs is lost", _OLD, ("7.3",), ("F18_6",)),
    Bug("18.7", "an underflow interrupt although everything has an LR", _OLD, ("7.3",), ("F18_7",)),
    Bug("21.1", "Xen as L1 takes an interrupt that is not there, for ever", scenarios=("A26",),
        open_reason=_NESTED),
    Bug("21.2", "an EOI outside the LRs is lost: the interrupt is dead", ("7.3,-eoicount_walk", "legacy"),
        ("7.3",), ("F21_2",)),
    Bug("21.3", "an SPI ended here and deactivated there stays active", ("v1", "legacy"), _NEW, ("A11",)),
    Bug("21.4", "DIR of an LR-resident interrupt of another vCPU clears a third one",
        ("7.3,-icactiver_offset",), ("7.3",), ("F21_4",)),
    Bug("21.5", "a freshly acknowledged interrupt is deactivated in place of the ended one", ("6.19",),
        ("7.3", "7.0", "v1"), ("A08",), seen="6.19.6"),
    Bug("21.6", "a stale TDIR traps the host's own deactivation", ("7.3,-hcr_zero_on_exit",), ("7.3",),
        test=f"{_SWITCHES}::test_off[hcr_zero_on_exit-no_trap_bit_survives_the_exit]"),
    Bug("21.7", "a guest without vgic finds a CPU interface", ("7.3,-no_vgic_stays_off", "v1"), ("7.3",),
        ("A32",)),
    Bug("21.8", "spurious maintenance interrupts in a nested host", ("7.3,-misr_read_back",), ("7.3",),
        test=f"{_SWITCHES}::test_off[misr_read_back-misr_is_read_after_hcr_is_cleared]"),
    Bug("21.9", "the walk goes on from a freed or unlinked LPI", ("7.3", "7.0"), (), ("A29",)),
    Bug("21.10", "a CPU never comes up under pKVM", ("7.3,-hotplug_answer",), ("7.3",),
        test=f"{_SWITCHES}::test_off[hotplug_answer-a_cpu_comes_up_under_pkvm]"),
    Bug("21.11", "a GICv5 host seems to lack TDIR; its guest gets UNDEFINED", ("6.19",), ("7.3",), ("A31",)),
    Bug("21.12", "CPUs that differ in TDIR", ("7.3,-early_cap",), ("7.3",),
        test=f"{_SWITCHES}::test_off[early_cap-every_cpu_is_asked_for_tdir]"),
    Bug("21.13", "a second physical deactivation while nested", open_reason=_NESTED),
    Bug("21.14", "vSGIEOICount clear although no SGI is to be taken", ("7.3,-count_eligible_sgis", "v1"),
        ("7.3",), ("F21_14",)),
    Bug("21.15", "an interrupt that left the list is moved again", ("7.3,-prune_checks_owner",), ("7.3",),
        test=f"{_SWITCHES}::test_off[prune_checks_owner-prune_looks_again_at_the_owner]"),
    Bug("22.1", "one LR and anything outside: exit storm", _BOTH, (), ("A30",), seen=_EVER),
    Bug("22.2", "more pending in a disabled group than LRs: exit storm", _NEW, _OLD,
        ("F22_2", "F22_2_swapped"), seen=_NOW),
    Bug("22.3", "every DIR traps for the life of the VM", _NEW, _OLD, ("A14", "F22_3"), seen=_NOW),
    Bug("22.4", "a level SPI taken and ended in one run is not notified, and comes again", _NEW, _OLD,
        ("A19", "F22_4", "F22_4_exit"), seen=_NOW),
    Bug("22.5", "the second remote DIR of a level SPI is lost", _NEW, (), ("F22_5",), seen=_NOW),
    Bug("22.6", "the outer interrupt is deactivated at the inner one's EOI", _NEW, (),
        ("F22_6", "F22_6_active"), seen=_NOW),
    Bug("22.7", "EOIR outside the LRs deactivates in EOImode 1 where EOIR is emulated", ("7.3",), ("legacy",),
        ("F22_7",), seen="7.3.4"),
    Bug("22.8", "DIR of another number deactivates", _NEW, _OLD, ("F22_8",), seen=_NOW),
    Bug("22.9", "deactivated from elsewhere, and its owner sleeps on", _NEW, (), ("F22_9",), seen=_NOW),
    Bug("22.10", "a DIR deactivates a physical interrupt that is still pending", _NEW, _OLD, ("F22_10",),
        seen="7.3.4"),
    Bug("22.11", "WFI does not sleep", _BOTH, (), ("F22_11",), seen=_EVER),
    Bug("22.12", "a nested deactivation with EOImode 0 is not passed on", open_reason=_NESTED),
    Bug("22.13", "a level interrupt made pending by software is forgotten", _BOTH, (), ("F22_13",),
        seen=_EVER),
    Bug("22.14", "pending while the distributor was off: lost", _BOTH, (), ("F22_14",), seen=_EVER),
    Bug("22.15", "last_lr_irq belongs to a physical CPU: no failure", (), ("7.3", "7.0"), ("F22_15",)),
    Bug("R1", "disabled while active and pending, and taken all the same", _BOTH, (), ("R1",),
        seen="6.18.15"),
    Bug("R2", "routed away from a sleeping vCPU: never delivered", _BOTH, (), ("R2",)),
    Bug("R3", "disabled by another vCPU, GICD_CTLR.RWP clear, and taken all the same", _BOTH, (), ("R3",)),
    Bug("R4", "a timer whose line fell while it had no LR is taken all the same", _BOTH, (), ("R4",)),
    Bug("R5", "another vCPU's ICPENDR is undone", _BOTH, (), ("R5",)),
    Bug("R6", "a DIR on another vCPU is lost while the first SPI's kick is under way", _NEW, (), ("R6",)),
    Bug("R7", "made more urgent while its vCPU sleeps, which is not woken", _BOTH, (), ("R7",)),
    Bug("R8", "a level SPI deactivated on another vCPU while its own runs: its device is not told", _NEW, (),
        ("R8",)),
    Bug("R9", "an emulated IAR takes what does not preempt, if the groups' binary points differ", _BOTH, (),
        ("R9",)),
)  # fmt: skip
