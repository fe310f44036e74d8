"""Interrupt rules of golden (SEL-*, SIG-*, IAR-*, HPP-*) where the directed tests do not nail them."""

import pytest

from hw.config import GicConfig
from tests.sim.pe import Pe, lr


def guest(config: GicConfig | None = None, vmcr: int = 0xF84C0003) -> Pe:
    """Return a PE with both groups enabled, PMR open, binary points at their minimum."""
    pe = Pe(config) if config else Pe()
    pe["VMCR"], pe["HCR"] = vmcr, 1
    return pe


# -- selection --------------------------------------------------------------------------------------


def test_sel_2_a_disabled_group_hides_nothing():
    """SEL-2: the disabled entry is dropped before priorities are compared, in either group."""
    for group in (0, 1):
        pe = guest(vmcr=0xF84C0000 | 2 >> group)
        pe["LR0"] = lr("P", 40, 0x08, group=group)
        pe["LR1"] = lr("P", 41, 0x80, group=1 - group)
        assert (pe.read(f"HPPIR{group}"), pe.read(f"HPPIR{1 - group}")) == (1023, 41)
        assert pe.lines == ("fiq" if group else "irq")


def test_sel_3_subpriority_bits_take_part():
    """SEL-3: the whole priority is compared, though both are of one group priority."""
    pe = guest(vmcr=0xF8FC0003)
    pe["LR0"] = lr("P", 40, 0x88)
    pe["LR1"] = lr("P", 41, 0x80)
    assert pe.read("HPPIR1") == 41


def test_sel_4_a_tie_goes_to_the_lowest_index():
    """SEL-4: equal priorities are taken lowest LR first, across the groups too."""
    pe = guest()
    for n, (vintid, group) in enumerate(((43, 1), (42, 1), (41, 0), (40, 1))):
        pe[f"LR{n}"] = lr("P", vintid, 0x80, group=group)
    assert (pe.read("HPPIR1"), pe.read("HPPIR0")) == (43, 1023)
    pe["LR0"] = 0
    assert pe.read("HPPIR1") == 42
    pe["LR1"] = 0
    assert (pe.read("HPPIR1"), pe.read("HPPIR0")) == (1023, 41)


def test_sel_6_priority_ff_is_never_selected_with_8_bits():
    """SEL-6: the comparison starts from FF and is strict; FE is selectable."""
    pe = guest(GicConfig(pri_bits=8), vmcr=0xFF4C0003)
    pe["LR0"] = lr("P", 40, 0xFF)
    assert (pe.read("HPPIR1"), pe.lines) == (1023, "")
    pe["LR1"] = lr("P", 41, 0xFE)
    assert (pe.read("HPPIR1"), pe.lines) == (41, "irq")


def test_sel_8_selection_ignores_mask_and_running_priority():
    """SEL-8, HPP-2: neither PMR nor an active priority nor En hides the entry from HPPIR."""
    pe = guest(vmcr=0x004C0003)
    pe["LR0"] = lr("P", 40, 0xF8)
    pe["AP0R0"], pe["HCR"] = 1, 0
    assert (pe.read("HPPIR1"), pe.lines) == (40, "")


def test_hpp_1_no_candidate():
    """HPP-1: nothing pending reads 1023 in both."""
    pe = guest()
    pe["LR0"] = lr("A", 40, 0x80)
    assert (pe.read("HPPIR0"), pe.read("HPPIR1")) == (1023, 1023)


# -- signalling -------------------------------------------------------------------------------------


@pytest.mark.parametrize("pri_bits", [5, 6, 7, 8])
def test_sig_2_equal_to_the_mask_is_masked(pri_bits: int):
    """SIG-2: only priorities strictly below VPMR pass."""
    step = 1 << 8 - pri_bits
    pe = guest(GicConfig(pri_bits=pri_bits))
    pe["LR0"] = lr("P", 40, 0x80)
    seen = []
    for mask in (0x80 - step, 0x80, 0x80 + step):
        pe.write("PMR", mask)
        seen.append(pe.lines)
    assert seen == ["", "", "irq"]


@pytest.mark.parametrize("group", [0, 1])
def test_sig_3_with_nothing_active_no_preemption_is_needed(group: int):
    """SIG-3: with BPR 7 group 0 compares nothing, and still signals while no priority bit is set."""
    pe = guest(vmcr=0xF8EC0003)
    pe["LR0"] = lr("P", 40, 0xF0, group=group)
    assert pe.lines == ("irq" if group else "fiq")
    pe["AP1R0"] = 1 << 31
    assert pe.lines == ("irq" if group else "")


@pytest.mark.parametrize("bpr1", range(3, 8))
def test_sig_5_group_1_mask_is_one_bit_finer(bpr1: int):
    """SIG-4, SIG-5: Group 1 preempts by the bits from VBPR1 up, against the masked running priority."""
    pe = guest(vmcr=0xF8400003 | bpr1 << 18)
    pe["AP1R0"] = 1 << (0x80 >> 3)
    for priority in range(0, 0x88, 8):
        pe["LR0"] = lr("P", 40, priority)
        assert pe.lines == ("irq" if priority >> bpr1 < 0x80 >> bpr1 else ""), hex(priority)


@pytest.mark.parametrize("bpr0", range(2, 8))
def test_sig_5_group_0_mask_and_cbpr(bpr0: int):
    """SIG-5: Group 0 preempts by the bits above BPR0, and with CBPR Group 1 does so too."""
    pe = guest(vmcr=0xF8000013 | bpr0 << 21 | 3 << 18)
    pe["AP0R0"] = 1 << (0xC0 >> 3)
    for priority in range(0, 0xC8, 8):
        expected = priority >> bpr0 + 1 < 0xC0 >> bpr0 + 1
        pe["LR0"] = lr("P", 40, priority, group=0)
        assert pe.lines == ("fiq" if expected else ""), hex(priority)
        pe["LR0"] = lr("P", 40, priority, group=1)
        assert pe.lines == ("irq" if expected else ""), hex(priority)


def test_sig_5_bpr0_7_stops_all_preemption():
    """SIG-5: the mask is 0, so not even priority 0 preempts F8."""
    pe = guest(vmcr=0xF8EC0003)
    pe["AP1R0"] = 1 << 31
    pe["LR0"] = lr("P", 40, 0, group=0)
    assert (pe.lines, pe.read("IAR0")) == ("", 1023)


def test_sig_7_a_blocked_best_blocks_the_other_group():
    """SIG-7: a Group 0 best that cannot preempt keeps a Group 1 entry from vIRQ and IAR1."""
    pe = guest(vmcr=0xF8EC0003)
    pe["LR0"] = lr("P", 40, 0x10, group=0)
    pe["LR1"] = lr("P", 41, 0x18, group=1)
    pe["AP1R0"] = 1 << 16
    assert (pe.lines, pe.read("IAR1"), pe.read("IAR0")) == ("", 1023, 1023)
    pe["LR0"] = 0
    assert (pe.lines, pe.read("IAR1")) == ("irq", 41)


# -- acknowledge ------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", [0, 1])
def test_iar_1_the_best_of_the_group_is_acknowledged(group: int):
    """IAR-1: the selected one's INTID is returned, and its list register alone becomes active."""
    pe = guest()
    pe["LR0"] = lr("P", 40, 0x88, group=group)
    pe["LR1"] = lr("P", 41, 0x80, group=group)
    assert pe.read(f"IAR{1 - group}") == 1023
    assert pe.read(f"IAR{group}") == 41
    assert (pe["LR0"], pe["LR1"]) == (lr("P", 40, 0x88, group=group), lr("A", 41, 0x80, group=group))


def test_iar_2_every_refusal_changes_nothing():
    """IAR-2: En=0, masked, not preempting, wrong group, disabled: 1023 and no change."""
    refusals = {
        "en": lambda pe: pe.__setitem__("HCR", 0),
        "masked": lambda pe: pe.write("PMR", 0x80),
        "running": lambda pe: pe.__setitem__("AP0R0", 1 << 16),
        "group": lambda pe: pe.__setitem__("LR0", lr("P", 40, 0x80, group=0)),
        "disabled": lambda pe: pe.write("IGRPEN1", 0),
        "active": lambda pe: pe.__setitem__("LR0", lr("PA", 40, 0x80)),
    }
    for name, refuse in refusals.items():
        pe = guest()
        pe["LR0"] = lr("P", 40, 0x80)
        refuse(pe)
        before = pe.observed()
        assert pe.read("IAR1") == 1023, name
        assert pe.observed() == before, name


@pytest.mark.parametrize(
    ("pre_bits", "priority", "word", "bit"), [(5, 0xF8, 0, 31), (6, 0xFC, 1, 31), (7, 0x42, 1, 1)]
)
def test_iar_4_group_0_bit_for_every_width(pre_bits: int, priority: int, word: int, bit: int):
    """IAR-4: bit (priority & gm) >> (8-VPRE) of the group's words, and only that."""
    pe = guest(GicConfig(pri_bits=7, pre_bits=pre_bits), vmcr=0xFE000003)
    pe["LR0"] = lr("P", 40, priority, group=0)
    assert pe.read("IAR0") == 40
    words = pe.golden.state().ap0r
    assert words == [1 << bit if n == word else 0 for n in range(len(words))]
    assert not any(pe.golden.state().ap1r)


@pytest.mark.parametrize("vintid", [1020, 1021, 1022, 1023])
def test_iar_6_special_intid_in_a_list_register(vintid: int):
    """IAR-6: the entry becomes Invalid, no priority becomes active, the raw number is returned."""
    pe = guest()
    pe["LR1"] = lr("P", vintid, 0x80, eoi=True)
    assert pe.read("IAR1") == vintid
    assert pe["LR1"] == lr("I", vintid, 0x80, eoi=True)
    assert (pe["AP1R0"], pe["AP0R0"]) == (0, 0)


def test_iar_3_ordinary_intids_around_the_special_ones():
    """IAR-3, IAR-6: 1019 and 1024 are acknowledged as usual."""
    for vintid in (1019, 1024):
        pe = guest()
        pe["LR0"] = lr("P", vintid, 0x80)
        assert pe.read("IAR1") == vintid
        assert pe["LR0"] == lr("A", vintid, 0x80)


def test_iar_7_acknowledge_deactivates_nothing():
    """IAR-7, HW-2: neither IAR, nor an LR rewrite, nor En, nor EOImode 1's EOIR touches the physical side."""
    pe = guest(vmcr=0xF84C0203)
    pe["LR0"] = lr("P", 40, 0x80, pintid=40)
    assert pe.read("IAR1") == 40
    pe.write("EOIR1", 40)
    pe["HCR"] = 0
    pe["LR0"] = 0
    assert pe.golden.take_deactivations() == []
