"""The invariants: each is seen to break, where the patch it rests on is missing or memory is spoiled."""

import pytest

from sim.kvm.profile import PROFILES
from sim.machine import invariants as module
from sim.machine.invariants import NEEDS, Invariants
from sim.port import run
from tests.sim.machine.world import World


def watched(monkeypatch, *args, strict=True, profile="7.3", switches=None, **options):
    """Return a watched world; strict: every profile is held to every invariant."""
    if strict:
        monkeypatch.setattr(module, "NEEDS", dict.fromkeys(NEEDS, ()))
    name = profile
    if switches:
        changed = PROFILES[profile].with_(**switches)
        name = changed.name
        monkeypatch.setitem(PROFILES, name, changed)
    world = World(*args, profile=name, **options)
    world.invariants = Invariants()
    world.machine.observers.append(world.invariants)
    return world


def names(world, hole=None):
    return {one.name for one in world.invariants.broken if one.hole == hole}


def nest(world, *intids):
    for intid in intids:
        world.inject(intid)
        world.do("IAR")


def test_nothing_breaks_in_an_overflow_of_today(monkeypatch):
    world = watched(monkeypatch, {n: 0x80 - 8 * n for n in range(8)}, lrs=2)
    world.enter()
    nest(world, *range(8))
    for intid in reversed(range(8)):
        world.do(f"EOI {intid}")
    world.do("EXIT")
    assert world.invariants.broken == []


def test_i1_an_interrupt_on_two_lists(monkeypatch):
    world = watched(monkeypatch, {32: 0x40}, vcpus=2)
    world.inject(32)
    world.vm.vcpus[1].ap_list.append(world.vm.dist.spis[0])
    world.enter(0)
    assert "I1" in names(world)


def test_i2_on_lr_after_sync(monkeypatch):
    world = watched(monkeypatch, {32: 0x40})
    world.inject(32)
    world.enter()
    world.do("EXIT")
    runner = world.runners[0]
    state = run(world.machine.port(runner).state())
    world.invariants.synced(world.machine, runner, runner.exits[-1], state)  # 32 is in an LR again by now
    assert "I2" in names(world)


def test_i3_list_registers_and_on_lr_disagree(monkeypatch):
    world = watched(monkeypatch, {32: 0x40}, switches={"track_on_lr": False})
    world.inject(32)
    world.enter()
    assert names(world) == {"I3"}


@pytest.mark.parametrize("strict", [True, False])
def test_i4_i5_legacy_keeps_a_pending_interrupt_out(monkeypatch, strict):
    """Section 18, failure 1. Not strict: the profile is not held to what it cannot do."""
    world = watched(monkeypatch, {32: 0x40, 33: 0x38, 34: 0x30}, lrs=2, profile="legacy", strict=strict)
    world.enter()
    nest(world, 32, 33)
    world.inject(34)
    assert (names(world) >= {"I4", "I5"}) if strict else not names(world)


def test_i6_i12_one_list_register_is_a_known_hole(monkeypatch):
    """Section 22.1."""
    world = watched(monkeypatch, {32: 0x40, 33: 0x48}, lrs=1, strict=False)
    world.inject(32)
    world.inject(33)
    world.enter()
    assert names(world) == set()
    assert names(world, "22.1") == {"I6", "I12"}


def test_i7_a_walk_that_takes_too_many(monkeypatch):
    world = watched(monkeypatch, {32: 0x40})
    world.enter()
    world.vm.walked.append(32)
    world.do("EXIT")
    assert names(world) == {"I7"}


def test_i8_the_walk_of_6_19_takes_the_wrong_one(monkeypatch):
    """A08."""
    world = watched(monkeypatch, {34: 0x50, 35: 0x40, 36: 0x60}, lrs=2, mi=-1, profile="6.19")
    world.enter()
    nest(world, 34, 35)
    world.inject(36)
    for text in ("EOI 35", "EOI 34", "IAR -> 36", "EXIT"):
        world.do(text)
    assert {one.text for one in world.invariants.broken if one.name == "I8"} == {
        "vCPU0: 34 was ended and is still active",
        "vCPU0: 36 is not active any more, but was not ended",
    }


def test_i8_rewritten_priorities_are_a_known_hole(monkeypatch):
    """Section 22.6: the list is not in reverse order of acknowledge any more."""
    irqs = {32: 0x80, 33: 0x70, 34: 0xA0, 35: 0xA0}
    world = watched(monkeypatch, irqs, lrs=2, strict=False)
    world.enter()
    nest(world, 32, 33)
    world.inject(34)
    world.inject(35)
    world.do("IPRIORITYR 33 = 88")
    world.do("EOI 33")
    assert names(world) == set()
    assert "I8" in names(world, "22.6")


def test_i9_legacy_loses_a_dir(monkeypatch):
    """Section 18, failure 6."""
    world = watched(monkeypatch, {32: 0x40}, vcpus=2, eoimode=1, profile="legacy")
    world.enter()
    nest(world, 32)
    world.do("EOI 32")
    world.do("EXIT")
    world.do("DIR 32", vcpu=1)
    world.do("EXIT", vcpu=1)
    assert any(one.name == "I9" for one in world.invariants.broken)


def test_i9_second_remote_dir_is_a_known_hole(monkeypatch):
    """Section 22.5: a level SPI kept high, deactivated by the other vCPU twice."""
    world = watched(monkeypatch, {40: 0x40}, vcpus=2, eoimode=1, level=(40,), strict=False)
    world.enter()
    world.inject(40)
    for _ in range(2):
        world.do("IAR -> 40")
        world.do("EOI 40")
        world.do("WFI")
        world.do("DIR 40", vcpu=1)
        world.do("ISACTIVER 40 r0", vcpu=1)  # stops, and so wakes, everybody
    assert names(world) == set()
    assert names(world, "22.5") == {"I9"}


def test_i10_physical_state_does_not_follow(monkeypatch):
    world = watched(monkeypatch, {27: 0x80}, hw=(27,))
    world.enter()
    world.physical(27, True)
    world.do("IAR -> 27")
    world.machine.physical.line[27] = False
    world.machine.physical.active[27] = False
    world.do("EXIT")
    assert names(world) == {"I10"}


def test_i11_legacy_keeps_lpis_active(monkeypatch):
    from sim.kvm.lpi import vgic_add_lpi, vgic_its_trigger_msi

    world = watched(monkeypatch, {}, profile="legacy")
    world.vm.vcpus[0].lpis_enabled = True
    vgic_add_lpi(world.vm.vcpus[0], 8192)
    vgic_its_trigger_msi(world.vm, 8192)
    world.do("IAR -> 8192")
    world.do("EXIT")
    assert names(world) >= {"I11"}


def test_i13_no_trap_for_an_active_interrupt_outside(monkeypatch):
    irqs = {20: 0x60, 21: 0x50, 22: 0x40}
    world = watched(monkeypatch, irqs, lrs=2, switches={"tdir_on_overflow": False})
    world.enter()
    nest(world, 20, 21, 22)
    assert names(world) == {"I13"}


def test_i14_eoicount_at_entry(monkeypatch):
    world = watched(monkeypatch, {32: 0x40})
    world.enter()
    runner = world.runners[0]
    state = run(world.machine.port(runner).state())
    state.hcr |= 1 << 27
    world.invariants.entered(world.machine, runner, state)
    assert names(world) == {"I14"}
