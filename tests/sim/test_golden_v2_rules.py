"""The GICv2 golden model, strict and with QEMU's differences, where a small fault of it would show."""

import pytest

from hw.config_v2 import GicV2Config
from hw.mmio import Frame
from hw.mmio_map import lookup_mmio
from sim.deviations_v2 import DeviationsV2
from sim.golden_v2 import GoldenV2
from sim.golden_v2.deviating import DeviatingV2
from sim.port import Access, MmioAccess, Outcome


def _ask(golden, name, value=None):
    """Access a register; return what it reads."""
    response = golden.access(
        Access(1 if "GICV" in name else 2, lookup_mmio(name), value is not None, value or 0)
    )
    assert response.outcome is Outcome.OK
    return response.value


def _set(golden, **values):
    for name, value in values.items():
        _ask(golden, f"GICH_{name}", value)


def _lr(state, intid, priority=0x80, group=1):
    """Return a list register; State is 1 for pending, 2 for active."""
    return group << 30 | state << 28 | priority >> 3 << 23 | intid


def _effects_w(on, **storage):
    golden = DeviatingV2(GicV2Config(), DeviationsV2(**dict.fromkeys(on, True)))
    _set(golden, **storage)
    return golden


@pytest.mark.parametrize("enables", range(4))
def test_every_cause_shows_beside_every_other(enables):
    """MNT-1..7: each bit of GICH_MISR is its own cause's, whatever else is up."""
    for asked in range(0x80):
        golden = GoldenV2(GicV2Config())
        # LR0 was ended and asks for EOI; no other is in use; EOICount is 1; nothing is pending.
        _set(golden, LR0=1 << 19 | 40, VMCR=0xF84C0000 | enables, HCR=1 << 27 | asked << 1)
        groups = [enables & 1, not enables & 1, enables >> 1 & 1, not enables >> 1 & 1]
        causes = sum(bool(up) << n for n, up in enumerate([1, 1, 1, *groups], 1))
        assert _ask(golden, "GICH_MISR") == 1 | asked << 1 & causes


def test_state_is_what_the_registers_read():
    golden = GoldenV2(GicV2Config())
    _set(golden, LR0=1 << 19 | 40, LR1=_lr(1, 41), VMCR=0xA84C0203, HCR=0xFF, APR=0x50)
    state = golden.state()
    assert (state.eisr, state.elrsr, state.vmcr) == (1, 0b1100, 0xA84C0203)
    names = {"HCR": "hcr", "VMCR": "vmcr", "MISR": "misr", "EISR0": "eisr", "ELRSR0": "elrsr"}
    assert {n: _ask(golden, f"GICH_{n}") for n in names} == {n: getattr(state, f) for n, f in names.items()}


def test_a_group_1_interrupt_preempts_by_its_own_binary_point():
    """SIG-5: without CBPR the alias's binary point parts the priorities of Group 1."""
    golden = GoldenV2(GicV2Config())
    # Group 0: every level of its own. Group 1: the upper three bits, in which 0x80 and 0x98 are equal.
    for binary_point, virq in ((3, True), (5, False)):
        _set(golden, VMCR=0xF8400003 | binary_point << 18, HCR=1, APR=1 << (0x98 >> 3), LR0=_lr(1, 40, 0x80))
        assert golden.lines().virq is virq


@pytest.mark.parametrize(("group", "register"), ((0, "GICV_EOIR"), (1, "GICV_AEOIR")))
def test_an_end_is_matched_by_the_binary_point_of_its_group(group, register):
    """EOI-10: the other group's would make 0x88 the level 0x80, which is not active."""
    golden = GoldenV2(GicV2Config())
    points = 5 << 18 | 2 << 21 if not group else 3 << 18 | 5 << 21
    _set(golden, VMCR=0xF8000003 | points, HCR=1, APR=1 << (0x88 >> 3), LR0=_lr(2, 40, 0x88, group))
    _ask(golden, register, 40)
    assert (golden.state().ap0r, golden.lr[0] >> 28 & 3) == ([0], 0)


def test_dir_of_a_special_intid_does_nothing():
    """DIR-3: 1020 to 1023 are neither deactivated nor counted."""
    golden = GoldenV2(GicV2Config())
    _set(golden, VMCR=0xF84C0203, HCR=1)
    for intid in (1020, 1023):
        _ask(golden, "GICV_DIR", intid)
        assert golden.state().hcr == 1
    _ask(golden, "GICV_DIR", 1019)
    assert golden.state().hcr == 1 | 1 << 27


@pytest.mark.parametrize("name", ("GICV_AIAR", "GICV_AEOIR", "GICV_AHPPIR"))
def test_w1_takes_each_alias_away(name):
    golden = _effects_w(["w1_no_aliases"], HCR=1, VMCR=0xF84C0003, LR0=_lr(1, 40), APR=1 << 20)
    before = golden.state()
    response = golden.access(Access(1, lookup_mmio(name), name.endswith("EOIR"), 40))
    assert response.value == 0
    assert (golden.state(), golden.effects) == (before, {"W1"})


def test_w5_has_a_list_register_too_many():
    golden = _effects_w(["w5_ghost_lr"])
    assert _ask(golden, "GICH_LR4") == 0
    _set(golden, LR4=_lr(1, 40))
    assert _ask(golden, "GICH_LR4") == _lr(1, 40)
    golden.reset()
    assert _ask(golden, "GICH_LR4") == 0


@pytest.mark.parametrize("index", (0, 3))
def test_w6_completes_whatever_it_is_told(index):
    """Another group's, of another priority: EOIR drops and deactivates it all the same."""
    golden = _effects_w(["w6_eoir_checks_nothing"], HCR=1, VMCR=0xF84C0003, APR=1 << 20)
    _set(golden, **{f"LR{index}": _lr(2, 40)})
    _ask(golden, "GICV_EOIR", 40)
    assert (golden.state().ap0r, golden.lr[index] >> 28 & 3, golden.effects) == ([0], 0, {"W6"})
    _ask(golden, "GICV_EOIR", 40)
    assert golden.state().hcr == 1  # nothing was active (EOI-8)
    _set(golden, APR=1 << 20)
    _ask(golden, "GICV_EOIR", 40)
    assert golden.state().hcr == 1 | 1 << 27


@pytest.mark.parametrize("on", (False, True))
def test_w7_completes_with_nothing_active(on):
    """EOI-8 says that an EOIR does nothing without an active priority."""
    golden = _effects_w(["w7_eoir_without_priority"] * on, HCR=1, VMCR=0xF84C0007, LR0=_lr(2, 40))
    _ask(golden, "GICV_EOIR", 40)
    assert (golden.lr[0] >> 28 & 3, golden.effects) == ((0, {"W7"}) if on else (2, set()))
    _ask(golden, "GICV_EOIR", 41)
    assert golden.state().hcr == 1


def test_an_access_on_the_bus_has_no_effects():
    golden = _effects_w(["w8_hppir_is_masked"], HCR=1, VMCR=0x004C0003, LR0=_lr(1, 40))
    assert (_ask(golden, "GICV_HPPIR"), golden.effects) == (1023, {"W8"})
    golden.mmio(MmioAccess(Frame.GICH, 0xF0, 2))
    assert golden.effects == set()


def test_of_two_switches_the_one_that_is_needed_is_named():
    """A masked HPPIR (W8) would have no CPUID to leave out (W2): without W2 it reads the same."""
    both = ["w8_hppir_is_masked", "w2_hppir_without_cpuid"]
    sgi = _lr(1, 5, 0x80, group=0) | 3 << 10
    golden = _effects_w(both, HCR=1, VMCR=0x004C0003, LR0=sgi)
    assert (_ask(golden, "GICV_HPPIR"), golden.effects) == (1023, {"W8"})
    _set(golden, VMCR=0xF84C0003)
    assert (_ask(golden, "GICV_HPPIR"), golden.effects) == (5, {"W2"})
