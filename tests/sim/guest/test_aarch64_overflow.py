"""The shipped guest under the hypervisor: its driver and workload on the golden model."""

import random
from collections import Counter
from pathlib import Path

import pytest

from sim.engines.golden import GoldenPort
from sim.kvm.inject import kvm_vgic_inject_irq
from sim.kvm.profile import profile_named
from sim.machine.runner import Place
from sim.machine.schedule import Scheduler, run_guests
from sim.port import run
from sim.scenario.build import build_machine, pes_needed
from sim.scenario.parser import parse_scenario
from sim.scenario.play import Play

DIRECTORY = Path(__file__).parents[3] / "sim" / "guest" / "aarch64"
PENDING, NESTED, MIXED, DEFERRED, SGIS, DEVICES, CROSS = (1 << n for n in range(7))
ACKNOWLEDGED, ENDED, DEACTIVATED, PHASE, PASSED = 1, 2, 3, 4, 5
#: Bits of x0 when it is 0.
ALL = (PENDING, NESTED, MIXED, DEFERRED, SGIS)


class Ran:
    """One run: how it ended, what the guests logged and what went wrong."""

    def __init__(self, arguments, profile="7.3", settings="", seed=None):
        vcpus = 2 if arguments[0] & CROSS else 1
        text = "\n".join((
            f"scenario t: t\nmachine pmr 00, group1 off, vcpus {vcpus}{settings}",
            f"guest 0..{vcpus - 1} aarch64 overflow.elf {' '.join(map(str, arguments))}",
            f"steps {profile}:\nRUN",
        ))  # fmt: skip
        scenario = parse_scenario(text, "t", DIRECTORY)
        (steps,) = scenario.sequences
        ports = [GoldenPort(steps.machine.config) for _ in range(pes_needed(steps.machine))]
        self.machine = build_machine(scenario, steps.machine, profile_named(profile), ports)
        play = Play(scenario, steps, self.machine, judge=True, seed=seed)
        run(play.run())
        self.verdict = play.verdict
        self.problems = [problem.found for problem in play.problems]
        self.exits = Counter(cause for runner in self.machine.runners for cause in runner.causes.elements())
        self.logs = [
            [(word >> 24, word >> 16 & 0xFF, word & 0xFFFF) for word in runner.guest.log]
            for runner in self.machine.runners
        ]

    def intids(self, event, vcpu=0):
        """Return the INTIDs, or phases, of one kind of event."""
        return [number for kind, _, number in self.logs[vcpu] if kind == event]

    @property
    def passed(self):
        """Whether every guest finished and found nothing wrong."""
        return self.verdict.kind == "finished" and not self.problems


@pytest.mark.parametrize(("count", "lrs", "mi"), [
    (1, 4, 0), (5, 2, 0), (5, 2, 3), (8, 3, 1), (8, 4, 8), (16, 4, 3), (16, 2, 8), (16, 16, 0),
])  # fmt: skip
def test_workload(count, lrs, mi):
    """Every phase, below and above the number of list registers, early and late maintenance interrupts."""
    ran = Ran((0, count), settings=f", lrs {lrs}, mi {mi}")
    assert ran.passed, ran.problems
    assert ran.intids(PHASE) == ran.intids(PASSED) == list(ALL)
    # DEFERRED and SGIS acknowledge four times, and deactivate themselves.
    acknowledged, deactivated = ran.intids(ACKNOWLEDGED), ran.intids(DEACTIVATED)
    assert len(acknowledged) == len(ran.intids(ENDED)) == 11 * count
    assert Counter(deactivated) == {n: 4 for first in (0, 40) for n in range(first, first + count)}


def test_one_list_register():
    """With one LR an immediate underflow interrupt storms (section 22.1); with any delay all passes."""
    assert Ran((0, 5), settings=", lrs 1").verdict.kind == "storm"
    assert Ran((0, 5), settings=", lrs 1, mi 1").passed


def test_nesting():
    """EOImode 0: every interrupt preempts the one before at its own priority, and they end in reverse."""
    ran = Ran((NESTED, 8))
    priorities = [0x88 - 8 * n for n in range(8)]
    down = [(ACKNOWLEDGED, priority, 40 + n) for n, priority in enumerate(priorities)]
    up = [
        (ENDED, priority, 40 + n)
        for n, priority in reversed(list(enumerate([0xFF, *priorities[:-1]])))
    ]  # fmt: skip
    assert ran.logs == [[(PHASE, 0xFF, NESTED), *down, *up, (PASSED, 0xFF, NESTED)]]
    assert ran.exits["U"] == 2


def test_groups():
    """Every third interrupt is in Group 0: acknowledged through ICC_IAR0_EL1, as FIQ."""
    ran = Ran((MIXED, 8))
    assert ran.passed
    log = [event.text for event in ran.machine.log.events if event.kind == "op"]
    assert [text for text in log if text.startswith("IAR0 ")] == ["IAR0 -> 42 (0x2a)", "IAR0 -> 45 (0x2d)"]
    assert Ran((NESTED, 8)).logs[0][1:-1] == ran.logs[0][1:-1]


def test_deferred_deactivation():
    """EOImode 1: the most urgent first, all active at once, deactivated in three orders."""
    ran = Ran((DEFERRED, 6))
    urgent_first = [45, 44, 43, 42, 41, 40]
    every_other = [45, 43, 41, 44, 42, 40]
    assert ran.intids(ACKNOWLEDGED) == 3 * urgent_first + every_other
    assert ran.intids(DEACTIVATED) == [*range(40, 46), *urgent_first, *every_other, *range(40, 46)]
    assert all(priority == 0xFF for kind, priority, _ in ran.logs[0] if kind in (ENDED, DEACTIVATED))
    assert ran.exits["TRAP"] == 24


@pytest.mark.parametrize(("phase", "due"), [
    (NESTED, {0: [44]}), (MIXED, {0: [44]}), (DEFERRED, {0: [40, 41, 42, 43]}), (SGIS, {0: [0, 1, 2, 3]}),
])  # fmt: skip
def test_legacy_live_locks(phase, due):
    """More active than list registers: the rest never gets in, WFI returns for it for ever (section 18)."""
    ran = Ran((phase, 8), "legacy")
    assert ran.verdict.kind == "live-lock"
    assert ran.verdict.due == due
    assert [line.split(maxsplit=2)[2].split()[:2] for line in ran.verdict.loop] == [
        ["op", "WFI"], ["exit", "WFI"], ["entry", ran.verdict.loop[-1].split()[3]],
    ]  # fmt: skip
    assert Ran((phase, 8)).passed
    assert Ran((phase, 4), "legacy").passed


def test_legacy_is_good_enough_for_pending_ones():
    assert Ran((PENDING, 16), "legacy").passed


@pytest.mark.parametrize(("phase", "switch", "settings"), [
    (PENDING, "walk_from_tail", ", mi 3"),
    (NESTED, "eoicount_walk", ", mi 8"),
    (NESTED, "pending_first", ""),
    (DEFERRED, "dir_deactivation", ""),
    (CROSS, "track_spis", ", lrs 2"),
    (CROSS, "dir_other_lr", ", lrs 2"),
    (CROSS, "icactiver_offset", ", lrs 2"),
])  # fmt: skip
def test_the_driver_sees_what_a_patch_is_for(phase, switch, settings):
    """Without the patch, real code hangs or finds an interrupt active that it has ended (A08, section 20)."""
    assert Ran((phase, 8), "7.3", settings).passed
    assert not Ran((phase, 8), f"7.3,-{switch}", settings).passed


def test_linux_6_19_deactivates_the_wrong_one():
    """With a late maintenance interrupt the walk takes the wrong entries: an ended one stays active (A08)."""
    ran = Ran((PENDING, 8), "6.19", ", mi 3")
    assert ran.problems
    assert all("overflow.elf: vCPU0: reports failure " in problem for problem in ran.problems)
    assert Ran((PENDING, 8), "6.19,+walk_from_tail", ", mi 3").passed


@pytest.mark.parametrize("seed", [None, 1, 2, 3, 4])
def test_another_vcpu_deactivates(seed):
    """Whatever the order the scheduler chooses: vCPU 1 deactivates each INTID as often as vCPU 0 took it."""
    ran = Ran((CROSS, 8), settings=", lrs 2", seed=seed)
    assert ran.passed, ran.problems
    assert (
        Counter(ran.intids(ACKNOWLEDGED))
        == Counter(ran.intids(DEACTIVATED, 1))
        == dict.fromkeys(range(40, 48), 3)
    )
    assert ran.intids(DEACTIVATED) == []


@pytest.mark.parametrize("seed", range(3))
def test_devices_at_any_time(seed):
    """Devices raise their interrupts while the guest runs, idles or deactivates; none is lost."""
    text = (
        f"scenario t: t\nmachine pmr 00, group1 off\nguest aarch64 overflow.elf {DEVICES} 8 10\nsteps:\nRUN"
    )
    scenario = parse_scenario(text, "t", DIRECTORY)
    spec = scenario.sequences[0].machine
    machine = build_machine(scenario, spec, profile_named("7.3"), [GoldenPort(spec.config)])
    spis = [machine.vm.dist.spis[intid - 32] for intid in range(40, 48)]
    (runner,) = machine.runners
    raised, generator = Counter(), random.Random(seed)

    async def between():
        """Raise one that is idle, now and then; at once if the guest sleeps."""
        idle = [
            irq for irq in spis
            if irq.enabled and raised[irq.intid] < 10 and not (irq.active or irq.pending_latch or irq.on_lr)
        ]  # fmt: skip
        if idle and (runner.place is Place.ASLEEP or generator.random() < 0.2):
            intid = generator.choice(idle).intid
            raised[intid] += 1
            kvm_vgic_inject_irq(machine.vm, None, intid, True)
            machine.stimulate()
            await machine.settle()
        return bool(idle)

    assert run(run_guests(machine, Scheduler(None), 0, between)).kind == "finished"
    assert not runner.guest.failures
    taken = [word & 0xFFFF for word in runner.guest.log if word >> 24 == ACKNOWLEDGED]
    assert Counter(taken) == raised == dict.fromkeys(range(40, 48), 10)
