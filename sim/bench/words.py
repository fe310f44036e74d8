"""Commands to words and words to answers (``docs/mailbox.md``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

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
from sim.port import Access

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


def command(
    opcode: Opcode, pe: int, words: Sequence[int] = (), tag: int = 0, quiet: bool = False
) -> list[int]:
    """Return a command."""
    mark = Mark.QUIET if quiet else Mark.COMMAND
    return [int(mark) << 28 | pe << 24 | int(opcode) << 16 | tag << 8 | len(words), *words]


def access(one: Access) -> list[int]:
    """Return the words of ACCESS."""
    context = sum(
        int(value) << _CONTEXT[name][0] for name, value in one.context._asdict().items() if name in _CONTEXT
    )
    what = _pack(
        AccessWord, encoding=one.register.encoding, write=one.write, el=one.el, rt=one.rt, context=context
    )
    return [what, one.value & _HALF, one.value >> 32] if one.write else [what]


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
    return [_pack(ResumeWord, **options), budget, value & _HALF, value >> 32]


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
    if mark not in (Mark.ANSWER, Mark.ERROR) or header & 0xFF != len(words) - 1:
        raise BenchError(f"{header:#010x} is no answer's header; is the bench's version another?")
    return Answer(mark == Mark.ERROR, header >> 16 & 0xFF, header >> 24 & 15, header >> 8 & 0xFF, words[1:])


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
    one = _unpack(RecordWord, words[0])
    return Record(
        Kind(one["kind"]), one["outcome"], bool(one["write"]), 1 << one["size"], one["rt"],
        bool(one["virq"]), bool(one["vfiq"]), one["pc"], words[1], words[2], words[3] | words[4] << 32,
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
    one = _unpack(StopWord, words[0])
    pintid = words[1] if one["deactivated"] else None
    lines = (bool(one[name]) for name in ("virq", "vfiq", "maintenance"))
    cause = Cause(one["cause"])
    return Report(cause, *lines, pintid, one["records"], words[2], words[3], words[4], record(words[5:]))
