"""Exploring small machines: every fault is found, told as a scenario, and nothing is lost on the way."""

from dataclasses import replace

import pytest

from hw.errors import InputError
from sim.engines.golden import golden_port
from sim.explore.key import canonical_key, renamings
from sim.explore.memento import Plan
from sim.explore.retell import retell
from sim.explore.scopes import SCOPES, scope_named, with_profile
from sim.explore.search import DRAIN, explore, perform
from sim.explore.world import make_world, plan_of
from sim.kvm.profile import profile_named
from sim.port import run
from sim.refinement.actions import Action
from sim.refinement.divergence import Divergence
from sim.scenario.parser import parse_scenario
from sim.scenario.play import play

#: Scopes that take less than a second or two; all of them: ``make explore``.
QUICK = [
    "one-lr",
    "spi-dir",
    "resample",
    "soft-level",
    "distributor",
    "disabled-elsewhere",
    "unpended-elsewhere",
]


@pytest.mark.parametrize("name", QUICK)
def test_a_scope_is_visited_to_its_end_and_shows_what_it_should(name):
    done = explore(scope_named(name))
    assert done.complete
    assert not done.surprises
    assert not done.missing


@pytest.mark.parametrize("name", QUICK)
def test_each_finding_is_a_scenario_that_shows_it(name):
    scope = scope_named(name)
    for found in explore(scope).found.values():
        text = retell(scope, found)
        scenario = parse_scenario(text, "found.scenario")
        steps = scenario.sequences[0]
        ports = [golden_port(steps.machine.config) for _ in range(steps.machine.vcpus)]
        result = run(play(scenario, steps, profile_named(steps.profiles[0]), ports))
        assert result.status == "pass", (text, result.problems)


def test_a_fault_of_one_lr_is_found_by_its_shortest_trace():
    """22.1: two interrupts and nothing else are enough."""
    found = explore(scope_named("one-lr")).found["22.1"]
    assert [action.kind for action in found.trace] == ["edge", "edge"]


def test_the_old_live_lock_is_a_cycle_of_polls():
    """Section 18: with the old order a guest that waits for the most urgent interrupt waits for ever."""
    scope = scope_named("legacy")
    done = explore(scope)
    assert done.complete
    assert [action.kind for action in done.found["live-lock"].trace] == ["edge", "ack", "edge", "ack", "edge"]
    assert not explore(with_profile(scope, "7.3")).found


def test_a_surprise_is_a_finding_nobody_expects():
    scope = with_profile(scope_named("resample"), "7.3")
    assert [one.name for one in explore(scope).surprises] == ["22.4"]
    cured = explore(with_profile(scope_named("resample"), "fixed"))
    assert cured.complete
    assert not cured.found


def test_a_limit_cuts_the_search_off():
    done = explore(scope_named("distributor"), limit=5)
    assert not done.complete
    assert done.states >= 5


def test_what_is_put_back_is_what_was_there():
    """Every action of a scope is undone: the same key, and the same actions lead to the same keys again."""
    scope = scope_named("elsewhere")
    world = make_world(scope.setup)
    run(world.start())
    plan, ways = plan_of(world), renamings(world)

    def keys() -> list:
        found = []
        for action in scope.choices:
            memento = plan.take()
            try:
                run(perform(world, action))
                found.append(run(canonical_key(world, ways)))
            except Divergence as error:
                found.append(str(error))
            plan.restore(memento)
        return found

    start = run(canonical_key(world, ways))
    first = keys()
    assert run(canonical_key(world, ways)) == start
    assert keys() == first
    for action in scope.choices[:1] + scope.choices[2:4]:
        run(perform(world, action))
    assert run(canonical_key(world, ways)) != start


def test_interrupts_left_out_of_the_plan_never_change():
    """The plan leaves out what the setup has not; a whole search must not touch it."""
    scope = scope_named("elsewhere")
    world = make_world(scope.setup)
    run(world.start())
    plan = plan_of(world)
    mine = set(map(id, plan.objects()))
    rest = [irq for vcpu in world.vm.vcpus for irq in (*vcpu.private_irqs, *world.vm.dist.spis)]
    rest = [irq for irq in rest if id(irq) not in mine]
    assert len(rest) > 60
    before = Plan(rest, [world.vm, *world.vm.vcpus])
    memento = before.take()
    for action in (*scope.choices, DRAIN):
        try:
            run(perform(world, action))
        except Divergence:
            break
    assert before.take() == memento


def test_exchanging_interrupts_that_are_alike_changes_no_finding():
    """The smallest key over all renamings merges states, never findings."""
    scope = scope_named("alias")
    scope = replace(scope, choices=(*scope.choices, Action("edge", 1)))
    [one] = scope.setup.interrupts
    alike = replace(scope.setup, interrupts=(one, replace(one, intid=33)))
    apart = replace(scope.setup, interrupts=(one, replace(one, intid=33, resample=True)))
    merged, single = explore(replace(scope, setup=alike)), explore(replace(scope, setup=apart))
    assert merged.complete
    assert single.complete
    assert merged.states < single.states
    assert set(merged.found) == set(single.found)


def test_scopes_are_small_and_their_names_differ():
    assert len({scope.name for scope in SCOPES}) == len(SCOPES)
    for scope in SCOPES:
        assert scope.setup.lrs <= 2
        assert scope.setup.vcpus <= 2
        assert len(scope.setup.interrupts) <= (5 if scope.name == "disabled-group" else 4)
        profile_named(scope.setup.profile)


def test_an_unknown_scope_is_refused():
    with pytest.raises(InputError, match="no scope 'nowhere'; known: nested"):
        scope_named("nowhere")
