"""A machine whose physical interrupts go through a distributor."""

from pathlib import Path
from unittest import mock

import pytest

from hw.config_physical import PhysicalConfig
from hw.mmio_map import lookup_mmio
from sim.engines.golden import golden_port
from sim.golden_physical import GoldenSystem
from sim.kvm.profile import profile_named
from sim.machine.distributor import DistributorInterrupts
from sim.policy.names import hypervisor_named
from sim.port import read, run
from sim.scenario.build import build_machine, pes_needed, physical_side
from sim.scenario.parser import find_scenarios, parse_scenario, read_scenario
from sim.scenario.play import play
from sim.scenario.result import PASS

DIRECTORY = Path(__file__).parents[3] / "sim" / "scenarios"
SCENARIOS = [read_scenario(path) for path in find_scenarios(DIRECTORY)]
#: Those with mapped interrupts, and some that need the maintenance interrupt: early, late, on a GICv2.
MAPPED = [one for one in SCENARIOS if any(i.hw is not None for i in one.interrupts)]
MAINTAINED = [one for one in SCENARIOS if one.name in ("A01", "A07", "A12", "A21", "A22", "G07", "G12")]


def play_on_system(scenario, sequence, profile="7.3"):
    spec = sequence.machine
    system = GoldenSystem(spec.config, physical_side(spec, scenario.interrupts), pes_needed(spec))
    return run(play(scenario, sequence, hypervisor_named(profile, DIRECTORY), [], system=system))


@pytest.mark.parametrize("scenario", [*MAPPED, *MAINTAINED], ids=lambda one: one.name)
def test_every_event_is_the_same(scenario):
    """Expectations hold, and a distributor changes nothing that anybody can see."""
    for sequence in scenario.sequences:
        spec = sequence.machine
        for profile in sequence.profiles:
            ports = [golden_port(spec.config) for _ in range(pes_needed(spec))]
            expected = run(play(scenario, sequence, hypervisor_named(profile, DIRECTORY), ports))
            found = play_on_system(scenario, sequence, profile)
            assert found.status == PASS, found.problems
            assert found.as_dict() == expected.as_dict()


TEXT = """scenario t: x
machine lrs 2, vcpus 2, pcpus 2
PPI 27 prio 80 hw 27
PPI 30 prio 70 hw 30
SPI 32 33 34 prio 40 30 20
steps:
ENTER
"""


class World:
    """A machine on a golden system, and its distributor."""

    def __init__(self):
        scenario = parse_scenario(TEXT, "t")
        spec = scenario.sequences[0].machine
        self.system = GoldenSystem(spec.config, physical_side(spec, scenario.interrupts), 2)
        self.irqs = DistributorInterrupts(self.system)
        self.machine = build_machine(scenario, spec, profile_named("7.3"), self.irqs.ports, self.irqs)
        run(self.machine.enter(self.machine.runners[0]))

    def phys(self, intid, level):
        """Set a physical line, and let the machine react."""
        self.irqs.set_line(intid, level)
        self.machine.stimulate()
        run(self.machine.settle())

    def private(self, intid, pe):
        """Return a PE's PPI in the golden distributor."""
        return self.system.distributor.interrupt(intid, pe)


def test_a_line_goes_through_the_distributor():
    """The host takes PPI 27 of PE 0 through its CPU interface and leaves it active, at no priority."""
    world = World()
    world.phys(27, True)
    assert world.irqs.taken == [27]
    assert world.private(27, 0).active
    assert world.private(27, 0).line
    assert not world.private(27, 1).active
    assert world.system.ports[0].interface.running_priority() == 0xFF
    world.phys(27, False)
    run(world.irqs.release())
    assert not world.private(27, 0).line


def test_two_at_once_are_taken_in_order_of_intid():
    world = World()
    world.irqs.set_line(30, True)
    world.phys(27, True)
    assert world.irqs.taken == [27, 30]


def test_a_ppi_follows_its_vcpu_to_another_cpu():
    """Line and active state leave the old PE; it is not taken a second time."""
    world = World()
    world.phys(27, True)
    runner = world.machine.runners[0]
    run(world.machine.put(runner))
    run(world.machine.load(runner, 1))
    run(world.machine.enter(runner))
    run(world.machine.settle())
    assert world.irqs.taken == [27]
    assert (world.private(27, 0).line, world.private(27, 0).active) == (False, False)
    assert (world.private(27, 1).line, world.private(27, 1).active) == (True, True)
    world.phys(27, False)
    assert not world.private(27, 1).line


def test_software_requests_are_accesses_of_registers():
    """Active, pending and deactivate of a mapped interrupt, as the vgic asks for them."""
    world = World()
    for ask, seen in (
        (lambda: world.irqs.set_active(27, True), (True, False)),
        (lambda: world.irqs.set_pending(27, True), (True, True)),
        (lambda: world.irqs.vgic_v3_deactivate_phys(27), (False, True)),
        (lambda: world.irqs.set_pending(27, False), (False, False)),
    ):
        ask()
        run(world.irqs.carry_out())
        interrupt = world.private(27, 0)
        assert (interrupt.active, interrupt.pending) == seen
        assert world.irqs.active[27] == seen[0]
    assert run(read(world.system.ports[0], 2, lookup_mmio("GICR_ISACTIVER0"))) == 0


def test_the_maintenance_interrupt_is_ppi_25():
    """Without it in the distributor no guest operation makes an exit; nothing else notices."""
    scenario = next(one for one in SCENARIOS if one.name == "A01")
    sequence = next(one for one in scenario.sequences if "7.3" in one.profiles)
    enable = DistributorInterrupts._enable

    async def without_25(self, intid, pe, priority):
        if intid != 25:
            await enable(self, intid, pe, priority)

    with mock.patch.object(DistributorInterrupts, "_enable", without_25):
        result = play_on_system(scenario, sequence)
    assert result.status != PASS
    assert not any("U" in cause or "LRENP" in cause for cause in result.exits)


def test_what_nobody_asked_for_is_an_error():
    world = World()
    run(world.irqs._enable(40, 0, 0x80))
    run(world.system.drive(40, True))
    with pytest.raises(RuntimeError, match="the host takes physical interrupt 40, which nobody asked for"):
        run(world.machine.host())


def test_the_distributor_is_as_large_as_it_must_be():
    def spis(text):
        scenario = parse_scenario(f"scenario t: x\n{text}\nsteps:\nENTER\n", "t")
        return physical_side(scenario.sequences[0].machine, scenario.interrupts)

    assert spis("SPI 32 prio 40") == PhysicalConfig()
    assert spis("SPI 40 prio 40 level hw 63").spis == 32
    assert spis("SPI 40 prio 40 level hw 64").spis == 64
    assert spis("machine gic 2\nSPI 40 prio 40 level hw 991").spis == 960
    assert not spis("machine gic 2\nSPI 40 prio 40 level hw 991").are
