"""Registers of the golden model: REG-* and MNT-* where the directed tests do not nail them."""

import pytest

from hw.config import GicConfig
from hw.registers import REGISTERS
from tests.sim.pe import Pe, lr


def test_reg_1_vtr_says_what_the_build_is():
    """REG-1: every parameter has its place."""
    assert Pe(GicConfig(lrs=16, pri_bits=7, pre_bits=6, id_bits=16, tds=False))["VTR"] == 0xD430000F


@pytest.mark.parametrize(("pre_bits", "minimum0"), [(5, 2), (6, 1), (7, 0)])
def test_reg_2_binary_point_minimum_both_ways(pre_bits: int, minimum0: int):
    """REG-2: VMCR and BPR writes store no less than the minimum, for every preemption width."""
    pe = Pe(GicConfig(pri_bits=7, pre_bits=pre_bits))
    pe["VMCR"] = 0
    assert (pe.read("BPR0"), pe.read("BPR1")) == (minimum0, minimum0 + 1)
    pe["VMCR"] = 0x7 << 21 | 0x7 << 18
    assert (pe.read("BPR0"), pe.read("BPR1")) == (7, 7)
    pe.write("BPR0", 0)
    pe.write("BPR1", 0)
    assert (pe.read("BPR0"), pe.read("BPR1")) == (minimum0, minimum0 + 1)


def test_reg_2_only_three_bits_of_a_binary_point_count():
    """REG-2: 0xFFFE is binary point 6 and 8 is 0, lifted to the minimum."""
    pe = Pe()
    pe.write("BPR0", 0xFFFE)
    pe.write("BPR1", 8)
    assert (pe.read("BPR0"), pe.read("BPR1")) == (6, 3)


def test_reg_3_vfiqen_reads_one_vackctl_zero():
    """REG-3: bits 3 and 2 of VMCR, and nothing else of its RES0 bits."""
    pe = Pe()
    pe["VMCR"] = 0xFFFF_FFFF
    assert pe["VMCR"] == 0xF8FC021B
    pe["VMCR"] = 0xF8FC0010
    assert pe["VMCR"] & 0xC == 0x8


@pytest.mark.parametrize("pri_bits", [5, 6, 7, 8])
def test_reg_4_low_mask_bits_are_razwi_on_both_paths(pri_bits: int):
    """REG-4: VPMR keeps the implemented bits through ICH_VMCR_EL2 and through ICV_PMR_EL1."""
    pe = Pe(GicConfig(pri_bits=pri_bits))
    implemented = 0xFF00 >> pri_bits & 0xFF
    pe["VMCR"] = 0xFF << 24
    assert (pe["VMCR"] >> 24, pe.read("PMR")) == (implemented, implemented)
    pe["VMCR"] = 0
    pe.write("PMR", 0x1FF)
    assert (pe["VMCR"] >> 24, pe.read("PMR")) == (implemented, implemented)


def test_reg_5_vmcr_shows_the_guests_writes_and_the_other_way_round():
    """REG-5: one storage for EOImode and CBPR too."""
    pe = Pe()
    pe["VMCR"] = 0x210
    assert pe.read("CTLR") & 3 == 3
    pe.write("CTLR", 2)
    assert pe["VMCR"] & 0x210 == 0x200


def test_reg_6_cbpr_hides_and_keeps_bpr1():
    """REG-6: reads give BPR0 + 1 (7 at most), writes are lost, the stored VBPR1 reappears."""
    pe = Pe()
    pe.write("BPR1", 6)
    pe.write("CTLR", 1)
    assert [(pe.write("BPR0", n), pe.read("BPR1"))[1] for n in (2, 5, 6, 7)] == [3, 6, 7, 7]
    pe.write("BPR1", 3)
    assert pe["VMCR"] >> 18 & 7 == 6
    pe.write("CTLR", 0)
    assert pe.read("BPR1") == 6


def test_reg_7_lr_drops_reserved_bits():
    """REG-7: bits [59:56], [47:45], the low priority bits and the upper vINTID bits read 0."""
    pe = Pe()
    pe["LR0"] = 0xFFFF_FFFF_FFFF_FFFF
    assert pe["LR0"] == 0xF0F8_1FFF_00FF_FFFF
    pe = Pe(GicConfig(id_bits=16, pri_bits=7))
    pe["LR3"] = 0xFFFF_FFFF_FFFF_FFFF
    assert pe["LR3"] == 0xF0FE_1FFF_0000_FFFF


def test_reg_7_lr_accepts_any_combination_of_fields():
    """REG-7: nothing is validated; pINTID keeps its 13 bits with HW=0 as well."""
    pe = Pe()
    for value in (lr("PA", 5, 0, 0, pintid=0x1FFF), lr("P", 0, 0, 0) | 0x1DFF << 32, lr("A", 1023, 0xF8)):
        pe["LR2"] = value
        assert pe["LR2"] == value


def test_reg_9_apr_write_replaces_the_word_unfiltered():
    """REG-9: no word disturbs another, no bit is filtered, both groups are apart."""
    pe = Pe(GicConfig(pri_bits=7, pre_bits=7))
    for n in range(4):
        pe[f"AP0R{n}"] = 0xA000_0000 | n
        pe[f"AP1R{n}"] = 0x1_5000_0000 | n
    pe["AP0R2"] = 7
    assert [pe[f"AP0R{n}"] for n in range(4)] == [0xA0000000, 0xA0000001, 7, 0xA0000003]
    assert [pe.read(f"AP1R{n}") for n in range(4)] == [0x50000000 | n for n in range(4)]


def test_reg_10_hcr_keeps_implemented_bits_and_eoicount():
    """REG-10, section 1.2: with TDS=1, SEIS=0, nV4=1 the writable bits are F8005CFF."""
    pe = Pe()
    pe["HCR"] = 0xFFFF_FFFF_FFFF_FFFF
    assert pe["HCR"] == 0xF8005CFF
    pe["HCR"] = 0x0800_0001
    assert pe["HCR"] == 0x0800_0001


@pytest.mark.parametrize(
    ("config", "extra"),
    [
        (GicConfig(tds=False), 0),
        (GicConfig(tds=False, seis=True), 1 << 13),
        (GicConfig(tds=False, nv4=False), 1 << 8),
        (GicConfig(tds=False, nv4=False, dvim=True), 1 << 8 | 1 << 15),
        (GicConfig(), 1 << 14),
    ],
)
def test_section_1_2_optional_hcr_bits(config: GicConfig, extra: int):
    """TDIR, TSEI, vSGIEOICount and DVIM exist by their parameters only."""
    pe = Pe(config)
    pe["HCR"] = 0xFFFF_FFFF
    assert pe["HCR"] == 0xF8001CFF | extra


def test_reg_11_running_priority_is_the_lowest_bit_of_both_groups():
    """REG-11: lowest set bit over both groups, BPR not involved, FF when idle."""
    pe = Pe(GicConfig(pri_bits=6, pre_bits=6))
    assert pe.read("RPR") == 0xFF
    pe["AP1R1"] = 1
    assert pe.read("RPR") == 32 << 2
    pe["AP0R0"] = 0x8000_0000
    pe.write("BPR0", 7)
    assert pe.read("RPR") == 31 << 2


@pytest.mark.parametrize(
    ("config", "constant"),
    [
        (GicConfig(), 0x8400),
        (GicConfig(id_bits=24), 0x8C00),
        (GicConfig(pri_bits=7, pre_bits=7, seis=True, a3v=False), 0x4600),
    ],
)
def test_reg_12_ctlr_constants_and_two_writable_bits(config: GicConfig, constant: int):
    """REG-12: a write changes EOImode and CBPR only."""
    pe = Pe(config)
    pe.write("CTLR", 0xFFFF_FFFF)
    assert pe.read("CTLR") == constant | 3
    pe.write("CTLR", 0)
    assert pe.read("CTLR") == constant


def test_reg_13_reset():
    """REG-13: nothing valid, nothing enabled, all LRs empty in ELRSR, and reset comes back to it."""
    pe = Pe()
    fresh = pe.observed()
    assert (pe["HCR"], pe["VMCR"], pe["ELRSR"], pe["EISR"], pe["MISR"]) == (0, 0x004C0008, 0xF, 0, 0)
    assert [pe[f"LR{n}"] for n in range(4)] == [0] * 4
    assert pe.lines == ""
    for register in REGISTERS:
        pe.access(2, register.name, 0xFFFF_FFFF_FFFF_FFFF)
    pe["LR0"], pe["AP0R0"], pe["AP1R0"] = lr("A", 40, 0x80, pintid=40), 0, 0x10000
    pe["VMCR"], pe["HCR"] = 0xF84C0003, 0xF8000001
    pe.write("EOIR1", 40)
    assert pe.golden.deactivated == [40]
    assert pe.observed() != fresh
    pe.golden.reset()
    assert pe.observed() == fresh


# -- maintenance ------------------------------------------------------------------------------------


def test_mnt_1_2_every_kind_of_empty_and_valid_entry():
    """MNT-1, MNT-2, HW-5: EISR and ELRSR over State x HW x bit 41, never both, never while valid."""
    pe = Pe(GicConfig(lrs=16))
    kinds = [(state, hw, eoi) for state in ("I", "P", "A", "PA") for hw in (0, 1) for eoi in (0, 1)]
    for n, (state, hw, eoi) in enumerate(kinds):
        pe[f"LR{n}"] = lr(state, 40 + n, 0) | hw << 61 | eoi << 41
    empty = {kind: n for n, kind in enumerate(kinds) if kind[0] == "I"}
    assert pe["EISR"] == 1 << empty["I", 0, 1]
    assert pe["ELRSR"] == sum(1 << empty["I", hw, eoi] for hw, eoi in ((0, 0), (1, 0), (1, 1)))


@pytest.mark.parametrize("lrs", [1, 2, 8, 16])
def test_mnt_2_bits_beyond_the_lrs_read_zero(lrs: int):
    """MNT-2: one ELRSR bit for each implemented LR after reset, and no more."""
    assert Pe(GicConfig(lrs=lrs))["ELRSR"] == (1 << lrs) - 1


def test_mnt_2_elrsr_keeps_an_eoi_entry_out():
    """MNT-2: an entry emptied with EOI=1 is not reported empty (it waits for software)."""
    pe = Pe()
    pe["VMCR"], pe["HCR"] = 0xF84C0003, 1
    pe["LR1"] = lr("P", 40, 0x80, eoi=True)
    pe.write("EOIR1", pe.read("IAR1"))
    assert (pe["EISR"], pe["ELRSR"]) == (0b0010, 0b1101)


@pytest.mark.parametrize("state", ["P", "A", "PA"])
def test_mnt_4_underflow_counts_every_valid_state(state: str):
    """MNT-4: U is up to one valid entry, whatever valid means."""
    pe = Pe()
    pe["HCR"] = 2
    assert pe["MISR"] == 2
    pe["LR3"] = lr(state, 40, 0)
    assert pe["MISR"] == 2
    pe["LR0"] = lr(state, 41, 0)
    assert pe["MISR"] == 0


@pytest.mark.parametrize(("state", "misr"), [("I", 8), ("P", 0), ("A", 8), ("PA", 8)])
def test_mnt_5_pending_and_active_is_not_pending(state: str, misr: int):
    """MNT-5: NP goes away for State 01 only."""
    pe = Pe()
    pe["HCR"] = 8
    pe["LR2"] = lr(state, 40, 0)
    assert pe["MISR"] == misr


@pytest.mark.parametrize("count", [1, 2, 31])
def test_mnt_6_lrenp_for_any_count(count: int):
    """MNT-6: LRENP is EOIcount not 0, under its enable."""
    pe = Pe()
    pe["HCR"] = count << 27 | 4
    assert pe["MISR"] == 4
    pe["HCR"] = count << 27
    assert pe["MISR"] == 0


@pytest.mark.parametrize("enabled", range(4))
def test_mnt_7_group_enables_each_with_its_own_bit(enabled: int):
    """MNT-7: E and D of a group follow that group's VENG, in every combination; En does not enter."""
    pe = Pe()
    pe["VMCR"] = 0x004C0000 | enabled
    expected = (0x10 if enabled & 1 else 0x20) | (0x40 if enabled & 2 else 0x80)
    for mask in (0x10, 0x20, 0x40, 0x80, 0xF0):
        pe["HCR"] = mask
        assert pe["MISR"] == expected & mask


def test_mnt_8_eoi_is_any_bit_of_eisr():
    """MNT-8: MISR.EOI for one ended list register and for all, none while the last is pending or has HW."""
    pe = Pe()
    ended = 1 << 41
    for n in range(4):
        assert pe["MISR"] & 1 == (n > 0)
        pe[f"LR{n}"] = ended
    for n in range(4):
        pe[f"LR{n}"] = ended | 1 << 62 if n % 2 else ended | 1 << 61
        assert pe["EISR"] == 0xF << n + 1 & 0xF
        assert pe["MISR"] & 1 == (n < 3)


def test_mnt_3_9_line_is_a_level_gated_by_en():
    """MNT-3, MNT-9: each cause drives the line only with En, and its removal drops it."""
    pe = Pe()
    pe["VMCR"] = 0xF84C0003
    for cause in (0x02, 0x08, 0x10, 0x40, 0x0800_0004):
        pe["HCR"] = cause
        assert pe["MISR"] and not pe.golden.lines().maintenance
        pe["HCR"] = cause | 1
        assert pe.golden.lines().maintenance
        pe["HCR"] = 1
        assert not pe.golden.lines().maintenance


def test_state_is_what_ich_reads_give():
    """The probe and the registers agree after a stir."""
    pe = Pe(GicConfig(lrs=4, pri_bits=7, pre_bits=6, id_bits=24))
    pe["VMCR"], pe["HCR"] = 0xFE980213, 0x300000FF
    pe["AP0R1"], pe["AP1R0"] = 0x12, 0x80000000
    for n, value in enumerate((lr("I", 9, 0, eoi=True), lr("PA", 70, 0x36, pintid=70), lr("P", 8192, 0x12))):
        pe[f"LR{n}"] = value
    state = pe.golden.state()
    assert (state.hcr, state.vmcr) == (pe["HCR"], pe["VMCR"])
    assert state.ap0r == [pe["AP0R0"], pe["AP0R1"]]
    assert state.ap1r == [pe["AP1R0"], pe["AP1R1"]]
    assert state.lr == [pe["LR0"], pe["LR1"], pe["LR2"], 0]
    assert (state.misr, state.eisr, state.elrsr) == (pe["MISR"], pe["EISR"], pe["ELRSR"])
    assert (state.eisr, state.elrsr) == (0b1, 0b1000)
