"""What was recorded is spoiled: the prediction notices, and says where."""

import copy

import pytest

from hw.errors import InputError
from sim.port import run
from sim.predict import Predictor, find_order, predict_trace, profile_of
from sim.trace import open_trace
from tests.sim.recording import TRACES, lines_of, write_trace

NEST = TRACES / "kvm-real-7.3.4-nest-eoimode0.jsonl.gz"


@pytest.fixture(scope="module")
def recorded():
    return lines_of(NEST)


def spoil(lines, tmp_path, change):
    """Write a changed copy and predict it."""
    lines = copy.deepcopy(lines)
    change(lines)
    return predict_trace(write_trace(tmp_path / "spoiled.jsonl.gz", lines))


def find(lines, number=0, **wanted):
    """Return the index of the n-th line with these values."""
    matching = [n for n, line in enumerate(lines) if all(line.get(k) == v for k, v in wanted.items())]
    return matching[number]


def test_a_dropped_injection(recorded, tmp_path):
    report = spoil(recorded, tmp_path, lambda lines: lines.pop(find(lines, 5, ev="inject", level=1)))
    assert report.differences


def test_a_changed_list_register(recorded, tmp_path):
    where = find(recorded, 3, op="wr", reg="ICH_LR0_EL2", el=2)
    while recorded[where]["val"] == "0x0":
        where += 1 + find(recorded[where + 1 :], 0, op="wr", reg="ICH_LR0_EL2", el=2)

    def change(lines):
        lines[where]["val"] = hex(int(lines[where]["val"], 16) ^ 1 << 60)

    report = spoil(recorded, tmp_path, change)
    assert abs(report.differences[0].line - (where + 1)) <= 4
    assert "ICH_LR0_EL2" in report.differences[0].what
    assert any("Group" in text for text in report.differences[0].detail)


def test_a_changed_vmcr_at_load(recorded, tmp_path):
    where = find(recorded, 4, op="wr", reg="ICH_VMCR_EL2")

    def change(lines):
        lines[where]["val"] = "0x4c0009"

    report = spoil(recorded, tmp_path, change)
    assert report.differences[0].line == where + 1


def test_a_missing_access_ends_the_comparison(recorded, tmp_path):
    where = find(recorded, 20, op="rd", reg="ICH_MISR_EL2")
    report = spoil(recorded, tmp_path, lambda lines: lines.pop(where))
    assert report.lost.startswith("line ")
    assert "read  ICH_MISR_EL2" in report.lost
    assert not report.good


def test_swapped_list_registers_are_another_order(recorded, tmp_path):
    first = find(recorded, 0, op="wr", reg="ICH_LR1_EL2", el=2)
    while recorded[first]["val"] == "0x0":
        first += 1 + find(recorded[first + 1 :], 0, op="wr", reg="ICH_LR1_EL2", el=2)
    second = first + 1 + find(recorded[first + 1 :], 0, op="wr", reg="ICH_LR2_EL2", el=2)

    def change(lines):
        lines[first], lines[second] = lines[second], lines[first]

    report = spoil(recorded, tmp_path, change)
    assert "the accesses differ" in [difference.what for difference in report.differences]


def test_the_final_state(recorded, tmp_path):
    def change(lines):
        lines[0]["meta"]["final_state"]["GICD"]["0x420"] = "0xd8e0e8f8"

    report = spoil(recorded, tmp_path, change)
    assert report.final_state == ["GICD+0x420: the kernel 0xd8e0e8f8, ours 0xd8e0e8f0"]


def test_the_comparison_goes_on_behind_a_difference(recorded, tmp_path):
    """A difference is taken over: one changed entry does not make all that follow differ."""
    where = find(recorded, 8, op="wr", reg="ICH_HCR_EL2", val="0x41a1")

    def change(lines):
        lines[where]["val"] = "0x41a3"

    report = spoil(recorded, tmp_path, change)
    assert 1 <= report.different <= 3
    assert report.entries == 150


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda meta: meta.pop("stimulus"), "no 'stimulus'"),
        (lambda meta: meta.pop("kernel"), "--profile"),
        (lambda meta: meta.update(kernel="mainline"), "--profile"),
        (lambda meta: meta.update(vcpus=0), "meta.vcpus"),
        (lambda meta: meta.update(vcpu_cpu=[0]), "meta.vcpu_cpu"),
        (lambda meta: meta.update(vcpu_cpu={"0": "x"}), "meta.vcpu_cpu.0"),
        (lambda meta: meta.update(spis="many"), "meta.spis"),
        (lambda meta: meta.update(gicd="here"), "meta.gicd"),
        (lambda meta: meta.update(init_state=[]), "meta.init_state"),
        (lambda meta: meta.update(init_state={"GICX": {}}), "GICD and GICR0"),
        (lambda meta: meta.update(init_state={"GICD": 1}), "meta.init_state.GICD"),
        (lambda meta: meta.update(init_state={"GICR7": {}}), "unknown frame"),
        (lambda meta: meta.update(init_state={"GICD": {"0x84": "on"}}), "0x84"),
    ],
)
def test_malformed_meta(recorded, tmp_path, change, said):
    with pytest.raises(InputError, match=said):
        spoil(recorded, tmp_path, lambda lines: change(lines[0]["meta"]))


def _unaided(path):
    with open_trace(path) as trace:
        return run(Predictor(trace, profile_of(trace)).run())


@pytest.mark.parametrize(
    ("trace", "what"),
    [
        ("kvm-real-6.19.14-xvcpu-dir", "the summary of the flush"),
        ("kvm-real-7.3.4-irq-driven-async", "the injection of"),
    ],
)
def test_an_open_order_is_searched(trace, what):
    """Lines alone give a difference; a place that the recording allows removes it, and is reported."""
    path = TRACES / f"{trace}.jsonl.gz"
    assert _unaided(path).different
    placements, report = find_order(str(path))
    assert (report.different, len(report.placed)) == (0, len(placements))
    assert any(what in text for text in report.placed)


def test_a_complete_recording_has_no_open_order(recorded, tmp_path):
    """A spoiled complete file is not excused by moving events about."""
    report = spoil(recorded, tmp_path, lambda lines: lines.pop(find(lines, 5, ev="inject", level=1)))
    assert report.placed == []
