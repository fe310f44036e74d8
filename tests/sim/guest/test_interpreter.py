"""Programs executed against a dictionary of registers: flow, arithmetic, results, expectations."""

from sim.guest.interpreter import ProgramGuest, sgi_value
from sim.guest.language import parse_program
from sim.guest.operation import Kind


def execute(text, reads=(), limit=100):
    """Run a program; ``reads`` are the values that reads return, in order. Return guest and operations."""
    guest = ProgramGuest(parse_program(text, "g"), vcpu=1, file="g")
    values, operations = list(reads), []
    for _ in range(limit):
        operation = guest.next(False, False)
        operations.append(operation)
        if operation.kind is Kind.HALT:
            break
        reading = operation.kind in (Kind.SYSREG, Kind.MMIO) and not operation.write
        guest.complete(operation, values.pop(0) if reading else 0, 0)
    return guest, operations


def test_acknowledge_loop_ends_on_1023():
    text = "again:\nIAR r0\nCMP r0, 1023\nBEQ done\nEOI r0\nLOG r0\nB again\ndone:\nHALT"
    guest, operations = execute(text, [32, 33, 1023])
    assert guest.log == [32, 33]
    assert [str(o) for o in operations] == ["IAR1", "EOIR1 := 0x20", "IAR1", "EOIR1 := 0x21", "IAR1", "HALT"]


def test_arithmetic_and_loop():
    text = "MOV r1, 3\nMOV r2, 1\nagain:\nADD r2, r2\nLOOP r1, again\nSUB r2, 1\nLSL r2, 4\nLOG r2"
    guest, _ = execute(text)
    assert guest.log == [(8 - 1) << 4]


def test_unsigned_branches():
    guest, _ = execute("MOV r1, 5\nCMP r1, 6\nBHS wrong\nBLO right\nwrong:\nLOG 1\nright:\nLOG 2\n")
    assert guest.log == [2]


def test_wrapping_is_64_bits():
    guest, _ = execute("MOV r1, 0\nSUB r1, 1\nLOG r1")
    assert guest.log == [(1 << 64) - 1]


def test_failed_expectations_name_the_line_and_do_not_stop():
    guest, operations = execute("IAR -> 32\nEXPECT r0, 1\nEOI 32", [1023])
    assert guest.failures == ["g:1: IAR -> 32: read 1023 (0x3ff)", "g:2: EXPECT r0, 1: r0 is 0 (0x0)"]
    assert operations[-1].kind is Kind.HALT


def test_bit_read_and_group_macro():
    guest, operations = execute("ISACTIVER 40 r1 -> 1\nIGROUPR 33 = 0\nLOG r1", [0x100, 0xFF])
    assert not guest.failures
    assert guest.log == [1]
    assert operations[2].value == 0xFD


def test_nop_takes_its_time():
    _, operations = execute("NOP 3\nWFI")
    assert [o.kind for o in operations] == [Kind.NOP] * 3 + [Kind.WFI, Kind.HALT]


def test_endless_moves_still_let_time_pass():
    _, operations = execute("again:\nMOV r0, 1\nB again", limit=3)
    assert [o.kind for o in operations] == [Kind.NOP] * 3


def test_sgi_operands():
    assert sgi_value(3, 0b101, 1) == 3 << 24 | 0b101
    assert sgi_value(3, None, 1) == 3 << 24 | 0b10
    assert sgi_value(3, -1, 1) == 3 << 24 | 1 << 40


def test_snapshot_repeats_in_a_loop():
    guest = ProgramGuest(parse_program("again:\nWFI\nB again", "g"))
    seen = []
    for _ in range(3):
        operation = guest.next(False, False)
        seen.append(guest.snapshot())
        guest.complete(operation, 0, 0)
    assert seen[1] == seen[2]
