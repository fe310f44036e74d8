"""Known failures: every one is shown by a scenario, by a test, or is open (spec sections 18, 21, 22)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.kvm.bugs import BUGS, Bug
from sim.kvm.host import Host
from sim.kvm.profile import profile_named
from sim.port import run
from sim.scenario.parser import read_scenario
from tests.sim.kvm.test_switches import CHECKS
from tests.sim.machine.world import World

DIRECTORY = Path(__file__).parents[3] / "sim" / "scenarios"


def emulated(profile: str, trapped: bool) -> World:
    """Return a world with three PPIs nested on two LRs, EOImode 1, EOIR1 emulated in hyp or not."""
    world = World({20: 0x60, 21: 0x50, 22: 0x40}, lrs=2, eoimode=1, profile=profile)
    host = Host(config=world.spec.config, group1_trap=trapped, irqs=world.vm.host.irqs)
    host.boot(world.vm.profile)
    world.vm.host = host
    world.enter()
    for intid in (20, 21, 22):
        world.inject(intid)
        world.do(f"IAR -> {intid}")
        world.inject(intid, False)
    return world


@pytest.mark.parametrize(("trapped", "active"), [(True, False), (False, True)])
def test_22_7(trapped, active):
    """EOIR in EOImode 1 of an interrupt in no LR: the emulation counts it, and the walk deactivates it."""
    world = emulated("7.3", trapped)
    for intid in (22, 21, 20):
        world.do(f"EOI {intid}")
    world.do("EXIT")
    states = {n: world.vm.vcpus[0].private_irqs[n].active for n in (20, 21, 22)}
    assert states == {20: active, 21: True, 22: True}
    assert ("LRENP" in " ".join(world.exits())) is trapped


def test_22_7_does_not_concern_the_old_vgic():
    """It reads no EOIcount, whatever the emulation adds to it."""
    world = World({20: 0x60}, lrs=2, eoimode=1, profile="legacy")
    host = Host(config=world.spec.config, group1_trap=True, irqs=world.vm.host.irqs)
    host.boot(world.vm.profile)
    world.vm.host = host
    world.enter()
    world.do("ISACTIVER 20")
    world.do("EOI 21")
    world.do("EXIT")
    assert world.vm.vcpus[0].private_irqs[20].active
    assert run(world.machine.ports[0].state()).misr == 0


def test_the_list_is_complete():
    names = [bug.name for bug in BUGS]
    wanted = [f"18.{n}" for n in range(1, 8)]
    wanted += [f"21.{n}" for n in range(1, 16)] + [f"22.{n}" for n in range(1, 16)]
    wanted += [f"R{n}" for n in range(1, 10)]
    assert names == wanted


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_bug_is_shown(bug: Bug):
    """Its scenarios have steps for every kernel named; its test exists; or it is open, with the reason."""
    for name in (*bug.fails, *bug.works):
        profile_named(name)
    scenarios = [read_scenario(DIRECTORY / f"{name}.scenario") for name in bug.scenarios]
    if bug.open_reason:
        assert all(scenario.open_reason for scenario in scenarios)
        return
    if bug.test:
        path, _, test = bug.test.partition("::")
        function, _, case = test.partition("[")
        assert f"def {function}(" in (DIRECTORY.parents[1] / path).read_text()
        if case:
            ids = {f"{switch}-{one.function.__name__}" for switch, ones in CHECKS.items() for one in ones}
            assert case.rstrip("]") in ids
        return
    profiles = {name for scenario in scenarios for steps in scenario.sequences for name in steps.profiles}
    assert set(bug.fails) | set(bug.works) <= profiles
