"""What the models with another's bugs do exactly: a bug alone, and everything else as it should be."""

import pytest

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.mmio_map import lookup_mmio
from hw.registers import lookup
from sim.deviations_peers import PeersV2, PeersV3
from sim.deviations_v2 import DeviationsV2
from sim.directed import DIRECTED, DIRECTED_V2, load_directed, run_directed
from sim.engines.golden import GoldenPort, GoldenV2Port
from sim.golden import Golden
from sim.golden.peers import PeerGolden
from sim.golden_v2 import GoldenV2
from sim.golden_v2.deviating import DeviatingV2, make_golden_v2
from sim.golden_v2.peers import PeerGoldenV2
from sim.port import Access, run
from tests.sim.pe import CONFIG, Pe, lr

V3 = load_directed(DIRECTED)
V2 = load_directed(DIRECTED_V2)
ACTIVE_80 = 1 << 16


def peer(**switches) -> Pe:
    """Return a PE with some bugs, both groups enabled."""
    pe = Pe(CONFIG)
    pe.golden = PeerGolden(CONFIG, PeersV3(**switches))
    pe["VMCR"] = 0xF84C0003
    return pe


@pytest.mark.parametrize("test", V3, ids=[f"{t.number}-{'-'.join(t.rules)}" for t in V3])
def test_without_bugs_the_peer_is_the_architecture(test):
    port = GoldenPort(test.config)
    port.golden = PeerGolden(test.config)
    assert [str(mismatch) for mismatch in run(run_directed(port, test))] == []


@pytest.mark.parametrize("kind", ["peer", "one harmless switch"])
@pytest.mark.parametrize("test", V2, ids=[f"{t.number}-{'-'.join(t.rules)}" for t in V2])
def test_without_bugs_the_gicv2_models_are_the_architecture(test, kind):
    """W2 shows in GICV_HPPIR of an SGI only; with it the overridden rules run, and give the same."""
    if kind == "peer":
        golden = PeerGoldenV2(test.config)
    else:
        golden = DeviatingV2(test.config, DeviationsV2(w2_hppir_without_cpuid=True))
    port = GoldenV2Port(test.config)
    port.golden = golden
    mismatches = [str(mismatch) for mismatch in run(run_directed(port, test))]
    assert mismatches == [] or (kind != "peer" and all("HPPIR" in one for one in mismatches)), mismatches


# -- GICv3 -------------------------------------------------------------------------------------------------


def test_gem1_count_only_rises():
    """GEM1: a smaller EOIcount is refused, a larger or equal one taken, and the other bits always."""
    pe = peer(gem1_count_only_rises=True)
    for written, stored in (
        (0x1800_0001, 0x1800_0001), (0x1000_0003, 0x1800_0003), (0x1800_0005, 0x1800_0005),
        (0x2000_0000, 0x2000_0000), (0x0000_0001, 0x2000_0001),
    ):  # fmt: skip
        pe["HCR"] = written
        assert pe["HCR"] == stored


def test_renode1_count_is_read_only():
    """RENODE1: EOIcount stays, up and down; the other bits are written."""
    pe = peer(renode1_count_read_only=True)
    pe["HCR"] = 0xF800_0003
    assert pe["HCR"] == 3
    pe["AP1R0"] = ACTIVE_80
    pe.write("EOIR1", 40)
    assert pe["HCR"] == 0x0800_0003
    pe["HCR"] = 1
    assert pe["HCR"] == 0x0800_0001


def test_gem4_maintenance_toggles():
    """GEM4: the level drops at the next change and rises at the one after; reads change nothing."""
    pe = peer(gem4_maintenance_toggles=True)

    def shown() -> tuple[str, bool]:
        return pe.lines, pe.golden.lines().maintenance

    assert shown() == ("", False)
    pe["HCR"] = 3
    assert shown() == ("", True)
    assert pe["MISR"] == 2
    assert shown() == ("", True)
    pe["LR1"] = 0
    assert shown() == ("", False)
    pe["VMCR"] = 0xF84C0003
    assert shown() == ("", True)
    pe["LR0"] = lr("P", 40, 0x80)
    assert shown() == ("irq", False)
    pe.read("IAR1")
    assert shown() == ("", True), "an acknowledge is a change"


def test_gem5_stale_lines():
    """GEM5: after VMCR, AP<m>R<n> and CTLR the lines are what they were; any other change shows them."""
    pe = peer(gem5_stale_lines=True)
    assert PeerGolden(CONFIG, PeersV3(gem5_stale_lines=True)).lines() == Golden(CONFIG).lines()
    pe["HCR"] = 1
    pe["LR0"] = lr("P", 40, 0x80)
    assert pe.lines == "irq"
    pe["VMCR"] = 0xF84C0000
    assert pe.lines == "irq"
    pe["LR1"] = 0
    assert pe.lines == ""
    pe["VMCR"] = 0xF84C0003
    assert pe.lines == ""
    pe["LR1"] = 0
    pe["AP1R0"] = ACTIVE_80
    assert pe.lines == "irq"
    pe.write("CTLR", 0)
    assert pe.lines == "irq"
    pe.write("PMR", 0xF8)
    assert pe.lines == ""


def test_gem6_ctlr_is_remembered_by_itself():
    """GEM6: a read gives what was last written to ICV_CTLR, whatever ICH_VMCR says; the rest is constant."""
    strict, pe = peer(), peer(gem6_own_ctlr=True)
    constant = strict.read("CTLR")
    for each in (strict, pe):
        each.write("CTLR", 0xFFFF_FFFF)
    assert strict.read("CTLR") == pe.read("CTLR") == constant | 3
    pe["VMCR"] = 0xF84C0003
    assert pe.read("CTLR") == constant | 3
    for value in (2, 1, 0):
        pe.write("CTLR", value)
        assert pe.read("CTLR") == constant | value


def test_gem6b_pribits_only():
    """GEM6B: PRIbits is another number; nothing else of ICV_CTLR changes."""
    for bits in (5, 6, 8):
        config = GicConfig(pri_bits=bits)
        strict, pe = Pe(config), Pe(config)
        pe.golden = PeerGolden(config, PeersV3(gem6b_own_pribits=True))
        assert strict.read("CTLR") >> 8 & 7 == bits - 1
        assert strict.read("CTLR") ^ pe.read("CTLR") == ((bits - 1) ^ (8 - bits)) << 8


def test_gem7_active_priorities_of_the_guest_are_apart():
    """GEM7: ICV_AP<m>R<n> read 0 and ignore writes; ICH_AP<m>R<n> are as always."""
    pe = peer(gem7_own_apr=True)
    pe["AP1R0"] = ACTIVE_80
    assert (pe.read("AP1R0"), pe["AP1R0"]) == (0, ACTIVE_80)
    pe.write("AP1R0", 1)
    assert pe["AP1R0"] == ACTIVE_80


@pytest.mark.parametrize("group", [0, 1])
def test_gem8_levels_have_no_binary_point(group):
    """GEM8: the level of the whole priority is set, and completion still finds its interrupt by it."""
    pe = peer(gem8_apr_ignores_bpr=True)
    pe["VMCR"] = 0xF8B80003
    pe["HCR"], pe["LR0"] = 1, lr("P", 40, 0x98, group=group)
    other = ACTIVE_80 << 8
    pe[f"AP{1 - group}R0"] = other
    assert pe.read(f"IAR{group}") == 40
    assert (pe[f"AP{group}R0"], pe[f"AP{1 - group}R0"]) == (1 << (0x98 >> 3), other)
    before = pe["VMCR"]
    pe.write(f"EOIR{group}", 40)
    assert (pe[f"AP{group}R0"], pe["LR0"] >> 62, pe["VMCR"]) == (0, 0, before)


def test_gem8_nothing_acknowledged_sets_nothing():
    pe = peer(gem8_apr_ignores_bpr=True)
    pe["HCR"], pe["AP1R0"] = 1, 1 << 4
    assert pe.read("IAR1") == 1023
    assert (pe["AP0R0"], pe["AP1R0"]) == (0, 1 << 4)


@pytest.mark.parametrize("split", [0, 1])
def test_gem2_eoir0_deactivates(split):
    """GEM2: EOIR0 deactivates in EOImode 1 as well, EOIR1 does not; EOImode stays."""
    pe = peer(gem2_eoir0_ignores_split=True)
    pe["VMCR"] = 0xF84C0003 | split << 9
    pe["HCR"], pe["AP0R0"], pe["LR0"], pe["LR1"] = 1, ACTIVE_80, lr("A", 40, 0x80, group=0), lr("A", 41, 0x80)
    pe.write("EOIR0", 40)
    assert (pe["LR0"] >> 62, pe["VMCR"] >> 9 & 1) == (0, split)
    pe["AP0R0"], pe["AP1R0"] = 0, ACTIVE_80
    pe.write("EOIR1", 41)
    assert pe["LR1"] >> 62 == (2 if split else 0)
    pe["AP0R0"] = ACTIVE_80
    pe.write("EOIR0", 99)
    assert pe["HCR"] >> 27 == (0 if split else 1)


def test_gem3_absent_lpis_count():
    """GEM3: EOIR with something active, and DIR in EOImode 1, count an LPI that is in no list register."""
    pe = peer(gem3_lpis_count=True)
    pe["HCR"], pe["AP1R0"], pe["LR0"] = 1, ACTIVE_80, lr("A", 8200, 0x80)
    pe.write("EOIR1", 8192)
    assert (pe["HCR"] >> 27, pe["AP1R0"]) == (1, 0)
    pe.write("EOIR1", 8192)
    assert pe["HCR"] >> 27 == 1, "nothing was active"
    pe["AP1R0"] = ACTIVE_80
    pe.write("EOIR1", 8200)
    assert (pe["HCR"] >> 27, pe["LR0"] >> 62) == (1, 0), "present, so deactivated"
    pe.write("DIR", 8192)
    assert pe["HCR"] >> 27 == 1, "EOImode 0"
    pe["VMCR"] = 0xF84C0203
    pe.write("DIR", 8192)
    assert pe["HCR"] >> 27 == 2
    pe["LR0"] = lr("A", 8200, 0x80)
    pe.write("DIR", 8200)
    assert (pe["HCR"] >> 27, pe["LR0"] >> 62) == (2, 2), (
        "present: not counted, and DIR of an LPI does nothing"
    )
    pe["LR1"] = lr("A", 40, 0x80)
    pe.write("DIR", 40)
    assert pe["LR1"] >> 62 == 0


def test_gem13_lpis_stay_active():
    """GEM13: in EOImode 1 an LPI stays active at its EOI, though its level drops; in EOImode 0 it goes."""
    for split, state in ((1, 2), (0, 0)):
        pe = peer(gem13_lpi_stays_active=True)
        pe["VMCR"] = 0xF84C0003 | split << 9
        pe["HCR"], pe["AP1R0"], pe["LR0"] = 1, ACTIVE_80, lr("A", 8192, 0x80)
        pe.write("EOIR1", 8192)
        assert (pe["LR0"] >> 62, pe["AP1R0"]) == (state, 0)


def test_gem10_and_renode6_trap_other_sets():
    """GEM10 still traps by TC, RENODE6 by nothing; ICH_HCR_EL2 keeps what was written, and EL2 is unmoved."""
    for switch, tc in (("gem10_traps_ignored", "TRAP_EL2"), ("renode6_traps_ignored", "OK")):
        pe = peer(**{switch: True})
        pe["HCR"] = 0x5801
        for name in ("IAR0", "IAR1", "CTLR"):
            assert _outcome(pe, name) == "OK", (switch, name)
        assert pe["HCR"] == 0x5801
        pe["HCR"] = 0x401
        assert _outcome(pe, "PMR") == tc
        assert pe["HCR"] == 0x401


def _outcome(pe: Pe, name: str) -> str:
    return pe.golden.access(Access(1, lookup(f"ICC_{name}_EL1"))).outcome.name


def test_gem11_and_gem12_keep_bits():
    """GEM11: PMR by its own name keeps eight bits; GEM12: pINTID stays while HW is 0."""
    pe = peer(gem11_pmr_unmasked=True)
    pe.write("PMR", 0x1FF)
    assert pe.read("PMR") == 0xFF
    pe = peer(gem12_pintid_stays=True)
    pe["LR0"] = lr("P", 40, 0x80) | 1 << 61 | 0x155 << 32
    pe["LR0"] = lr("P", 41, 0x80) | 0x0AA << 32
    assert pe["LR0"] == lr("P", 41, 0x80) | 0x155 << 32
    pe["LR0"] = lr("P", 42, 0x80) | 1 << 61 | 0x0AA << 32
    assert pe["LR0"] == lr("P", 42, 0x80) | 1 << 61 | 0x0AA << 32
    pe["LR1"] = lr("P", 41, 0x80) | 0x0AA << 32
    assert pe["LR1"] == lr("P", 41, 0x80), "each list register has its own"


def test_renode5_any_lr_of_the_intid_matches():
    """RENODE5: whatever the LR's state, EOIcount stays; another INTID counts."""
    pe = peer(renode5_stale_lr_matches=True)
    pe["HCR"], pe["AP1R0"], pe["LR2"] = 1, ACTIVE_80, lr("I", 40, 0x80)
    pe.write("EOIR1", 40)
    assert pe["HCR"] >> 27 == 0
    pe["AP1R0"] = ACTIVE_80
    pe.write("EOIR1", 41)
    assert pe["HCR"] >> 27 == 1


def test_renode7_no_binary_points():
    """RENODE7: VBPR0, VBPR1 and VCBPR take no effect from ICH_VMCR; the other fields do."""
    pe = peer(renode7_no_binary_points=True)
    pe["VMCR"] = 0x88FC0213
    assert (pe.read("BPR0"), pe.read("BPR1"), pe.read("PMR"), pe.read("CTLR") & 3) == (2, 3, 0x88, 2)


def test_renode4_the_status_is_still_there():
    pe = peer(renode4_no_maintenance=True)
    pe["HCR"] = 3
    assert (pe["MISR"], pe.lines) == (2, "")


def test_renode3_has_no_status_registers():
    """What is not there is UNDEFINED, as anything else that is not."""
    pe = peer(renode3_no_status=True)
    missing = pe.golden.access(Access(1, lookup("ICH_HCR_EL2")))
    for name in ("EISR", "ELRSR", "MISR"):
        assert pe.golden.access(Access(2, lookup(f"ICH_{name}_EL2"))) == missing


# -- GICv2 -------------------------------------------------------------------------------------------------


def v2(**switches) -> PeerGoldenV2:
    golden = PeerGoldenV2(GicV2Config(), PeersV2(**switches))
    golden.write_vmcr(0xF84C0003)
    return golden


def test_vgic5_and_vgic6_status():
    """VGIC5: ELRSR has all that is empty; VGIC6: EISR has what asks for an EOI, HW or not."""
    empty_eoi, empty_hw_eoi, empty = 1 << 19, 1 << 31 | 1 << 19, 0
    for switch, eisr, elrsr in ((None, 0b0001, 0b1110), ("vgic5_elrsr_ignores_eoi", 0b0001, 0b1111),
                                ("vgic6_eisr_ignores_hw", 0b0011, 0b1110)):  # fmt: skip
        golden = v2(**({switch: True} if switch else {}))
        for n, value in enumerate((empty_eoi, empty_hw_eoi, empty, empty)):
            golden.write_lr(n, value)
        assert (golden.eisr(), golden.elrsr()) == (eisr, elrsr), switch


def test_vgic3_and_vgic4_signal_what_is_masked():
    """VGIC3: whatever PMR is; VGIC4: whatever is active. Both are left as they were."""
    for switch in (None, "vgic3_no_priority_mask", "vgic4_no_preemption"):
        golden = v2(**({switch: True} if switch else {}))
        golden.write_hcr(1)
        golden.write_lr(0, 1 << 28 | 1 << 30 | 0x10 << 23 | 40)
        golden.pmr = 0x80
        assert golden.lines().virq == (switch == "vgic3_no_priority_mask")
        golden.pmr, golden.apr = 0xF8, 1 << 8
        assert golden.lines().virq == (switch == "vgic4_no_preemption")
        assert (golden.pmr, golden.apr) == (0xF8, 1 << 8)


def test_vcml2_and_vgic1_do_not_count():
    for switch, written in (("vcml2_no_count", 0), ("vgic1_never_counts", 0x0800_0000), (None, 0x0800_0000)):
        golden = v2(**({switch: True} if switch else {}))
        golden.write_hcr(0x0800_0001)
        assert golden.hcr == written | 1
        golden.apr = 1 << 16
        golden.complete(40, True, True)
        assert golden.apr == 0
        assert golden.hcr == (0x1000_0001 if switch is None else written | 1), switch


def test_vcml4_abpr_is_apart():
    golden = v2(vcml4_vmcr_drops_abpr=True)
    golden.write_abpr(6)
    golden.write_vmcr(0xF84C0003)
    assert (golden.abpr, golden.bpr) == (6, 2)


# -- QEMU's GICv2 ------------------------------------------------------------------------------------------


def deviating(**switches) -> DeviatingV2:
    golden = DeviatingV2(GicV2Config(), DeviationsV2(**switches))
    golden.write_vmcr(0xF84C0007)
    golden.write_hcr(1)
    return golden


def _lr(intid: int, cpu: int = 0, state: int = 1, priority: int = 0x10, group: int = 0) -> int:
    return group << 30 | state << 28 | priority << 23 | cpu << 10 | intid


@pytest.mark.parametrize(
    ("intid", "cpu", "identifier"), [(5, 3, 0xC05), (15, 7, 0x1C0F), (16, 3, 16), (40, 0, 40)]
)
def test_w14_only_sgis_have_a_source(intid, cpu, identifier):
    """W14: an acknowledge gives the CPUID of SGIs alone, the architecture that of any LR."""
    for switch, value in (("w14_cpuid_of_sgis", identifier), ("w2_hppir_without_cpuid", cpu << 10 | intid)):
        golden = deviating(**{switch: True})
        golden.write_lr(0, _lr(intid, cpu))
        assert golden.read_iar() == value
        assert golden.lr[0] >> 28 & 3 == 2


def test_w2_hppir_has_no_source():
    golden = deviating(w2_hppir_without_cpuid=True)
    golden.write_lr(0, _lr(5, 3))
    assert (golden.read_hppir(), deviating(w1_no_aliases=True).read_hppir()) == (5, 1023)


def test_w4_an_entry_of_a_disabled_group_drives_no_line():
    """W4: it is selected, so it keeps others back, but it is not signalled, wherever it stands."""
    for place in (0, 1):
        golden = deviating(w4_disabled_groups_selected=True)
        golden.write_vmcr(0xF84C0002)
        golden.write_lr(place, _lr(40, priority=0))
        golden.write_lr(2, _lr(41, group=1))
        assert golden.select() == place
        assert not golden.lines().virq and not golden.lines().vfiq


@pytest.mark.parametrize(("priority", "taken"), [(0x0F, True), (0x10, False), (0x11, False)])
def test_w10_preemption_is_still_strict(priority, taken):
    golden = deviating(w10_preemption_unmasked=True)
    golden.apr = 1 << 16
    golden.write_lr(0, _lr(40, priority=priority))
    assert golden.read_iar() == (40 if taken else 1023)


@pytest.mark.parametrize(
    ("switch", "states"), [("w12_entry_found_by_intid", (2, 1)), ("w2_hppir_without_cpuid", (2, 2))]
)
def test_w12_the_lowest_entry_of_the_intid_is_taken(switch, states):
    """W12: the entry that is acknowledged is the first that holds the INTID, not the one selected."""
    golden = deviating(**{switch: True})
    golden.write_lr(0, _lr(40, state=2))
    golden.write_lr(1, _lr(40))
    assert golden.read_iar() == 40
    assert tuple(golden.lr[n] >> 28 & 3 for n in (0, 1)) == states


def test_the_strict_gicv2_model_is_taken_when_no_switch_is_on():
    assert type(make_golden_v2(GicV2Config())) is GoldenV2
    assert type(make_golden_v2(GicV2Config(), DeviationsV2(w1_no_aliases=True))) is DeviatingV2


@pytest.mark.parametrize(("switch", "answer"), [("w11_group1_before_running", 1022), ("w1_no_aliases", 1023)])
def test_w11_group_1_is_told_of_before_the_running_priority_is_looked_at(switch, answer):
    golden = deviating(**{switch: True})
    golden.write_vmcr(0xF84C0003)
    golden.apr = 1
    golden.write_lr(0, _lr(40, group=1))
    assert golden.read_iar() == answer


@pytest.mark.parametrize("intid", [1019, 1020, 1021])
def test_w13_special_intids_stay(intid):
    """W13: an acknowledge gives the INTID and leaves a special one pending; others are acknowledged."""
    golden = deviating(w13_special_intids_stay=True)
    golden.write_lr(0, _lr(intid))
    assert golden.read_hppir() == golden.read_iar() == intid
    assert golden.lr[0] >> 28 & 3 == (2 if intid == 1019 else 1)


def test_effects_are_those_of_the_last_access():
    golden = deviating(w2_hppir_without_cpuid=True)
    golden.write_lr(0, _lr(5, 3))
    for name, effects in (("GICV_HPPIR", {"W2"}), ("GICV_RPR", set()), ("GICV_IAR", set())):
        golden.access(Access(1, lookup_mmio(name)))
        assert golden.effects == effects, name
