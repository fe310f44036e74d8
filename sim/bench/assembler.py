"""From the guest language to the words of a guest engine's program memory."""

from __future__ import annotations

from hw.bench.instruction import Condition as Holds
from hw.bench.instruction import Instruction as Word
from hw.bench.instruction import MemoryDetail
from hw.bench.instruction import Op as Code
from hw.bench.protocol import members
from hw.errors import InputError
from hw.registers import BY_NAME
from sim.guest.interpreter import sgi_value
from sim.guest.program import UNDEFINED, Condition, Instruction, Op, Program, Reg

__all__ = ["Assembled", "access_words", "assemble"]

_FIELDS = members(Word)
_DETAIL = members(MemoryDetail)
_HALF = (1 << 32) - 1
_SIZES = {1: 0, 2: 1, 4: 2, 8: 3}
_HOLDS = {
    Condition.ALWAYS: Holds.ALWAYS, Condition.EQ: Holds.EQ, Condition.NE: Holds.NE, Condition.LO: Holds.LO,
    Condition.HS: Holds.HS,
}  # fmt: skip
_PLAIN = {
    Op.MOV: Code.MOV, Op.ADD: Code.ADD, Op.SUB: Code.SUB, Op.AND: Code.AND, Op.ORR: Code.ORR,
    Op.BIC: Code.BIC, Op.LSL: Code.LSL, Op.LSR: Code.LSR, Op.CMP: Code.CMP, Op.LOG: Code.LOG,
    Op.EXPECT: Code.EXPECT,
}  # fmt: skip


class Assembled:
    """A program as the engine holds it.

    Attributes
    ----------
    words : list of int
        Instructions, 64 bits each; the last one halts.
    sources : list of Instruction or None
        What each word comes from; None for the halt behind the end.
    """

    def __init__(self) -> None:
        self.words: list[int] = []
        self.sources: list[Instruction | None] = []

    def code(self, pc: int) -> Code:
        """Return what the word at ``pc`` does."""
        lsb, mask = _FIELDS["op"]
        return Code(self.words[pc] >> lsb & mask)


def _word(code: Code, **fields: int) -> int:
    word = int(code) << _FIELDS["op"][0]
    for name, value in fields.items():
        lsb, mask = _FIELDS[name]
        if value & ~mask:
            raise ValueError(f"{name} {value:#x} does not fit")
        word |= value << lsb
    return word


def _wide(value: int, halves: int) -> list[int]:
    """Return the WIDE that bring the upper halves of a literal."""
    return [_word(Code.WIDE, imm=value >> 32 * n & _HALF) for n in reversed(range(halves))]


def _with_source(code: Code, source: Reg | int, **fields: int) -> list[int]:
    """Return an instruction with its src, which may need a WIDE."""
    if isinstance(source, Reg):
        return [_word(code, rs=source.index, **fields)]
    wide = _wide(source >> 32, 1) if source >> 32 else []
    return [*wide, _word(code, literal=1, imm=source & _HALF, **fields)]


def access_words(encoding: int, write: bool, value: int, rt: int) -> list[int]:
    """Return the instruction that makes one system-register access with a literal, ``rt`` below 8."""
    if write:
        return _with_source(Code.MSR, value, detail=encoding, rd=rt)
    return [_word(Code.MRS, detail=encoding, rd=rt)]


def _checks(one: Instruction) -> list[int]:
    """Return the checks behind an access: that it faults, or does not, and what it has read."""
    checks = [_word(Code.CHECK_FAULT, imm=int(one.expect == UNDEFINED))]
    if one.op in (Op.MRS, Op.LOAD) and one.expect not in (None, UNDEFINED):
        checks += _with_source(Code.CHECK, one.expect)
    return checks


def _memory(one: Instruction, vcpu: int) -> list[int]:
    detail = _SIZES[one.size] << _DETAIL["size"][0]
    address = one.place.address(vcpu)
    if one.op is Op.LOAD:
        if one.bit is not None:
            detail |= one.bit << _DETAIL["bit"][0] | 1 << _DETAIL["select"][0]
        return [_word(Code.LOAD, imm=address, detail=detail, rd=one.rd or 0, store=one.rd is not None)]
    if isinstance(one.src, Reg):
        return [_word(Code.STORE, imm=address, detail=detail, rs=one.src.index)]
    return [*_wide(one.src, 2), _word(Code.STORE, imm=address, detail=detail, literal=1)]


def _instruction(one: Instruction, vcpu: int) -> list[int]:
    """Return the words of one instruction; branch targets are still those of the program."""
    if one.op is Op.MRS:
        encoding = one.register.encoding
        word = _word(Code.MRS, detail=encoding, rd=one.rd or 0, store=one.rd is not None)
        return [word, *_checks(one)]
    if one.op is Op.MSR:
        return [*_with_source(Code.MSR, one.src, detail=one.register.encoding), *_checks(one)]
    if one.op is Op.SGI:
        if isinstance(one.src, Reg):
            raise ValueError("an SGI's number must be a literal")
        register = BY_NAME[f"ICC_SGI{one.group}R_EL1"]
        value = sgi_value(one.src, one.targets, vcpu)
        return [*_with_source(Code.MSR, value, detail=register.encoding), *_checks(one)]
    if one.op in (Op.LOAD, Op.STORE):
        return [*_memory(one, vcpu), *_checks(one)]
    if one.op is Op.NOP:
        if isinstance(one.src, Reg):
            raise ValueError("the length of a pause must be a literal")
        return [_word(Code.NOP, imm=one.src)]
    if one.op in (Op.WFI, Op.EXIT, Op.HALT):
        return [_word(Code[one.op.name])]
    if one.op is Op.B:
        return [_word(Code.B, detail=int(_HOLDS[one.condition]), imm=one.target)]
    if one.op is Op.LOOP:
        return [_word(Code.LOOP, rd=one.rd, imm=one.target)]
    return _with_source(_PLAIN[one.op], one.src, rd=one.rd or 0)


def assemble(program: Program, vcpu: int = 0, depth: int = 1 << 16, file: str = "") -> Assembled:
    """Return a program's words, and a HALT behind them.

    Parameters
    ----------
    program : Program
        What the guest language's parser made.
    vcpu : int
        Whose program: its own redistributor and its SGIs to itself depend on it.
    depth : int
        Instructions that the engine holds.
    file : str
        Where the source is, for messages.

    Raises
    ------
    InputError
        ``file:line`` and what does not fit.
    """
    result = Assembled()
    starts: list[int] = []
    for one in program.instructions:
        starts.append(len(result.words))
        try:
            words = _instruction(one, vcpu)
        except ValueError as error:
            raise InputError(f"{file}:{one.line}: {one.text}: {error}; the engine cannot hold it") from None
        result.words += words
        result.sources += [one] * len(words)
        if len(result.words) >= depth:
            raise InputError(
                f"{file}:{one.line}: {one.text}: the program ends beyond the engine's {depth} instructions; "
                "shorten it or build a bench with a larger program memory"
            )
    starts.append(len(result.words))
    result.words.append(_word(Code.HALT))
    result.sources.append(None)
    lsb, mask = _FIELDS["imm"]
    for n, (word, one) in enumerate(zip(result.words, result.sources, strict=True)):
        if one is not None and one.op in (Op.B, Op.LOOP):
            result.words[n] = word & ~(mask << lsb) | starts[one.target] << lsb
    return result
