"""Every patch of the series: its behaviour is there, and gone with its switch (spec section 20)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hw.errors import InputError
from sim.engines.golden import golden_port
from sim.kvm.patch import Patch
from sim.kvm.patches import patch_named, patches, switched
from sim.kvm.profile import SWITCHES, Profile, profile_named
from sim.port import run
from sim.scenario.build import pes_needed
from sim.scenario.parser import find_scenarios, read_scenario
from sim.scenario.play import play
from tests.sim.kvm.static_checks import STATIC
from tests.sim.kvm.test_switches import ALARMS, CHECKS

DIRECTORY = Path(__file__).parents[3] / "sim" / "scenarios"
SCENARIOS = {path.stem: path for path in find_scenarios(DIRECTORY)}
COVERED = [patch for patch in patches() if patch.kind in ("live", "static")]


def play_scenario(name: str, base: str, profile: Profile) -> list[str]:
    """Play all sequences of a file that are for ``base`` with another profile; return what went wrong."""
    scenario = read_scenario(SCENARIOS[name])
    problems = []
    played = 0
    for steps in scenario.sequences:
        if base not in steps.profiles:
            continue
        played += 1
        steps = replace(steps, profiles=(base,))
        ports = [golden_port(steps.machine.config) for _ in range(pes_needed(steps.machine))]
        result = run(play(scenario, steps, profile, ports))
        problems += [f"{one.place}: {one.text}: {one.found}" for one in result.problems]
    assert played, f"{name} has no steps for {base}"
    return problems


def shown(patch: Patch, profile: Profile) -> list[str]:
    """Return what the scenarios of a row find wrong with a profile."""
    return [text for name in patch.scenarios for text in play_scenario(name, patch.base, profile)]


def checked(switch: str, profile: Profile) -> list[str]:
    """Return what the checks of a switch find wrong with a profile."""
    found = []
    for check in CHECKS.get(switch, ()):
        try:
            check.function(profile)
        except ALARMS as error:
            found.append(f"{check.function.__name__}: {error}")
    return found


@pytest.mark.parametrize("patch", COVERED, ids=lambda patch: patch.name)
def test_patch(patch: Patch):
    """The row holds for its profile, and not with any one of its switches changed.

    A test program (part "guest") is shown by scenarios alone; the checks are about the kernel.
    """
    if patch.static:
        STATIC[patch.name]()
        return
    base = profile_named(patch.base)
    assert shown(patch, base) == []
    for switch, profile in switched(patch).items():
        found = shown(patch, profile)
        if patch.part != "guest":
            assert checked(switch, base) == []
            found += checked(switch, profile)
        assert found, f"nothing fails without {switch}"


@pytest.mark.parametrize(
    ("patch", "name"),
    [pytest.param(p, name, id=f"{p.name}-{name}") for p in COVERED for name in p.scenarios],
)
def test_every_scenario_of_a_row_fails_without_the_row(patch: Patch, name: str):
    base = profile_named(patch.base)
    changes = {switch: not getattr(base, switch) for switch in patch.switches}
    bare = replace(base.with_(**changes), name=patch.base)
    assert play_scenario(name, patch.base, bare)


def test_the_table_is_complete():
    """33 patches of v1 in order, every number of the merged series once, every switch somewhere."""
    names = [patch.name for patch in patches()]
    assert names[:33] == [f"v1-{n}" for n in range(1, 34)]
    assert len(set(names)) == len(names)
    merged = sorted(patch.merged for patch in patches() if patch.merged is not None)
    assert merged == list(range(1, 50))
    used = {switch for patch in patches() for switch in patch.switches}
    assert used == {name for name, meta in SWITCHES.items() if meta["patches"] not in ("traffic", "cure")}


@pytest.mark.parametrize("patch", patches(), ids=lambda patch: patch.name)
def test_every_row_has_a_test_or_a_reason(patch: Patch):
    if patch.kind == "live":
        assert patch.switches
        assert patch.scenarios or patch.part != "guest"
        assert patch.scenarios or set(patch.switches) <= set(CHECKS)
    elif patch.kind == "static":
        assert patch.name in STATIC
    else:
        assert patch.open_reason or patch.outside
    assert set(patch.scenarios) <= set(SCENARIOS)


def test_static_checks_belong_to_static_rows():
    assert set(STATIC) == {patch.name for patch in patches() if patch.kind == "static"}


def test_only_nested_rows_are_open():
    assert {patch.part for patch in patches() if patch.open_reason} == {"nested"}


def test_an_unknown_row_is_bad_input():
    with pytest.raises(InputError, match="no patch 'v1-99'"):
        patch_named("v1-99")
