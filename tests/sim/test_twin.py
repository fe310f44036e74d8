"""The twin: where a deviating model and a strict one part, and to which deviations it is accounted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.config import GicConfig
from hw.registers import lookup
from sim.deviations import STRICT, Deviations
from sim.port import Access, Outcome
from sim.twin import Twin, restore_accesses
from tests.sim.pe import CONFIG, Pe, lr
from tests.sim.streams import streams


def write(twin: Twin, name: str, value: int):
    """Write a register on the twin at the level its name says."""
    return twin.access(Access(int(name[-1]), lookup(name), True, value))


def read(twin: Twin, name: str):
    """Read a register on the twin at the level its name says."""
    return twin.access(Access(int(name[-1]), lookup(name)))


def test_a_late_effect_is_accounted_to_its_cause():
    """D1's bit is left behind by a write and seen by later reads and lines, until it is overwritten."""
    twin = Twin(CONFIG, Deviations.qemu_fixed())
    assert write(twin, "ICH_HCR_EL2", 1).differs == set()
    step = write(twin, "ICH_VMCR_EL2", 0xFF4C0003)
    assert (step.differs, step.causes) == ({"vmcr"}, {"D1"})
    step = read(twin, "ICC_PMR_EL1")
    assert (step.response.value, step.strict_response.value) == (0xFF, 0xF8)
    assert (step.differs, step.causes) == ({"response", "vmcr"}, {"D1"})
    step = write(twin, "ICH_LR0_EL2", lr("P", 40, 0xF8))
    assert (step.differs, step.causes) == ({"vmcr", "virq"}, {"D1"})
    assert step.lines.virq
    step = read(twin, "ICC_IAR1_EL1")
    assert step.differs == {"response", "vmcr", "lr0", "ap1r"}
    step = write(twin, "ICC_PMR_EL1", 0xF8)
    assert (step.differs, step.causes) == ({"lr0", "ap1r"}, {"D1"})
    write(twin, "ICH_AP1R0_EL2", 0)
    step = write(twin, "ICH_LR0_EL2", 0)
    assert (step.differs, step.causes) == (set(), set())
    assert (twin.deviating.effects, twin.strict.effects) == (set(), set())


def test_a_level_effect_lasts_while_its_condition_does():
    """D3 shows in MISR and the line for as long as VENG0 and VENG1 differ."""
    twin = Twin(CONFIG, Deviations.qemu_stock())
    write(twin, "ICH_VMCR_EL2", 0xF84C0002)
    step = write(twin, "ICH_HCR_EL2", 0x21)
    assert (step.differs, step.causes) == ({"misr", "maintenance"}, {"D3"})
    step = read(twin, "ICH_VTR_EL2")
    assert (step.differs, step.causes) == ({"misr", "maintenance"}, {"D3"})
    step = write(twin, "ICC_IGRPEN0_EL1", 1)
    assert (step.differs, step.causes) == (set(), set())


def test_causes_add_up_while_apart_and_not_beyond():
    """Two deviations in force are both named; after agreement only the new one is."""
    twin = Twin(CONFIG, Deviations.qemu_stock())
    write(twin, "ICH_VMCR_EL2", 0xFF4C0203)
    step = write(twin, "ICH_HCR_EL2", 0x2001)
    assert (step.differs, step.causes) == ({"vmcr", "hcr"}, {"D1", "D9"})
    write(twin, "ICH_HCR_EL2", 1)
    write(twin, "ICC_PMR_EL1", 0xF8)
    step = write(twin, "ICC_DIR_EL1", 5000)
    assert (step.differs, step.causes) == ({"hcr"}, {"D6"})


def test_a_deviation_without_consequence_is_not_a_cause():
    """D9 writes nothing new here: the same code path with equal outcome gives no difference."""
    twin = Twin(GicConfig(seis=True), Deviations(d9_hcr_fields=True))
    step = write(twin, "ICH_HCR_EL2", 0x2001)
    assert (step.differs, step.causes) == (set(), set())


def test_deactivations_are_compared():
    """D8 shows in the physical requests only."""
    twin = Twin(CONFIG, Deviations.qemu_stock())
    for name, value in (("VMCR", 0xF84C0003), ("AP1R0", 1 << 16), ("LR0", lr("A", 40, 0x80, pintid=1064))):
        write(twin, f"ICH_{name}_EL2", value)
    step = write(twin, "ICC_EOIR1_EL1", 40)
    assert (step.differs, step.causes, step.deactivations) == ({"deactivations"}, {"D8"}, [40])


def test_resynchronise_brings_together_what_can_be_stored():
    """After D2 the strict model can be given the recorded EOIcount; after D1 it cannot hold the bits."""
    twin = Twin(CONFIG, Deviations.qemu_stock())
    for name, value in (("VMCR", 0xF84C0203), ("AP1R0", 1 << 16), ("HCR", 1)):
        write(twin, f"ICH_{name}_EL2", value)
    assert write(twin, "ICC_EOIR1_EL1", 40).causes == {"D2"}
    assert twin.resynchronise()
    step = read(twin, "ICH_HCR_EL2")
    assert (step.differs, step.causes, step.response.value) == (set(), set(), 0x08000001)
    write(twin, "ICH_VMCR_EL2", 0xFF4C0203)
    assert not twin.resynchronise()
    assert read(twin, "ICH_HCR_EL2").causes == {"D1"}


def test_reset_forgets_causes():
    """After a reset both models are together."""
    twin = Twin(CONFIG, Deviations.qemu_stock())
    write(twin, "ICH_VMCR_EL2", 0xFF4C0203)
    twin.reset()
    assert (read(twin, "ICH_VMCR_EL2").differs, read(twin, "ICH_VMCR_EL2").causes) == (set(), set())


@pytest.mark.parametrize("config", [CONFIG, GicConfig(lrs=7, pri_bits=7, pre_bits=7)])
def test_restore_accesses(config: GicConfig):
    """The writes bring a fresh port to the state, all words and list registers included."""
    pe, other = Pe(config), Pe(config)
    for n in range(config.lrs):
        pe[f"LR{n}"] = lr("PA", 40 + n, 0x80 + 8 * n, pintid=n)
    for n in range(config.apr_words):
        pe[f"AP0R{n}"], pe[f"AP1R{n}"] = 3 << n, 0x8000_0000 >> n
    pe["VMCR"], pe["HCR"] = 0xA8FC0213, 0xF8000CFF
    for access in restore_accesses(pe.golden.state(), config):
        assert other.golden.access(access).outcome is Outcome.OK
    assert other.observed() == pe.observed()


@settings(max_examples=60, deadline=None, print_blob=True)
@given(st.data())
def test_differences_and_causes_go_together(data):
    """Random streams on a stock machine: a difference always has a cause, and no difference has none."""
    twin = Twin(CONFIG, Deviations.qemu_stock())
    for access in data.draw(streams(CONFIG)):
        step = twin.access(access)
        assert bool(step.differs) == bool(step.causes)
        assert step.causes <= set(twin.deviating.deviations.enabled)


@settings(max_examples=20, deadline=None, print_blob=True)
@given(st.data())
def test_strict_twins_never_part(data):
    """Without switches the twins are one."""
    twin = Twin(CONFIG, STRICT)
    for access in data.draw(streams(CONFIG)):
        assert twin.access(access).differs == set()
