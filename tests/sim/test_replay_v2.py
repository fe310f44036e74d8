"""Replay of recorded GICv2 traffic: what is particular to it; the rest is in test_replay for every file."""

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from hw.mmio_map import lookup_mmio
from sim.deviations_v2 import STRICT_V2, DeviationsV2
from sim.engines.golden import GoldenPort, GoldenV2Port
from sim.golden_v2.deviating import make_golden_v2
from sim.port import Access, run
from sim.replay import explain_deviation, recorder_deviations, replay
from sim.trace import open_trace
from tests.sim.recording import TRACES, Hardware, record_sequence, recorded_sequences, replayed, write_trace

QEMU = DeviationsV2.qemu_stock()
RECORDED = TRACES / "qemu-gicv2.jsonl.gz"
META = {"qemu": "qemu11", "machine": "virt,gic-version=2"}


def test_the_hardware_comes_from_vtr_alone():
    """The recording says how many list registers there were (REG-1)."""
    with open_trace(RECORDED) as trace:
        assert (trace.generation, trace.config) == (2, GicV2Config(4))
    assert recorder_deviations(str(RECORDED)) == QEMU


@pytest.mark.parametrize(
    "switch",
    [
        "w1_no_aliases", "w2_hppir_without_cpuid", "w3_abpr_minimum_1", "w4_disabled_groups_selected",
        "w7_eoir_without_priority", "w8_hppir_is_masked", "w9_abpr_ignores_cbpr", "w10_preemption_unmasked",
        "w11_group1_before_running", "w13_special_intids_stay",
    ],
)  # fmt: skip
def test_every_deviation_is_needed(switch):
    """The recording differs from golden as soon as one of the recorder's deviations is switched off."""
    assert replayed(RECORDED, replace(QEMU, **{switch: False}), GoldenV2Port).differences > 0


def test_a_strict_model_alone_differs():
    """Without the switches the recording is not the architecture's."""
    assert replayed(RECORDED, STRICT_V2, GoldenV2Port).differences > 50


def test_hardware_that_deviates_like_the_recorder_differs():
    """What is explained is held to the architecture: hardware must not do as QEMU does (V2-2)."""

    def hardware(config):
        return Hardware(config, make_golden_v2(config, QEMU))

    assert replayed(TRACES / "qemu-gicv2-directed.jsonl.gz", hardware=hardware).first is not None


def test_the_other_generation_is_refused():
    """A GICv3 is no hardware for a GICv2 recording."""
    with pytest.raises(InputError, match="build it for this trace"):
        run(replay([GoldenPort(GicConfig())], str(RECORDED)))


@settings(max_examples=12, deadline=None, print_blob=True)
@given(
    lrs=st.integers(1, 64),
    deviations=st.sampled_from((STRICT_V2, QEMU)),
    seed=st.integers(0, 1000),
)
def test_a_recording_replays_on_its_own_configuration(tmp_path_factory, lrs, deviations, seed):
    """From meta.vtr alone: all agrees on golden; on strict hardware nothing is unexplained."""
    path = tmp_path_factory.mktemp("t") / "t.jsonl.gz"
    recorded_sequences(path, GicV2Config(lrs), deviations, seed=seed, length=50)
    report = replayed(path, deviations, GoldenV2Port)
    assert report.first is None, "\n".join(report.first.lines)
    assert report.compared == report.operations
    report = replayed(path, deviations, Hardware)
    assert report.first is None, "\n".join(report.first.lines)
    assert report.operations > 0


#: A few accesses that only the named switch makes answer differently.
SHOWS = {
    "W5": [("GICH_LR4", 5), ("GICH_LR4", None)],
    "W6": [("GICH_VMCR", 0xF84C0001), ("GICH_LR0", 0x24000028), ("GICH_APR", 4), ("GICV_EOIR", 40)],
    "W12": [
        ("GICH_HCR", 1), ("GICH_VMCR", 0xF84C0001), ("GICH_LR0", 0x24000028), ("GICH_LR1", 0x14000028),
        ("GICV_IAR", None),
    ],
    "W14": [
        ("GICH_HCR", 1), ("GICH_VMCR", 0xF84C0001), ("GICH_LR0", 0x14000428), ("GICV_IAR", None),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWS)
def test_rare_deviations_are_explained_by_name(tmp_path, name):
    """What the recordings here do not show: on hardware the switch is named, and without it all differs."""
    stream = [
        Access(2, lookup_mmio(register), value is not None, value or 0) for register, value in SHOWS[name]
    ]
    line = record_sequence(make_golden_v2(GicV2Config(), QEMU), 0, stream)
    path = write_trace(tmp_path / "t.jsonl.gz", [{"meta": META | {"vtr": "0x90000003"}}, line])
    report = replayed(path, hardware=Hardware)
    assert report.first is None, "\n".join(report.first.lines)
    assert name in report.explained
    switch = next(f.name for f in fields(QEMU) if QEMU.name_of(f.name) == name)
    assert replayed(path, replace(QEMU, **{switch: False}), GoldenV2Port).differences > 0


def test_every_switch_explains_itself():
    """One line for each report name, of both generations; an unknown one is bad input."""
    for name in QEMU.enabled:
        assert explain_deviation(name).startswith(f"{name} (")
    assert explain_deviation("D1").startswith("D1 (REG-4)")
    with pytest.raises(InputError, match="unknown deviation 'W99'; known: W1, W2"):
        explain_deviation("W99")
