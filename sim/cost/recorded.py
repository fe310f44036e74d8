"""The cost of recorded guests: what a guest and its devices did, under another hypervisor.

Of a recording of Linux KVM only the stimulus is taken: the guest's own accesses, in order, and the injections
between them. The hypervisor and the hardware are ours, and the answers theirs. The host's own exits (its
timer tick) are left out. A guest that gets another interrupt than in the recording would have gone another
way; how often that happens is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hw.registers import BY_NAME
from sim.cost.meter import Cost, Deliveries, MeteredPort, take
from sim.guest.operation import Kind, Operation
from sim.kvm.inject import kvm_vgic_inject_irq
from sim.kvm.profile import Profile
from sim.machine.machine import Machine
from sim.machine.physical import PhysicalInterrupts
from sim.machine.runner import Place, Runner
from sim.port import run
from sim.predict import build_vm, is_predictable, placement
from sim.trace import Event, ExceptionTaken, Injection, RegisterAccess, TimerLine, Trace, open_trace

__all__ = ["Guest", "RecordedCost", "is_complete", "measure_recorded", "read_guest"]


@dataclass(frozen=True)
class _Step:
    """One operation of ``vcpu`` with the value it read, and the (INTID, level) injected at its exit."""

    vcpu: int
    operation: Operation
    value: int | None
    injections: tuple[tuple[int, bool], ...]


@dataclass(frozen=True)
class Guest:
    """A recorded guest: its steps, the exits it took on the recorded kernel, and the file."""

    path: str
    steps: tuple[_Step, ...]
    exits: int


@dataclass(frozen=True)
class RecordedCost:
    """What a recorded guest costs here; ``different`` acknowledges gave another result than recorded."""

    cost: Cost
    different: int


def is_complete(path: Path) -> bool:
    """Return whether a file is a recording with all of its stimulus, in exact order."""
    with open_trace(path) as trace:
        return is_predictable(trace.meta) and trace.meta.raw["stimulus"] == "complete"


def read_guest(path: Path) -> Guest | None:
    """Return the guest of a recording, None if the timer or hyp's emulation plays a part in it.

    Raises
    ------
    InputError
        When the file is malformed.
    """
    with open_trace(path) as trace:
        cpus = {cpu: vcpu for vcpu, cpu in placement(trace).items()}
        steps: list[_Step] = []
        exits = 0
        for event in trace.events():
            if isinstance(event, TimerLine):
                return None
            if isinstance(event, Injection):
                last = steps[-1]
                steps[-1] = _Step(
                    last.vcpu, last.operation, last.value, (*last.injections, (event.irq, event.level))
                )
                continue
            exits += isinstance(event, ExceptionTaken) and event.to_el == 2 and not event.host
            operation, value, count = _operation(event)
            if operation is not None and event.cpu in cpus:
                steps += [_Step(cpus[event.cpu], operation, value, ())] * count
        traps = "vgic_v3_" in str(trace.meta.raw.get("append", ""))
        return None if traps else Guest(str(path), tuple(steps), exits)


def _operation(event: Event) -> tuple[Operation | None, int | None, int]:
    """Return the guest's operation that an event records, what it read, and how often it came."""
    if isinstance(event, RegisterAccess) and event.el == 1:
        name = event.register.name.replace("ICV_", "ICC_")
        written = event.value if event.write else 0
        read = None if event.write else event.value
        return Operation(Kind.SYSREG, BY_NAME[name], event.write, written), read, event.count
    if not isinstance(event, ExceptionTaken) or event.host or event.to_el != 2:
        return None, None, 0
    written = event.value or 0
    if event.kind == "mmio" and event.address is not None:
        return (
            Operation(Kind.MMIO, None, bool(event.write), written, 0, event.address, event.size or 4),
            None,
            1,
        )
    if event.kind == "sysreg" and event.register is not None and event.register.name != "ICC_SRE_EL1":
        return Operation(Kind.SYSREG, event.register, bool(event.write), written), None, 1
    return None, None, 0


def measure_recorded(guest: Guest, profile: Profile) -> RecordedCost:
    """Play a recorded guest under a profile on golden hardware."""
    with open_trace(Path(guest.path)) as trace:
        machine, deliveries = _machine(trace, profile)
    return run(_play(machine, deliveries, guest))


def _machine(trace: Trace, profile: Profile) -> tuple[Machine, Deliveries]:
    vm = build_vm(trace, profile, lambda vcpu: False)
    vm.host.irqs = PhysicalInterrupts()
    deliveries = Deliveries()
    ports = [MeteredPort(trace.config) for _ in vm.vcpus]
    return Machine(ports, vm, observers=[deliveries]), deliveries


async def _play(machine: Machine, deliveries: Deliveries, guest: Guest) -> RecordedCost:
    different = 0
    for runner in machine.runners:
        await machine.enter(runner)
    await machine.settle()
    for step in guest.steps:
        runner = machine.runners[step.vcpu]
        if runner.place is Place.ASLEEP:
            runner.place = Place.OUT
        if step.injections:
            await _doorbell(machine, runner, step)
            continue
        value, _ = await machine.operate(runner, step.operation)
        acknowledges = step.operation.kind is Kind.SYSREG and "_IAR" in step.operation.register.name
        different += acknowledges and value != step.value
    return RecordedCost(take(machine, deliveries), different)


async def _doorbell(machine: Machine, runner: Runner, step: _Step) -> None:
    """Let the VMM inject in the exit that asked for it, as an ioctl between two runs of the vCPU."""
    if runner.place is not Place.GUEST:
        await machine.enter(runner)
    await machine.exit(runner, frozenset({"MMIO"}), f"{step.operation.address:#x}")
    for intid, level in step.injections:
        kvm_vgic_inject_irq(machine.vm, None, intid, level)
    machine.stimulate()
    await machine.enter(runner)
    await machine.settle()
