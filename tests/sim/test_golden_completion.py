"""Completion rules of the golden model (EOI-*, DIR-*, HW-*) where the directed tests do not nail them."""

import pytest

from hw.config import GicConfig
from tests.sim.pe import Pe, lr

#: VMCR with both groups enabled, PMR open and minimum binary points; EOImode 0 and 1.
MODE0, MODE1 = 0xF84C0003, 0xF84C0203
#: AP1R0 with priority 0x80 active.
ACTIVE_80 = 1 << 16


def running(vmcr: int = MODE0, config: GicConfig | None = None, **registers: int) -> Pe:
    """Return a PE that runs at priority 0x80 in Group 1, with further ICH registers written."""
    pe = Pe(config) if config else Pe()
    pe["VMCR"], pe["HCR"], pe["AP1R0"] = vmcr, 1, ACTIVE_80
    for name, value in registers.items():
        pe[name] = value
    return pe


def count(pe: Pe) -> int:
    """ICH_HCR_EL2.EOIcount."""
    return pe["HCR"] >> 27


@pytest.mark.parametrize("vmcr", [MODE0, MODE1], ids=["mode0", "mode1"])
@pytest.mark.parametrize("vintid", [1020, 1021, 1022, 1023])
def test_eoi_1_special_intids_are_ignored_completely(vmcr: int, vintid: int):
    """EOI-1: no drop, no deactivation, no count, in either mode and even if such an LR is active."""
    pe = running(vmcr, LR0=lr("A", vintid, 0x80))
    before = pe.observed()
    pe.write("EOIR1", vintid)
    assert pe.observed() == before


@pytest.mark.parametrize("vintid", [1019, 1024, 8191])
def test_eoi_1_13_ordinary_neighbours_drop_and_count(vintid: int):
    """EOI-13: 1024..8191 are ordinary numbers; only 1020..1023 are special."""
    pe = running()
    pe.write("EOIR1", vintid)
    assert (pe["AP1R0"], count(pe)) == (0, 1)
    pe = running(LR2=lr("A", vintid, 0x80))
    pe.write("EOIR1", vintid)
    assert (pe["LR2"], count(pe)) == (lr("I", vintid, 0x80), 0)


@pytest.mark.parametrize("group", [0, 1])
def test_eoi_3_same_level_in_both_groups_drops_group_0(group: int):
    """EOI-3: whatever register is written, the Group 0 bit goes first on a tie."""
    pe = running(AP0R0=ACTIVE_80)
    pe.write(f"EOIR{group}", 99)
    assert (pe["AP0R0"], pe["AP1R0"]) == (0, ACTIVE_80)


def test_eoi_3_lowest_level_first_whatever_group_is_written():
    """EOI-3: EOIR0 pops a more urgent Group 1 level."""
    pe = running(AP0R0=1 << 31, AP1R0=1 << 3)
    pe.write("EOIR0", 99)
    assert (pe["AP0R0"], pe["AP1R0"]) == (1 << 31, 0)


def test_eoi_4_a_pending_entry_does_not_match():
    """EOI-4: only State[1] entries are looked up; the write is counted."""
    pe = running(LR0=lr("P", 40, 0xF8))
    pe.write("EOIR1", 40)
    assert (pe["LR0"], count(pe)) == (lr("P", 40, 0xF8), 1)


@pytest.mark.parametrize("name", ["EOIR1", "DIR"])
def test_eoi_4_lowest_index_of_a_duplicate(name: str):
    """EOI-4, C5: of two active entries with one vINTID the lower is deactivated."""
    pe = running(MODE1 if name == "DIR" else MODE0, LR1=lr("A", 40, 0x80), LR3=lr("A", 40, 0x80))
    pe.write(name, 40)
    assert (pe["LR1"] >> 62, pe["LR3"] >> 62) == (0, 2)


def test_eoi_4_all_id_bits_take_part():
    """EOI-4: INTIDs that differ above bit 12 are different with 24 bits."""
    pe = running(LR0=lr("A", 0x10000 | 40, 0x80))
    pe.write("EOIR1", 40)
    assert (pe["LR0"] >> 62, count(pe)) == (2, 1)
    pe = running(LR0=lr("A", 40, 0x80))
    pe.write("EOIR1", 0xFF000000 | 40)
    assert (pe["LR0"] >> 62, count(pe)) == (0, 0)


@pytest.mark.parametrize("name", ["EOIR1", "DIR"])
def test_eoi_6_pending_and_active_becomes_pending(name: str):
    """EOI-6, DIR-2: only the Active bit is cleared."""
    pe = running(MODE1 if name == "DIR" else MODE0, LR0=lr("PA", 40, 0x80, eoi=True))
    pe.write(name, 40)
    assert pe["LR0"] == lr("P", 40, 0x80, eoi=True)


def test_eoi_7_mode_1_drops_without_counting():
    """EOI-7: in EOImode 1 an EOIR of an absent INTID leaves EOIcount alone."""
    pe = running(MODE1)
    pe.write("EOIR1", 40)
    assert (pe["AP1R0"], count(pe)) == (0, 0)


def test_eoi_7_parameter_counts_in_mode_1():
    """EOI-7: a build with eoicnt_mode1 counts it, but still not an LPI or a special INTID."""
    pe = running(MODE1, GicConfig(id_bits=24, eoicnt_mode1=True))
    pe.write("EOIR1", 40)
    assert (pe["AP1R0"], count(pe)) == (0, 1)
    for vintid in (8192, 1023):
        pe["AP1R0"] = ACTIVE_80
        pe.write("EOIR1", vintid)
        assert count(pe) == 1


@pytest.mark.parametrize("vmcr", [MODE0, MODE1], ids=["mode0", "mode1"])
@pytest.mark.parametrize("vintid", [40, 99, 8192])
def test_eoi_8_nothing_active_nothing_happens(vmcr: int, vintid: int):
    """EOI-8, C1: without an active priority the write has no effect at all."""
    pe = running(vmcr, LR0=lr("A", 40, 0x80, pintid=40), LR1=lr("A", 8192, 0x80), AP1R0=0)
    before = pe.observed()
    pe.write("EOIR1", vintid)
    assert pe.observed() == before


@pytest.mark.parametrize("vmcr", [MODE0, MODE1], ids=["mode0", "mode1"])
@pytest.mark.parametrize("vintid", [8192, 0xFFFFFF])
def test_eoi_9_lpi_in_a_list_register_is_deactivated_at_eoir(vmcr: int, vintid: int):
    """EOI-9: an active LPI entry empties at EOIR in both modes."""
    pe = running(vmcr, LR3=lr("A", vintid, 0x80))
    pe.write("EOIR1", vintid)
    assert (pe["LR3"], pe["AP1R0"], count(pe)) == (lr("I", vintid, 0x80), 0, 0)


@pytest.mark.parametrize("vmcr", [MODE0, MODE1], ids=["mode0", "mode1"])
def test_eoi_9_absent_lpi_only_drops(vmcr: int):
    """EOI-9: no count for an LPI in no LR, in either mode; a pending one does not match."""
    pe = running(vmcr, LR0=lr("P", 8200, 0x80))
    pe.write("EOIR1", 8200)
    assert (pe["AP1R0"], count(pe), pe["LR0"] >> 62) == (0, 0, 1)


@pytest.mark.parametrize("vintid", [40, 8200])
def test_eoi_10_mismatch_drops_and_leaves_the_entry(vintid: int):
    """EOI-10, C3: wrong group or wrong level: the drop stands, no deactivation, no count; LPIs too."""
    for name, priority in (("EOIR0", 0x80), ("EOIR1", 0x88), ("EOIR1", 0x78)):
        pe = running(LR0=lr("A", vintid, priority, pintid=40))
        pe.write(name, vintid)
        assert (pe["LR0"] >> 62, pe["AP1R0"], count(pe)) == (2, 0, 0)
        assert pe.golden.take_deactivations() == []


def test_eoi_10_compares_group_priorities_only():
    """EOI-10: the subpriority bits of the entry do not take part (VBPR1 = 5)."""
    pe = running(0xF8540003, LR0=lr("A", 40, 0x98))
    pe.write("EOIR1", 40)
    assert pe["LR0"] >> 62 == 0
    pe = running(0xF8540003, LR0=lr("A", 40, 0xA0))
    pe.write("EOIR1", 40)
    assert pe["LR0"] >> 62 == 2


def test_eoi_10_uses_the_mask_of_the_register_written():
    """EOI-10, C15: a BPR changed while active may break the match; the current one counts."""
    pe = running(LR0=lr("A", 40, 0x88), AP1R0=1 << 17)
    pe.write("BPR1", 5)
    pe.write("EOIR1", 40)
    assert (pe["LR0"] >> 62, pe["AP1R0"]) == (2, 0)


def test_eoi_11_count_wraps():
    """EOI-11, MNT-6: 31 + 1 is 0, the other bits of HCR stay and LRENP goes."""
    pe = running(HCR=0xF8000005)
    assert pe["MISR"] == 4
    pe.write("EOIR1", 40)
    assert (pe["HCR"], pe["MISR"]) == (5, 0)


def test_eoi_11_count_goes_through_all_values():
    """EOI-11: 33 completions count 1..31, 0, 1."""
    pe = running()
    seen = []
    for _ in range(33):
        pe["AP1R0"] = ACTIVE_80
        pe.write("EOIR1", 40)
        seen.append(count(pe))
    assert seen == [*range(1, 32), 0, 1]


@pytest.mark.parametrize(("vintid", "counted"), [(0, 0), (15, 0), (16, 1), (40, 1)])
@pytest.mark.parametrize("name", ["EOIR1", "DIR"])
def test_eoi_12_vsgieoicount_exempts_sgis(name: str, vintid: int, counted: int):
    """EOI-12: with the bit set INTIDs 0..15 do not move EOIcount, by EOIR or DIR; the drop stands."""
    vmcr = MODE1 if name == "DIR" else MODE0
    pe = running(vmcr, GicConfig(id_bits=24, nv4=False), HCR=0x101)
    pe.write(name, vintid)
    assert (count(pe), pe["AP1R0"]) == (counted, ACTIVE_80 if name == "DIR" else 0)
    pe = running(vmcr, GicConfig(id_bits=24, nv4=False))
    pe.write(name, vintid)
    assert count(pe) == 1


def test_eoi_12_needs_gicv4():
    """EOI-12: without direct injection (nV4=1) bit 8 is RES0 and SGIs count."""
    pe = running(HCR=0x101)
    pe.write("EOIR1", 3)
    assert pe["HCR"] == 0x0800_0001


# -- DIR --------------------------------------------------------------------------------------------


def test_dir_1_ignored_in_mode_0():
    """DIR-1, C7: no deactivation, no count, no physical request."""
    pe = running(LR0=lr("A", 40, 0x80, pintid=40))
    before = pe.observed()
    for vintid in (40, 99, 8192):
        pe.write("DIR", vintid)
    assert pe.observed() == before


def test_dir_2_group_priority_and_order_do_not_matter():
    """DIR-2: a less urgent Group 0 entry is deactivated while others run; active priorities stay."""
    pe = running(MODE1, LR0=lr("A", 40, 0x80), LR1=lr("A", 41, 0xF8, group=0), AP0R0=1 << 31)
    pe.write("DIR", 41)
    assert (pe["LR1"] >> 62, pe["LR0"] >> 62) == (0, 2)
    assert (pe["AP0R0"], pe["AP1R0"]) == (1 << 31, ACTIVE_80)


@pytest.mark.parametrize("vintid", [0, 40, 1019, 1024, 8191])
def test_dir_3_absent_intids_count(vintid: int):
    """DIR-3: one more in EOIcount, for the range 1024..8191 too; active or not does not matter."""
    pe = running(MODE1, AP1R0=0)
    pe.write("DIR", vintid)
    assert count(pe) == 1


@pytest.mark.parametrize("vintid", [1020, 1021, 1022, 1023, 8192, 0xFFFFFF])
def test_dir_4_lpis_and_special_intids_are_ignored(vintid: int):
    """DIR-4: neither deactivated, should an LR hold them, nor counted."""
    pe = running(MODE1, LR0=lr("A", vintid, 0x80))
    before = pe.observed()
    pe.write("DIR", vintid)
    assert pe.observed() == before


# -- HW ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["EOIR1", "DIR"])
@pytest.mark.parametrize("pintid", [0, 15, 16, 31, 32, 1019])
def test_hw_1_4_one_request_for_the_pintid(name: str, pintid: int):
    """HW-1, HW-4, C12: exactly one request, PPIs and SGIs included, and it is taken once."""
    pe = running(MODE1 if name == "DIR" else MODE0, LR0=lr("A", 40, 0x80, pintid=pintid))
    pe.write(name, 40)
    pe["AP1R0"] = ACTIVE_80
    pe.write(name, 40)
    assert pe.golden.take_deactivations() == [pintid]
    assert pe.golden.take_deactivations() == []


@pytest.mark.parametrize("pintid", [1020, 1023, 1024, 1024 + 40, 8191])
def test_hw_3_impossible_pintids_ask_for_nothing(pintid: int):
    """HW-3: no request, and the virtual side goes on."""
    pe = running(LR0=lr("A", 40, 0x80, pintid=pintid))
    pe.write("EOIR1", 40)
    assert (pe.golden.take_deactivations(), pe["LR0"] >> 62, pe["AP1R0"]) == ([], 0, 0)


def test_hw_1_a_plain_entry_asks_for_nothing():
    """HW-1: HW=0 never makes a request, whatever bits [44:32] hold."""
    pe = running(LR0=lr("A", 40, 0x80) | 40 << 32)
    pe.write("EOIR1", 40)
    assert pe.golden.take_deactivations() == []


def test_hw_5_bit_41_of_an_hw_entry_is_not_eoi():
    """HW-5: pINTID 512 raises no EOI maintenance interrupt when its entry empties."""
    pe = running(LR0=lr("A", 40, 0x80, pintid=512))
    pe.write("EOIR1", 40)
    assert (pe["EISR"], pe["ELRSR"], pe["MISR"]) == (0, 0xF, 0)


def test_hw_7_state_11_is_no_special_case():
    """HW-7, C13: pending and active with HW=1 deactivates physically and stays pending."""
    pe = running(LR0=lr("PA", 40, 0x80, pintid=40))
    pe.write("EOIR1", 40)
    assert (pe["LR0"] >> 62, pe.golden.take_deactivations()) == (1, [40])


def test_requests_keep_their_order():
    """HW-1: requests come out in the order of the completions."""
    pe = running(MODE1, LR0=lr("A", 40, 0x80, pintid=50), LR2=lr("A", 41, 0x20, pintid=33))
    pe.write("DIR", 41)
    pe.write("DIR", 40)
    assert pe.golden.take_deactivations() == [33, 50]
