"""Known failures on the gateware: the old ones are there, and gone with 7.3 (spec sections 18, 21, 22)."""

from pathlib import Path

import pytest

from sim.kvm.bugs import BUGS
from sim.kvm.cures import CURES
from sim.scenario.result import PASS
from tb.scenarios import play_scenarios

DIRECTORY = Path(__file__).parents[2] / "sim" / "scenarios"


def _files(*prefixes: str) -> list[Path]:
    names = {name for bug in BUGS if bug.name.startswith(prefixes) for name in bug.scenarios}
    return [DIRECTORY / f"{name}.scenario" for name in sorted(names) if name not in ("A26", "A31")]


def _play(files: list[Path], **options):
    results = play_scenarios(files, "verilator", **options)
    problems = [f"{one.place}: {one.text}: {one.found}" for result in results for one in result.problems]
    assert problems == []
    return results


@pytest.fixture(scope="module")
def old_failures():
    """Everything of section 18 and A08, for every profile the files name."""
    return _play(_files("18.", "21.5"))


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.name.startswith("18.")], ids=lambda bug: bug.name)
def test_old_failures_are_there_and_gone(old_failures, bug):
    """Section 18: each with the old vgic, and none with 7.3."""
    passed = {(one.name, one.profile) for one in old_failures if one.status == PASS}
    for profile in ("legacy", "7.3"):
        assert any((name, profile) in passed for name in bug.scenarios)


def test_a08_is_there_and_gone(old_failures):
    """Section 21.5: 6.19 deactivates the interrupt that was just acknowledged; 7.0 and 7.3 do not."""
    passed = {one.profile for one in old_failures if one.name == "A08" and one.status == PASS}
    assert {"6.19", "7.0", "7.3"} <= passed


def test_todays_failures_are_there_too():
    """Section 22 and what refinement found, with 7.3: none of it needs a fault of the hardware."""
    results = _play(_files("22.", "R"), profile="7.3")
    assert {one.status for one in results} == {PASS}
    assert {"F22_2", "F22_4", "F22_5", "F22_6", "F22_9", *(f"R{n}" for n in range(1, 10))} <= {
        one.name for one in results
    }


def test_fixed_has_none_of_them():
    """Section 22 and what refinement found: every cure holds on the gateware, event by event as on golden."""
    # F22_6_again: no fault of 7.3, but one that the cure of 22.6 once had.
    names = sorted({"F22_6_again", *(name for cure in CURES for name in cure.scenarios)})
    files = [DIRECTORY / f"{name}.scenario" for name in names]
    results = _play(files, profile="fixed")
    assert {one.status for one in results} == {PASS}
    assert {one.name for one in results} == set(names)
    assert [one.as_dict() for one in results] == [
        one.as_dict() for one in play_scenarios(files, profile="fixed")
    ]
