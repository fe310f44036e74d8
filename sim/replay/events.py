"""Replay of a recorded hypervisor run: every access, every value read, every line change, every trap."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from hw.errors import InputError
from hw.registers import Register
from sim.deviations import Deviations
from sim.port import GUEST, Access, CpuPort, Lines, Outcome, Response
from sim.replay.compare import compare_answer
from sim.replay.report import FileReport, difference, state_lines
from sim.replay.twins import Twins
from sim.trace import Event, ExceptionTaken, MaintenanceLine, RegisterAccess, VirtualLines

__all__ = ["EventReplay"]

_RECENT = 12
_LINES = ("virq", "vfiq", "maintenance")
_LOW = Lines(False, False, False)


class _Done(NamedTuple):
    """An access that was applied, to be put into words only when something differs."""

    line: int
    access: Access
    recorded: Response

    def __str__(self) -> str:
        el, register, write, value, *_ = self.access
        end = "" if self.recorded.outcome is Outcome.OK else ", trapped"
        if write:
            return f"EL{el} wr {register.name} := {value:#x}{end}"
        return f"EL{el} rd {register.name}{end}"


@dataclass(slots=True)
class _Cpu:
    """One physical CPU: its hardware, and its lines as recorded and as seen."""

    number: int
    twins: Twins
    recorded: Lines = _LOW
    #: Lines after the last access, of the hardware and of both models (None: the models agree).
    seen: Lines = _LOW
    models: tuple[Lines, Lines] | None = None
    #: The last access, whose recorded line changes may still come.
    open: _Done | None = None
    recent: deque[_Done] = field(default_factory=lambda: deque(maxlen=_RECENT))


class EventReplay:
    """Replays one file on one port for each physical CPU that uses its CPU interface.

    A line change stands behind the access that caused it, so the lines after an access are compared when
    that CPU's next event comes: as many changes as the file has, no more.

    Parameters
    ----------
    ports : list of CpuPort
        Given to physical CPUs in the order in which they first appear.
    deviations : Deviations
        What the recorder does differently.
    report : FileReport
        Where everything is counted.
    """

    def __init__(self, ports: list[CpuPort], deviations: Deviations, report: FileReport):
        self._ports = ports
        self._deviations = deviations
        self.report = report
        self._cpus: dict[int, _Cpu] = {}
        self._last = 0

    async def start(self) -> None:
        """Reset the hardware."""
        for port in self._ports:
            await port.reset()

    async def finish(self) -> None:
        """Compare what is still open at the end of the file."""
        for cpu in self._cpus.values():
            # A file that ends right behind an access may have been cut before its line changes.
            if cpu.open is not None and cpu.open.line != self._last:
                await self._close(cpu)

    async def apply(self, event: Event) -> None:
        """Apply one event."""
        self._last = event.line
        if type(event) is RegisterAccess:
            cpu = self._cpus.get(event.cpu) or await self._cpu(event.cpu)
            for _ in range(event.count):
                await self._access(cpu, event)
        elif isinstance(event, VirtualLines):
            cpu = await self._cpu(event.cpu)
            cpu.recorded = Lines(event.virq, event.vfiq, cpu.recorded.maintenance)
            self.report.line_events += 1
        elif isinstance(event, MaintenanceLine):
            cpu = await self._cpu(event.cpu)
            cpu.recorded = cpu.recorded._replace(maintenance=event.level)
            self.report.line_events += 1
        elif isinstance(event, ExceptionTaken):
            await self._exception(event)

    async def _cpu(self, number: int) -> _Cpu:
        cpu = self._cpus.get(number)
        if cpu is None:
            if len(self._cpus) == len(self._ports):
                raise InputError(
                    f"{self.report.path}: CPU {number} is one more than the {len(self._ports)} given; "
                    "replay it with more PEs"
                )
            cpu = _Cpu(number, Twins(self._ports[len(self._cpus)], self._deviations))
            await cpu.twins.reset()
            self._cpus[number] = cpu
        return cpu

    # -- accesses --------------------------------------------------------------------------------------

    async def _access(self, cpu: _Cpu, event: RegisterAccess) -> None:
        """Apply an executed access and compare what it read."""
        if cpu.open is not None:
            await self._close(cpu)
        write, value = event.write, event.value
        access = Access(event.el, event.register, write, value if write else 0)
        await self._apply(cpu, event, access, Response(Outcome.OK, 0 if write else value))

    async def _apply(self, cpu: _Cpu, event: Event, access: Access, recorded: Response) -> None:
        report, twins = self.report, cpu.twins
        done = _Done(event.line, access, recorded)
        got, recorder, strict = await twins.access(access)
        report.operations += 1
        if not access.write or recorded.outcome is not Outcome.OK:
            report.values += 1
        found = compare_answer(access, recorded, got, recorder, strict, twins.faithful)
        if found is not None:
            await self._add(cpu, done, *found)
        same = True
        if recorder != strict:
            await self._explain(cpu, done, "outcomes" if recorder.outcome != strict.outcome else "reads")
            same = twins.faithful
        cpu.seen = await twins.port.lines()
        if twins.recorder is not None:
            same &= await self._models(cpu, done)
        report.compared += same
        cpu.open = done
        cpu.recent.append(done)

    async def _models(self, cpu: _Cpu, done: _Done) -> bool:
        """Take the models' lines, and explain where they part; True if nothing keeps from comparing."""
        twins = cpu.twins
        recorder, strict = twins.recorder, twins.strict
        assert recorder is not None and strict is not None
        lines = cpu.seen if twins.faithful else recorder.lines()
        before, cpu.models = cpu.models, None
        same = True
        if not twins.agree:
            models = lines, strict.lines()
            if models[0] != models[1]:
                cpu.models = models
            if (cpu.models is not None and cpu.models != before) or twins.parted:
                await self._explain(cpu, done, "states")
            same = twins.faithful or (cpu.models is None and not twins.parted)
            await twins.resynchronise(self.report)
        # A recorded run does not show which physical interrupts are active.
        for golden in (recorder, strict):
            if golden.deactivated:
                golden.take_deactivations()
        return same

    async def _close(self, cpu: _Cpu) -> None:
        """Compare the lines after the last access: all its recorded changes have come."""
        assert cpu.open is not None
        done, cpu.open = cpu.open, None
        if cpu.models is None and cpu.seen == cpu.recorded:
            return
        recorder, strict = cpu.models or (cpu.seen, cpu.seen)
        for index, name in enumerate(_LINES):
            recorded, seen = cpu.recorded[index], cpu.seen[index]
            apart = cpu.models is not None and recorder[index] != strict[index]
            if apart and recorder[index] != recorded:
                who = f"line {name} in the recorder's model"
                await self._add(cpu, done, who, recorded, recorder[index])
            expected = strict[index] if apart and not cpu.twins.faithful else recorded
            if seen != expected:
                await self._add(cpu, done, f"line {name} after it", expected, seen)
        # What was reported once is not reported at every access until the line changes again.
        if cpu.models is None:
            cpu.recorded = cpu.seen

    # -- exceptions ------------------------------------------------------------------------------------

    async def _exception(self, event: ExceptionTaken) -> None:
        if event.kind in ("virtual irq", "virtual fiq") and event.cpu in self._cpus:
            cpu = self._cpus[event.cpu]
            if cpu.open is not None:
                await self._close(cpu)
            self.report.values += 1
            index = 0 if event.kind == "virtual irq" else 1
            if not cpu.seen[index] and cpu.models is None:
                what = f"line {_LINES[index]} when the guest took its {event.kind} in line {event.line}"
                await self._add(cpu, cpu.recent[-1] if cpu.recent else None, what, 1, 0)
        elif event.decided_by_gic and event.register is not None and event.esr is not None:
            await self._trap(event, event.register, event.esr)

    async def _trap(self, event: ExceptionTaken, register: Register, esr: int) -> None:
        """Make the access that trapped: it must trap with that syndrome and change nothing (TRP-5)."""
        cpu = await self._cpu(event.cpu)
        if cpu.open is not None:
            await self._close(cpu)
        value = (event.value or 0) if event.write else 0
        # An EL2 register that a guest hypervisor names at EL1 traps by HCR_EL2.NV (TRP-8).
        context = GUEST._replace(nv=register.min_el == 2)
        access = Access(event.from_el, register, bool(event.write), value, esr >> 5 & 31, context)
        before = await cpu.twins.port.state()
        await self._apply(cpu, event, access, Response(Outcome.TRAP_EL2, 0, esr))
        self.report.trapped += 1
        after = await cpu.twins.port.state()
        if before != after:
            await self._add(cpu, cpu.recent[-1], "storage after a trapped access (TRP-5)", 0, 1)

    # -- counting --------------------------------------------------------------------------------------

    async def _explain(self, cpu: _Cpu, done: _Done, what: str) -> None:
        names = cpu.twins.newest
        if not names:
            await self._add(cpu, done, f"{what} in which the models part, no rule named", 0, 1)
        for name in names:
            counter = self.report.explain(name)
            setattr(counter, what, getattr(counter, what) + 1)

    async def _add(
        self,
        cpu: _Cpu,
        done: _Done | None,
        what: str,
        expected: int,
        got: int,
        register: Register | None = None,
    ) -> None:
        port = cpu.twins.port
        state = [f"CPU {cpu.number}: " + " ".join(f"{name} {getattr(cpu.seen, name):d}" for name in _LINES)]
        state += state_lines(port.config, await port.state())
        recent = [f"line {one.line}: {one}" for one in cpu.recent if one is not done]
        place = f"{self.report.path}:{done.line if done else self._last}"
        text = f"CPU {cpu.number} {done or 'reset'}"
        self.report.add(
            difference(place, text, what, expected, got, register=register, recent=recent, state=state)
        )
