"""The guest language: one instruction a line. Its reference is ``sim/scenarios/README.md``.

::

    again:
        IAR r0              # acknowledge Group 1 into r0
        CMP r0, 1023
        BEQ sleep
        EOI r0
        B again
    sleep:
        WFI
        B again

Instructions may carry the expected result: ``IAR -> 32``, ``ISACTIVER 40 -> 0``, ``RPR -> ff``.
INTIDs and counts are decimal or 0x...; priorities (PMR, RPR, IPRIORITYR) are hexadecimal throughout.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from hw.errors import InputError
from hw.registers import BY_NAME
from sim.guest import memory_map
from sim.guest.memory_map import Place
from sim.guest.program import (
    REGISTERS,
    SCRATCH,
    UNDEFINED,
    Condition,
    Instruction,
    Op,
    Program,
    Reg,
    Source,
)

__all__ = ["Where", "parse_instruction", "parse_program", "strip_comment"]


@dataclass(frozen=True)
class Where:
    """A line of a file, for messages; line 0 is something that has no lines."""

    file: str
    line: int

    def error(self, message: str) -> InputError:
        """Return the error that says ``message`` about this line."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return InputError(f"{place}: {message}")


#: Mnemonic -> CPU interface register, for reads and (where it has one) writes with ``=``.
_CPU = {
    "IAR": "IAR1", "IAR0": "IAR0", "IAR1": "IAR1", "HPPIR": "HPPIR1", "HPPIR0": "HPPIR0", "HPPIR1": "HPPIR1",
    "RPR": "RPR", "PMR": "PMR", "BPR0": "BPR0", "BPR1": "BPR1", "CTLR": "CTLR", "IGRPEN0": "IGRPEN0",
    "IGRPEN1": "IGRPEN1", **{f"AP{g}R{n}": f"AP{g}R{n}" for g in (0, 1) for n in range(4)},
}  # fmt: skip
#: Mnemonic -> write-only register; the operand follows directly.
_COMPLETE = {"EOI": "EOIR1", "EOI0": "EOIR0", "EOI1": "EOIR1", "DIR": "DIR"}
_BITMAPS = ("ISENABLER", "ICENABLER", "ISPENDR", "ICPENDR", "ISACTIVER", "ICACTIVER")
_ARITHMETIC = {op.name: op for op in (Op.MOV, Op.ADD, Op.SUB, Op.AND, Op.ORR, Op.LSL, Op.LSR)}
_BRANCHES = {condition.value: condition for condition in Condition}
_PRIORITY = ("PMR", "RPR")
_OTHERS = ("SGI", "SGI0", "IPRIORITYR", "IROUTER", "IGROUPR", "CMP", "LOOP", "WFI", "EXIT", "NOP", "LOG",
           "EXPECT", "HALT")  # fmt: skip
_MNEMONICS = (*_CPU, *_COMPLETE, *_BITMAPS, *_ARITHMETIC, *_BRANCHES, *_OTHERS)
_TOKEN = re.compile(r"->|→|=|[^\s,=→-]+(?:-(?!>)[^\s,=→-]+)*|-\d+")
_LABEL = re.compile(r"([A-Za-z_]\w*):$")


def strip_comment(text: str) -> str:
    """Return a source line without its comment and surrounding blanks."""
    return text.split("#", 1)[0].strip()


class _Line:
    """The tokens of one instruction, taken from the left, with errors that say what was expected."""

    def __init__(self, text: str, where: Where):
        self.text = text
        self.where = where
        self.tokens = ["->" if token == "→" else token for token in _TOKEN.findall(text)]
        self.position = 0

    def error(self, message: str) -> InputError:
        return self.where.error(f"{message} (in {self.text!r})")

    def peek(self) -> str | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def take(self, expected: str) -> str:
        token = self.peek()
        if token is None:
            raise self.error(f"expected {expected} at the end of the line")
        self.position += 1
        return token

    def accept(self, token: str) -> bool:
        if self.peek() == token:
            self.position += 1
            return True
        return False

    def end(self) -> None:
        if self.peek() is not None:
            raise self.error(f"expected the end of the line, found {self.peek()!r}")

    def number(self, expected: str, hexadecimal: bool = False, limit: int = 1 << 64) -> int:
        token = self.take(expected)
        try:
            value = int(token, 16) if hexadecimal else int(token, 0)
        except ValueError:
            raise self.error(f"expected {expected}, found {token!r}") from None
        if not 0 <= value < limit:
            raise self.error(f"expected {expected} below {limit:#x}, found {token}")
        return value

    def register(self, expected: str = "a register, r0 to r7") -> int:
        token = self.take(expected)
        index = _register(token)
        if index is None:
            raise self.error(f"expected {expected}, found {token!r}")
        return index

    def source(self, expected: str, hexadecimal: bool = False, limit: int = 1 << 64) -> Source:
        index = _register(self.peek() or "")
        if index is None:
            return self.number(f"{expected} or a register", hexadecimal, limit)
        self.position += 1
        return Reg(index)


def _register(token: str) -> int | None:
    match = re.fullmatch(r"r(\d)", token)
    return int(match[1]) if match and int(match[1]) < REGISTERS else None


def _result(line: _Line, hexadecimal: bool = False) -> tuple[int | None, int | None]:
    """Parse ``[rd] [-> value]``; ``none`` is 1023, ``idle`` 0xff, ``undef`` an UNDEFINED exception."""
    rd = None
    if _register(line.peek() or "") is not None:
        rd = line.register()
    expect = None
    if line.accept("->"):
        names = {"none": 1023, "idle": 0xFF, "undef": UNDEFINED}
        if line.peek() in names:
            expect = names[line.take("a value")]
        else:
            expect = line.number("the expected value, none, idle or undef", hexadecimal)
    line.end()
    return rd, expect


def _faults(line: _Line) -> int | None:
    """Parse the ``[-> undef]`` of a write."""
    expect = None
    if line.accept("->"):
        if line.take("undef") != "undef":
            raise line.error("a write returns nothing; only '-> undef' may follow")
        expect = UNDEFINED
    line.end()
    return expect


def _cpu_register(line: _Line, mnemonic: str) -> list[Instruction]:
    register = BY_NAME[f"ICC_{_CPU[mnemonic]}_EL1"]
    hexadecimal = mnemonic in _PRIORITY
    if line.accept("="):
        if not register.writable:
            raise line.error(f"{mnemonic} cannot be written; read it with {mnemonic} [rd] [-> value]")
        source = line.source("the value to write", hexadecimal)
        return [Instruction(Op.MSR, src=source, register=register, expect=_faults(line))]
    if register.writable and line.peek() not in (None, "->") and _register(line.peek() or "") is None:
        raise line.error(f"expected '=' to write {mnemonic}, or a register or '->' to read it")
    rd, expect = _result(line, hexadecimal)
    return [Instruction(Op.MRS, rd, register=register, expect=expect)]


def _complete(line: _Line, mnemonic: str) -> list[Instruction]:
    source = line.source("an INTID", limit=1 << 24)
    register = BY_NAME[f"ICC_{_COMPLETE[mnemonic]}_EL1"]
    return [Instruction(Op.MSR, src=source, register=register, expect=_faults(line))]


def _sgi(line: _Line, mnemonic: str) -> list[Instruction]:
    intid = line.number("an SGI number, 0 to 15", limit=16)
    if line.take("'to'") != "to":
        raise line.error("expected 'to' and the targets: vCPU numbers, others or self")
    if line.accept("self"):
        targets = None
    elif line.accept("others"):
        targets = -1
    else:
        targets = 0
        while line.peek() is not None:
            targets |= 1 << line.number("a vCPU number, others or self", limit=16)
        if not targets:
            raise line.error("expected the targets: vCPU numbers, others or self")
    line.end()
    return [Instruction(Op.SGI, src=intid, targets=targets, group=0 if mnemonic == "SGI0" else 1)]


def _bitmap(line: _Line, mnemonic: str) -> list[Instruction]:
    intid = line.number("an INTID below 1020", limit=1020)
    place, bit = memory_map.bit_word(mnemonic, intid)
    if line.peek() is None:
        return [Instruction(Op.STORE, src=1 << bit, place=place)]
    rd, expect = _result(line)
    if expect is not None and expect > 1:
        raise line.error(f"{mnemonic} of one INTID reads 0 or 1")
    return [Instruction(Op.LOAD, rd, place=place, bit=bit, expect=expect)]


def _per_interrupt(line: _Line, mnemonic: str) -> list[Instruction]:
    intid = line.number("an INTID below 1020", limit=1020)
    if mnemonic == "IPRIORITYR":
        place, size, limit, hexadecimal = memory_map.priority_byte(intid), 1, 0x100, True
    elif mnemonic == "IROUTER":
        place, size, limit, hexadecimal = memory_map.irouter(intid), 4, 256, False
    else:
        return _group(line, intid)
    if not line.accept("="):
        rd, expect = _result(line, hexadecimal)
        return [Instruction(Op.LOAD, rd, place=place, size=size, expect=expect)]
    source = line.source("the value to write", hexadecimal, limit)
    line.end()
    return [Instruction(Op.STORE, src=source, place=place, size=size)]


def _group(line: _Line, intid: int) -> list[Instruction]:
    """IGROUPR shares a word with 31 others: read, change one bit in the scratch register, write."""
    place, bit = memory_map.bit_word("IGROUPR", intid)
    if not line.accept("="):
        rd, expect = _result(line)
        return [Instruction(Op.LOAD, rd, place=place, bit=bit, expect=expect)]
    group = line.number("a group, 0 or 1", limit=2)
    line.end()
    change = Op.ORR if group else Op.BIC
    return [
        Instruction(Op.LOAD, SCRATCH, place=place),
        Instruction(change, SCRATCH, src=1 << bit),
        Instruction(Op.STORE, src=Reg(SCRATCH), place=place),
    ]


def _distributor(line: _Line, mnemonic: str) -> list[Instruction]:
    try:
        place: Place = memory_map.named(mnemonic)
    except InputError as error:
        raise line.error(str(error)) from None
    if line.accept("="):
        source = line.source("the value to write")
        line.end()
        return [Instruction(Op.STORE, src=source, place=place)]
    rd, expect = _result(line)
    return [Instruction(Op.LOAD, rd, place=place, expect=expect)]


def _flow(line: _Line, mnemonic: str, labels: list[tuple[str, Where]]) -> list[Instruction]:
    if mnemonic in _BRANCHES:
        instruction = Instruction(Op.B, condition=_BRANCHES[mnemonic], target=len(labels))
    else:
        instruction = Instruction(Op.LOOP, line.register(), target=len(labels))
    labels.append((line.take("a label"), line.where))
    line.end()
    return [instruction]


def _plain(line: _Line, mnemonic: str) -> list[Instruction]:
    if mnemonic in ("WFI", "EXIT", "HALT"):
        line.end()
        return [Instruction(Op[mnemonic])]
    if mnemonic == "NOP":
        count = (
            1 if line.peek() is None else line.number("how many operations, 1 to 1000000", limit=1_000_001)
        )
        line.end()
        return [Instruction(Op.NOP, src=max(1, count))]
    if mnemonic == "LOG":
        source = line.source("a value")
        line.end()
        return [Instruction(Op.LOG, src=source)]
    rd = line.register()
    source = line.source("a value")
    line.end()
    return [Instruction(_ARITHMETIC.get(mnemonic) or Op[mnemonic], rd, src=source)]


def _instruction(text: str, where: Where, labels: list[tuple[str, Where]]) -> list[Instruction]:
    line = _Line(text, where)
    mnemonic = line.take("an instruction")
    name = mnemonic.upper() if not mnemonic.startswith("GIC") else mnemonic
    if name in _CPU:
        parsed = _cpu_register(line, name)
    elif name in _COMPLETE:
        parsed = _complete(line, name)
    elif name in ("SGI", "SGI0"):
        parsed = _sgi(line, name)
    elif name in _BITMAPS:
        parsed = _bitmap(line, name)
    elif name in ("IPRIORITYR", "IROUTER", "IGROUPR"):
        parsed = _per_interrupt(line, name)
    elif name.startswith(("GICD", "GICR", "GICV")):
        parsed = _distributor(line, name)
    elif name in _BRANCHES or name == "LOOP":
        parsed = _flow(line, name, labels)
    elif name in _OTHERS or name in _ARITHMETIC:
        parsed = _plain(line, name)
    else:
        close = difflib.get_close_matches(name, _MNEMONICS, 1)
        hint = f"; did you mean {close[0]}?" if close else "; the README of sim/scenarios lists them"
        raise where.error(f"expected an instruction, found {mnemonic!r}{hint}")
    return [replace(instruction, line=where.line, text=text) for instruction in parsed]


def parse_instruction(text: str, where: Where) -> list[Instruction]:
    """Parse one instruction that stands alone (a scenario's step); branches are refused.

    Raises
    ------
    InputError
        ``file:line`` and what was expected there.
    """
    labels: list[tuple[str, Where]] = []
    parsed = _instruction(text, where, labels)
    if labels:
        raise where.error("a branch needs a program: put it into a 'guest' block")
    return parsed


def parse_program(lines: Iterable[str] | str, file: str, first_line: int = 1, name: str = "guest") -> Program:
    """Parse a program.

    Parameters
    ----------
    lines : the source, as lines or as one text
    file, first_line : where it stands, for messages
    name : what the program is called in reports

    Raises
    ------
    InputError
        ``file:line`` and what was expected there: an unknown instruction, a bad operand, a label that is
        missing or defined twice.
    """
    instructions: list[Instruction] = []
    labels: dict[str, int] = {}
    wanted: list[tuple[str, Where]] = []
    for number, raw in enumerate(lines.splitlines() if isinstance(lines, str) else lines, first_line):
        where = Where(file, number)
        text = strip_comment(raw)
        if not text:
            continue
        if match := _LABEL.match(text):
            if match[1] in labels:
                raise where.error(f"label {match[1]!r} is defined twice")
            labels[match[1]] = len(instructions)
            continue
        instructions.extend(_instruction(text, where, wanted))
    for label, where in wanted:
        if label not in labels:
            known = ", ".join(labels) or "none"
            raise where.error(f"no label {label!r} in this program; labels: {known}")
    resolved = [
        replace(one, target=labels[wanted[one.target][0]]) if one.op in (Op.B, Op.LOOP) else one
        for one in instructions
    ]
    return Program(name, tuple(resolved), labels)
