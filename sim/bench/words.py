"""Commands to words and words to answers (``docs/mailbox.md``)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

from hw.bench.frames import place
from hw.bench.protocol import (
    AccessWord,
    Cause,
    Error,
    Header,
    Kind,
    LatencyWord,
    Mark,
    Opcode,
    RecordWord,
    ResumeWord,
    StatusWord,
    StopWord,
    members,
)
from hw.port import PeContext as ContextBits
from sim.machine.latency import Latency
from sim.port import Access, PeContext

__all__ = [
    "NEVER",
    "Answer",
    "BenchError",
    "Record",
    "Report",
    "Status",
    "access",
    "answer",
    "command",
    "configure",
    "load",
    "record",
    "report",
    "resume",
    "status",
]

#: A latency that never ends.
NEVER = Latency(None)
_HALF = (1 << 32) - 1
_CONTEXT = members(ContextBits)
_FIELDS = {
    word: members(word)
    for word in (Header, AccessWord, LatencyWord, ResumeWord, RecordWord, StatusWord, StopWord)
}
_RESUME = {name: lsb for name, (lsb, _) in _FIELDS[ResumeWord].items()}
#: Enumerations by number: to look one up takes a fraction of what a call of its class takes.
_CAUSES = {int(cause): cause for cause in Cause}
_KINDS = {int(kind): kind for kind in Kind}
_AMOUNT = _FIELDS[LatencyWord]["amount"][1]


class BenchError(RuntimeError):
    """The bench has refused a command, or says what it cannot say."""


def _pack(word: type, **values: int) -> int:
    fields = _FIELDS[word]
    packed = 0
    for name, value in values.items():
        lsb, mask = fields[name]
        packed |= (value & mask) << lsb
    return packed


def _unpack(word: type, value: int) -> dict[str, int]:
    return {name: value >> lsb & mask for name, (lsb, mask) in _FIELDS[word].items()}


#: Upper halves of a command's header: plain, and quiet.
_COMMANDS = {opcode: (Mark.COMMAND << 12 | opcode) << 16 for opcode in map(int, Opcode)}
_QUIET = {opcode: (Mark.QUIET << 12 | opcode) << 16 for opcode in map(int, Opcode)}


def command(
    opcode: Opcode, pe: int, words: Sequence[int] = (), tag: int = 0, quiet: bool = False
) -> list[int]:
    """Return a command."""
    header = (_QUIET if quiet else _COMMANDS)[opcode] | pe << 24 | tag << 8 | len(words)
    return [header, *words]


@functools.cache
def _access_word(encoding: int, write: bool, el: int, rt: int, context: PeContext) -> int:
    bits = sum(
        int(value) << _CONTEXT[name][0] for name, value in context._asdict().items() if name in _CONTEXT
    )
    return _pack(AccessWord, encoding=encoding, write=write, el=el, rt=rt, context=bits)


def access(one: Access) -> list[int]:
    """Return the words of ACCESS."""
    el, register, write, value, rt, context = one
    what = _access_word(place(register), write, el, rt, context)
    return [what, value & _HALF, value >> 32] if write else [what]


def _latency(latency: Latency) -> int:
    amount = latency.amount
    if amount is not None and amount > _AMOUNT:
        raise BenchError(f"a latency of {amount} is beyond the bench's {_AMOUNT}")
    return _pack(LatencyWord, amount=amount or 0, cycles=latency.cycles, never=amount is None)


def configure(mi: Latency, kick: Latency) -> list[int]:
    """Return the words of CONFIGURE."""
    return [_latency(mi), _latency(kick)]


def load(address: int, instructions: Sequence[int]) -> list[int]:
    """Return the words of LOAD: at most 127 instructions."""
    words = [address]
    for instruction in instructions:
        words += (instruction & _HALF, instruction >> 32)
    return words


def resume(budget: int = 0, value: int = 0, **options: int) -> list[int]:
    """Return the words of RESUME; ``options`` are the members of ``ResumeWord``."""
    word = 0
    for name, number in options.items():
        word |= number << _RESUME[name]
    return [word, budget, value & _HALF, value >> 32]


#: What begins a message of the bench, and whether that is an error.
_MARKS = {int(Mark.ANSWER): False, int(Mark.ERROR): True}


class Answer(NamedTuple):
    """A message of the bench; ``opcode`` is an Error's number where ``error`` is set."""

    error: bool
    opcode: int
    pe: int
    tag: int
    words: list[int]

    def check(self) -> Answer:
        """Return it, unless it is an error.

        Raises
        ------
        BenchError
            Which names the error.
        """
        if self.error:
            raise BenchError(f"the bench refuses {self.words[0]:#010x}: {Error(self.opcode).name}")
        return self


def answer(words: list[int]) -> Answer:
    """Take a message apart.

    Raises
    ------
    BenchError
        When it is none.
    """
    header = words[0]
    mark = header >> 28
    if mark not in _MARKS or header & 0xFF != len(words) - 1:
        raise BenchError(f"{header:#010x} is no answer's header; is the bench's version another?")
    return Answer(_MARKS[mark], header >> 16 & 0xFF, header >> 24 & 15, header >> 8 & 0xFF, words[1:])


class Status(NamedTuple):
    """STATUS' answer; ``pintid`` None: no deactivation."""

    virq: bool
    vfiq: bool
    maintenance: bool
    running: bool
    waiting: bool
    pintid: int | None
    records: int
    operations: int
    clock: int


def status(words: Sequence[int]) -> Status:
    """Take STATUS' answer apart."""
    one = _unpack(StatusWord, words[0])
    names = ("virq", "vfiq", "maintenance", "running", "waiting")
    pintid = words[1] if one["deactivated"] else None
    return Status(*(bool(one[name]) for name in names), pintid, one["records"], words[2], words[3])


_RECORD = tuple(_FIELDS[RecordWord].values())
_STOP = tuple(_FIELDS[StopWord].values())


class Record(NamedTuple):
    """A record of the log; ``size`` in bytes, ``target`` an encoding or an address."""

    kind: Kind
    outcome: int
    write: bool
    size: int
    rt: int
    virq: bool
    vfiq: bool
    pc: int
    clock: int
    target: int
    value: int


def record(words: Sequence[int]) -> Record:
    """Take a record apart."""
    what, clock, target, low, high = words
    kind, outcome, write, size, rt, virq, vfiq, pc = [what >> lsb & mask for lsb, mask in _RECORD]
    return Record(
        _KINDS[kind], outcome, bool(write), 1 << size, rt, bool(virq), bool(vfiq), pc, clock, target,
        low | high << 32,
    )  # fmt: skip


class Report(NamedTuple):
    """Why a guest has stopped; ``pintid`` None: no deactivation. ``last``: its last operation."""

    cause: Cause
    virq: bool
    vfiq: bool
    maintenance: bool
    pintid: int | None
    records: int
    operations: int
    esr: int
    clock: int
    last: Record


def report(words: Sequence[int]) -> Report:
    """Take a report apart."""
    stop, pintid, operations, esr, clock = words[:5]
    cause, virq, vfiq, maintenance, deactivated, records = [stop >> lsb & mask for lsb, mask in _STOP]
    return Report(
        _CAUSES[cause], bool(virq), bool(vfiq), bool(maintenance), pintid if deactivated else None, records,
        operations, esr, clock, record(words[5:]),
    )  # fmt: skip
