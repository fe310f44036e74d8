"""Replay of recordings made of golden itself: any configuration, any recorder, random traffic."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from hw.config import GicConfig
from sim.deviations import STRICT, Deviations
from sim.engines.golden import GoldenPort
from sim.replay import recorder_deviations
from tests.sim.recording import Hardware, recorded_events, recorded_sequences, replayed

RECORDERS = {
    None: lambda bits: STRICT,
    "qemu11": Deviations.qemu_stock,
    "qemu11-fix16": Deviations.qemu_fixed,
    "qemu11-late": lambda bits: replace(Deviations.qemu_fixed(bits), late_maintenance=True),
}


@st.composite
def configs(draw):
    """Draw any configuration that a VTR value can describe."""
    pre_bits = draw(st.integers(5, 7))
    nv4 = draw(st.booleans())
    return GicConfig(
        lrs=draw(st.integers(1, 16)),
        pre_bits=pre_bits,
        pri_bits=draw(st.integers(pre_bits, 8)),
        id_bits=draw(st.sampled_from((16, 24))),
        tds=draw(st.booleans()),
        seis=draw(st.booleans()),
        a3v=draw(st.booleans()),
        nv4=nv4,
        dvim=draw(st.booleans()) and not nv4,
    )


@settings(max_examples=12, deadline=None)
@given(
    config=configs(),
    recorder=st.sampled_from(sorted(RECORDERS, key=str)),
    record=st.sampled_from((recorded_sequences, recorded_events)),
    seed=st.integers(0, 1000),
)
def test_a_recording_replays_on_its_own_configuration(tmp_path_factory, config, recorder, record, seed):
    """From meta.vtr alone: all agrees on golden; on strict hardware nothing is unexplained."""
    deviations = RECORDERS[recorder](config.pri_bits)
    path = record(
        tmp_path_factory.mktemp("t") / "t.jsonl.gz", config, deviations, recorder, seed=seed, length=50
    )
    assert recorder_deviations(path) == deviations
    report = replayed(path, hardware=GoldenPort)
    assert report.first is None, "\n".join(report.first.lines)
    assert report.compared == report.operations
    report = replayed(path, hardware=Hardware)
    assert report.first is None, "\n".join(report.first.lines)
    assert report.operations > 0
