"""Replay of a recorded hypervisor run: every access, every value read, every line change, every trap."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from hw.errors import InputError
from hw.registers import Register
from sim.deviations import Deviations
from sim.port import Access, CpuPort, Lines, Outcome, Response
from sim.replay.compare import compare_answer
from sim.replay.report import FileReport, difference, state_lines
from sim.replay.twins import Twins
from sim.trace import Event, ExceptionTaken, MaintenanceLine, RegisterAccess, Trace, VirtualLines

__all__ = ["EventReplay"]

_RECENT = 12
_LINES = ("virq", "vfiq", "maintenance")
_LOW = Lines(False, False, False)


@dataclass(slots=True)
class _Cpu:
    """One physical CPU: its hardware, and its lines as recorded and as seen."""

    number: int
    twins: Twins
    recorded: Lines = _LOW
    #: Lines after the last access, of the hardware and of both models (None: the models agree).
    seen: Lines = _LOW
    models: tuple[Lines, Lines] | None = None
    #: The last access, whose recorded line changes may still come: (line of the file, words).
    open: tuple[int, str] | None = None
    recent: deque[str] = field(default_factory=lambda: deque(maxlen=_RECENT))


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

    async def run(self, trace: Trace) -> None:
        """Reset the hardware and apply the whole trace."""
        for port in self._ports:
            await port.reset()
        for event in trace.events():
            await self.apply(event)
        for cpu in self._cpus.values():
            # A file that ends right behind an access may have been cut before its line changes.
            if cpu.open is not None and cpu.open[0] != self._last:
                await self._close(cpu)

    async def apply(self, event: Event) -> None:
        """Apply one event."""
        self._last = event.line
        if isinstance(event, RegisterAccess):
            cpu = await self._cpu(event.cpu)
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
        register, write = event.register, event.write
        access = Access(event.el, register, write, event.value if write else 0)
        recorded = Response(Outcome.OK, 0 if write else event.value)
        text = (
            f"EL{event.el} wr {register.name} := {event.value:#x}"
            if write
            else f"EL{event.el} rd {register.name}"
        )
        await self._apply(cpu, event, access, recorded, text)

    async def _apply(self, cpu: _Cpu, event: Event, access: Access, recorded: Response, text: str) -> None:
        report, twins = self.report, cpu.twins
        got, recorder, strict = await twins.access(access)
        report.operations += 1
        if not access.write or recorded.outcome is not Outcome.OK:
            report.values += 1
        same = True
        found = compare_answer(access, recorded, got, recorder, strict, twins.faithful)
        if found is not None:
            await self._add(cpu, event.line, text, *found)
        if recorder != strict:
            self._explain(cpu, event, text, "outcomes" if recorder.outcome != strict.outcome else "reads")
            same = twins.faithful
        cpu.seen = await twins.port.lines()
        before, cpu.models = cpu.models, None
        if twins.strict is not None and twins.recorder is not None:
            lines = cpu.seen if twins.faithful else twins.recorder.lines()
            if not twins.agree:
                cpu.models = lines, twins.strict.lines()
                if cpu.models[0] == cpu.models[1]:
                    cpu.models = None
                elif before is None or before != cpu.models:
                    self._explain(cpu, event, text, "states")
                    same &= twins.faithful
                await twins.resynchronise(report)
            await self._forget(twins)
        report.compared += same
        cpu.open = event.line, text
        cpu.recent.append(f"line {event.line}: {text}")

    @staticmethod
    async def _forget(twins: Twins) -> None:
        """Drop the deactivation requests: a recorded run does not show the physical interrupts."""
        for golden in (twins.recorder, twins.strict):
            if golden is not None and golden.deactivated:
                golden.take_deactivations()

    async def _close(self, cpu: _Cpu) -> None:
        """Compare the lines after the last access: all its recorded changes have come."""
        assert cpu.open is not None
        line, text = cpu.open
        cpu.open = None
        if cpu.models is None and cpu.seen == cpu.recorded:
            return
        recorder, strict = cpu.models or (cpu.seen, cpu.seen)
        for index, name in enumerate(_LINES):
            recorded, seen = cpu.recorded[index], cpu.seen[index]
            apart = cpu.models is not None and recorder[index] != strict[index]
            if apart and recorder[index] != recorded:
                await self._add(
                    cpu, line, text, f"line {name} in the recorder's model", recorded, recorder[index]
                )
            expected = strict[index] if apart and not cpu.twins.faithful else recorded
            if seen != expected:
                await self._add(cpu, line, text, f"line {name} after it", expected, seen)
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
                await self._add(cpu, event.line, f"{event.kind} taken", f"line {_LINES[index]}", 1, 0)
        elif event.kind == "sysreg" and event.register is not None and event.esr is not None:
            await self._trap(event, event.register, event.esr)

    async def _trap(self, event: ExceptionTaken, register: Register, esr: int) -> None:
        """Make the access that trapped: it must trap with that syndrome and change nothing (TRP-5)."""
        cpu = await self._cpu(event.cpu)
        if cpu.open is not None:
            await self._close(cpu)
        access = Access(event.from_el, register, bool(event.write), event.value or 0, esr >> 5 & 31)
        if not event.write:
            access = access._replace(value=0)
        text = f"EL{event.from_el} {'wr' if event.write else 'rd'} {register.name}, trapped"
        before = await cpu.twins.port.state()
        await self._apply(cpu, event, access, Response(Outcome.TRAP_EL2, 0, esr), text)
        self.report.trapped += 1
        after = await cpu.twins.port.state()
        if before != after:
            await self._add(cpu, event.line, text, "storage after a trapped access (TRP-5)", 0, 1)

    # -- counting --------------------------------------------------------------------------------------

    def _explain(self, cpu: _Cpu, event: Event, text: str, what: str) -> None:
        names = cpu.twins.newest
        if not names:
            self.report.add(
                difference(
                    f"{self.report.path}:{event.line}",
                    text,
                    f"{what} in which the models part, no rule named",
                    0,
                    1,
                )
            )
        for name in names:
            counter = self.report.explain(name)
            setattr(counter, what, getattr(counter, what) + 1)

    async def _add(
        self,
        cpu: _Cpu,
        line: int,
        text: str,
        what: str,
        expected: int,
        got: int,
        register: Register | None = None,
    ) -> None:
        port = cpu.twins.port
        state = [
            f"CPU {cpu.number}: " + " ".join(f"{n} {v:d}" for n, v in zip(_LINES, cpu.seen, strict=True))
        ]
        state += state_lines(port.config, await port.state())
        self.report.add(
            difference(
                f"{self.report.path}:{line}", f"CPU {cpu.number} {text}", what, expected, got,
                register=register, recent=cpu.recent, state=state,
            )
        )  # fmt: skip
