"""The guest language: what every instruction means, and that every mistake is placed."""

import pytest

from hw.errors import InputError
from hw.registers import BY_NAME
from sim.guest.language import Where, parse_instruction, parse_program
from sim.guest.memory_map import GICD_BASE, GICR_BASE, GICR_STRIDE, named
from sim.guest.program import SCRATCH, Condition, Op, Reg

WHERE = Where("guest.txt", 7)


def one(text):
    (instruction,) = parse_instruction(text, WHERE)
    return instruction


@pytest.mark.parametrize(
    ("text", "register"),
    [
        ("IAR", "ICC_IAR1_EL1"),
        ("IAR0", "ICC_IAR0_EL1"),
        ("HPPIR", "ICC_HPPIR1_EL1"),
        ("HPPIR0", "ICC_HPPIR0_EL1"),
        ("RPR", "ICC_RPR_EL1"),
        ("AP1R2", "ICC_AP1R2_EL1"),
    ],
)
def test_reads(text, register):
    instruction = one(f"{text} r3 -> 20")
    assert (instruction.op, instruction.register) == (Op.MRS, BY_NAME[register])
    assert instruction.rd == 3
    assert instruction.expect == (0x20 if text == "RPR" else 20)


@pytest.mark.parametrize(
    ("text", "register", "value"),
    [
        ("EOI 32", "ICC_EOIR1_EL1", 32),
        ("EOI0 0x20", "ICC_EOIR0_EL1", 32),
        ("DIR r2", "ICC_DIR_EL1", Reg(2)),
        ("PMR = 80", "ICC_PMR_EL1", 0x80),
        ("BPR1 = 3", "ICC_BPR1_EL1", 3),
        ("CTLR=2", "ICC_CTLR_EL1", 2),
        ("IGRPEN0 = 1", "ICC_IGRPEN0_EL1", 1),
    ],
)
def test_writes(text, register, value):
    instruction = one(text)
    assert (instruction.op, instruction.register, instruction.src) == (Op.MSR, BY_NAME[register], value)


def test_expected_values_have_names():
    assert one("IAR -> none").expect == 1023
    assert one("RPR → idle").expect == 0xFF


@pytest.mark.parametrize(("targets", "mask"), [("1, 3", 0b1010), ("others", -1), ("self", None)])
def test_sgi_targets(targets, mask):
    instruction = one(f"SGI 1 to {targets}")
    assert (instruction.op, instruction.src, instruction.targets) == (Op.SGI, 1, mask)


def test_bitmap_write_and_read_address_the_interrupt():
    write, read = one("ICACTIVER 40"), one("ISACTIVER 40 -> 0")
    assert (write.op, write.place, write.src) == (Op.STORE, named("GICD_ICACTIVER1"), 1 << 8)
    assert (read.op, read.place, read.bit, read.expect) == (Op.LOAD, named("GICD_ISACTIVER1"), 8, 0)
    assert one("ISENABLER 27").place == named("GICR_ISENABLER0")


def test_group_write_changes_one_bit_only():
    load, change, store = parse_instruction("IGROUPR 33 = 0", WHERE)
    assert (load.op, change.op, change.src, store.op) == (Op.LOAD, Op.BIC, 2, Op.STORE)
    assert load.rd == change.rd == SCRATCH
    assert store.src == Reg(SCRATCH)


def test_addresses():
    assert named("GICD_IROUTER40").address(0) == GICD_BASE + 0x6000 + 8 * 40
    assert named("GICR_ISPENDR0").address(1) == GICR_BASE + GICR_STRIDE + 0x10200
    assert named("GICR_CTLR@0").address(1) == GICR_BASE
    assert named("GICD+0x104").address(3) == GICD_BASE + 0x104


def test_program_resolves_labels_and_skips_comments():
    program = parse_program("# idle\nagain:\n  WFI   # sleep\n  B again\n", "guest.txt")
    assert program.labels == {"again": 0}
    assert [i.op for i in program.instructions] == [Op.WFI, Op.B]
    assert (program.instructions[1].target, program.instructions[1].condition) == (0, Condition.ALWAYS)
    assert program.instructions[1].line == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("IRA", "guest.txt:7: expected an instruction, found 'IRA'; did you mean IAR?"),
        ("IAR -> x", "expected the expected value"),
        ("IAR = 3", "IAR cannot be written"),
        ("PMR 80", "expected '=' to write PMR"),
        ("EOI", "expected an INTID or a register at the end of the line"),
        ("EOI 3 4", "expected the end of the line, found '4'"),
        ("ISENABLER 1020", "expected an INTID below 1020"),
        ("ISACTIVER 40 -> 2", "reads 0 or 1"),
        ("SGI 16 to self", "expected an SGI number"),
        ("SGI 1", "expected 'to'"),
        ("SGI 1 to", "expected the targets"),
        ("MOV 3, 3", "expected a register, r0 to r7"),
        ("MOV r8, 3", "expected a register, r0 to r7, found 'r8'"),
        ("GICD_NOPE = 1", "GICD has no register NOPE"),
        ("GICD_ISENABLER99 = 1", "GICD has no ISENABLER99"),
        ("GICD+0x20000 = 1", "offset beyond GICD"),
        ("IGROUPR 40 = 2", "expected a group"),
        ("B again", "a branch needs a program"),
        ("NOP zero", "expected how many operations"),
    ],
)
def test_mistakes_are_placed_and_explained(text, message):
    with pytest.raises(InputError) as caught:
        parse_instruction(text, WHERE)
    assert str(caught.value).startswith("guest.txt:7: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("WFI\nB nowhere", "g:2: no label 'nowhere' in this program; labels: none"),
        ("a:\nWFI\na:\n", "g:3: label 'a' is defined twice"),
    ],
)
def test_program_mistakes(text, message):
    with pytest.raises(InputError, match=message):
        parse_program(text, "g")
