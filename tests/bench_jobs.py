"""Jobs that the tests of the bench run on several transports, and on engines without a bench."""

from pathlib import Path

from hw.bench.protocol import Kind
from hw.registers import lookup
from sim.bench.free import FreeGuest, run_free
from sim.guest.language import parse_program
from sim.kvm.inject import kvm_vgic_inject_irq
from sim.kvm.profile import profile_named
from sim.machine.latency import IMMEDIATE
from sim.machine.schedule import Scheduler, run_guests
from sim.port import read, write
from sim.scenario.build import build_machine
from sim.scenario.parser import read_scenario
from sim.scenario.play import Play

_PENDING = 0x5080_0000_0000_0000
_LOOP = """
    MOV r4, 0x123456789abcdef0
    LOG r4
again:
    IAR r0
    CMP r0, 1023
    BEQ done
    NOP 2
    EOI r0
    B again
done:
    RPR -> idle
"""


async def clocks(ports):
    """Run a program on the engine; return every record with its clock, the report, and the state."""
    (port,) = ports
    await port.reset()
    port.latencies(IMMEDIATE, IMMEDIATE)
    guest = FreeGuest(parse_program(_LOOP, "loop"), port)
    await write(port, 2, lookup("ICH_VMCR_EL2"), 0xF84C_0003)
    await write(port, 2, lookup("ICH_HCR_EL2"), 1)
    for n, intid in enumerate((40, 41)):
        await write(port, 2, lookup(f"ICH_LR{n}_EL2"), _PENDING | intid)
    report = await port.run(100, entry=1, exact=1, record=1)
    records = [list(one) for one in await port.records()]
    assert not guest.failures
    hcr = await read(port, 2, lookup("ICH_HCR_EL2"))
    return records, [report.cause.name, report.operations, report.clock, Kind(report.last.kind).name, hcr]


async def free_guest(ports):
    """Load a program for a guest that is to run free."""
    FreeGuest(parse_program("HALT", "halt"), ports[0])


async def overflow(ports, path, free):
    """Run the guest of a scenario with all its interrupts pending; return everything that came of it."""
    verdict, play, machine, state = await _scenario(ports, path, free, True)
    (runner,) = machine.runners
    exits = [str(one) for one in runner.exits]
    broken = [one.text for one in play.invariants.broken]
    events = [str(event) for event in machine.log.events]
    return [
        verdict.kind, machine.time, exits, runner.guest.log, runner.guest.failures, state, broken, events,
    ]  # fmt: skip


async def ends(ports, path, free, watched):
    """Run the guest of a scenario; return how it ended, its exits, and what happens in its loop."""
    verdict, _, machine, state = await _scenario(ports, path, free, False, watched)
    (runner,) = machine.runners
    loop = sorted({line.split(maxsplit=1)[1] for line in verdict.loop})
    return [verdict.kind, verdict.due, [str(one) for one in runner.exits], loop, state]


async def _scenario(ports, path, free, raised, watched=True):
    scenario = read_scenario(Path(path), "overflow")
    steps = scenario.sequences[0]
    for port in ports:
        await port.reset()
    machine = build_machine(scenario, steps.machine, profile_named(steps.profiles[0]), ports)
    play = Play(scenario, steps, machine, False, None)
    (runner,) = machine.runners
    if free:
        runner.guest = FreeGuest(scenario.guests[0], ports[0], 0, scenario.file)
    await machine.enter(runner)
    for one in scenario.interrupts if raised else ():
        kvm_vgic_inject_irq(machine.vm, None, one.intid, True)
    machine.stimulate()
    await machine.settle()
    if free:
        verdict = await run_free(machine, watched=watched)
    else:
        verdict = await run_guests(machine, Scheduler(None))
    return verdict, play, machine, repr(await ports[0].state())
