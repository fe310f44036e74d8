"""QEMU's deviations from the architecture, as named switches of the golden model.

Every switch is off in a strict model. A recorded trace can only be compared completely when the model
answers as the recording did, so a replay switches on what the recording machine is known to do, and
reports each operation where a switch took effect. Sources: spec section 5.1 (D1..D17) as far as the
virtual interface is concerned, and the notes that come with the recordings (Q1..Q8).

Not here, because no virtual-side operation can show them: D5 (the recording machine aborts), D10
(repaired in every recorded version), D11 (no SRE context is recorded), D12..D14 (physical interface),
D15 (FEAT_GICv3_NMI), D16 (no cycles in golden), D17 (the configuration says it).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

from hw.errors import InputError
from sim.deviation_switches import DeviationSwitches, switch

__all__ = ["STRICT", "Deviations"]


@dataclass(frozen=True)
class Deviations(DeviationSwitches):
    """Opt-in switches; the part before the first underscore, in capitals, is the name in reports.

    Parameters
    ----------
    d1_vmcr_keeps_pmr : bool
        Breaks REG-4. An ICH_VMCR_EL2 write keeps all 8 VPMR bits; ICV_PMR_EL1 reads them and they take
        part in signalling. ICV_PMR_EL1 writes are filtered as they should be.
    d2_count_in_mode1 : bool
        Breaks EOI-7. An ICV_EOIR of an INTID in no LR moves EOIcount in EOImode 1 too
        (the same as ``GicConfig.eoicnt_mode1``).
    d3_vgrp0d_tests_veng1 : bool
        Breaks MNT-7. MISR.VGrp0D is VGrp0DIE and not VENG1.
    d4_bpr_clamped_first : bool
        Breaks REG-2. An ICV_BPR write takes the maximum of the whole operand and the minimum binary point,
        and cuts to 3 bits only then: writing 8 stores 0.
    d6_dir_ignores_range : bool
        Breaks DIR-3 and EOI-13. ICV_DIR ignores INTIDs 1024..8191.
    d7_lr_keeps_reserved : bool
        Breaks REG-7. An LR write keeps the reserved bits [58:56] and [47:45] and all 32 vINTID bits;
        IAR and HPPIR return up to 32 bits.
    d8_pintid_10_bits : bool
        Breaks HW-3. Only 10 bits of pINTID are decoded when an HW LR is deactivated.
    d9_hcr_fields : bool
        Breaks section 1.2. HCR.TSEI is stored though SEIS is 0; vSGIEOICount and DVIM are never stored.
    q7_el1_pri_bits : int, 0 or 5..8
        Breaks REG-9. ICV_AP<m>R<n>_EL1 exist according to the preemption bits of a *physical* interface
        with this many priority bits, of which at most 7 preempt. Words that the virtual side lacks are
        stored and take no part in anything. 0 switches the deviation off.
    phy_idle_interface : bool
        The recording machine has a physical CPU interface too. Reads of ICC_IAR<g>, HPPIR<g>, RPR and PMR
        that reach it (TRP-9) answer as an idle one whose PMR was opened: 1023, 1023, 0xFF and 0xFF.
    late_maintenance : bool
        Not QEMU's own: the recordings called "late" were made on a machine changed so that EOIcount really
        moves. MISR.U is never set and MISR.LRENP only from EOIcount 2 on (breaks MNT-4 and MNT-6).
    """

    d1_vmcr_keeps_pmr: bool = switch("REG-4", "VMCR write keeps all VPMR bits")
    d2_count_in_mode1: bool = switch("EOI-7", "unmatched EOIR counts in EOImode 1")
    d3_vgrp0d_tests_veng1: bool = switch("MNT-7", "MISR.VGrp0D tests VENG1")
    d4_bpr_clamped_first: bool = switch("REG-2", "BPR write applies the minimum before cutting to 3 bits")
    d6_dir_ignores_range: bool = switch("DIR-3", "DIR ignores INTIDs 1024..8191")
    d7_lr_keeps_reserved: bool = switch("REG-7", "LR write keeps reserved bits and 32 vINTID bits")
    d8_pintid_10_bits: bool = switch("HW-3", "pINTID is cut to 10 bits at deactivation")
    d9_hcr_fields: bool = switch("section 1.2", "HCR.TSEI stored; vSGIEOICount and DVIM never")
    q7_el1_pri_bits: int = field(
        default=0, metadata={"rule": "REG-9", "doc": "ICV_AP<m>R<n> exist by the physical priority width"}
    )
    phy_idle_interface: bool = switch("TRP-9", "reads reach an idle physical interface")
    late_maintenance: bool = switch("MNT-4, MNT-6", "no MISR.U, and MISR.LRENP only from EOIcount 2")

    def __post_init__(self) -> None:
        """Refuse a physical priority width that no GIC has."""
        if self.q7_el1_pri_bits not in (0, 5, 6, 7, 8):
            raise InputError(f"q7_el1_pri_bits must be 0 (off) or 5 to 8, not {self.q7_el1_pri_bits!r}")

    @classmethod
    def qemu_stock(cls, physical_pri_bits: int = 5) -> Deviations:
        """QEMU 11.1 as shipped; ``physical_pri_bits`` (5..8) as its CPU model has them."""
        every = {f.name: True for f in fields(cls) if isinstance(f.default, bool)}
        return cls(**every | {"q7_el1_pri_bits": physical_pri_bits, "late_maintenance": False})

    @classmethod
    def qemu_fixed(cls, physical_pri_bits: int = 5) -> Deviations:
        """QEMU 11.1 with Q1 and Q2 (D2 and D3) repaired; everything else as shipped."""
        stock = cls.qemu_stock(physical_pri_bits)
        return replace(stock, d2_count_in_mode1=False, d3_vgrp0d_tests_veng1=False)


#: No deviation: the architecture.
STRICT = Deviations()
