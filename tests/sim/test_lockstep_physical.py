"""Lockstep of systems and its stimulus: finds what is broken, says where, repeats."""

import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from hw.config import ConfigError, GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from hw.mmio import Frame
from hw.mmio_map import lookup_mmio
from hw.registers import lookup
from sim.golden_physical import GoldenSystem
from sim.lockstep_physical import apply_to_systems, describe_step, random_system_job, shrinkable_system_job
from sim.port import Access, MmioAccess, Outcome, run
from sim.stimulus.choices import RandomChoices
from sim.stimulus.physical import PHYSICAL_MOODS, PhysicalStimulus
from sim.system_port import Drive, SystemStep

V3, V2 = PhysicalConfig(), PhysicalConfig(are=False)
#: Every width of priorities, both versions, one PE and several.
BUILDS = [
    (PhysicalConfig(4, 32), 1), (PhysicalConfig(5, 64), 2), (PhysicalConfig(6, 96), 3),
    (PhysicalConfig(7, 32), 8), (PhysicalConfig(8, 960), 2), (PhysicalConfig(5, 32, False), 3),
    (PhysicalConfig(8, 64, False), 1),
]  # fmt: skip


def system(physical, pes=2):
    return GoldenSystem(GicConfig() if physical.are else GicV2Config(), physical, pes)


def test_a_gicv2_without_a_virtual_side():
    """Its GICH and GICV frames are not there; the rest is."""
    bare = GoldenSystem(None, V2, 2)
    assert run(bare.ports[0].mmio(MmioAccess(Frame.GICH, 0))).error
    assert not run(system(V2).ports[0].mmio(MmioAccess(Frame.GICH, 0))).error
    assert run(bare.ports[0].access(Access(2, lookup("ICC_PMR_EL1")))).outcome is Outcome.UNDEF
    assert run(random_system_job(bare, 300, seed=3))["difference"] is None


@pytest.mark.parametrize(("physical", "pes"), BUILDS, ids=lambda value: str(value))
def test_any_build_runs(physical, pes):
    """No operation of the stimulus stops a system, and two equal ones agree."""
    done = run(random_system_job(system(physical, pes), 400 if physical.spis < 960 else 100, seed=2))
    assert done["difference"] is None, done["difference"]


def forgetful(physical):
    """Return a system whose Activate leaves the latch (DIST-18)."""
    broken = system(physical)
    activate = broken.distributor.activate

    def keep(intid, pe):
        latch = broken.distributor.interrupt(intid, pe).latch
        activate(intid, pe)
        broken.distributor.interrupt(intid, pe).latch = latch

    broken.distributor.activate = keep
    return broken


def test_a_difference_is_found_and_told():
    """The report names the seed, the operation, what led to it and each part that differs."""
    done = run(random_system_job(forgetful(V3), 4000, seed=1))
    report = done["difference"]["report"]
    assert report.startswith("seed 1, mood any: difference at operation")
    assert "operation: PE" in report
    assert "IAR" in report.splitlines()[-2] or "IAR" in report
    assert "pending" in report.splitlines()[-1]
    assert json.dumps(done)
    assert run(random_system_job(forgetful(V3), 4000, seed=1)) == done


def test_the_state_may_be_compared_now_and_then():
    """``every``: the same fault is found, later or at the same operation, from answers and lines alone."""
    first = run(random_system_job(forgetful(V3), 6000, seed=1))["difference"]["operation"]
    later = run(random_system_job(forgetful(V3), 6000, seed=1, every=50))["difference"]["operation"]
    assert later >= first


def test_a_fixed_list():
    """Inputs that a run left high are lowered at its end."""
    tested = forgetful(V3)
    pending = lookup_mmio("GICD_ISPENDR1")
    steps = [SystemStep(0, Drive(40, True)), SystemStep(1, Access(2, pending))]
    assert run(apply_to_systems(tested, steps)) is None
    assert run(tested.ports[0].access(Access(2, pending))).value == 0


@seed(20261124)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(st.lists(st.lists(st.integers(0, 1 << 16), max_size=6), max_size=60))
def test_shrinkable_operations_agree(decisions):
    """Any list of numbers is a run, on a GICv2 and on a GICv3; the seed is fixed."""
    for physical in (V3, V2):
        difference = run(shrinkable_system_job(system(physical), decisions))
        assert difference is None, difference.report


@pytest.mark.parametrize("physical", [V3, V2], ids=["v3", "v2"])
@pytest.mark.parametrize("mood", PHYSICAL_MOODS)
def test_every_mood_gets_interrupts_taken(mood, physical):
    """Interrupts are acknowledged, the same seed gives the same operations."""
    streams = []
    for _ in range(2):
        tested = system(physical)
        run(tested.reset())
        stimulus = PhysicalStimulus(physical, tested.ports[0].config, 2, RandomChoices(9), mood)
        taken, steps = 0, []
        for _ in range(700):
            step = stimulus.next(run(tested.physical_state()))
            steps.append(step)
            action = step.action
            if isinstance(action, Drive):
                run(tested.drive(*action))
            elif isinstance(action, MmioAccess):
                run(tested.ports[step.pe].mmio(action))
            else:
                answer = run(tested.ports[step.pe].access(action))
                name = action.register.name
                taken += "IAR" in name and answer.outcome is Outcome.OK and answer.value & 0x3FF < 1020
        streams.append((taken, steps))
    assert streams[0] == streams[1]
    assert streams[0][0] > 8


def test_the_stream_has_every_kind_of_trouble():
    """Bus errors, frames that are not there, unknown INTIDs, traps, SGIs, HW list registers, sleep."""
    seen = Counter()
    tested = system(V3)
    run(tested.reset())
    stimulus = PhysicalStimulus(V3, GicConfig(), 2, RandomChoices(4))
    for _ in range(8000):
        step = stimulus.next(run(tested.physical_state()))
        action = step.action
        if isinstance(action, Drive):
            seen["PPI" if action.intid < 32 else "SPI"] += 1
            run(tested.drive(*action))
        elif isinstance(action, MmioAccess):
            error = run(tested.ports[step.pe].mmio(action)).error
            seen[f"bus error {action.frame.name}" if error else f"bus size {action.size}"] += 1
        else:
            answer = run(tested.ports[step.pe].access(action))
            name = action.register.name
            seen[answer.outcome.name] += 1
            seen["SGI"] += "SGI" in name
            seen["unknown ended"] += "EOIR" in name and action.value >= V3.intids
            seen["asleep"] += name == "GICR_WAKER" and action.value & 2
            seen["HW"] += bool(run(tested.ports[step.pe].deactivations()))
            seen["maintenance"] += run(tested.ports[step.pe].lines()).maintenance
    wanted = ["PPI", "SPI", "bus error GICD", "bus error GICR", "bus error GICC", "bus size 1", "bus size 4",
              "bus size 8", "OK", "UNDEF", "TRAP_EL2", "SGI", "unknown ended", "asleep", "HW",
              "maintenance"]  # fmt: skip
    assert {name: seen[name] for name in wanted if seen[name] < 2} == {}


def test_an_unknown_mood_is_refused():
    with pytest.raises(InputError, match="unknown mood 'calm'; one of service, "):
        PhysicalStimulus(V3, None, 1, RandomChoices(0), "calm")


@pytest.mark.parametrize(
    ("intid", "pe", "complaint"),
    [
        (15, None, "interrupt 15 has no input; PPIs and SPIs are 16 to 63"),
        (64, None, "interrupt 64 has no input; PPIs and SPIs are 16 to 63"),
        (1023, None, "interrupt 1023 has no input"),
        (25, 0, "interrupt 25 is the maintenance interrupt"),
        (27, None, "interrupt 27 is a PPI; say of which PE"),
        (40, 1, "interrupt 40 is an SPI, not one of PE 1"),
        (27, 2, "there is no PE 2; PEs are 0 to 1"),
    ],
)
def test_inputs_that_are_not_there(intid, pe, complaint):
    """A PPI used as an SPI, an INTID beyond the distributor, the maintenance PPI: one line each."""
    with pytest.raises(InputError, match=complaint):
        run(system(V3).drive(intid, True, pe))


@pytest.mark.parametrize(
    ("config", "physical", "pes", "complaint"),
    [
        (GicConfig(), V3, 0, "pes must be from 1 to 8, not 0"),
        (GicConfig(), V3, 9, "pes must be from 1 to 8, not 9"),
        (GicConfig(), V2, 1, "a GICv3 needs physical are=True"),
        (GicV2Config(), V3, 1, "a GICv2 needs physical are=False"),
        (None, V3, 1, "a GICv2 needs physical are=False"),
    ],
)
def test_systems_that_cannot_be(config, physical, pes, complaint):
    with pytest.raises(ConfigError, match=complaint):
        GoldenSystem(config, physical, pes)


def test_operations_are_told_in_one_line():
    steps = {
        "input 40 high": SystemStep(0, Drive(40, True)),
        "input 27 of PE 1 low": SystemStep(1, Drive(27, False, 1)),
        "PE 1 bus GICD+0x428 size 1 := 0x80": SystemStep(1, MmioAccess(Frame.GICD, 0x428, 1, True, 0x80)),
        "PE 0 EL2 ICC_IAR1_EL1": SystemStep(0, Access(2, lookup("ICC_IAR1_EL1"))),
    }
    for text, step in steps.items():
        assert describe_step(step) == text
