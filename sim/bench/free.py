"""A guest at hardware speed: Python is entered once per exit, not once per operation.

The engine itself looks for maintenance interrupts and kicks, with their latencies; what an exit then does is
:class:`sim.machine.machine.Machine`'s, as ever. The operations between two exits are counted, and shown to
observers and the event log only where ``watched``. A loop is found as the direct engines find it, by a state
of everything that comes back, but looked for only when the engine has stopped: at exits, and every
:data:`STRIDE` operations without one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hw.bench.instruction import Op as Code
from hw.bench.protocol import Cause, Kind, Opcode
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from sim.bench.assembler import assemble
from sim.bench.port import BenchPort
from sim.bench.words import Record, Report
from sim.encoding import register_at
from sim.guest.operation import Kind as Does
from sim.guest.operation import Operation
from sim.guest.program import UNDEFINED, Program
from sim.machine.fingerprint import fingerprint
from sim.machine.machine import Machine
from sim.machine.runner import Place, Runner
from sim.machine.schedule import Verdict
from sim.machine.view import deserved

__all__ = ["STRIDE", "FreeGuest", "run_free"]

#: Operations after which the engine comes back in any case, where nobody looks for loops.
_SLICE = 10_000_000
#: Where somebody does.
STRIDE = 4_096
#: Stops by an operation that the machine has to carry out.
_OPERATED = (Cause.TRAP, Cause.MMIO, Cause.WFI, Cause.EXIT, Cause.HALT)
_KINDS = {
    Kind.SYSREG: Does.SYSREG, Kind.MMIO: Does.MMIO, Kind.WFI: Does.WFI, Kind.EXIT: Does.EXIT,
    Kind.NOP: Does.NOP, Kind.HALT: Does.HALT,
}  # fmt: skip


def _operation(one: Record) -> Operation:
    """Return what a record is about, as the machine has it."""
    kind = _KINDS[one.kind]
    value = one.value if one.write else 0
    if kind is Does.SYSREG:
        return Operation(kind, register_at(one.target), one.write, value, one.rt)
    if kind is Does.MMIO:
        return Operation(kind, None, one.write, value, one.rt, one.target, one.size)
    return Operation(kind)


@dataclass
class FreeGuest:
    """A program in the guest engine of ``port``, which runs it by itself.

    Attributes
    ----------
    log, failures : list
        As of any guest, from the engine's records.
    """

    program: Program
    port: BenchPort
    vcpu: int = 0
    file: str = ""
    log: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Load the program.

        Raises
        ------
        InputError
            When the program does not fit into the engine, or the bench has GICv2 interfaces.
        """
        if isinstance(self.port.config, GicV2Config):
            raise InputError("a guest runs free on a GICv3 bench only; use the scenario runner for GICv2")
        self.assembled = assemble(self.program, self.vcpu, self.port.sizes.program, self.file)
        self.port.load(self.assembled)

    def snapshot(self) -> object:
        """Return the same always: states are compared only while the guest does nothing."""
        return None

    def note(self, one: Record) -> None:
        """Take a record that is no operation."""
        if one.kind is Kind.NOTE:
            self.log.append(one.value)
            return
        source, code = self.assembled.sources[one.pc], self.assembled.code(one.pc)
        what = f"read {one.value} ({one.value:#x})"
        if code is Code.EXPECT:
            what = f"r{source.rd} is {one.value} ({one.value:#x})"
        elif code is Code.CHECK_FAULT:
            what = "was executed" if source.expect == UNDEFINED else f"faulted (ESR {one.value:#x})"
        self.failures.append(f"{self.file}:{source.line}: {source.text}: {what}")


async def run_free(machine: Machine, limit: int = 0, watched: bool = True, loops: bool = True) -> Verdict:
    """Run the one guest of a machine until it halts, sleeps for good or is stuck.

    Parameters
    ----------
    machine : Machine
        Of one vCPU with a :class:`FreeGuest`, on a port of a bench.
    limit : int
        Stop after so many operations; 0: no limit.
    watched : bool
        Have every operation recorded, and show it to observers and the event log.
    loops : bool
        Look for loops; without, a guest that goes round for ever does so without a limit.

    Returns
    -------
    Verdict
        As :func:`sim.machine.schedule.run_guests` gives it. A loop is told from one visit of the state to
        another: it may be several turns, and it may be found later than operation by operation.

    Raises
    ------
    InputError
        When the machine has more than one vCPU: their order would not be that of other engines.
    """
    if len(machine.runners) != 1:
        raise InputError("a guest runs free on a machine of one vCPU; use the scenario runner for more")
    runner = machine.runners[0]
    machine.watches = False
    stride = STRIDE if loops else _SLICE
    free, search = _Free(machine, runner, watched), _LoopSearch(machine.time)
    while not limit or machine.time < limit:
        if runner.place is Place.HALTED:
            return Verdict("finished")
        if runner.place is Place.ASLEEP:
            due = await deserved(machine)
            return Verdict("lost" if due else "asleep", (), due)
        if runner.stuck:
            return Verdict("storm", tuple(runner.stuck), await deserved(machine))
        await free.once(min(limit - machine.time, stride) if limit else stride)
        if loops and runner.place is Place.GUEST:
            since = search.visit((await fingerprint(machine), await free.snapshot()), machine.time)
            if since is not None:
                due = await deserved(machine)
                events = tuple(str(event) for event in machine.log.events if event.time > since)
                return Verdict("live-lock" if due else "running", events, due)
    return Verdict("running")


class _LoopSearch:
    """Finds that states repeat and keeps one of them only (Brent): the one of visit 1, 2, 4, 8, ..."""

    def __init__(self, time: int):
        self._kept: object = None
        self._time = time
        self._visits = 0
        self._until = 1

    def visit(self, state: object, time: int) -> int | None:
        """Return when ``state`` was visited before, if it was and operations have been done since."""
        if state == self._kept and time != self._time:
            return self._time
        self._visits += 1
        if self._visits == self._until:
            self._kept, self._time, self._visits = state, time, 0
            self._until *= 2
        return None


class _Free:
    """The loop's memory: what the engine has to be told when it goes on."""

    def __init__(self, machine: Machine, runner: Runner, watched: bool):
        self._machine, self._runner, self._watched = machine, runner, watched
        self._options: dict[str, int] = {"jump": 1}
        self._value = 0
        self._entries = -1
        self._configured = False
        self._completes = False  # the next operation recorded is one that the machine has shown already

    async def snapshot(self) -> tuple:
        """Return everything of the guest and of what it is told next."""
        port: BenchPort = self._machine.port(self._runner)
        entered = self._runner.entries != self._entries
        return await port.guest_state(), tuple(sorted(self._options.items())), self._value, entered

    async def once(self, budget: int) -> None:
        """Run the guest to its next stop, and do what that asks for."""
        machine, runner = self._machine, self._runner
        if runner.place is Place.OUT:
            await machine.enter(runner)
            await machine.settle()
            return
        port: BenchPort = machine.port(runner)
        if not self._configured:
            port.latencies(machine.mi_latency, machine.kick_latency)
            self._configured = True
        if runner.vcpu.kicked:
            port.host.post(Opcode.KICK, port.pe)
        # From here on the engine knows since when.
        runner.mi_since = runner.kick_since = None
        options = self._options | {"exact": 1, "record": int(self._watched)}
        options["entry"] = int(runner.entries != self._entries)
        self._entries = runner.entries
        value, self._options, self._value = self._value, {}, 0
        one = await port.run(budget, value, **options)
        passed = one.operations - (one.cause in _OPERATED)
        if one.records:
            await self._read_log(port, one)
        if passed:
            machine.stimulate()
        if not self._watched:
            machine.time += passed
            runner.operations += passed
        await self._stopped(port, one)

    async def _read_log(self, port: BenchPort, one: Report) -> None:
        """Show the records to whom they concern; an operation that stopped the guest is the machine's."""
        machine, runner = self._machine, self._runner
        records: list[Record] = []
        while len(records) < one.records:
            records += await port.records()
        told = [n for n, record in enumerate(records) if record.kind not in (Kind.NOTE, Kind.FAILED)]
        # Of an operation that had to wait for the machine, the machine has told; of the last one it will.
        shown = told[1:] if self._completes else told
        if one.cause in (Cause.WFI, Cause.EXIT, Cause.HALT):
            shown = shown[:-1]
        for n, record in enumerate(records):
            if n in shown:
                self._show(record)
            elif n not in told:
                logged = len(runner.guest.log)
                runner.guest.note(record)
                for value in runner.guest.log[logged:]:
                    machine.log.add(
                        machine.time, runner.number, "note", f"the guest logs {value} ({value:#x})"
                    )

    def _show(self, record: Record) -> None:
        """Do what the machine does about an operation without an exit."""
        machine, runner = self._machine, self._runner
        machine.time += 1
        runner.operations += 1
        operation = _operation(record)
        reads = operation.kind is Does.SYSREG and not operation.write
        machine.note_operation(runner, operation, record.value if reads else 0)

    async def _stopped(self, port: BenchPort, one: Report) -> None:
        machine, runner = self._machine, self._runner
        self._completes = False
        for intid in await port.deactivations():
            machine.physical.deactivated_by_hardware(intid)
            machine.log.add(machine.time, runner.number, "device", f"hardware deactivates physical {intid}")
        await machine.host()
        if one.cause in _OPERATED:
            if one.cause is Cause.TRAP:
                port.answered(one)
            value, fault = await machine.operate(runner, _operation(one.last))
            if one.cause in (Cause.TRAP, Cause.MMIO):
                self._options = {"complete": 1, "fault": int(bool(fault))}
                self._value = fault or value
                self._completes = self._watched
        elif one.cause is Cause.MAINTENANCE:
            runner.mi_asked = True
            await machine.settle()
        elif one.cause is Cause.KICK:
            await machine.exit(runner, frozenset({"KICK"}))
            await machine.enter(runner)
            await machine.settle()
