"""Every cure: alone it cures its row on 7.3; without it ``fixed`` has the fault again (spec section 22)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sim.engines.golden import GoldenPort
from sim.kvm.bugs import BUGS
from sim.kvm.cures import CURES, Cure, cure_of
from sim.kvm.profile import CURES as SWITCHES
from sim.kvm.profile import PROFILES, Profile
from sim.kvm.route import vgic_v3_update_tdir
from sim.port import run
from sim.scenario.build import pes_needed
from sim.scenario.parser import read_scenario
from sim.scenario.play import play
from sim.scenario.result import PASS
from tests.sim.kvm.rig import Rig

DIRECTORY = Path(__file__).parents[3] / "sim" / "scenarios"
CASES = [pytest.param(cure, name, id=f"{cure.switch}-{name}") for cure in CURES for name in cure.scenarios]
#: Items of section 22 that no kernel policy can have, need another build, or are no failures.
WITHOUT = {"22.12", "22.15"}


def play_cured(name: str, written_for: str, profile: Profile) -> list[str]:
    """Play the sequences of a file that are for ``written_for`` with a profile; return each one's status.

    ``profile`` takes the name the sequences know, so that they judge it.
    """
    scenario = read_scenario(DIRECTORY / f"{name}.scenario")
    statuses = []
    for steps in scenario.sequences:
        if written_for in steps.profiles:
            ports = [GoldenPort(steps.machine.config) for _ in range(pes_needed(steps.machine))]
            judged = replace(profile, name=written_for)
            statuses.append(run(play(scenario, steps, judged, ports)).status)
    assert statuses, f"{name} has no steps for {written_for}"
    return statuses


def alone(cure: Cure) -> Profile:
    """Return 7.3 with one cure."""
    return PROFILES["7.3"].with_(**{cure.switch: True})


@pytest.mark.parametrize(("cure", "name"), CASES)
def test_cure_alone_cures_its_row(cure, name):
    assert set(play_cured(name, alone(cure).name, alone(cure))) == {PASS}


@pytest.mark.parametrize(("cure", "name"), CASES)
def test_all_cures_together(cure, name):
    assert set(play_cured(name, "fixed", PROFILES["fixed"])) == {PASS}


@pytest.mark.parametrize(("cure", "name"), CASES)
def test_without_it_7_3_fails(cure, name):
    assert set(play_cured(name, alone(cure).name, PROFILES["7.3"])) != {PASS}


@pytest.mark.parametrize(("cure", "name"), CASES)
def test_without_it_the_fault_is_back_in_fixed(cure, name):
    assert set(play_cured(name, "fixed", PROFILES["fixed"].with_(**{cure.switch: False}))) != {PASS}


def test_fixed_is_7_3_with_every_cure():
    assert [cure.switch for cure in CURES] and {cure.switch for cure in CURES} == set(SWITCHES)
    assert replace(PROFILES["7.3"].with_(**dict.fromkeys(SWITCHES, True)), name="fixed") == PROFILES["fixed"]
    for name, profile in PROFILES.items():
        assert name == "fixed" or not any(getattr(profile, switch) for switch in SWITCHES)


def test_every_fault_of_7_3_has_a_cure():
    """What bugs.py says 7.3 fails is cured by a row of the table."""
    names = {bug.name for bug in BUGS if "7.3" in bug.fails}
    assert names - WITHOUT <= {fault for cure in CURES for fault in cure.faults}
    assert cure_of("22.4").switch == "notify_unseen"
    assert cure_of("22.15") is None


@pytest.mark.parametrize("cure", CURES, ids=lambda cure: cure.switch)
def test_row_is_complete(cure):
    assert cure.symptom and cure.why and cure.functions and cure.change
    assert cure.scenarios
    assert all((DIRECTORY / f"{name}.scenario").is_file() for name in cure.scenarios)


def test_without_tdir_by_route_a_write_to_the_distributor_decides_nothing():
    """7.3 decides at each entry; nobody is made to wait for a vCPU."""
    rig = Rig(vcpus=2, enter=False)
    vgic_v3_update_tdir(rig.vm)
    assert rig.vm.dist.tdir_vcpus is None
    assert not any(vcpu.requests for vcpu in rig.vm.vcpus)
