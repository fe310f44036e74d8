"""Feeding a recording, line by line, to the vCPU threads, and comparing what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from hw.registers import BY_NAME, Register
from sim.kvm.inject import kvm_vgic_inject_irq
from sim.kvm.profile import Profile
from sim.kvm.vm import Vm
from sim.port import Access, Outcome, Response
from sim.predict.adopt import adopt_entry
from sim.predict.order import Order
from sim.predict.report import Difference, Report, describe_access, describe_value
from sim.predict.setup import VTIMER, build_vm, final_state_differences, placement
from sim.predict.vcpu_thread import Halt, Peek, Until, VcpuThread
from sim.replay import FileReport
from sim.replay.twins import Twins
from sim.trace import (
    Acknowledge,
    Entry,
    Event,
    ExceptionTaken,
    Injection,
    RegisterAccess,
    RunVcpu,
    TimerLine,
    Trace,
)

__all__ = ["Predictor"]


class LostError(Exception):
    """The recorded kernel took another path; nothing after this line can be compared."""


class Predictor:
    """The comparison of one trace.

    Parameters
    ----------
    trace : Trace
        An open recording with its stimulus.
    profile : Profile
        The kernel's behaviour.
    engines : mapping of int to Twins
        Closed loop: the hardware of each physical CPU. Empty: open loop.
    engine : str
        Name of the engine for the report.
    placements : mapping of int to int
        Events that take effect later than they are recorded: line of the event -> line before which it does.
        The negative of an exit's line: the vCPU's next flush takes its summary that early.
    events : iterable of Event or None
        The trace's events, if they were read already.

    Raises
    ------
    InputError
        When the recording lacks what is needed.
    """

    def __init__(
        self,
        trace: Trace,
        profile: Profile,
        engines: Mapping[int, Twins] | None = None,
        engine: str = "recorded",
        placements: Mapping[int, int] | None = None,
        events: Iterable[Event] | None = None,
    ) -> None:
        self.trace = trace
        self._events = trace.events() if events is None else events
        self.config = trace.config
        self.engines = dict(engines or {})
        self.placements = dict(placements or {})
        #: What of the recording's order is open, noted on the way.
        self.order = Order()
        self.timer_lines: dict[int, bool] = {}
        self.cpu_of = placement(trace)
        self.vm: Vm = build_vm(trace, profile, self.timer_level)
        self.threads: dict[int, VcpuThread] = {}
        raw = trace.meta.raw
        self.report = Report(
            path=trace.path,
            profile=profile.name,
            kernel=trace.meta.kernel or "",
            engine=engine,
            stimulus=str(raw.get("stimulus")),
            stimulus_why=tuple(str(text) for text in raw.get("stimulus_why", ())),
        )
        #: Last value of each register by CPU, as recorded and as ours: {cpu: {name: value}}.
        self._theirs: dict[int, dict[str, int]] = {}
        self._ours: dict[int, dict[str, int]] = {}
        self._pending: dict[int, list[Difference]] = {}
        self._compared_up_to = 0
        self._explained = FileReport(trace.path, "events", self.config.vtr, "", [])
        self._later: list[tuple[int, Callable[[], object]]] = []

    def timer_level(self, vcpu_id: int) -> bool:
        """Return the level of a vCPU's virtual timer line, as last recorded on its CPU."""
        return self.timer_lines.get(self.cpu_of[vcpu_id], False)

    async def run(self, until: int | None = None) -> Report:
        """Feed every line, or stop when the entry of line ``until`` was compared; return what was found."""
        for cpu in set(self.cpu_of.values()):
            if cpu in self.engines:
                await self.engines[cpu].reset()
        line = 0
        try:
            for event in self._events:
                line = event.line
                await self._feed(event)
                if until is not None and self._compared_up_to >= until:
                    return self.report
        except LostError as lost:
            self.report.lost, self.report.lost_line = f"line {line}: {lost}", line
        else:
            self.report.final_state = final_state_differences(self.trace, self.vm)
        for name, counts in sorted(self._explained.explained.items()):
            if counts.reads:
                self.report.explained[name] = counts.reads
            if counts.resynchronised:
                self.report.resynchronised[name] = counts.resynchronised
        return self.report

    async def _feed(self, event: Event) -> None:
        self.order.note(event)
        self._apply_placed(event.line)
        if isinstance(event, Injection):
            self._take_effect(event, lambda: kvm_vgic_inject_irq(self.vm, None, event.irq, event.level))
        elif isinstance(event, TimerLine):
            self._timer_line(event)
        elif isinstance(event, Acknowledge):
            self._take_effect(event, lambda: self._acknowledge(event))
        elif isinstance(event, RunVcpu):
            if event.vcpu in self.cpu_of and event.cpu not in self.threads:
                self.cpu_of[event.vcpu] = event.cpu
                self.threads[event.cpu] = VcpuThread(self, self.vm.vcpus[event.vcpu])
            await self._deliver(event)
        elif isinstance(event, RegisterAccess) and event.el == 1:
            await self._guest_access(event)
        elif isinstance(event, ExceptionTaken):
            if not event.host and event.to_el == 2:
                await self._trapped_access(event)
                await self._deliver(event)
        elif isinstance(event, RegisterAccess | Entry):
            await self._deliver(event)
        self._release_halted()

    def _take_effect(self, event: Event, effect: Callable[[], object]) -> None:
        """Let an event act now, or where it was placed."""
        placed = self.placements.get(event.line)
        if placed is None:
            effect()
        else:
            self._later.append((placed, effect))

    def _apply_placed(self, line: int) -> None:
        """Let everything act that was placed before this line."""
        due = [effect for placed, effect in self._later if placed <= line]
        self._later = [(placed, effect) for placed, effect in self._later if placed > line]
        for effect in due:
            effect()
        for thread in self.threads.values():
            if isinstance(thread.waiting, Until) and thread.waiting.line <= line:
                thread.resume(None)

    def _timer_line(self, event: TimerLine) -> None:
        """Note the timer's output; when it was just restored, KVM brings its interrupt in line."""
        self.timer_lines[event.cpu] = event.level
        thread = self.threads.get(event.cpu)
        if thread is not None and event.level and (thread.reload_timer or not thread.loaded):
            kvm_vgic_inject_irq(self.vm, thread.vcpu, VTIMER, True)

    def _acknowledge(self, event: Acknowledge) -> None:
        """Inject the timer's interrupt when the host took its physical one and the output is still high."""
        thread = self.threads.get(event.cpu)
        if event.intid == VTIMER and thread is not None and self.timer_level(thread.vcpu.vcpu_id):
            kvm_vgic_inject_irq(self.vm, thread.vcpu, VTIMER, True)

    async def _deliver(self, event: Event) -> None:
        """Show a line to its CPU's thread until the thread has used it."""
        thread = self.threads.get(event.cpu)
        if thread is None:
            return
        for _ in range(8):
            waiting = thread.waiting
            if waiting is Halt or isinstance(waiting, Until):
                thread.resume(None)
            elif waiting is Peek:
                thread.consumed = False
                thread.resume(event)
                if thread.consumed:
                    if isinstance(event, RegisterAccess):
                        await self._execute(event)
                    return
            else:
                thread.resume(await self._match(waiting, event))
                return
        raise LostError(f"no step of the run loop takes this {type(event).__name__}")

    def _release_halted(self) -> None:
        """Let a thread that stopped the VM go on once every other vCPU is outside its guest."""
        for thread in self.threads.values():
            others = (other for other in self.threads.values() if other is not thread)
            if thread.waiting is Halt and all(other.outside for other in others):
                thread.resume(None)

    async def _match(self, access: Access, event: Event) -> Response:
        """Compare an access our world switch makes with the recorded line; answer with its value."""
        ours = describe_access(access.register.name, access.write, access.value if access.write else None)
        if not isinstance(event, RegisterAccess):
            raise LostError(f"our world switch does: {ours}; the kernel is done with its own")
        if event.register is not access.register or event.write is not access.write:
            theirs = describe_access(event.register.name, event.write, event.value)
            raise LostError(f"our world switch does: {ours}; the kernel: {theirs}")
        self.report.accesses += 1
        cpu = event.cpu
        if access.write:
            self._ours.setdefault(cpu, {})[access.register.name] = access.value
            if access.value != event.value:
                self._differ(event, access.register, event.value, access.value)
        value = await self._execute(event)
        return Response(Outcome.OK, 0 if event.write else value)

    async def _execute(self, event: RegisterAccess) -> int:
        """Take a recorded access of the hypervisor to the engine, if there is one; return what it answers."""
        if event.write:
            self._theirs.setdefault(event.cpu, {})[event.register.name] = event.value
        if event.cpu not in self.engines:
            return event.value
        access = Access(2, event.register, event.write, event.value if event.write else 0)
        return await self._ask_engine(event, access, event.value)

    async def _guest_access(self, event: RegisterAccess) -> None:
        """Take the guest's untrapped access to the engine, if there is one."""
        self.report.guest_accesses += event.count
        if event.cpu not in self.engines or event.cpu not in self.threads:
            return
        access = Access(1, event.register, event.write, event.value if event.write else 0)
        for _ in range(event.count):
            await self._ask_engine(event, access, event.value)

    async def _trapped_access(self, event: ExceptionTaken) -> None:
        """Check that the guest's trapped access traps in the engine too."""
        if event.cpu not in self.engines or event.cpu not in self.threads:
            return
        if event.kind != "sysreg" or event.register is None:
            return
        access = Access(1, event.register, bool(event.write), (event.value or 0) if event.write else 0)
        response, _, _ = await self.engines[event.cpu].access(access)
        if response.outcome is not Outcome.TRAP_EL2:
            raise LostError(
                f"the engine answers {response.outcome.name} to {event.register_name}, which trapped"
            )

    async def _ask_engine(self, event: RegisterAccess, access: Access, recorded: int) -> int:
        """Apply an access to the engine; return what the vgic or the guest gets to see.

        That is the engine's answer, except where the recorder deviates from the architecture by a known rule
        and the engine does not: there the recording goes on with the recorder's answer, and so do we.
        """
        engine = self.engines[event.cpu]
        response, recorder, strict = await engine.access(access)
        if response.outcome is not Outcome.OK:
            raise LostError(f"the engine answers {response.outcome.name} to {event.register.name}")
        value = response.value
        if not access.write:
            self.report.engine_reads += 1
            if value != recorded:
                names = engine.newest if value == strict.value and recorder.value == recorded else set()
                if names:
                    value = recorded
                    for name in names:
                        self._explained.explain(name).reads += 1
                else:
                    self._engine_differs(event, value)
        if engine.parted:
            await engine.resynchronise(self._explained)
        return value

    def _engine_differs(self, event: RegisterAccess, value: int) -> None:
        self.report.engine_reads_different += 1
        what = (
            f"the engine answers {event.register.name} with {describe_value(event.register, value)}, "
            f"recorded {describe_value(event.register, event.value)}"
        )
        self._note(Difference(event.line, self.report.entries + 1, what), event.cpu)

    def compare_mmio_read(self, event: ExceptionTaken, value: int) -> None:
        """Compare what a guest's MMIO read gets with what it got."""
        self.report.reads += 1
        if value != event.value:
            self.report.reads_different += 1
            what = f"a read of {event.address:#x} gives {value:#x}, recorded {event.value:#x}"
            self._note(Difference(event.line, self.report.entries + 1, what), event.cpu)

    def compare_emulated_read(self, event: ExceptionTaken, value: int) -> None:
        """Compare what hyp's emulation answers with what the guest got."""
        self.report.reads += 1
        if event.value is not None and value != event.value:
            self.report.reads_different += 1
            what = f"hyp answers {event.register_name} with {value:#x}, recorded {event.value:#x}"
            self._note(Difference(event.line, self.report.entries + 1, what), event.cpu)

    def compare_entry(
        self,
        thread: VcpuThread,
        ours: list[Access],
        theirs: list[RegisterAccess],
        event: Event,
        entered: bool,
    ) -> None:
        """Compare the accesses of one flush, and the whole interface as it stands at the entry."""
        report, cpu = self.report, event.cpu
        report.entries += 1
        report.aborted += not entered
        report.accesses += len(theirs)
        mine = self._ours.setdefault(cpu, {})
        for access in ours:
            mine[access.register.name] = access.value
        line = theirs[0].line if theirs else event.line
        self._compared_up_to = max(self._compared_up_to, line)
        found = self._pending.pop(cpu, [])
        sequence = [access.register for access in ours] != [access.register for access in theirs]
        values = self._different_registers(cpu)
        if sequence or values:
            what = "the accesses differ" if sequence else f"{', '.join(values)} differ"
            found.append(Difference(line, report.entries, what, self._listing(ours, theirs, values, cpu)))
            adopt_entry(
                thread.vcpu, {name: self._theirs.get(cpu, {}).get(name, 0) for name in self._compared()}
            )
            self._ours[cpu] = dict(self._theirs.get(cpu, {}))
        if found:
            report.differences += [Difference(d.line, report.entries, d.what, d.detail) for d in found]
        else:
            report.equal += 1

    def _compared(self) -> list[str]:
        """Return the registers whose state is compared at each entry."""
        words = range(self.config.apr_words)
        return [
            "ICH_HCR_EL2",
            "ICH_VMCR_EL2",
            *(f"ICH_AP{m}R{n}_EL2" for m in (0, 1) for n in words),
            *(f"ICH_LR{n}_EL2" for n in range(self.config.lrs)),
        ]

    def _different_registers(self, cpu: int) -> list[str]:
        ours, theirs = self._ours.get(cpu, {}), self._theirs.get(cpu, {})
        return [name for name in self._compared() if ours.get(name, 0) != theirs.get(name, 0)]

    def _listing(
        self, ours: list[Access], theirs: list[RegisterAccess], values: list[str], cpu: int
    ) -> tuple[str, ...]:
        lines = ["the kernel:"]
        lines += [f"  {describe_access(a.register.name, a.write, a.value)}" for a in theirs]
        lines += ["ours:"]
        lines += [f"  {describe_access(a.register.name, a.write, a.value)}" for a in ours]
        for name in values:
            register = BY_NAME[name]
            theirs_value = describe_value(register, self._theirs.get(cpu, {}).get(name, 0))
            ours_value = describe_value(register, self._ours.get(cpu, {}).get(name, 0))
            lines.append(f"{name}: the kernel {theirs_value}; ours {ours_value}")
        return tuple(lines)

    def _differ(self, event: RegisterAccess, register: Register, theirs: int, ours: int) -> None:
        written, mine = describe_value(register, theirs), describe_value(register, ours)
        what = f"{register.name} is written {written}, ours {mine}"
        self._note(Difference(event.line, self.report.entries + 1, what), event.cpu)

    def _note(self, difference: Difference, cpu: int) -> None:
        self._pending.setdefault(cpu, []).append(difference)
