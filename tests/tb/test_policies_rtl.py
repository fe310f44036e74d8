"""The weaknesses of the Xen-like and the Bao-like policy on the gateware."""

from pathlib import Path

import pytest

from sim.scenario.result import PASS
from tb.scenarios import play_scenarios
from tests.simulators import PRESENT

DIRECTORY = Path(__file__).parents[2] / "sim" / "scenarios"
ALL = sorted(DIRECTORY.glob("[XB][0-9].scenario"))
#: One CPU and two list registers: the hardware of many other tests, compiled once.
SHARE = [path for path in ALL if path.stem in ("X1", "B1", "B2", "B4", "B5", "B6")]


@pytest.mark.parametrize("engine", PRESENT)
def test_weaknesses_show_on_the_gateware(engine):
    """X1 to X3 and B1 to B6, event by event as on golden."""
    files = SHARE if engine == "verilator" else ALL
    found = play_scenarios(files, engine)
    problems = [f"{one.place}: {one.text}: {one.found}" for result in found for one in result.problems]
    assert problems == []
    assert {one.status for one in found} == {PASS}
    assert [one.as_dict() for one in found] == [one.as_dict() for one in play_scenarios(files)]
