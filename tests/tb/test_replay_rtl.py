"""Replay of recorded traffic on the gateware: the first main job, on every engine that has cycles."""

from dataclasses import replace

import pytest

from hw.export import to_verilog
from sim.trace import check_trace
from tb.replay import replay_traces
from tests.sim.recording import TRACES, edited, fixtures
from tests.simulators import TIMED


def _traces(*names):
    return [TRACES / f"{name}.jsonl.gz" for name in names]


SMALL = _traces("kvm-real-6.18.15-nest-eoimode0", "7.3.4-a08-fastmi")
#: All of these are recorded without an effect of a deviation: everything must be compared.
KVM = _traces(
    "kvm-real-6.1.0-groups", "kvm-real-6.12.107-manyactive-eoimode1", "kvm-real-6.12.107-xvcpu-dir",
    "kvm-real-6.18.15-manyactive-eoimode1", "kvm-real-6.18.15-timer-hw-level",
    "kvm-real-6.19.14-nest-eoimode0", "kvm-real-6.19.14-manyactive-shuffle-reinject-lifo",
    "kvm-real-7.3.4-manyactive-eoimode1",
    "kvm-real-7.3.4-nest-eoimode0", "kvm-real-7.3.4-nest-eoimode0-nvhe",
    "kvm-real-7.3.4-manyactive-shuffle-reinject-lifo-16lr", "kvm-real-7.3.4-nest-eoimode0-2lr",
    "kvm-real-7.3.4-selftest-vgic_lpi_stress", "7.3.4-s22_6-innergroup", "7.3.4-s22_9-wfi",
)  # fmt: skip


#: The kernel's faults as they were recorded (spec section 22), one run each.
FINDINGS = _traces(
    "7.3.4-s22_3-edge", "7.3.4-s22_4-onerun", "7.3.4-s22_5-dir", "7.3.4-s22_8", "7.3.4-s22_10-timer",
    "7.3.4-s22_13-inlr", "7.3.4-s22_14-edge",
)  # fmt: skip


def _no_difference(result):
    for report in result.reports:
        assert report.first is None, "\n".join(report.first.lines)
    assert (result.status, result.refused) == (0, [])


@pytest.mark.parametrize("engine", TIMED)
def test_every_engine_replays_a_recorded_kernel(engine):
    result = replay_traces(SMALL, engine)
    _no_difference(result)
    assert result.share == 1.0
    assert result.operations == sum(check_trace(path).operations for path in SMALL)


def test_the_gateware_does_what_fifteen_recorded_kernels_saw():
    """All operations of the KVM files: five kernels, 2, 4 and 16 LRs, one and two vCPUs, LPIs."""
    result = replay_traces(KVM, "verilator")
    _no_difference(result)
    assert result.compared == result.operations > 20_000
    assert result.explained == {}


def test_the_faults_of_a_recorded_kernel_need_no_fault_of_the_hardware():
    """Linux 7.3.4 loses and repeats on the gateware as it was recorded: every value is the same."""
    result = replay_traces(FINDINGS, "verilator")
    _no_difference(result)
    assert result.compared == result.operations > 15_000
    assert result.explained == {}


def test_the_gateware_does_what_qemu_did_but_for_the_named_rules():
    """At least 80 % of the operations of every QEMU file compared, the rest explained as on golden."""
    result = replay_traces(fixtures("qemu-gicv*"), "verilator")
    _no_difference(result)
    assert all(report.share >= 0.8 for report in result.reports)
    assert result.share >= 0.9
    golden = replay_traces(fixtures("qemu-gicv*"), "golden")
    assert result.explained == golden.explained
    gicv3 = {name for name in result.explained if not name.startswith("W")}
    assert gicv3 == {"D1", "D2", "D3", "D4", "D6", "D7", "D9", "PHY"}
    assert {"W1", "W2", "W3", "W4", "W7", "W8", "W9"} <= set(result.explained)


def test_a_late_maintenance_interrupt_is_explained():
    """LATE: the gateware raises the line when the architecture says."""
    result = replay_traces(_traces("kvm-real-7.3.4-nest-eoimode0-latemaint"), "verilator")
    _no_difference(result)
    assert set(result.explained) == {"LATE"}
    assert 0.8 < result.share < 1.0


def test_gateware_with_a_bug_differs():
    """EOI-7: a build that counts EOIRs in EOImode 1 in place of one that must not."""
    path = TRACES / "qemu-gicv3-fix.jsonl.gz"
    config = replace(check_trace(path).config, eoicnt_mode1=True)
    result = replay_traces([path], "verilator", verilog=to_verilog(config))
    assert result.status == 1
    first = result.reports[0].first
    assert "ICH_HCR_EL2 after it" in first.what
    assert [row[0] for row in first.fields] == ["EOIcount"]
    assert "wr ICC_EOIR" in first.operation


def test_an_altered_recording_differs_on_the_gateware(tmp_path):
    def edit(lines):
        next(line for line in lines if line.get("reg") == "ICV_IAR1_EL1")["val"] = "0x29"

    result = replay_traces([edited(SMALL[0], tmp_path / "t.jsonl.gz", edit)], "verilator")
    assert result.status == 1
    assert result.differences == 1
    assert result.reports[0].first.what == "value of ICV_IAR1_EL1"
