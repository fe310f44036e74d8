"""The scenarios A01 to A36, and a GICv2 host's, on the gateware: under Verilator, a share under Icarus."""

from pathlib import Path

import pytest

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


def test_waveforms_are_written(tmp_path):
    """--waves: a directory with one file for each sequence and profile."""
    play_scenarios([DIRECTORY / "A03.scenario"], "verilator", profile="7.3", waves=tmp_path / "waves")
    (file,) = (tmp_path / "waves").iterdir()
    assert file.name == "A03-1-7.3.vcd"
    assert file.stat().st_size > 1000
