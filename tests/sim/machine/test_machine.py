"""The run loop: latencies, kicks, sleeping, preemption, storms."""

import pytest

from sim.machine.runner import Place
from sim.machine.schedule import Scheduler, run_guests
from sim.port import run
from tests.sim.machine.world import World


def overflow(**options):
    """Return a world with three pending SPIs on two LRs; the second acknowledge makes NP and U true."""
    world = World({32: 0x40, 33: 0x48, 34: 0x50}, lrs=2, **options)
    for intid in (32, 33, 34):
        world.inject(intid)
    world.enter()
    return world


@pytest.mark.parametrize("latency", [0, 1, 3])
def test_maintenance_latency_counts_guest_operations(latency):
    world = overflow(mi=latency)
    world.do("IAR -> 32")
    world.do("EOI 32")  # U from here on
    for _ in range(latency):
        assert world.exits() == []
        world.do("NOP")
    assert world.exits() == ["U"]


def test_a_slow_maintenance_interrupt_waits_to_be_taken():
    world = overflow(mi=-1)
    world.do("IAR -> 32")
    world.do("EOI 32")
    world.do("NOP 20")
    assert world.exits() == []
    assert run(world.machine.maintenance(world.runners[0]))
    assert world.exits() == ["U"]
    assert not run(world.machine.maintenance(world.runners[0]))


def test_a_maintenance_line_that_falls_is_not_taken():
    """MNT-3: it is a level; here the guest re-enables the group before the latency is over."""
    world = World({32: 0x40}, mi=2)
    world.enter()
    world.do("IGRPEN1 = 0")
    world.do("IGRPEN1 = 1")
    world.do("NOP 5")
    assert world.exits() == []


@pytest.mark.parametrize("latency", [0, 2])
def test_kick_latency(latency):
    world = World({32: 0x40}, kick=latency)
    world.enter()
    world.inject(32)
    for _ in range(latency):
        assert world.do("IAR") == 1023
    assert world.exits() == ["KICK"]
    assert world.do("IAR") == 32


def test_wfi_sleeps_until_an_injection_wakes():
    world = World({32: 0x40})
    world.enter()
    world.do("WFI")
    assert world.runners[0].place is Place.ASLEEP
    world.inject(32)
    assert world.runners[0].place is Place.GUEST
    assert world.do("IAR") == 32


def test_wfi_is_nothing_when_an_interrupt_is_signalled():
    world = World({32: 0x40})
    world.inject(32)
    world.enter()
    world.do("WFI")
    assert world.exits() == []


def test_wfi_of_a_masked_interrupt_sleeps_and_one_below_the_running_priority_does_not():
    """Section 22.11: "has pending" looks at the mask, not at the running priority."""
    world = World({32: 0x40, 33: 0x80})
    world.inject(32)
    world.enter()
    world.do("IAR -> 32")
    world.inject(33)
    world.do("WFI")
    assert world.runners[0].place is Place.GUEST
    world.do("PMR = 80")
    world.do("WFI")
    assert world.runners[0].place is Place.ASLEEP


def test_two_vcpus_share_one_physical_cpu():
    """Active priorities and the mask travel with the vCPU (vcpu_load, vcpu_put)."""
    world = World({32: 0x40, 27: 0x20}, vcpus=2, pcpus=1)
    world.inject(32)
    world.inject(27, vcpu=1)
    world.do("IAR -> 32", vcpu=0)
    world.do("PMR = 90", vcpu=0)
    world.do("IAR -> 27", vcpu=1)
    assert world.do("RPR", vcpu=1) == 0x20
    assert world.do("RPR", vcpu=0) == 0x40
    assert world.do("PMR", vcpu=0) == 0x90
    assert "KICK preempted" in world.exits(0)


def test_mmio_reaches_the_distributor():
    world = World({32: 0x40})
    world.enter()
    world.do("ISPENDR 32")
    assert world.exits() == ["MMIO GICD_ISPENDR1"]
    assert world.do("IAR") == 32


def test_active_registers_stop_every_vcpu():
    """Section 14: reading ISACTIVER folds what other vCPUs hold in their list registers."""
    world = World({40: 0x40}, vcpus=2)
    world.enter()
    world.inject(40)
    world.do("IAR -> 40")
    before = len(world.exits(0))
    assert world.do("ISACTIVER 40 -> 1", vcpu=1) == 0x100
    assert world.exits(0)[before:] == ["KICK stopped"]


def test_an_sgi_is_sent_by_a_trap():
    world = World({1: 0x80}, vcpus=2)
    world.enter()
    world.do("SGI 1 to 1")
    assert world.exits(0) == ["SGI ICC_SGI1R_EL1"]
    assert world.do("IAR", vcpu=1) == 1


def test_mapped_interrupt_fires_again_while_its_line_is_high():
    world = World({27: 0x80}, hw=(27,))
    world.enter()
    world.physical(27, True)
    world.do("IAR -> 27")
    world.do("EOI 27")  # the list register deactivates the physical interrupt
    assert world.machine.physical.taken == [27, 27]
    world.do("IAR -> 27")
    world.physical(27, False)
    world.do("EOI 27")
    assert world.machine.physical.taken == [27, 27]
    assert not world.machine.physical.active[27]


def test_a_storm_is_found_by_its_state_not_by_time():
    """Section 22.1: one list register, something outside, an immediate maintenance interrupt."""
    world = World({32: 0x40, 33: 0x48}, lrs=1)
    world.inject(32)
    world.inject(33)
    world.enter()
    assert world.runners[0].stuck == ["U"]
    assert len(world.exits()) < 10
    with pytest.raises(RuntimeError, match="cannot run"):
        world.do("IAR")


def test_a_storm_ends_when_something_happens_outside():
    """Finding 3.1: in 22.2 an enabled interrupt that arrives lets the guest go as far as its acknowledge."""
    world = World(
        {32: 0x80, 33: 0x70, 40: 0x90, 41: 0x90, 42: 0x90, 43: 0x40}, lrs=2, group0=True, group1=False
    )
    for intid in (32, 33, 43):
        world.vm.dist.spis[intid - 32].group = 0
    world.enter()
    for intid in (32, 33):
        world.inject(intid)
        world.do(f"IAR0 -> {intid}")
    for intid in (40, 41, 42):
        world.inject(intid)
    assert world.runners[0].stuck == ["NP"]
    world.inject(43)
    assert world.runners[0].stuck == []
    assert world.do("IAR0") == 43
    assert world.runners[0].stuck == ["NP"]


SPIN = "again:\nIAR r0\nCMP r0, 1023\nBEQ again\nEOI r0\nHALT"


def test_polling_for_nothing_is_idling_not_a_live_lock():
    world = World({32: 0x40})
    world.program(SPIN)
    verdict = run(run_guests(world.machine, Scheduler()))
    assert (verdict.kind, verdict.due) == ("running", {})
    assert len(verdict.loop) == 1


def test_live_lock_names_the_loop_and_the_interrupt():
    """Section 18, failure 1, with two list registers."""
    world = World({32: 0x40, 33: 0x38, 34: 0x30}, lrs=2, profile="legacy")
    world.enter()
    for intid in (32, 33):
        world.inject(intid)
        world.do(f"IAR -> {intid}")
    world.inject(34)
    world.program("again:\nIAR r0\nCMP r0, 1023\nBNE out\nWFI\nB again\nout:\nHALT")
    verdict = run(run_guests(world.machine, Scheduler()))
    assert verdict.kind == "live-lock"
    assert verdict.due == {0: [34]}
    assert any("WFI" in line for line in verdict.loop)


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_runs_are_deterministic(seed):
    def play():
        world = World({1: 0x80, 32: 0x40}, vcpus=2)
        world.program("SGI 1 to 1\nNOP 3\nIAR r0\nLOG r0\nWFI")
        world.program(
            "again:\nIAR r0\nLOG r0\nCMP r0, 1023\nBNE out\nWFI\nB again\nout:\nEOI r0\nSGI 1 to 0", 1
        )
        verdict = run(run_guests(world.machine, Scheduler(seed)))
        return verdict.kind, [str(event) for event in world.machine.log.events]

    assert play() == play()


def test_a_sleeping_vcpu_nobody_woke_is_lost():
    """Section 22.9: a remote DIR of a pending-and-active interrupt posts a request without a kick."""
    world = World({32: 0xA8, 33: 0xA0, 34: 0xA0}, lrs=2, vcpus=2, eoimode=1)
    world.enter()
    for intid in (32, 33, 34):
        world.inject(intid)
        world.do(f"IAR -> {intid}")
        world.do(f"EOI {intid}")
    world.inject(32)
    world.program("WFI\nHALT", 0)
    world.program("NOP 4\nDIR 32\nHALT", 1)
    verdict = run(run_guests(world.machine, Scheduler()))
    assert (verdict.kind, verdict.due) == ("lost", {0: [32]})


def test_fault_is_handed_to_the_guest():
    world = World({}, vgic=False)
    world.program("IAR -> undef\nHALT")
    verdict = run(run_guests(world.machine, Scheduler()))
    assert verdict.kind == "finished"
    assert world.runners[0].guest.failures == []
