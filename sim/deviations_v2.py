"""QEMU's deviations from the architecture in its GICv2, as named switches of the GICv2 golden model.

The GICv3 ones are in :mod:`sim.deviations`; the two sets have nothing in common but their purpose. Every
switch is off in a strict model. Sources: spec section 5.2, and what the recordings themselves show.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.deviation_switches import DeviationSwitches, switch

__all__ = ["STRICT_V2", "DeviationsV2"]


@dataclass(frozen=True)
class DeviationsV2(DeviationSwitches):
    """Opt-in switches; the part before the first underscore, in capitals, is the name in reports.

    Parameters
    ----------
    w1_no_aliases : bool
        Breaks V2-2. GICV_AIAR and GICV_AHPPIR read 0 and acknowledge nothing, GICV_AEOIR is ignored.
    w2_hppir_without_cpuid : bool
        Breaks V2-3. GICV_HPPIR has no CPUID.
    w3_abpr_minimum_1 : bool
        Breaks REG-2. A GICV_ABPR write is clamped at 1, not 3; the GICH_VMCR path is as it should be.
    w4_disabled_groups_selected : bool
        Breaks SEL-2. While at least one group is enabled, entries of a disabled one are selected, hide the
        others, and are acknowledged by GICV_IAR; they drive no line.
    w5_ghost_lr : bool
        Breaks REG-8. The list register past the last one is stored, without any effect.
    w6_eoir_checks_nothing : bool
        Breaks EOI-10. GICV_EOIR deactivates whatever the group and the priority of the entry.
    w7_eoir_without_priority : bool
        Breaks EOI-8. With no active priority a GICV_EOIR in EOImode 0 still deactivates an entry.
    w8_hppir_is_masked : bool
        Breaks HPP-2. GICV_HPPIR reads 1023 while En is 0, while no group is enabled, and while the
        selected entry does not pass the priority mask.
    w9_abpr_ignores_cbpr : bool
        Breaks REG-6. GICV_ABPR is VMABP whatever CBPR is, for reads and writes.
    w10_preemption_unmasked : bool
        Breaks SIG-4. The selected entry's whole priority is compared with the running priority; the
        binary points decide only which level an acknowledge sets.
    w11_group1_before_running : bool
        Breaks IAR-2. GICV_IAR reads 1022 for a Group 1 entry without AckCtl though the running priority
        keeps it back.
    w12_entry_found_by_intid : bool
        Another choice than C5. The group, the priority and the entry to acknowledge or to complete are
        looked up by INTID: the lowest list register that has it and is not invalid. It matters when two
        list registers hold the same INTID.
    w13_special_intids_stay : bool
        Another choice than C6. A special INTID in an LR is returned by GICV_IAR and GICV_HPPIR whatever
        its group and the running priority are, and stays pending.
    w14_cpuid_of_sgis : bool
        Breaks V2-3. GICV_IAR gives bits [12:10] of the entry for INTIDs 0..15, HW or not, and for no other.
    """

    w1_no_aliases: bool = switch("V2-2", "AIAR and AHPPIR read 0, AEOIR is ignored")
    w2_hppir_without_cpuid: bool = switch("V2-3", "HPPIR has no CPUID")
    w3_abpr_minimum_1: bool = switch("REG-2", "ABPR is clamped at 1")
    w4_disabled_groups_selected: bool = switch("SEL-2", "entries of a disabled group are selected")
    w5_ghost_lr: bool = switch("REG-8", "the LR past the last one is stored")
    w6_eoir_checks_nothing: bool = switch("EOI-10", "EOIR checks neither group nor priority")
    w7_eoir_without_priority: bool = switch("EOI-8", "EOIR deactivates with no active priority")
    w8_hppir_is_masked: bool = switch("HPP-2", "En, the group enables and PMR mask HPPIR")
    w9_abpr_ignores_cbpr: bool = switch("REG-6", "ABPR is VMABP whatever CBPR is")
    w10_preemption_unmasked: bool = switch("SIG-4", "preemption compares whole priorities")
    w11_group1_before_running: bool = switch("IAR-2", "IAR reads 1022 against the running priority")
    w12_entry_found_by_intid: bool = switch("C5", "entries are looked up by INTID")
    w13_special_intids_stay: bool = switch("C6", "special INTIDs in an LR are returned and stay")
    w14_cpuid_of_sgis: bool = switch("V2-3", "IAR gives a CPUID for INTIDs 0..15, HW or not, only")

    @classmethod
    def qemu_stock(cls) -> DeviationsV2:
        """QEMU 11.1 as shipped."""
        return cls(**dict.fromkeys(cls.names(), True))


#: No deviation: the architecture.
STRICT_V2 = DeviationsV2()
