"""A guest whose program a guest engine executes, an operation at a time, with the interpreter beside it."""

from __future__ import annotations

from hw.bench.protocol import Cause, Kind
from sim.bench.assembler import assemble
from sim.bench.port import BenchPort
from sim.bench.words import BenchError, Record, Report
from sim.guest.interpreter import ProgramGuest
from sim.guest.operation import Kind as Does
from sim.guest.operation import Operation
from sim.guest.program import Program
from sim.port import Access

__all__ = ["EngineGuest", "agree"]

_KINDS = {
    Does.SYSREG: Kind.SYSREG, Does.MMIO: Kind.MMIO, Does.WFI: Kind.WFI, Does.EXIT: Kind.EXIT,
    Does.NOP: Kind.NOP, Does.HALT: Kind.HALT,
}  # fmt: skip


def agree(operation: Operation, done: Record) -> bool:
    """Return whether the engine has done what the interpreter would do."""
    if _KINDS[operation.kind] is not done.kind:
        return False
    if operation.kind is Does.SYSREG:
        same = (operation.register.encoding, operation.write) == (done.target, done.write)
    elif operation.kind is Does.MMIO:
        same = (operation.address, operation.write, operation.size) == (done.target, done.write, done.size)
    else:
        return True
    return same and (not operation.write or operation.value == done.value)


class EngineGuest(ProgramGuest):
    """Executes a program on the guest engine of ``port``; each operation is compared with the interpreter's.

    The machine decides when an operation is done and what exits follow, as for any guest. What does not
    reach the interface (pauses, distributor accesses, WFI) the engine catches up with before the next access.
    Once others have had the engine execute an instruction in between (a scenario's step), its registers are
    no longer the program's, and the operations are given to it one by one, too.

    Raises
    ------
    InputError
        When the program does not fit into the engine.
    """

    def __init__(self, program: Program, port: BenchPort, vcpu: int = 0, file: str = ""):
        super().__init__(program, vcpu, file)
        self.assembled = assemble(program, vcpu, port.sizes.program, file)
        self._port = port
        self._owed: list[tuple[Operation, int, int]] = []
        #: How the operation that waits in the engine ends: value and fault.
        self._result: tuple[int, int] | None = None
        self._trapped = False
        self._noted = 0
        #: Instructions that others had put into the engine when this program began.
        self._others: int | None = None
        port.load(self.assembled)

    def next(self, virq: bool, vfiq: bool) -> Operation:
        """Return the next operation; if it is an access, the engine will make it."""
        operation = super().next(virq, vfiq)
        mine = self._others in (None, self._port.injected)
        self._port.turn = self._turn if operation.kind is Does.SYSREG and mine else None
        return operation

    def complete(self, operation: Operation, value: int, fault: int) -> None:
        """Take the result, and keep what the engine needs of it."""
        super().complete(operation, value, fault)
        self._port.turn = None
        if operation.kind is not Does.SYSREG:
            self._owed.append((operation, value, fault))
        elif self._trapped:
            self._result = value, fault
        self._trapped = False

    async def _turn(self, access: Access) -> Report:
        """Let the engine do what it owes, then the access."""
        for operation, value, fault in self._owed:
            one = await self._step(operation)
            if one.cause is Cause.MMIO:
                self._result = value, fault
        self._owed.clear()
        value = access.value if access.write else 0
        one = await self._step(Operation(Does.SYSREG, access.register, access.write, value))
        self._trapped = one.cause is Cause.TRAP
        return one

    async def _step(self, operation: Operation) -> Report:
        """Run the engine for one operation.

        Raises
        ------
        BenchError
            When it does not do the interpreter's.
        """
        options = {"exact": 1}
        value = 0
        if self._others is None:
            self._others = self._port.injected
            options["jump"] = 1
        if self._result is not None:
            value, fault = self._result
            options |= {"complete": 1, "fault": int(bool(fault))}
            value, self._result = fault or value, None
        while True:
            one = await self._port.run(1, value, **options)
            if one.records:
                await self._read_log()
            if one.operations:
                break
            options, value = {"exact": 1}, 0
        if not agree(operation, one.last):
            raise BenchError(f"the engine does {one.last}, the interpreter {operation}")
        return one

    async def _read_log(self) -> None:
        """Compare what the engine has recorded for the program with the interpreter's."""
        notes = [one.value for one in await self._port.records() if one.kind is Kind.NOTE]
        expected = self.log[self._noted : self._noted + len(notes)]
        if notes != expected:
            raise BenchError(f"the engine records {notes}, the interpreter {expected}")
        self._noted += len(notes)
