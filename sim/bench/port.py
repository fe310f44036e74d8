"""CPU ports over a mailbox: the hypervisor's accesses as commands, the guest's executed by its engine."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from hw.bench.frames import place
from hw.bench.protocol import VERSION, Cause, Kind, Opcode
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.mmio import Frame, MmioRegister
from hw.registers import REGISTERS, Register, Space
from hw.registers import Access as Use
from hw.registers_v2 import REGISTERS_V2
from sim.bench import words as mailbox
from sim.bench.assembler import Assembled, access_words
from sim.bench.link import Host
from sim.bench.words import NEVER, BenchError, Record, Report, configure, load, record, report, resume, status
from sim.engines.codec_v2 import codec_of
from sim.guest.interpreter import ProgramGuest
from sim.guest.operation import Guest
from sim.guest.program import Program
from sim.machine.latency import Latency
from sim.port import CLOCK_NS, GUEST, Access, Lines, Outcome, Response, State

__all__ = ["BenchPort", "Sizes", "bench_ports"]

_OUTCOMES = tuple(Outcome)
_CHUNK = 127
_WRAP = 1 << 32
_HYPERVISOR = frozenset(register.name for register in REGISTERS if register.space is Space.ICH)
_HYPERVISOR_V2 = frozenset(register.name for register in REGISTERS_V2 if register.frame is Frame.GICH)


@dataclass(frozen=True)
class Sizes:
    """What HELLO says: instructions of program memory, records of the log."""

    program: int
    log: int


class BenchPort:
    """:class:`sim.port.CpuPort` of one PE of a bench.

    Writes of ICH registers are only sent; they leave with the next command that is answered. An access at
    EL1 is an instruction that the guest engine executes: the next one of the loaded program where
    :attr:`turn` is set, else one made for the purpose.

    Parameters
    ----------
    config : GicConfig or GicV2Config
        What the bench was made from.
    host : Host
        The conversation, shared by all PEs.
    pe : int
        Number of the PE.
    sizes : Sizes
        Of its engine.
    """

    def __init__(self, config: GicConfig | GicV2Config, host: Host, pe: int, sizes: Sizes):
        self.config = config
        self.host = host
        self.pe = pe
        self.sizes = sizes
        self._codec = codec_of(config)
        # What EL2 does with these neither traps nor moves a guest.
        self._plain = _HYPERVISOR_V2 if isinstance(config, GicV2Config) else _HYPERVISOR
        self._lines: Lines | None = None
        self._state: State | None = None
        self._deactivated: list[int] = []
        self._clock = self._pauses = 0
        self._answer: Response | None = None
        #: Instructions that were made for an access.
        self.injected = 0
        #: Called before an access at EL1; returns its report if the loaded program has made it.
        self.turn = None

    # -- the CPU port ----------------------------------------------------------------------------------

    async def reset(self) -> None:
        """Return every register, and the engine, to its reset value."""
        self.host.post(Opcode.RESET, self.pe)
        self.latencies(NEVER, NEVER)
        self._changed()
        self._deactivated.clear()
        self._clock = self._pauses = 0
        self._answer = None
        self.injected = 0
        self.turn = None
        await self.host.ask(Opcode.STATUS, self.pe)

    def _changed(self) -> None:
        self._lines = self._state = None

    async def access(self, access: Access) -> Response:
        """Execute one system-register access."""
        if access.el == 1:
            return await self._guest(access)
        register = access.register
        plain = access.el == 2 and register.name in self._plain
        if access.write or not plain:
            self._changed()
        if plain and access.write and register.exists(self.config) and register.access is not Use.RO:
            # A write that cannot fail need not be waited for.
            self.host.post(Opcode.ACCESS, self.pe, mailbox.access(access))
            return _DONE
        return await self._direct(access)

    def touch(self, el: int, register: Register | MmioRegister) -> None:
        """Read a register that answers, without waiting for the value; see :func:`sim.port.touch`."""
        self.host.drop(Opcode.ACCESS, self.pe, mailbox.access(Access(el, register)))

    async def _direct(self, access: Access) -> Response:
        words = await self.host.ask(Opcode.ACCESS, self.pe, mailbox.access(access))
        return Response(_OUTCOMES[words[0]], words[1] | words[2] << 32, words[3])

    async def _guest(self, access: Access) -> Response:
        """Have the engine make an access of the guest."""
        if self._answer is not None:
            answer, self._answer = self._answer, None
            return answer
        self._changed()
        if self.turn is not None:
            return _response(await self.turn(access))
        if access.context != GUEST or access.rt > 7 or not self.sizes.program:
            response = await self._direct(access)
            await self._look()
            return response
        self.injected += 1
        words = access_words(place(access.register), access.write, access.value, access.rt)
        at = self.sizes.program - len(words)
        self.host.post(Opcode.LOAD, self.pe, load(at, words))
        return _response(await self.run(1, jump=1, pc=at, exact=1))

    def answered(self, one: Report) -> None:
        """Give the next access at EL1 the outcome of an operation that the engine has already executed."""
        self._answer = _response(one)

    async def _look(self) -> None:
        one = status(await self.host.ask(Opcode.STATUS, self.pe))
        if one.pintid is not None:
            self._deactivated.append(one.pintid)
        self._time(one.clock)
        self._lines = Lines(one.virq, one.vfiq, one.maintenance)

    async def lines(self) -> Lines:
        """Return the settled output lines."""
        if self._lines is None:
            await self._look()
        return self._lines

    async def deactivations(self) -> list[int]:
        """Return and forget the physical INTIDs deactivated through HW list registers (HW-1), in order."""
        taken, self._deactivated = self._deactivated, []
        return taken

    async def state(self) -> State:
        """Return all storage without an access."""
        if self._state is None:
            words = await self.host.ask(Opcode.STATE, self.pe)
            packed = int.from_bytes(struct.pack(f"<{len(words)}I", *words), "little")
            self._state = self._codec.state(packed)
        return self._state

    def now(self) -> int | None:
        """Return the guest's time in nanoseconds: its accesses', without pauses, which the machine counts."""
        if not self.sizes.program:
            return None
        return (self._clock - self._pauses) * CLOCK_NS

    # -- the engine ------------------------------------------------------------------------------------

    def latencies(self, mi: Latency, kick: Latency) -> None:
        """Set how late maintenance interrupts and kicks stop the guest."""
        self.host.post(Opcode.CONFIGURE, self.pe, configure(mi, kick))

    def guest(self, program: Program, vcpu: int, file: str) -> Guest:
        """Return a guest that the engine executes (:class:`sim.bench.guest.EngineGuest`), if there is one."""
        from sim.bench.guest import EngineGuest  # it is written in terms of this class

        if not self.sizes.program:
            return ProgramGuest(program, vcpu, file)
        return EngineGuest(program, self, vcpu, file)

    def load(self, program: Assembled) -> None:
        """Write a program to address 0."""
        for at in range(0, len(program.words), _CHUNK):
            self.host.post(Opcode.LOAD, self.pe, load(at, program.words[at : at + _CHUNK]))

    async def run(self, budget: int, value: int = 0, **options: int) -> Report:
        """Let the guest run until it stops.

        Parameters
        ----------
        budget : int
            Operations it may do; 0: no limit.
        value : int
            Of the operation that ``complete`` finishes.
        options : int
            Members of :class:`hw.bench.protocol.ResumeWord`.
        """
        self._changed()
        one = report(await self.host.ask(Opcode.RESUME, self.pe, resume(budget, value, **options)))
        if one.cause is Cause.PROGRAM:
            raise BenchError(f"PE {self.pe} has no instruction at {one.last.pc}")
        if one.pintid is not None:
            self._deactivated.append(one.pintid)
        self._lines = Lines(one.virq, one.vfiq, one.maintenance)
        if one.operations:
            self._time(one.clock)
            self._pauses += one.last.kind is Kind.NOP
        return one

    async def guest_state(self) -> tuple[int, ...]:
        """Return the words that decide how the stopped guest goes on (``GuestState``), and its registers."""
        return tuple(await self.host.ask(Opcode.GUEST, self.pe))

    def _time(self, clock: int) -> None:
        """Follow a clock of 32 bits."""
        self._clock += (clock - self._clock) % _WRAP

    async def records(self) -> list[Record]:
        """Take the log's oldest records."""
        words = await self.host.ask(Opcode.LOG, self.pe)
        return [record(words[n : n + 5]) for n in range(0, len(words), 5)]


_DONE = Response(Outcome.OK)


def _response(one: Report) -> Response:
    last = one.last
    outcome = _OUTCOMES[last.outcome]
    value = 0 if last.write or outcome is not Outcome.OK else last.value
    return Response(outcome, value, one.esr if outcome is not Outcome.OK else 0)


async def bench_ports(host: Host, config: GicConfig | GicV2Config, pes: int) -> list[BenchPort]:
    """Return the CPU ports of a bench, after asking it whether it is the one expected.

    Raises
    ------
    BenchError
        When its version, its configuration or its number of PEs is another.
    """
    version, vtr, sizes, program, log = await host.ask(Opcode.HELLO, 0)
    if version != VERSION:
        raise BenchError(f"the bench speaks version {version} of the mailbox, this host {VERSION}")
    there, gicv2 = sizes & 0xFF, sizes >> 24 & 1
    if (vtr, gicv2) != (config.vtr, isinstance(config, GicV2Config)) or there < pes:
        name = "GICH_VTR" if gicv2 else "ICH_VTR_EL2"
        raise BenchError(f"the bench has {there} PEs with {name} {vtr:#x}, not {pes} with {config.vtr:#x}")
    return [BenchPort(config, host, n, Sizes(program, log)) for n in range(pes)]
