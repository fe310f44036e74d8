"""The assembler: what the engine holds, and what is refused with its line."""

import pytest

from hw.bench.instruction import Instruction as Word
from hw.bench.instruction import Op as Code
from hw.bench.protocol import members
from hw.errors import InputError
from sim.bench.assembler import assemble
from sim.guest.language import parse_program
from sim.guest.program import Instruction, Op, Program, Reg


def decoded(text, vcpu=0):
    """Return (op, imm) of every word."""
    assembled = assemble(parse_program(text, "file"), vcpu)
    lsb, mask = members(Word)["imm"]
    return [(assembled.code(n), word >> lsb & mask) for n, word in enumerate(assembled.words)]


def test_a_branch_finds_its_target_behind_longer_instructions():
    words = decoded("MOV r1, 0x123456789\nagain:\nIAR -> 32\nB again")
    assert [op.name for op, _ in words] == ["WIDE", "MOV", "MRS", "CHECK_FAULT", "CHECK", "B", "HALT"]
    assert words[0] == (Code.WIDE, 1)
    assert words[1] == (Code.MOV, 0x2345_6789)
    assert words[5] == (Code.B, 2)


def test_addresses_and_sgis_are_those_of_the_vcpu():
    assert decoded("ISENABLER 3", 0)[2] != decoded("ISENABLER 3", 1)[2]
    assert decoded("SGI 3 to self", 0)[0] != decoded("SGI 3 to self", 1)[0]


def test_a_program_that_is_too_long_is_refused_with_its_line():
    with pytest.raises(InputError, match=r"prog:3: LOG 3: the program ends beyond the engine's 3 instr"):
        assemble(parse_program("LOG 1\nLOG 2\nLOG 3", "prog"), depth=3, file="prog")
    assert len(assemble(parse_program("LOG 1\nLOG 2", "prog"), depth=3).words) == 3


@pytest.mark.parametrize("op", [Op.SGI, Op.NOP])
def test_what_has_no_word_is_refused_with_its_line(op):
    program = Program("p", (Instruction(op, src=Reg(1), line=7, text="it"),))
    with pytest.raises(InputError, match=r"f:7: it: .* must be a literal; the engine cannot hold it"):
        assemble(program, file="f")
