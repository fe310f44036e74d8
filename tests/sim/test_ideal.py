"""The ideal GIC: what it allows while a change made elsewhere is under way, and nothing else."""

import pytest

from hw.config import GicConfig
from sim.ideal import NONE, IdealGic


def gic(*priorities, vcpus=2):
    """Return a GIC with pending SPIs 32, 33, ... of vCPU 0, everything open."""
    ideal = IdealGic(GicConfig(), vcpus)
    for interface in ideal.interfaces:
        interface.pmr, interface.enables = 0xF8, [True, True]
    for intid, priority in enumerate(priorities, 32):
        irq = ideal.irq(intid)
        irq.priority, irq.enabled, irq.latch = priority, True, True
    return ideal


def test_without_changes_the_answer_is_one():
    ideal = gic(0x80, 0x40)
    assert ideal.acknowledge_allowed(0, 1) == {33}
    assert ideal.acknowledge_allowed(1, 1) == {NONE}


def test_equal_priorities_leave_the_choice():
    assert gic(0x40, 0x40, 0x48).acknowledge_allowed(0, 1) == {32, 33}


def test_one_that_is_not_pending_any_more_may_still_be_presented():
    ideal = gic(0x80)
    ideal.unsettle(ideal.irq(32))
    ideal.irq(32).latch = False
    assert ideal.acknowledge_allowed(0, 1) == {32, NONE}
    assert ideal.highest_pending_allowed(0, 1) == {32, NONE}
    assert not ideal.awake(0)
    ideal.settle(0)
    assert ideal.acknowledge_allowed(0, 1) == {NONE}


@pytest.mark.parametrize("slow", [False, True])
def test_an_old_priority_outlives_an_end_with_late_exits_alone(slow):
    """What is active and pending in a list register is there with its old priority until the exit."""
    ideal = gic(0x80, 0x90)
    irq = ideal.irq(32)
    irq.active = True
    ideal.slow = slow
    ideal.unsettle(irq)
    irq.priority = 0xA0
    irq.active = False
    assert (32 in ideal.acknowledge_allowed(0, 1)) == slow
    ideal.settle(0)
    assert ideal.acknowledge_allowed(0, 1) == {33}


def test_awake_is_only_who_is_signalled_whatever_arrives_first():
    """32 may or may not be there still, and 33 behind it does not preempt: WFI may sleep."""
    ideal = gic(0x00, 0x40)
    ideal.interfaces[0].active[1].add(0x20)
    assert ideal.awake(0)
    ideal.unsettle(ideal.irq(32))
    ideal.irq(32).latch = False
    assert not ideal.may_be_idle(0)
    assert not ideal.awake(0)
    ideal.irq(33).priority = 0x10
    assert ideal.awake(0)


def test_a_new_priority_decides_against_others_old_or_new():
    ideal = gic(0x80, 0x40)
    ideal.unsettle(ideal.irq(32))
    ideal.irq(32).priority = 0x20
    assert ideal.acknowledge_allowed(0, 1) == {32, 33}
    ideal.settle(0)
    assert ideal.acknowledge_allowed(0, 1) == {32}


def test_nothing_better_is_passed_over():
    """Whatever becomes of 32, 34 is never the most urgent."""
    ideal = gic(0x80, 0x40, 0x60)
    ideal.unsettle(ideal.irq(32))
    ideal.irq(32).priority = 0x20
    assert 34 not in ideal.acknowledge_allowed(0, 1)
    assert NONE not in ideal.acknowledge_allowed(0, 1)


@pytest.mark.parametrize(("running", "level"), [(0x80, 0x80), (0x20, 0x20)])
def test_the_running_priority_tells_which_was_taken(running, level):
    ideal = gic(0x80)
    ideal.unsettle(ideal.irq(32))
    ideal.irq(32).priority = 0x20
    before = ideal.candidates(0)
    ideal.settle(0)
    ideal.acknowledge(0, 32, 1, running, before)
    assert ideal.interfaces[0].running_priority == level
    ideal.end(0, 1, 32)
    assert not ideal.irq(32).active


def test_a_new_group_is_old_or_new():
    ideal = gic(0x80)
    ideal.unsettle(ideal.irq(32))
    ideal.irq(32).group = 0
    assert ideal.acknowledge_allowed(0, 1) == {32, NONE}
    assert ideal.acknowledge_allowed(0, 0) == {32, NONE}
    ideal.settle(0)
    assert ideal.acknowledge_allowed(0, 1) == {NONE}


def routed_away():
    ideal = gic(0x80)
    irq = ideal.irq(32)
    ideal.unsettle(irq)
    irq.target = 1
    ideal.keep(irq, 0)
    return ideal


def test_routed_away_it_is_given_only_when_it_is_let_go():
    ideal = routed_away()
    ideal.settle(1)  # its own entry changes nothing: the other one has it
    assert ideal.acknowledge_allowed(0, 1) == {32, NONE}
    assert ideal.acknowledge_allowed(1, 1) == {32, NONE}
    ideal.release(0)
    ideal.settle(0)
    assert ideal.acknowledge_allowed(0, 1) == {NONE}
    assert ideal.acknowledge_allowed(1, 1) == {32, NONE}
    ideal.settle(1)
    assert ideal.acknowledge_allowed(1, 1) == {32}


def test_routed_away_it_is_taken_once():
    ideal = routed_away()
    ideal.acknowledge(0, 32, 1, 0x80)
    assert ideal.acknowledge_allowed(1, 1) == {NONE}
    ideal.end(0, 1, 32)
    assert ideal.acknowledge_allowed(0, 1) == {NONE}


def test_active_when_routed_away_and_pending_again_it_may_come_to_either():
    ideal = gic(0x80)
    irq = ideal.irq(32)
    ideal.acknowledge(0, 32, 1, 0x80)
    irq.latch, irq.target = True, 1
    ideal.end(0, 1, 32)
    assert ideal.acknowledge_allowed(0, 1) == {32, NONE}
    assert ideal.acknowledge_allowed(1, 1) == {32, NONE}


def test_what_concerns_a_sleeper_is_there_at_once():
    """Its time would never end."""
    ideal = gic(0x80)
    ideal.running = {1}
    irq = ideal.irq(32)
    ideal.unsettle(irq)
    irq.target = 1
    ideal.keep(irq, 0)
    ideal.settle(1)
    assert ideal.acknowledge_allowed(0, 1) == {NONE}
    assert ideal.acknowledge_allowed(1, 1) == {32}


def test_rwp_ends_it_for_everybody():
    ideal = gic(0x80)
    irq = ideal.irq(32)
    ideal.unsettle(irq)
    irq.enabled = False
    assert ideal.acknowledge_allowed(0, 1) == {32, NONE}
    ideal.complete(irq)
    assert ideal.acknowledge_allowed(0, 1) == {NONE}
