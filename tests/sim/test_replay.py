"""Replay of the recorded traffic: everything compared on golden, everything explained on strict hardware."""

import functools
from dataclasses import replace

import pytest

from hw.config import GicConfig
from hw.errors import InputError
from hw.registers import lookup
from sim.deviations import STRICT, Deviations
from sim.engines.golden import GoldenPort
from sim.golden import Golden
from sim.port import Access, run, sysreg_esr
from sim.replay import FileReport, recorder_deviations, replay
from sim.replay.sequences import SequenceReplay
from sim.replay.twins import Twins
from sim.trace import Kind, open_trace
from tests.sim.recording import (
    TRACES,
    Hardware,
    edited,
    fixtures,
    record_sequence,
    replayed,
    write_trace,
)

QEMU = "qemu-gicv*"
#: Recordings in which something the recorder does differently took effect, of KVM.
DEVIATING_KVM = ("late", "a08.", "alltraps", "stockqemu", "s22_8")


@functools.cache
def _on_golden(path):
    return replayed(path)


def _trace(name):
    return TRACES / f"{name}.jsonl.gz"


@pytest.mark.parametrize("path", fixtures(), ids=lambda path: path.name)
def test_golden_reproduces_every_recorded_value(path):
    """With the recorder's deviations on, every operation of every file is compared and agrees."""
    report = _on_golden(path)
    assert report.first is None, "\n".join(report.first.lines)
    assert report.differences == 0
    assert report.operations > 0
    assert report.compared == report.operations
    assert set(report.explained) <= set(report.deviations)


@pytest.mark.parametrize("path", fixtures(), ids=lambda path: path.name)
def test_strict_hardware_differs_only_where_a_rule_says_so(path):
    """Hardware without deviations: nothing unexplained, and the same explanations as on golden."""
    report = replayed(path, hardware=Hardware)
    assert report.first is None, "\n".join(report.first.lines)
    assert report.explained == _on_golden(path).explained
    if path.match(QEMU):
        assert report.share >= 0.8
    elif not any(part in path.name for part in DEVIATING_KVM):
        assert report.compared == report.operations
        assert report.explained == {}


@pytest.mark.parametrize(
    ("name", "compared"),
    [
        ("qemu-gicv3-directed", 828),
        ("kvm-real-7.3.4-eoi-keeps-active-stockqemu", 1306 - 8),
        ("kvm-real-7.3.4-nest-eoimode0-alltraps", 1671 - 201),
    ],
)
def test_what_a_deviation_touched_does_not_count_as_compared(name, compared):
    """Not on hardware; on golden, which deviates along, it does."""
    assert replayed(_trace(name), hardware=Hardware).compared == compared
    report = _on_golden(_trace(name))
    assert report.compared == report.operations


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("qemu-gicv3-directed", "ICH_VMCR_EL2 after it"),  # D1, in the state
        ("kvm-real-7.3.4-nest-eoimode0-alltraps", "value of ICH_VMCR_EL2"),  # D1, in a value read
        ("kvm-real-7.3.4-nest-eoimode0-latemaint", "line maintenance after it"),  # LATE, on a line
    ],
)
def test_hardware_that_deviates_like_the_recorder_differs(name, what):
    """What is explained is held to the architecture, not excused: hardware must not do as QEMU does."""
    path = _trace(name)
    deviations = recorder_deviations(str(path))
    report = replayed(path, hardware=lambda config: Hardware(config, Golden(config, deviations)))
    assert report.first.what == what


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("qemu-gicv3-directed", {"D2": (0, 3, 3), "D3": (2, 1, 0), "D6": (0, 8, 8), "PHY": (0, 0, 0)}),
        ("kvm-real-7.3.4-eoi-keeps-active-stockqemu", {"D2": (0, 8, 8)}),
        ("6.18.15-s22_8", {"D6": (0, 4, 4)}),
    ],
)
def test_effects_are_counted_by_rule(name, counts):
    """Reads, states and resynchronisations of each deviation, on hardware."""
    explained = replayed(_trace(name), hardware=Hardware).explained
    got = {key: (one.reads, one.states, one.resynchronised) for key, one in explained.items()}
    assert {key: got[key] for key in counts} == counts


@pytest.mark.parametrize(
    ("switch", "name"),
    [
        ("d1_vmcr_keeps_pmr", "qemu-gicv3-fix"),
        ("d1_vmcr_keeps_pmr", "kvm-real-7.3.4-nest-eoimode0-alltraps"),
        ("d2_count_in_mode1", "qemu-gicv3"),
        ("d2_count_in_mode1", "kvm-real-7.3.4-eoi-keeps-active-stockqemu"),
        ("d3_vgrp0d_tests_veng1", "qemu-gicv3"),
        ("d4_bpr_clamped_first", "qemu-gicv3-directed"),
        ("d6_dir_ignores_range", "qemu-gicv3-fix"),
        ("d7_lr_keeps_reserved", "qemu-gicv3-fix-16lr8p7"),
        ("d9_hcr_fields", "qemu-gicv3-fix-2lr6p6"),
        ("phy_idle_interface", "qemu-gicv3-directed"),
        ("late_maintenance", "kvm-real-7.3.4-nest-eoimode0-latemaint"),
        ("late_maintenance", "6.19.14-a08"),
    ],
)
def test_every_deviation_is_needed(switch, name):
    """The recording differs from golden as soon as one of the recorder's deviations is switched off."""
    path = _trace(name)
    deviations = recorder_deviations(str(path))
    assert getattr(deviations, switch)
    assert replayed(path, replace(deviations, **{switch: False})).differences > 0


def test_a_deviation_that_the_recorder_lacks_is_noticed():
    deviations = replace(recorder_deviations(str(_trace("qemu-gicv3-fix"))), d2_count_in_mode1=True)
    assert replayed(_trace("qemu-gicv3-fix"), deviations).differences > 0


def _accesses(*steps):
    """Return (el, register, value or None) as accesses."""
    return [Access(el, lookup(name), value is not None, value or 0) for el, name, value in steps]


def test_d8_needs_more_than_ten_pintid_bits(tmp_path):
    """HW-3: the recordings never use such a pINTID, so this one is made."""
    config, deviations = GicConfig(id_bits=24), Deviations.qemu_fixed()
    lr = 3 << 60 | 1 << 62 | 0x40 << 48 | (1024 + 40) << 32 | 40
    steps = [(2, "ICH_HCR_EL2", 1), (2, "ICH_VMCR_EL2", 0xF84C0003), (2, "ICH_LR0_EL2", lr),
             (1, "ICC_IAR1_EL1", None), (1, "ICC_EOIR1_EL1", 40)]  # fmt: skip
    line = record_sequence(Golden(config, deviations), 0, [40, *_accesses(*steps)])
    assert line["ops"][-1]["st"]["pact"] == [0, 0, 0]
    path = write_trace(
        tmp_path / "t.jsonl.gz", [{"meta": {"vtr": hex(config.vtr), "qemu": "qemu11-fix"}}, line]
    )
    assert replayed(path).differences == 0
    off = replayed(path, replace(deviations, d8_pintid_10_bits=False))
    assert off.first.what == "pact[1] after it"
    hardware = replayed(path, hardware=Hardware)
    assert hardware.differences == 0
    assert hardware.explained["D8"].states == 1


def test_q7_gives_el1_the_physical_words(tmp_path):
    """REG-9: a physical interface with more priority bits than the virtual one; the recordings have none."""
    config = GicConfig(pri_bits=7, pre_bits=5, id_bits=24)
    deviations = Deviations.qemu_fixed(config.pri_bits)
    steps = [(2, "ICH_HCR_EL2", 1), (1, "ICC_AP1R1_EL1", None)]
    line = record_sequence(Golden(config, deviations), 0, _accesses(*steps))
    path = write_trace(
        tmp_path / "t.jsonl.gz", [{"meta": {"vtr": hex(config.vtr), "qemu": "qemu11-fix"}}, line]
    )
    assert replayed(path).differences == 0
    off = replayed(path, replace(deviations, q7_el1_pri_bits=0))
    assert "outcome of ICC_AP1R1_EL1" in off.first.what
    assert replayed(path, hardware=Hardware).explained["Q7"].outcomes == 1


@pytest.mark.parametrize("path", fixtures("qemu-gicv3*"), ids=lambda path: path.name)
def test_repairs_are_found_in_the_recording(path):
    """Nothing in these files' meta says whether D2 and D3 were repaired; the data does."""
    deviations = recorder_deviations(str(path))
    stock = "-fix" not in path.name
    assert deviations.d2_count_in_mode1 is stock
    assert deviations.d3_vgrp0d_tests_veng1 is stock


def test_repairs_are_found_in_a_run_too(tmp_path):
    """The same for a recorded run whose meta does not say."""

    def edit(lines):
        lines[0]["meta"]["qemu"] = "some QEMU"

    stock = _trace("kvm-real-7.3.4-eoi-keeps-active-stockqemu")
    assert recorder_deviations(edited(stock, tmp_path / "t.jsonl.gz", edit)).d2_count_in_mode1
    fixed = _trace("kvm-real-7.3.4-random-eoimode0")
    assert not recorder_deviations(edited(fixed, tmp_path / "u.jsonl.gz", edit)).d2_count_in_mode1


def test_without_a_qemu_in_meta_the_comparison_is_strict(tmp_path):
    def edit(lines):
        del lines[0]["meta"]["qemu"]

    strict = edited(_trace("kvm-real-7.3.4-nest-eoimode0"), tmp_path / "a.jsonl.gz", edit)
    assert recorder_deviations(strict) == STRICT
    assert replayed(strict).differences == 0
    stock = edited(_trace("kvm-real-7.3.4-eoi-keeps-active-stockqemu"), tmp_path / "b.jsonl.gz", edit)
    report = replayed(stock)
    assert report.differences > 0
    assert report.explained == {}


def test_the_configuration_comes_from_vtr_alone(tmp_path):
    """Neither nlr and the like nor the file's name count."""

    def edit(lines):
        lines[0]["meta"] |= {"nlr": 9, "vpribits": 8, "vprebits": 7}

    path = edited(_trace("qemu-gicv3-fix-1lr5p5"), tmp_path / "qemu-gicv3-fix-16lr8p7.jsonl.gz", edit)
    assert replayed(path).differences == 0


@pytest.mark.parametrize("hardware", [GoldenPort, Hardware])
def test_traps_that_a_guest_may_also_meet(tmp_path, hardware):
    """TRP-8: ICH at EL1 under NV traps; ICC_SRE_EL1 traps outside the CPU interface and is passed over."""
    trap = {"cpu": 0, "ev": "exc", "from": 1, "to": 2, "kind": "sysreg"}
    lines = [
        {"meta": {"vtr": "0x90b80003"}},
        trap | {"tr": "ICH_HCR_EL2:wr", "esr": hex(sysreg_esr(lookup("ICH_HCR_EL2").encoding, True, 3))},
        trap | {"tr": "ICC_SRE_EL1:rd", "esr": hex(sysreg_esr(lookup("ICC_SRE_EL1").encoding, False, 3))},
        trap | {"tr": "TTBR0_EL1:wr", "esr": "0x62000000"},
    ]
    report = replayed(write_trace(tmp_path / "t.jsonl.gz", lines), hardware=hardware)
    assert (report.operations, report.trapped, report.differences) == (1, 1, 0)


def test_hardware_of_another_configuration_is_refused():
    with pytest.raises(InputError, match=r"meta.vtr is 0x90b80003, but the hardware has 0x90b80007"):
        run(replay([GoldenPort(GicConfig(lrs=8, id_bits=24))], str(_trace("kvm-real-7.3.4-nest-eoimode0"))))


def test_too_few_ports_are_refused():
    with pytest.raises(InputError, match="is one more than the 1 given"):
        replayed(_trace("kvm-real-6.12.107-xvcpu-dir"), pes=1)


def test_a_report_survives_json():
    for name in ("qemu-gicv3-directed", "kvm-real-7.3.4-nest-eoimode0-latemaint"):
        report = replayed(_trace(name), STRICT)
        assert report.first is not None
        assert FileReport.from_json(report.to_json()) == report


class _Mute(set):
    """Effects that nobody hears of."""

    def add(self, name):
        pass


def test_models_that_part_without_a_name_are_a_difference():
    """A deviation of golden that does not report its effect must not pass as explained."""
    path = _trace("qemu-gicv3-directed")
    deviations = recorder_deviations(str(path))
    with open_trace(path) as trace:
        assert trace.kind is Kind.SEQUENCES
        twins = Twins(Hardware(trace.config), deviations)
        twins.recorder.effects = _Mute()
        report = FileReport(str(path), "sequences", trace.config.vtr, "", [])
        sequences = SequenceReplay(twins, report)

        async def everything():
            for sequence in trace.sequences():
                await sequences.run(sequence)

        run(everything())
    assert report.differences > 0
    assert "no rule named" in report.first.what
