"""The machine: the run loop of KVM around guests on CPU ports (spec section 5).

One guest operation is the unit of time. After each one, every exit that is due is taken: maintenance
interrupts and kicks, after their latency. Everything is deterministic; there is no other clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sim.engines.legacy import LegacyPort
from sim.guest.operation import Kind, Operation
from sim.kvm.ap_list import kvm_vgic_vcpu_pending_irq
from sim.kvm.arm import check_vcpu_requests
from sim.kvm.inject import kvm_vgic_inject_irq
from sim.kvm.irq import VgicModel
from sim.kvm.requests import kvm_request_pending
from sim.kvm.vm import Mode, Vm
from sim.machine import handlers
from sim.machine.events import EventLog
from sim.machine.fingerprint import fingerprint
from sim.machine.hardware import hardware_state
from sim.machine.latency import IMMEDIATE, Latency
from sim.machine.observer import Observer
from sim.machine.physical import PhysicalInterrupts
from sim.machine.runner import Exit, Place, Runner
from sim.machine.timer import Timer
from sim.notation import format_hcr, format_lrs, misr_names
from sim.port import Access, CpuPort, Outcome, State
from sim.world_switch import flush_hwstate, kvm_vgic_load, kvm_vgic_put, sync_hwstate, sync_hwstate_aborted

__all__ = ["Machine"]

#: So many exits without a guest operation are ordinary; only then are states compared.
_QUIET_EXITS = 3


class Machine:
    """vCPUs of one VM on physical CPUs.

    Parameters
    ----------
    ports : sequence of CpuPort
        One for each physical CPU.
    vm : Vm
        The virtual machine; its host's ``irqs`` must be a :class:`PhysicalInterrupts`.
    mi_latency : Latency
        From the maintenance line's rise to the exit.
    kick_latency : Latency
        From a kick of a running vCPU to the exit.
    log : EventLog or None
        Where events go.
    observers : iterable of Observer
        Who watches.
    """

    def __init__(
        self,
        ports: Sequence[CpuPort],
        vm: Vm,
        mi_latency: Latency = IMMEDIATE,
        kick_latency: Latency = IMMEDIATE,
        log: EventLog | None = None,
        observers: Iterable[Observer] = (),
    ):
        if not isinstance(vm.host.irqs, PhysicalInterrupts):
            raise TypeError("the VM's host needs PhysicalInterrupts")
        self.gicv2_guest = vm.vgic_model is VgicModel.V2
        legacy = self.gicv2_guest and not vm.host.gicv2
        self.ports = [LegacyPort(port) if legacy else port for port in ports]
        self.vm = vm
        self.physical: PhysicalInterrupts = vm.host.irqs
        self.mi_latency = mi_latency
        self.kick_latency = kick_latency
        self.log = log or EventLog(limit=256)
        self.observers = list(observers)
        self.runners = [Runner(vcpu) for vcpu in vm.vcpus]
        #: Guest operations so far.
        self.time = 0
        #: SPIs whose device lowers its line when the end is notified (irqfd with resampling).
        self.resampled: set[int] = set()
        #: Those of them whose device raises it again at once.
        self.insisting: set[int] = set()
        #: The machine looks for maintenance interrupts itself; False where the engine does, in time.
        self.watches = True
        #: Timers behind mapped interrupts.
        self.timers: list[Timer] = []
        self._notified = 0
        #: Something outside has happened that the host has not reacted to yet.
        self._stirred = False
        self._loaded: dict[int, Runner] = {}
        self._seen: dict[object, int] = {}
        self._idle_exits = 0

    def add_timer(self, timer: Timer) -> None:
        """Put a timer behind a mapped interrupt."""
        self.timers.append(timer)
        self.observers.append(timer)

    # -- between runs ----------------------------------------------------------------------------------

    def port(self, runner: Runner) -> CpuPort:
        """Return the CPU port a loaded vCPU is on."""
        return self.ports[runner.cpu]

    async def load(self, runner: Runner, cpu: int | None = None) -> None:
        """Schedule a vCPU on a physical CPU (by default the one of its number), moving another one out."""
        if runner.cpu is not None:
            return
        cpu = runner.number % len(self.ports) if cpu is None else cpu
        other = self._loaded.get(cpu)
        if other is not None:
            await self.put(other)
        runner.cpu = runner.vcpu.cpu = cpu
        self._loaded[cpu] = runner
        self.physical.moved(runner.vcpu)
        await kvm_vgic_load(self.port(runner), runner.vcpu)
        if runner.scheduled_out:
            runner.scheduled_out = False
            self.physical.kvm_timer_vcpu_load_gic(self.vm, runner.vcpu)

    async def put(self, runner: Runner) -> None:
        """Take a vCPU off its physical CPU; if it is in its guest it exits first."""
        if runner.cpu is None:
            return
        if runner.place is Place.GUEST:
            await self.exit(runner, frozenset({"KICK"}), "preempted")
        await kvm_vgic_put(self.port(runner), runner.vcpu)
        del self._loaded[runner.cpu]
        runner.cpu = None
        runner.scheduled_out = True

    async def enter(self, runner: Runner) -> None:
        """Run the loop of section 5 until the vCPU is in its guest."""
        if runner.place is Place.GUEST:
            return
        await self._react()
        await self.load(runner)
        port, vcpu = self.port(runner), runner.vcpu
        while True:
            for observer in self.observers:
                observer.entering(self, runner)
            check_vcpu_requests(vcpu)
            await flush_hwstate(port, vcpu)
            vcpu.mode = Mode.IN_GUEST_MODE
            vcpu.kicked = False
            if not kvm_request_pending(vcpu):
                break
            await self._give_up(runner)
        runner.place = Place.GUEST
        runner.entries += 1
        runner.kick_since = runner.mi_since = None
        runner.mi_asked = False
        await self.physical.carry_out()
        if self.observers or self.log.enabled:
            state = await hardware_state(port)
            self._note_entry(runner, state)
            for observer in self.observers:
                observer.entered(self, runner, state)
        if self.watches:
            await self._watch(runner)

    async def abort(self, runner: Runner) -> None:
        """Give an entry up after its flush (section 5): the LRs are folded without having run."""
        if runner.place is Place.GUEST:
            await self.exit(runner, frozenset({"KICK"}))
        await self.load(runner)
        check_vcpu_requests(runner.vcpu)
        await flush_hwstate(self.port(runner), runner.vcpu)
        await self.physical.carry_out()
        state = await hardware_state(self.port(runner))
        for observer in self.observers:
            observer.entered(self, runner, state)
        await self._give_up(runner)
        for observer in self.observers:
            observer.entering(self, runner)

    async def _give_up(self, runner: Runner) -> None:
        runner.vcpu.mode = Mode.OUTSIDE_GUEST_MODE
        await sync_hwstate_aborted(self.port(runner), runner.vcpu)
        self.log.add(self.time, runner.number, "exit", "entry given up")
        await self.host()

    async def exit(self, runner: Runner, causes: frozenset[str], detail: str = "") -> None:
        """Leave the guest and sync. The handler, and the next entry, are the caller's."""
        port = self.port(runner)
        state = await hardware_state(port)
        one = Exit(causes, detail, state.misr)
        runner.place = Place.OUT
        runner.vcpu.mode = Mode.OUTSIDE_GUEST_MODE
        await sync_hwstate(port, runner.vcpu)
        await self.physical.carry_out()
        runner.left(one)
        if self.log.enabled:
            self.log.add(self.time, runner.number, "exit", str(one))
        for observer in self.observers:
            observer.synced(self, runner, one, state)
        await self.host()

    # -- what a guest does -----------------------------------------------------------------------------

    async def operate(self, runner: Runner, operation: Operation) -> tuple[int, int]:
        """Execute one guest operation and every exit that follows from it.

        Returns
        -------
        (int, int)
            The value of a read (else 0), and ESR_EL1 of a fault (else 0).
        """
        if runner.place is Place.OUT:
            await self.enter(runner)
            await self.settle()
        if runner.place is not Place.GUEST or runner.stuck:
            raise RuntimeError(f"vCPU{runner.number} cannot run: it is {runner.place.value}")
        await self._react()
        self.time += 1
        runner.operations += 1
        self._forget()
        value, fault = await self._execute(runner, operation)
        if runner.cpu is not None:
            for intid in await self.port(runner).deactivations():
                self.physical.deactivated_by_hardware(intid)
                self.log.add(self.time, runner.number, "device", f"hardware deactivates physical {intid}")
        await self.host()
        if runner.place is Place.GUEST and self.watches:
            await self._watch(runner)
        await self.settle()
        return value, fault

    async def _execute(self, runner: Runner, operation: Operation) -> tuple[int, int]:
        value = fault = 0
        kind = operation.kind
        if kind is Kind.SYSREG and self.gicv2_guest:
            value = await handlers.gicv2_sysreg(self, runner, operation)
        elif kind is Kind.SYSREG:
            access = Access(1, operation.register, operation.write, operation.value, operation.rt)
            response = await self.port(runner).access(access)
            if response.outcome is Outcome.OK:
                value = response.value
                self.note_operation(runner, operation, value)
            elif response.outcome is Outcome.TRAP_EL2:
                value, fault = await handlers.trapped(self, runner, operation)
            else:
                fault = response.esr
                self.note_operation(runner, operation, value)
        elif kind is Kind.MMIO:
            value = await handlers.mmio(self, runner, operation)
        elif kind is Kind.WFI:
            await handlers.wfi(self, runner, operation)
        else:
            self.note_operation(runner, operation, 0)
            if kind is Kind.NOP:
                runner.idle += 1
            else:
                await self.exit(runner, frozenset({kind.name}))
            if kind is Kind.EXIT:
                await self.enter(runner)
            elif kind is Kind.HALT:
                await self.put(runner)
                runner.place = Place.HALTED
        return value, fault

    # -- exits that come by themselves -----------------------------------------------------------------

    def stimulate(self, text: str = "") -> None:
        """Note that something outside has happened: a stuck vCPU may move again.

        The host reacts when the machine is next asked for something: :meth:`settle`, :meth:`enter`,
        :meth:`operate`.
        """
        self._forget()
        for runner in self.runners:
            runner.stuck = []
        if text:
            self.log.add(self.time, -1, "device", text)
        self._stirred = True

    async def maintenance(self, runner: Runner) -> bool:
        """Take a late maintenance interrupt now; False if the line is low or the vCPU is not in its guest."""
        if runner.place is not Place.GUEST or runner.stuck:
            return False
        if not (await self.port(runner).lines()).maintenance:
            return False
        runner.mi_asked = True
        await self.settle()
        return True

    async def settle(self) -> None:
        """Take every exit that is due, and wake who may wake, until nothing is due."""
        await self._react()
        again = True
        while again:
            again = False
            for runner in self.runners:
                if runner.place is Place.GUEST and not runner.stuck:
                    again |= await self._take(runner)
                elif runner.place is Place.ASLEEP and runner.vcpu.kicked:
                    runner.vcpu.kicked = False
                    if kvm_vgic_vcpu_pending_irq(runner.vcpu):
                        runner.place = Place.OUT
                        await self.enter(runner)
                        again = True

    async def _take(self, runner: Runner) -> bool:
        """Take the exit a running vCPU is due for, if any, and enter again."""
        self._note_kicks()
        if self._over(runner, self.kick_latency, runner.kick_since):
            causes = frozenset({"KICK"})
        elif runner.mi_asked or self._over(runner, self.mi_latency, runner.mi_since):
            causes = frozenset(misr_names((await self.port(runner).state()).misr))
        else:
            return False
        await self.exit(runner, causes)
        await self.enter(runner)
        await self._look_for_storm(runner)
        return True

    async def _watch(self, runner: Runner) -> None:
        """Note since when a vCPU's maintenance line is high."""
        if not (await self.port(runner).lines()).maintenance:
            runner.mi_since = None
        elif runner.mi_since is None:
            runner.mi_since = self._clock(runner, self.mi_latency)

    def _note_kicks(self) -> None:
        """Note since when kicks are under way."""
        for runner in self.runners:
            if runner.place is Place.GUEST and runner.vcpu.kicked and runner.kick_since is None:
                runner.kick_since = self._clock(runner, self.kick_latency)

    def _clock(self, runner: Runner, latency: Latency) -> int:
        return latency.clock(self.port(runner), runner.operations, runner.idle)

    def _over(self, runner: Runner, latency: Latency, since: int | None) -> bool:
        return since is not None and latency.over(since, self._clock(runner, latency))

    def waiting(self, runner: Runner) -> tuple[int | None, int | None]:
        """Return for how long a maintenance interrupt and a kick have been under way."""
        pairs = ((self.mi_latency, runner.mi_since), (self.kick_latency, runner.kick_since))
        return tuple(
            None
            if since is None or runner.cpu is None or latency.amount is None
            else min(self._clock(runner, latency) - since, latency.amount)
            for latency, since in pairs
        )

    def _forget(self) -> None:
        """Start the search for exit storms anew: something has moved."""
        self._seen.clear()
        self._idle_exits = 0

    async def _look_for_storm(self, runner: Runner) -> None:
        """Notice exits and entries that lead back to the same state without a guest operation."""
        self._idle_exits += 1
        if self._idle_exits < _QUIET_EXITS:
            return
        key = await fingerprint(self)
        number = len(runner.exits)
        if key in self._seen:
            runner.stuck = [str(one) for one in runner.exits[self._seen[key] :]] or [str(runner.exits[-1])]
            self.log.add(self.time, runner.number, "note", f"exit storm: {'; '.join(runner.stuck)}")
            for observer in self.observers:
                observer.stuck(self, runner)
        self._seen[key] = number

    async def _react(self) -> None:
        """Let the host react to what :meth:`stimulate` told of."""
        if self._stirred:
            await self.host()

    async def host(self) -> None:
        """Let the host take physical interrupts that are due, and devices react to resample notifications."""
        self._stirred = False
        for intid in await self.physical.take_due(self.vm):
            self.log.add(self.time, -1, "take", f"the host takes physical {intid} and injects it")
        for intid in self.vm.acked[self._notified :] if self.resampled else ():
            if intid in self.resampled:
                kvm_vgic_inject_irq(self.vm, None, intid, False)
                if intid in self.insisting:
                    kvm_vgic_inject_irq(self.vm, None, intid, True)
        self._notified = len(self.vm.acked)
        self._note_kicks()

    # -- the log ---------------------------------------------------------------------------------------

    def _note_entry(self, runner: Runner, state: State) -> None:
        if self.log.enabled:
            text = f"{format_lrs(state.lr, self.gicv2_guest)} | {format_hcr(runner.vcpu.cpu_if.vgic_hcr)}"
            self.log.add(self.time, runner.number, "entry", text)

    def note_operation(self, runner: Runner, operation: Operation, value: int) -> None:
        """Tell the observers and the log about an operation."""
        for observer in self.observers:
            observer.operated(self, runner, operation, value)
        if self.log.enabled:
            is_read = operation.kind is Kind.SYSREG and not operation.write
            text = f"{operation} -> {value} ({value:#x})" if is_read else str(operation)
            self.log.add(self.time, runner.number, "op", text)
