"""Instruction words, as the assembler makes them."""

import pytest

from hw.registers import BY_NAME, REGISTERS, Space
from sim.guest.aarch64_decode import Action, Special, Transfer, special, transfer
from tests.sim.guest import words


@pytest.mark.parametrize("register", [r for r in REGISTERS if r.space is not Space.ICV], ids=lambda r: r.name)
def test_every_gic_register_is_found(register):
    assert special(words.mrs(7, register.name)) == Special(Action.SYSREG, register, False, 7)
    assert special(words.msr(register.name, 30)) == Special(Action.SYSREG, register, True, 30)


@pytest.mark.parametrize(("word", "name", "write", "rt"), [
    (0xD538_CC08, "ICC_IAR1_EL1", False, 8), (0xD518_CC21, "ICC_EOIR1_EL1", True, 1),
    (0xD518_CB29, "ICC_DIR_EL1", True, 9), (0xD518_4600, "ICC_PMR_EL1", True, 0),
    (0xD538_CB60, "ICC_RPR_EL1", False, 0), (0xD518_CBBF, "ICC_SGI1R_EL1", True, 31),
])  # fmt: skip
def test_words_of_the_assembler(word, name, write, rt):
    assert special(word) == Special(Action.SYSREG, BY_NAME[name], write, rt)


@pytest.mark.parametrize(("word", "expected"), [
    (0xD503_207F, Special(Action.WFI)), (0xD503_203F, Special(Action.YIELD)),
    (0xD503_205F, Special(Action.YIELD)), (0xD69F_03E0, Special(Action.ERET)),
    (0xD400_0002, Special(Action.HVC)), (0xD400_2462, Special(Action.HVC, immediate=0x123)),
    (0xD400_0021, Special(Action.SVC, immediate=1)),
    (0xD503_43FF, Special(Action.DAIFCLR, immediate=3)), (0xD51B_4225, Special(Action.DAIF, rt=5)),
    (0xD538_00A1, Special(Action.MPIDR, rt=1)), (0xD53B_E040, Special(Action.NOT_MODELLED)),
])  # fmt: skip
def test_other_instructions(word, expected):
    assert special(word) == expected


@pytest.mark.parametrize("word", [
    0xD503_42DF,  # msr daifset, #2: masks only
    0xD53B_4226,  # mrs x6, daif
    0xD538_4004,  # mrs x4, spsr_el1
    0xD518_C002,  # msr vbar_el1, x2
    0xD503_201F,  # nop
    0xD503_3FDF,  # isb
    0xD65F_03C0,  # ret
    0x9100_0400,  # add x0, x0, #1
])  # fmt: skip
def test_the_rest_is_for_the_processor(word):
    assert special(word) is None


@pytest.mark.parametrize(("word", "expected"), [
    (0xF940_0443, Transfer(3, 8, False, wide=True)),  # ldr x3, [x2, #8]
    (0xB900_0443, Transfer(3, 4, True)),  # str w3, [x2, #4]
    (0x3940_0043, Transfer(3, 1, False)),  # ldrb w3, [x2]
    (0x7900_005F, Transfer(31, 2, True)),  # strh wzr, [x2]
    (0x3980_0043, Transfer(3, 1, False, True, True)),  # ldrsb x3, [x2]
    (0x79C0_0043, Transfer(3, 2, False, True, False)),  # ldrsh w3, [x2]
    (0xB980_0043, Transfer(3, 4, False, True, True)),  # ldrsw x3, [x2]
    (0xB85F_C043, Transfer(3, 4, False)),  # ldur w3, [x2, #-4]
    (0xB861_6843, Transfer(3, 4, False)),  # ldr w3, [x2, x1]
    (0xB821_7843, Transfer(3, 4, True)),  # str w3, [x2, x1, lsl #2]
    (0xB840_0843, Transfer(3, 4, False)),  # ldtr w3, [x2]
    (0x88DF_FC43, Transfer(3, 4, False)),  # ldar w3, [x2]
    (0xC89F_FC43, Transfer(3, 8, True, wide=True)),  # stlr x3, [x2]
])  # fmt: skip
def test_loads_and_stores_with_a_syndrome(word, expected):
    assert transfer(word) == expected


@pytest.mark.parametrize("word", [
    0xB840_4443,  # ldr w3, [x2], #4
    0xB840_4C43,  # ldr w3, [x2, #4]!
    0xA940_0C44,  # ldp x4, x3, [x2]
    0x885F_7C43,  # ldxr w3, [x2]
    0x885F_FC43,  # ldaxr w3, [x2]
    0xBD40_0043,  # ldr s3, [x2]
    0xF980_0040,  # prfm pldl1keep, [x2]
    0xB821_0043,  # ldadd w1, w3, [x2]
    0xB9C0_0043,  # no load: an extension from 32 to 32 bits
])  # fmt: skip
def test_others_have_none(word):
    """ISV is 0: a hypervisor cannot emulate them."""
    assert transfer(word) is None


@pytest.mark.parametrize(("one", "value", "result"), [
    (Transfer(0, 1, False), 0x1FF, 0xFF),
    (Transfer(0, 1, False, True, False), 0x80, 0xFFFF_FF80),
    (Transfer(0, 1, False, True, True), 0x80, 0xFFFF_FFFF_FFFF_FF80),
    (Transfer(0, 4, False, True, True), 0x7FFF_FFFF, 0x7FFF_FFFF),
    (Transfer(0, 8, False, wide=True), 1 << 63, 1 << 63),
])  # fmt: skip
def test_what_a_load_leaves(one, value, result):
    assert one.loaded(value) == result
