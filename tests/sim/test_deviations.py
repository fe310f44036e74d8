"""The deviation switches: what each changes, that it is reported, and that nothing else changes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.config import GicConfig
from hw.errors import InputError
from sim.deviations import STRICT, Deviations
from sim.golden import Golden
from sim.port import GUEST, Outcome
from tests.sim.pe import CONFIG, Pe, lr
from tests.sim.streams import streams

ACTIVE_80 = 1 << 16


def both(config: GicConfig = CONFIG, **switches) -> tuple[Pe, Pe]:
    """Return a strict and a deviating PE."""
    return Pe(config), Pe(config, Deviations(**switches))


def test_strict_is_the_default_and_reports_nothing():
    """A model without switches never reports an effect."""
    assert Deviations() == STRICT
    assert STRICT.enabled == ()
    pe = Pe()
    pe["VMCR"], pe["LR0"] = 0xFFFFFFFF, 0xFFFF_FFFF_FFFF_FFFF
    assert pe.golden.effects == set()


def test_d1_vmcr_keeps_all_mask_bits():
    """D1 against REG-4: PMR reads FF and F8 becomes signallable; the PMR path stays filtered."""
    strict, pe = both(d1_vmcr_keeps_pmr=True)
    for each in (strict, pe):
        each["LR0"], each["HCR"], each["VMCR"] = lr("P", 40, 0xF8), 1, 0xFF4C0003
    assert pe.golden.effects == {"D1"}
    assert (strict.read("PMR"), pe.read("PMR")) == (0xF8, 0xFF)
    assert (strict.lines, pe.lines) == ("", "irq")
    pe.write("PMR", 0xFF)
    assert pe.read("PMR") == 0xF8


def test_d2_counts_in_mode_1():
    """D2 against EOI-7: the unmatched EOIR counts in EOImode 1; reported there only."""
    strict, pe = both(d2_count_in_mode1=True)
    for each in (strict, pe):
        each["VMCR"], each["AP1R0"], each["HCR"] = 0xF84C0203, ACTIVE_80, 1
        each.write("EOIR1", 40)
    assert (strict["HCR"], set(pe.golden.effects), pe["HCR"]) == (1, {"D2"}, 0x08000001)
    pe["VMCR"], pe["AP1R0"] = 0xF84C0003, ACTIVE_80
    pe.write("EOIR1", 40)
    assert (set(pe.golden.effects), pe["HCR"]) == (set(), 0x10000001)


@pytest.mark.parametrize("enabled", range(4))
def test_d3_vgrp0d_tests_veng1(enabled: int):
    """D3 against MNT-7: VGrp0D follows VENG1; reported where VENG0 and VENG1 differ."""
    strict, pe = both(d3_vgrp0d_tests_veng1=True)
    for each in (strict, pe):
        each["VMCR"], each["HCR"] = 0x004C0000 | enabled, 0x21
    assert (strict["MISR"], pe["MISR"]) == (0 if enabled & 1 else 0x20, 0 if enabled & 2 else 0x20)
    assert pe.golden.effects == ({"D3"} if enabled in (1, 2) else set())


def test_d4_clamps_before_cutting():
    """D4 against REG-2: 8 is above the minimum and stores 0; 0..7 are as they should be."""
    strict, pe = both(d4_bpr_clamped_first=True)
    for value, architecture, deviation in ((8, 2, 0), (9, 2, 1), (1, 2, 2), (6, 6, 6), (14, 6, 6)):
        for each in (strict, pe):
            each.write("BPR0", value)
        assert pe.golden.effects == ({"D4"} if architecture != deviation else set())
        assert (strict.read("BPR0"), pe.read("BPR0")) == (architecture, deviation)


@pytest.mark.parametrize("vintid", [1024, 8191])
def test_d6_dir_ignores_the_range(vintid: int):
    """D6 against DIR-3, EOI-13: neither deactivated nor counted; EOIR still takes it."""
    strict, pe = both(d6_dir_ignores_range=True)
    for each in (strict, pe):
        each["VMCR"], each["HCR"] = 0xF84C0203, 1
        each.write("DIR", vintid)
    assert (strict["HCR"], set(pe.golden.effects), pe["HCR"]) == (0x08000001, {"D6"}, 1)
    pe.write("DIR", 1019)
    assert (set(pe.golden.effects), pe["HCR"]) == (set(), 0x08000001)


def test_d7_lr_keeps_reserved_bits():
    """D7 against REG-7: bits [58:56], [47:45] and 32 vINTID bits stay, bit 59 and low priorities do not."""
    _, pe = both(d7_lr_keeps_reserved=True)
    pe["LR0"] = 0xFFFF_FFFF_FFFF_FFFF
    assert pe.golden.effects == {"D7"}
    assert pe["LR0"] == 0xF7F8_FFFF_FFFF_FFFF
    pe["VMCR"], pe["HCR"], pe["LR0"] = 0xF84C0003, 1, lr("P", 0x1200_0028, 0x80)
    assert (pe.read("HPPIR1"), pe.read("IAR1")) == (0x1200_0028, 0x1200_0028)
    pe.write("EOIR1", 0x1200_0028)
    assert pe["LR0"] >> 62 == 2


def test_d8_pintid_is_cut():
    """D8 against HW-3: 1024 + 40 deactivates 40; 1024 + 1020 nothing."""
    for pintid, requests, effects in ((1064, [40], {"D8"}), (2044, [], set()), (40, [40], set())):
        _, pe = both(d8_pintid_10_bits=True)
        pe["VMCR"], pe["AP1R0"], pe["HCR"], pe["LR0"] = (
            0xF84C0003,
            ACTIVE_80,
            1,
            lr("A", 40, 0x80, pintid=pintid),
        )
        pe.write("EOIR1", 40)
        assert (pe.golden.effects, pe.golden.take_deactivations()) == (effects, requests)


def test_d9_other_hcr_fields():
    """D9 against section 1.2: TSEI is stored without SEIS, vSGIEOICount and DVIM never."""
    strict, pe = both(GicConfig(nv4=False, dvim=True), d9_hcr_fields=True)
    for each in (strict, pe):
        each["HCR"] = 0xA101
    assert (strict["HCR"], pe["HCR"]) == (0x8101, 0x2001)
    pe["HCR"] = 1
    assert pe.golden.effects == set()
    pe["HCR"] = 0x2001
    assert pe.golden.effects == {"D9"}


@pytest.mark.parametrize(("physical", "el1_words"), [(5, 1), (6, 2), (7, 4), (8, 4)])
def test_q7_apr_words_by_the_physical_width(physical: int, el1_words: int):
    """Q7 against REG-9: at EL1 the words of the physical width exist, at EL2 those of the build."""
    pe = Pe(GicConfig(pri_bits=6, pre_bits=6), Deviations(q7_el1_pri_bits=physical))
    for n in range(4):
        assert pe.access(2, f"ICH_AP1R{n}_EL2").outcome == (Outcome.OK if n < 2 else Outcome.UNDEF)
        assert pe.access(1, f"ICC_AP1R{n}_EL1").outcome == (Outcome.OK if n < el1_words else Outcome.UNDEF)
        assert pe.golden.effects == ({"Q7"} if (n < 2) != (n < el1_words) else set())


def test_q7_surplus_words_are_only_stored():
    """Q7: a word that the virtual side lacks is read back and makes no priority active."""
    pe = Pe(CONFIG, Deviations(q7_el1_pri_bits=7))
    pe.write("AP1R2", 0x1_0000_0010)
    assert (pe.read("AP1R2"), pe.read("RPR"), pe["AP1R0"]) == (0x10, 0xFF, 0)
    pe.golden.reset()
    assert pe.read("AP1R2") == 0


def test_q7_surplus_words_are_zero_at_first_and_after_a_reset():
    """REG-13 holds for the words that Q7 adds."""
    pe = Pe(CONFIG, Deviations(q7_el1_pri_bits=7))
    for value in (0, 0x8001_8001):
        assert pe.read("AP0R1") == pe.read("AP1R3") == 0
        pe.write("AP0R1", value)
        pe.write("AP1R3", value)
        pe.golden.reset()


def test_phy_an_idle_physical_interface_answers():
    """PHY: reads that would be physical answer as an idle interface; writes and others stay UNDEFINED."""
    strict, pe = both(phy_idle_interface=True)
    context = GUEST._replace(imo=False)
    assert strict.access(1, "ICC_IAR1_EL1", context=context).outcome is Outcome.UNDEF
    answer = pe.access(1, "ICC_IAR1_EL1", context=context)
    assert (answer.outcome, answer.value, pe.golden.effects) == (Outcome.OK, 1023, {"PHY"})
    assert pe.access(2, "ICC_PMR_EL1").value == 0xFF
    assert pe.access(2, "ICC_PMR_EL1", 0).outcome is Outcome.UNDEF
    assert pe.access(2, "ICC_CTLR_EL1").outcome is Outcome.UNDEF


def test_late_maintenance():
    """LATE against MNT-4, MNT-6: no U, and LRENP from two on."""
    _, pe = both(late_maintenance=True)
    for hcr, misr, effects in (
        (3, 0, {"LATE"}),
        (0x08000005, 0, {"LATE"}),
        (0x10000005, 4, set()),
        (9, 8, set()),
    ):
        pe["HCR"] = hcr
        pe.golden.effects.clear()
        assert (pe["MISR"], pe.golden.effects) == (misr, effects)


def test_recorders():
    """Stock has everything but the late maintenance; fix repairs D2 and D3."""
    stock = ("D1", "D2", "D3", "D4", "D6", "D7", "D8", "D9", "Q7", "PHY")
    assert Deviations.qemu_stock().enabled == stock
    assert Deviations.qemu_fixed().enabled == tuple(name for name in stock if name not in ("D2", "D3"))
    assert Deviations.qemu_fixed(8).q7_el1_pri_bits == 8


def test_explain_names_the_rule():
    """Each name has one line with its rule; an unknown one is bad input."""
    assert Deviations.explain("D3") == "D3 (MNT-7): MISR.VGrp0D tests VENG1"
    for name in (*Deviations.qemu_stock().enabled, "LATE"):
        assert Deviations.explain(name).startswith(f"{name} (")
    with pytest.raises(InputError, match="unknown deviation 'D5'"):
        Deviations.explain("D5")


def test_impossible_physical_width():
    """A physical interface has 5..8 priority bits here."""
    with pytest.raises(InputError, match="q7_el1_pri_bits"):
        Deviations(q7_el1_pri_bits=4)


@settings(max_examples=60, deadline=None, print_blob=True)
@given(st.data())
def test_a_difference_always_has_a_reported_cause(data):
    """Random streams: a stock machine and the architecture part only behind a reported effect."""
    strict, stock = Golden(CONFIG), Golden(CONFIG, Deviations.qemu_stock())
    causes: set[str] = set()
    for access in data.draw(streams(CONFIG)):
        answers = stock.access(access), strict.access(access)
        shown = [(each.state(), each.lines(), each.take_deactivations()) for each in (stock, strict)]
        causes |= stock.effects
        if not causes:
            assert answers[0] == answers[1] and shown[0] == shown[1]
        if shown[0] == shown[1]:
            causes.clear()


@settings(max_examples=30, deadline=None, print_blob=True)
@given(st.data())
def test_a_storing_deviation_is_reported_in_the_very_access(data):
    """As long as both machines hold the same, an access after which they do not has a reported effect."""
    config = GicConfig(lrs=2, pri_bits=6, pre_bits=6, id_bits=24)
    strict, stock = Golden(config), Golden(config, Deviations.qemu_stock(8))
    for access in data.draw(streams(config)):
        answers = stock.access(access), strict.access(access)
        effects = set(stock.effects)
        same = restored(stock) == restored(strict)
        assert effects or (same and answers[0] == answers[1])
        if not same:
            break


def restored(golden: Golden):
    """Return what a model stores."""
    state = golden.state()
    return state.hcr, state.vmcr, state.ap0r, state.ap1r, state.lr, golden.deactivated
