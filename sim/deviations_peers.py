"""Where other models of the virtual CPU interface leave the architecture, as named switches.

QEMU has its own sets (:mod:`sim.deviations`, :mod:`sim.deviations_v2`), because recordings of it are
replayed. These exist to show that a test would notice: every switch has a row in
``sim/divergences.toml``, or a test beside it. The findings are about stored versions of the models
(gem5 24.0); later ones may differ.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.deviation_switches import DeviationSwitches, switch

__all__ = ["NO_PEER", "NO_PEER_V2", "PeersV2", "PeersV3"]


@dataclass(frozen=True)
class PeersV3(DeviationSwitches):
    """Switches of :class:`sim.golden.peers.PeerGolden`; the metadata of a field says what it does."""

    gem1_count_only_rises: bool = switch("REG-10", "an ICH_HCR write never lowers EOIcount")
    gem2_eoir0_ignores_split: bool = switch("EOI-5", "ICV_EOIR0 deactivates in EOImode 1 too")
    gem3_lpis_count: bool = switch("EOI-9, DIR-3", "EOIR and DIR of an absent LPI move EOIcount")
    gem3b_count_in_mode1: bool = switch("EOI-7", "unmatched EOIR counts in EOImode 1")
    gem4_maintenance_toggles: bool = switch("MNT-3", "an asserted maintenance level drops on the next update")
    gem5_stale_lines: bool = switch("SIG-6", "writes of VMCR, AP<m>R<n> and CTLR do not update the lines")
    gem6_own_ctlr: bool = switch("REG-5", "ICV_CTLR is not a view of ICH_VMCR")
    gem6b_own_pribits: bool = switch("REG-5", "ICV_CTLR.PRIbits is not ICH_VTR.PRIbits")
    gem7_own_apr: bool = switch("REG-9", "ICV_AP<m>R<n> read 0 and ignore writes")
    gem8_apr_ignores_bpr: bool = switch("IAR-4, EOI-10", "active levels have no binary point")
    gem10_traps_ignored: bool = switch("TRP-2, TRP-3", "HCR.TDIR, TALL0 and TALL1 are stored only")
    gem11_pmr_unmasked: bool = switch("REG-4", "an ICV_PMR write keeps all 8 bits")
    gem11b_bpr_clamped_first: bool = switch("REG-2", "BPR write applies the minimum before cutting to 3 bits")
    gem12_pintid_stays: bool = switch("REG-7", "an LR write with HW = 0 keeps the old pINTID")
    gem13_lpi_stays_active: bool = switch("EOI-5, EOI-9", "ICV_EOIR leaves a vLPI active in EOImode 1")
    renode1_count_read_only: bool = switch("REG-10", "software cannot write EOIcount")
    renode2_count_survives_reset: bool = switch("REG-13", "EOIcount survives a reset")
    renode3_no_status: bool = switch(
        "MNT-2, MNT-3, REG-9", "ICH_MISR, EISR, ELRSR and AP<m>R<n> are UNDEFINED"
    )
    renode4_no_maintenance: bool = switch("MNT-3", "there is no maintenance interrupt")
    renode5_stale_lr_matches: bool = switch("EOI-4", "an invalid LR of the INTID keeps EOIcount from moving")
    renode6_traps_ignored: bool = switch("TRP-2, TRP-3", "HCR.TC, TALL0, TALL1 and TDIR trap nothing")
    renode7_no_binary_points: bool = switch("REG-2, REG-5", "ICH_VMCR.VBPR0, VBPR1 and VCBPR are stored only")


@dataclass(frozen=True)
class PeersV2(DeviationSwitches):
    """Switches of :class:`sim.golden_v2.peers.PeerGoldenV2`; the metadata of a field says what it does."""

    vgic1_never_counts: bool = switch("EOI-7", "EOICount never moves")
    vgic2_apr_reads_0: bool = switch("REG-9", "GICH_APR reads 0")
    vgic3_no_priority_mask: bool = switch("SIG-2", "GICV_PMR masks nothing")
    vgic4_no_preemption: bool = switch("SIG-4", "the running priority keeps nothing back")
    vgic5_elrsr_ignores_eoi: bool = switch("MNT-2", "GICH_ELRSR has empty LRs with EOI")
    vgic6_eisr_ignores_hw: bool = switch("MNT-1, HW-5", "GICH_EISR has empty LRs with HW")
    vcml1_no_status: bool = switch("MNT-1, MNT-2, MNT-3", "GICH_MISR, EISR and ELRSR read 0")
    vcml2_no_count: bool = switch("EOI-7", "GICH_HCR has no EOICount")
    vcml3_no_dir: bool = switch("DIR-1", "GICV_DIR is missing")
    vcml4_vmcr_drops_abpr: bool = switch("REG-5", "a GICH_VMCR write leaves GICV_ABPR as it was")


#: No bug: the architecture.
NO_PEER, NO_PEER_V2 = PeersV3(), PeersV2()
