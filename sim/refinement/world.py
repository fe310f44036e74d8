"""One refinement run: a machine and the ideal GIC fed with the same actions, compared after each."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

from sim.engines.counting import CountingPort
from sim.guest.operation import Operation, end_of_interrupt, read_register, write_register
from sim.ideal import FIRST_LPI, NONE, IdealGic, IdealIrq, Offer
from sim.kvm.inject import kvm_vgic_inject_irq
from sim.kvm.irq import VgicIrq
from sim.kvm.lpi import vgic_its_trigger_msi
from sim.kvm.lr import vgic_get_vcpu_irq
from sim.machine.events import EventLog
from sim.machine.invariants import Invariants
from sim.machine.machine import Machine
from sim.machine.observer import Observer
from sim.machine.peek import peek
from sim.machine.runner import Exit, Place, Runner
from sim.machine.view import running_priority
from sim.policy.names import hypervisor_named
from sim.port import CpuPort, State
from sim.refinement.divergence import Divergence, key_of
from sim.refinement.facts import Facts
from sim.refinement.late import LateEdges
from sim.refinement.setup import Setup
from sim.refinement.windows import Windows
from sim.scenario.build import build_vm
from sim.scenario.model import Interrupt

__all__ = ["GuestState", "World"]


@dataclass
class GuestState:
    """What one guest is handling: acknowledged (INTID, group) pairs, and dropped INTIDs to deactivate."""

    stack: list[tuple[int, int]] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)


class _Switches(Observer):
    """Tells the facts and the ideal about world switches: they are when a change reaches a vCPU."""

    def __init__(self, facts: Facts, ideal: IdealGic):
        self.facts = facts
        self.ideal = ideal

    def synced(self, machine: Machine, runner: Runner, one: Exit, hardware: State) -> None:
        """See an exit: the sync hands over what is routed to another vCPU."""
        self.ideal.release(runner.number)

    def entered(self, machine: Machine, runner: Runner, hardware: State) -> None:
        """See an entry: its list registers are as memory is now."""
        self.facts.entered(runner.number)
        self.ideal.settle(runner.number)


class World:
    """A machine and an ideal GIC.

    Parameters
    ----------
    setup : Setup
        The machine.
    ports : sequence of CpuPort
        One for each vCPU, reset.
    log : int
        How many events to keep; 0: none.
    """

    def __init__(self, setup: Setup, ports: Sequence[CpuPort], log: int = 0):
        self.setup = setup
        self.ports = list(ports)
        spec = setup.spec
        vm = build_vm(spec, setup.interrupts, hypervisor_named(setup.profile))
        self.facts = Facts()
        self.invariants = Invariants()
        events = EventLog(limit=log or 1, enabled=log > 0)
        self.ideal = IdealGic(spec.config, setup.vcpus)
        observers = [self.invariants, _Switches(self.facts, self.ideal)]
        self.machine = Machine(ports, vm, spec.mi, spec.kick, events, observers)
        self.machine.resampled = {one.intid for one in setup.interrupts if one.resample}
        self.runners = self.machine.runners
        self.guests = [GuestState() for _ in range(setup.vcpus)]
        self.windows = Windows(setup.vcpus)
        self.late = LateEdges()
        self.ideal.slow = self._tolerant()
        self.ideal.perhaps = lambda irq: key_of(irq.intid, irq.target) in self.late.maybe
        self._configure_ideal()

    @property
    def vm(self):
        """The machine's VM."""
        return self.machine.vm

    def _configure_ideal(self) -> None:
        spec = self.setup.spec
        for interface in self.ideal.interfaces:
            interface.pmr, interface.eoimode = spec.pmr, spec.eoimode
            interface.enables = [spec.group0, spec.group1]
        for one in self.setup.interrupts:
            for vcpu in range(self.setup.vcpus if one.intid < 32 else 1):
                irq = self.ideal.irq(one.intid, vcpu)
                irq.priority, irq.group, irq.level = one.priority, one.group, one.level
                irq.enabled = one.enabled
                irq.target = vcpu if one.intid < 32 else one.vcpu

    async def start(self) -> None:
        """Let every vCPU enter."""
        for runner in self.runners:
            await self.machine.enter(runner)
        await self.machine.settle()

    def begin(self) -> None:
        """Begin an action."""
        self.facts.begin()
        self.see_who_runs()
        for runner in self.runners:
            if runner.place is Place.ASLEEP:
                self.ideal.settle(runner.number)

    def see_who_runs(self) -> None:
        """Tell the ideal which vCPUs are executing: only those take time to let go of something."""
        self.ideal.running = {r.number for r in self.runners if r.place in (Place.GUEST, Place.OUT)}

    # -- names -----------------------------------------------------------------------------------------

    def vgic_irq(self, intid: int, vcpu: int) -> VgicIrq:
        """Return the hypervisor's interrupt."""
        return vgic_get_vcpu_irq(self.vm.vcpus[vcpu], intid)

    def instances(self) -> list[tuple[Interrupt, int]]:
        """Return every interrupt with the vCPU that names it; private ones once for each vCPU."""
        return [
            (one, vcpu)
            for one in self.setup.interrupts
            for vcpu in (range(self.setup.vcpus) if one.intid < 32 else (0,))
        ]

    async def ready(self, vcpu: int) -> bool:
        """Schedule a vCPU in if it is out, and return whether it can execute a guest operation now."""
        runner = self.runners[vcpu]
        if runner.place is Place.OUT and not runner.stuck:
            await self.machine.enter(runner)
            await self.machine.settle()
        return self.runnable(vcpu)

    async def wake(self, vcpu: int) -> None:
        """End a vCPU's sleep, as a signal to the VMM does."""
        self.runners[vcpu].place = Place.OUT
        await self.machine.enter(self.runners[vcpu])
        await self.machine.settle()

    def runnable(self, vcpu: int) -> bool:
        """Return whether a vCPU can execute a guest operation now."""
        return self.runners[vcpu].place is Place.GUEST and not self.runners[vcpu].stuck

    # -- devices ---------------------------------------------------------------------------------------

    async def set_line(self, intid: int, vcpu: int, level: bool) -> None:
        """Set the line of a level interrupt, mapped or not, on the machine and in the ideal."""
        irq = self.ideal.irq(intid, vcpu)
        if not level:
            self.ideal.unsettle(irq)
            if self.not_told(intid):
                self.facts.not_told.add(intid)
        self.ideal.set_line(intid, level, vcpu)
        if intid in self.machine.resampled:
            (self.machine.insisting.add if level else self.machine.insisting.discard)(intid)
        if self.vgic_irq(intid, vcpu).hw:
            self.machine.physical.set_line(intid, level)
        else:
            kvm_vgic_inject_irq(self.vm, self.vm.vcpus[vcpu] if intid < 32 else None, intid, level)
        await self.stimulated()

    def not_told(self, intid: int) -> bool:
        """Return whether a resampling device keeps its line high because nobody told it of the end."""
        resampled = intid in self.machine.resampled
        return resampled and self.vgic_irq(intid, 0).line_level and not self.ideal.irq(intid).line

    async def pulse(self, intid: int) -> None:
        """Let an edge or a message of a device reach the hypervisor."""
        if intid >= FIRST_LPI:
            vgic_its_trigger_msi(self.vm, intid)
        else:
            kvm_vgic_inject_irq(self.vm, None, intid, True)
        await self.stimulated()

    async def stimulated(self) -> None:
        """Let the machine react to a device."""
        self.machine.stimulate()
        await self.machine.settle()

    # -- guest operations ------------------------------------------------------------------------------

    async def operate(self, vcpu: int, operation: Operation) -> int:
        """Execute a guest operation on the machine and return the value read."""
        runner = self.runners[vcpu]
        if runner.stuck:
            raise Divergence("storm", vcpu, "; ".join(runner.stuck))
        self.windows.passed(vcpu)
        value, fault = await self.machine.operate(runner, operation)
        if fault:
            raise Divergence("fault", vcpu, f"{operation} faulted")
        return value

    async def acknowledge(self, vcpu: int, group: int) -> None:
        """Read IAR<group> and hold the result against the ideal."""
        allowed = self.ideal.acknowledge_allowed(vcpu, group)
        before = self.ideal.candidates(vcpu)
        possible = self._possible(vcpu, group)
        intid = await self.operate(vcpu, read_register(f"IAR{group}"))
        if intid not in allowed and intid not in possible:
            text = f"IAR{group} gives {intid}, the ideal {_either(allowed)}"
            raise Divergence("iar", vcpu, text, {intid, *allowed}, intid)
        if intid == NONE:
            return
        taken = self.ideal.acknowledge(vcpu, intid, group, await self._running_priority(vcpu), before)
        self.late.acknowledge(key_of(intid, vcpu))
        self.facts.acknowledged(vcpu, intid)
        if (taken.priority, taken.group) != (taken.irq.priority, taken.irq.group):
            self.facts.note_reordered(vcpu, intid)
        for guest in self.guests if intid >= 32 else [self.guests[vcpu]]:
            if intid in guest.dropped:
                guest.dropped.remove(intid)
        self.guests[vcpu].stack.append((intid, group))

    def _tolerant(self) -> bool:
        """Return whether an exit may be under way, so that the order may be wrong."""
        return self.setup.latency > 0

    def _possible(self, vcpu: int, group: int) -> set[int]:
        """Return what IAR may give while a late exit is under way: anything due, or nothing."""
        if not self._tolerant():
            return set()
        maybe = [Offer(irq, irq.priority, irq.group) for irq in self._maybe(vcpu)]
        due = [*self.ideal.candidates(vcpu), *maybe]
        return {
            NONE,
            *(one.irq.intid for one in due if one.group == group and self.ideal.can_signal(vcpu, one)),
        }

    async def _running_priority(self, vcpu: int) -> int:
        """Return RPR as the vCPU would read it."""
        runner = self.runners[vcpu]
        if runner.cpu is None:  # scheduled out meanwhile: the active priorities are saved
            saved = runner.vcpu.cpu_if
            state = State(ap0r=saved.vgic_ap0r, ap1r=saved.vgic_ap1r)
            return running_priority(state, self.setup.spec.config.pre_bits)
        return await self._peek(vcpu, "RPR")

    async def _peek(self, vcpu: int, short: str) -> int:
        """Return what the vCPU would read from an ICC register, and let nobody count it."""
        port = self.ports[self.runners[vcpu].cpu]
        with port.unseen() if isinstance(port, CountingPort) else nullcontext():
            return await peek(self.machine, self.runners[vcpu], short)

    def _maybe(self, vcpu: int) -> list[IdealIrq]:
        """Return the interrupts that a late edge may have made pending on a vCPU."""
        irqs = [self.ideal.irq(intid, owner) for owner, intid in self.late.maybe]
        return [irq for irq in irqs if irq.target == vcpu and irq.enabled and not irq.active]

    async def end(self, vcpu: int) -> None:
        """End the interrupt that was acknowledged last."""
        guest = self.guests[vcpu]
        if not guest.stack:
            return
        intid, group = guest.stack.pop()
        irq = self.ideal.irq(intid, vcpu)
        was_active = irq.active
        eoimode, outside = self.ideal.interfaces[vcpu].eoimode, not self.vgic_irq(intid, vcpu).on_lr
        if self.vm.host.cpuif_trap and eoimode and outside:
            self.facts.emulated_eoi.add(vcpu)
        self.ideal.end(vcpu, group, intid)
        self._resample(irq, was_active)
        await self.operate(vcpu, end_of_interrupt(group, intid))
        if self.ideal.interfaces[vcpu].eoimode and intid < FIRST_LPI:
            guest.dropped.append(intid)

    async def deactivate(self, vcpu: int, intid: int, owner: int) -> None:
        """Write DIR on ``vcpu`` for an interrupt that ``owner`` has dropped."""
        self.guests[owner].dropped.remove(intid)
        runner = self.runners[vcpu]
        irq, virtual = self.ideal.irq(intid, vcpu), self.vgic_irq(intid, vcpu)
        was_active = irq.active
        self.ideal.deactivate(vcpu, intid)
        self._resample(irq, was_active)
        elsewhere = virtual.vcpu is not None and virtual.vcpu is not runner.vcpu
        direct = elsewhere and not virtual.on_lr
        exits, kicked = len(runner.exits), runner.vcpu.kicked
        if direct:
            self.facts.remote_dir.setdefault(virtual.vcpu.vcpu_id, set()).add(intid)
        await self.operate(vcpu, write_register("DIR", intid))
        if elsewhere and not any("TRAP" in one.causes for one in runner.exits[exits:]):
            (self.facts.early_dir if kicked else self.facts.untrapped_dir).add(intid)

    def _resample(self, irq: IdealIrq, was_active: bool) -> None:
        """Let a resampling device lower its line at the end of its interrupt, as it should be told."""
        if was_active and not irq.active and irq.intid in self.machine.resampled:
            irq.line = False
            self.machine.insisting.discard(irq.intid)

    # -- comparison ------------------------------------------------------------------------------------

    async def compare(self) -> None:
        """Compare everything a guest could see now.

        Raises
        ------
        Divergence
            The first difference.
        """
        for broken in self.invariants.broken:
            if broken.hole is None or self.setup.strict:
                raise Divergence("invariant", 0, f"{broken.name} {broken.text}")
        for runner in self.runners:
            vcpu = runner.number
            if runner.stuck:
                raise Divergence("storm", vcpu, "; ".join(runner.stuck))
            if runner.place is Place.ASLEEP and self.ideal.awake(vcpu):
                due = {offer.irq.intid for offer in self.ideal.best(vcpu)}
                raise Divergence("asleep", vcpu, f"asleep while {_either(due)} is signalled", due)
            if runner.place is Place.GUEST:
                await self._compare_interface(runner)

    async def _compare_interface(self, runner: Runner) -> None:
        vcpu = runner.number
        await self._compare_running_priority(runner)
        difference = await self._difference(runner)
        if not self.setup.latency:
            if difference is not None:
                raise difference
            return
        if difference is not None and {irq.intid for irq in self._maybe(vcpu)} & difference.presented:
            difference = None
        limit = 2 * self.setup.latency + 2
        if self.windows.note(vcpu, difference is not None) > limit and vcpu in self.windows.open:
            text = f"for more than {limit} operations {difference.text}"
            raise Divergence("starved", vcpu, text, difference.intids)

    async def _compare_running_priority(self, runner: Runner) -> None:
        vcpu = runner.number
        running = await self._running_priority(vcpu)
        want = self.ideal.interfaces[vcpu].running_priority
        if running != want:
            text = f"RPR is {running:#x}, the ideal says {want:#x}"
            raise Divergence("rpr", vcpu, text, {intid for intid, _ in self.guests[vcpu].stack})

    async def _difference(self, runner: Runner) -> Divergence | None:
        """Return how what is presented to a vCPU differs from the ideal, None if it does not."""
        vcpu = runner.number
        best = self.ideal.best(vcpu)
        lines = await self.machine.port(runner).lines()
        found = (lines.virq, lines.vfiq)
        allowed = {self._lines(vcpu, offer) for offer in best}
        if self.ideal.may_be_idle(vcpu):
            allowed.add((False, False))
        hppir = []
        for group in (0, 1):
            hppir.append(await self._peek(vcpu, f"HPPIR{group}"))
        text = ""
        for group in (0, 1):
            wanted = self.ideal.highest_pending_allowed(vcpu, group)
            if hppir[group] not in wanted:
                text = f"HPPIR{group} is {hppir[group]}, the ideal says {_either(wanted)}"
        kind = "hppir"
        if not text and found not in allowed:
            kind, text = "lines", f"vIRQ, vFIQ are {found}, the ideal says {_either(allowed)}"
        if not text:
            return None
        return Divergence(kind, vcpu, text, {*hppir, *(offer.irq.intid for offer in best)}, presented=hppir)

    def _lines(self, vcpu: int, offer: Offer) -> tuple[bool, bool]:
        signalled = self.ideal.can_signal(vcpu, offer)
        return signalled and offer.group == 1, signalled and offer.group == 0

    async def satisfy(self, intid: int, vcpu: int) -> None:
        """Let a device lower its line, as it does when its handler has served it."""
        irq = self.ideal.irq(intid, vcpu)
        if irq.level and irq.line:
            await self.set_line(intid, vcpu, False)


def _either(values) -> str:
    return " or ".join(str(value) for value in sorted(values))
