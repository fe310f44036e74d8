"""The scenarios A01 to A36, and a GICv2 host's, on the gateware: under Verilator, a share under Icarus."""

from pathlib import Path

import pytest

from sim.kvm.bugs import BUGS
from sim.kvm.cures import CURES
from sim.scenario.result import OPEN, PASS
from tb.scenarios import play_scenarios
from tests.simulators import PRESENT

DIRECTORY = Path(__file__).parents[2] / "sim" / "scenarios"
ALL = sorted(DIRECTORY.glob("[AG]??.scenario"))
#: One CPU, two and four list registers: the share for slower simulators.
SHARE = [
    DIRECTORY / f"{name}.scenario"
    for name in ("A02", "A03", "A05", "A07", "A08", "A09", "A12", "A24", "A28", "G07")
]


@pytest.mark.parametrize("engine", PRESENT)
def test_scenarios_hold_on_the_gateware(engine):
    """Every expectation, new and legacy; and every event is the one golden shows."""
    files = ALL if engine == "verilator" else SHARE
    found = play_scenarios(files, engine)
    problems = [f"{one.place}: {one.text}: {one.found}" for result in found for one in result.problems]
    assert problems == []
    assert {result.status for result in found} <= {PASS, OPEN}
    assert [result.as_dict() for result in found] == [result.as_dict() for result in play_scenarios(files)]


def test_mapped_interrupts_go_through_the_distributor():
    """Whole systems of gateware: timers, mapped interrupts and the maintenance interrupt (PPI 25)."""
    files = [DIRECTORY / f"{name}.scenario" for name in ("A09", "A20", "A28", "R4", "H01", "H02", "H03")]
    found = play_scenarios(files, "system-verilator", profile="7.3")
    problems = [f"{one.place}: {one.text}: {one.found}" for result in found for one in result.problems]
    assert problems == []
    expected = play_scenarios(files, "system-golden", profile="7.3")
    assert [result.as_dict() for result in found] == [result.as_dict() for result in expected]


def test_the_rest_with_7_3():
    """What is left of the collection: reported bugs, and parts without a trap or with too many of them.

    Today's failures and their cures: ``test_bugs_rtl``; every profile of every file: ``make scenarios``.
    """
    files = sorted({*DIRECTORY.glob("F21_*.scenario"), *DIRECTORY.glob("P*.scenario")})
    found = play_scenarios(files, "verilator", profile="7.3")
    problems = [f"{one.place}: {one.text}: {one.found}" for result in found for one in result.problems]
    assert problems == []
    assert {result.name for result in found if result.status == PASS} == {file.stem for file in files}
    golden = play_scenarios(files, profile="7.3")
    assert [result.as_dict() for result in found] == [result.as_dict() for result in golden]


def test_no_file_is_left_out():
    """Every scenario of a kernel, a failure, a cure or a part is played on the gateware, here or as a bug."""
    played = {file.stem for file in (*ALL, *DIRECTORY.glob("F21_*.scenario"), *DIRECTORY.glob("P*.scenario"))}
    played |= {name for bug in BUGS if bug.name.startswith(("18.", "22.", "R")) for name in bug.scenarios}
    played |= {"F22_6_again", *(name for cure in CURES for name in cure.scenarios)}
    assert {file.stem for file in DIRECTORY.glob("[AFGPR]*.scenario")} <= played


def test_waveforms_are_written(tmp_path):
    """--waves: a directory with one file for each sequence and profile."""
    play_scenarios([DIRECTORY / "A03.scenario"], "verilator", profile="7.3", waves=tmp_path / "waves")
    (file,) = (tmp_path / "waves").iterdir()
    assert file.name == "A03-1-7.3.vcd"
    assert file.stat().st_size > 1000
