"""AArch64 code on its own: what becomes an operation, and how interrupts and exceptions are taken."""

import pytest

from hw.registers import BY_NAME
from sim.guest.aarch64_cpu import Aarch64Guest
from sim.guest.memory_map import GICD_BASE, GICR_BASE
from sim.guest.operation import Kind
from sim.port import ESR_UNDEF
from tests.sim.guest.words import (
    CODE,
    DATA,
    ERET,
    NOP,
    SPIN,
    UNDEFINED,
    WFE,
    WFI,
    YIELD,
    add,
    branch,
    daifclr,
    daifset,
    flat,
    hvc,
    ldr,
    log,
    memory,
    mov,
    mrs,
    msr,
    store,
    svc,
)

OFF = flat(mov(0, 0x8400_0008), hvc())
IRQ, FIQ = (True, False), (False, True)


def finish(guest, reads=(), lines=(False, False), fault=0, limit=50):
    """Run a guest until it halts, with the same lines throughout; return its operations."""
    values, operations = list(reads), []
    for _ in range(limit):
        operation = guest.next(*lines)
        operations.append(operation)
        if operation.kind is Kind.HALT:
            return operations
        reading = operation.kind in (Kind.SYSREG, Kind.MMIO) and not operation.write
        guest.complete(operation, values.pop(0) if reading else 0, fault)
    raise AssertionError(f"did not halt: {operations[-3:]}")


def logged(*words, reads=(), lines=(False, False), fault=0, vcpu=0, **vectors):
    """Return what a program logs on its way to its end."""
    guest = Aarch64Guest(memory(*words, *OFF, **vectors), vcpu)
    finish(guest, reads, lines, fault)
    assert not guest.failures
    return guest.log


def failure(*words, **vectors):
    guest = Aarch64Guest(memory(*words, *OFF, **vectors))
    finish(guest)
    assert not guest.log
    (text,) = guest.failures
    return text


# -- operations --------------------------------------------------------------------------------------------


def test_gic_registers_are_operations():
    words = (mrs(3, "ICC_IAR1_EL1"), log(3), msr("ICC_EOIR1_EL1", 3), mov(4, 0xF0), msr("ICC_PMR_EL1", 4))
    guest = Aarch64Guest(memory(*words, *OFF))
    first, second, third, _ = finish(guest, [0x1_0000_0028])
    assert (first.kind, first.register, first.write, first.rt) == (
        Kind.SYSREG, BY_NAME["ICC_IAR1_EL1"], False, 3,
    )  # fmt: skip
    assert (second.register.name, second.write, second.value) == ("ICC_EOIR1_EL1", True, 0x1_0000_0028)
    assert (third.register.name, third.value, third.rt) == ("ICC_PMR_EL1", 0xF0, 4)
    assert guest.log == [0x1_0000_0028]


def test_zero_register():
    words = (mov(30, 5), mrs(31, "ICC_IAR1_EL1"), msr("ICC_EOIR1_EL1", 31))
    operations = finish(Aarch64Guest(memory(*words, *OFF)), [40])
    assert [operation.value for operation in operations[:2]] == [0, 0]


@pytest.mark.parametrize(
    "name", ["ICH_LR0_EL2", "ICH_HCR_EL2", "ICC_SRE_EL2", "ICC_AP1R3_EL1", "ICC_SGI1R_EL1"]
)
def test_no_gic_register_is_unicorns(name):
    """What EL1 must not touch, or what this GIC may not have, is decided by the CPU port."""
    operation = Aarch64Guest(memory(msr(name, 5))).next(False, False)
    assert (operation.kind, operation.register) == (Kind.SYSREG, BY_NAME[name])


@pytest.mark.parametrize(
    ("size", "value"), [(1, 0x88), (2, 0x7788), (4, 0x5566_7788), (8, 0x1122_3344_5566_7788)]
)
def test_stores_and_loads_of_every_size(size, value):
    words = (
        mov(1, GICD_BASE + 0x6100),
        mov(2, 0x1122_3344_5566_7788),
        store(2, 1, size),
        ldr(3, 1, size),
        log(3),
    )
    guest = Aarch64Guest(memory(*words, *OFF))
    out, back, _ = finish(guest, [0xFFFF_FFFF_FFFF_FF00 | value & 0xFF])
    assert (out.kind, out.write, out.address, out.size, out.value) == (
        Kind.MMIO, True, GICD_BASE + 0x6100, size, value,
    )  # fmt: skip
    assert (back.write, back.address, back.size, back.rt) == (False, GICD_BASE + 0x6100, size, 3)
    # The result is cut to the size of the access, whatever comes back.
    assert guest.log == [(0xFFFF_FFFF_FFFF_FF00 | value & 0xFF) & (1 << 8 * size) - 1]


def test_signed_load():
    ldrsb, ldrsw = 0x39C0_0023, 0xB980_0024  # ldrsb w3, [x1]; ldrsw x4, [x1]
    words = (mov(1, GICR_BASE), ldrsb, log(3), ldrsw, log(4))
    assert logged(*words, reads=[0x80, 0x8000_0000]) == [0xFFFF_FF80, 0xFFFF_FFFF_8000_0000]


def test_memory_is_the_guests_own():
    assert logged(mov(1, DATA), mov(2, 7), store(2, 1), ldr(3, 1), log(3)) == [7]


def test_mailbox_is_no_operation():
    guest = Aarch64Guest(memory(mov(1, 5), log(1), mov(2, 0x0900_0008), store(1, 2, 4), *OFF), 3)
    assert [operation.kind for operation in finish(guest)] == [Kind.HALT]
    assert guest.log == [5]
    assert guest.failures == ["test: vCPU3: reports failure 5 (0x5)"]


def test_waiting():
    kinds = [operation.kind for operation in finish(Aarch64Guest(memory(WFI, YIELD, WFE, *OFF)))]
    assert kinds == [Kind.WFI, Kind.NOP, Kind.NOP, Kind.HALT]


def test_hypervisor_calls():
    guest = Aarch64Guest(memory(daifclr(3), mov(0, 0x8400_0000), hvc(), log(0), mov(0, 0x8400_0002), hvc()))
    assert [operation.kind for operation in finish(guest)] == [Kind.EXIT, Kind.HALT]
    assert guest.log == [(1 << 64) - 1]
    # Halted for good: not even an interrupt is taken any more.
    assert guest.next(True, True).kind is Kind.HALT
    assert not guest.failures


def test_a_loop_without_operations_takes_time():
    guest = Aarch64Guest(memory(add(1, 1, 1), branch(-1)))
    assert guest.next(False, False).kind is Kind.NOP
    assert guest.next(False, False).kind is Kind.NOP


def test_a_loop_of_exceptions_takes_time():
    guest = Aarch64Guest(memory(UNDEFINED, synchronous=[UNDEFINED]))
    assert guest.next(False, False).kind is Kind.NOP


def test_arguments_and_identity():
    words = (log(0), log(1), log(7), mrs(2, "MPIDR_EL1"), log(2), *OFF)
    guest = Aarch64Guest(memory(*words, arguments=(5, (1 << 64) - 1)), 6)
    finish(guest)
    assert guest.log == [5, (1 << 64) - 1, 0, 1 << 31 | 6]


# -- interrupts --------------------------------------------------------------------------------------------

STOP = (log(1), *OFF)
MASKED = daifset(0xF)


def test_masked_at_the_start():
    assert logged(NOP, WFI, irq=STOP, fiq=STOP, lines=(True, True)) == []


@pytest.mark.parametrize(("unmask", "lines", "taken"), [
    (2, IRQ, 1), (1, IRQ, 0), (1, FIQ, 2), (2, FIQ, 0), (3, (True, True), 2), (3, (False, False), 0),
])  # fmt: skip
def test_masks(unmask, lines, taken):
    """PSTATE.I masks vIRQ, PSTATE.F vFIQ; FIQ goes first."""
    irq, fiq = (mov(1, 1), *STOP), (mov(1, 2), *STOP)
    assert logged(daifclr(unmask), mov(1, 0), *STOP, irq=irq, fiq=fiq, lines=lines) == [taken]


def test_interrupt_state_is_saved_and_restored():
    """ELR, SPSR and flags as they were, DAIF in the handler; ERET goes back and restores flags and masks."""
    cmp, flags = 0xEB1F_03FF, 0xD53B_4209  # cmp xzr, xzr; mrs x9, nzcv
    vector = (flags, log(9), mrs(1, "ELR_EL1"), log(1), mrs(1, "SPSR_EL1"), log(1), mrs(1, "DAIF"), log(1),
              MASKED, mov(2, 0x4000_03C5), msr("SPSR_EL1", 2), ERET)  # fmt: skip
    words = (cmp, daifclr(2), mrs(3, "DAIF"), log(3), flags, log(9))
    # Start: 4 words of mov x20, 4 of mov x21, msr; then cmp, daifclr.
    back = CODE + 4 * (9 + 2)
    assert logged(*words, irq=vector, lines=IRQ) == [
        0x6000_0000,
        back,
        0x6000_0345,
        0x3C0,
        0x3C0,
        0x4000_0000,
    ]


@pytest.mark.parametrize("enable", [[daifclr(2)], [*mov(5, 0x340), msr("DAIF", 5)]])
def test_taken_as_soon_as_unmasked(enable):
    """Between two instructions that are no operations."""
    assert logged(*enable, mov(1, 8), log(1), mov(1, 0), irq=STOP, lines=IRQ) == [0]


def test_daif_is_what_is_written():
    words = (daifclr(0xF), mov(5, 0x2C0), msr("DAIF", 5), mrs(6, "DAIF"), log(6))
    assert logged(*words) == [0x2C0]


def test_eret_unmasks():
    """An exception handler's ERET to unmasked code lets the interrupt in before its first instruction."""
    words = (mov(2, 0x345), msr("SPSR_EL1", 2), mov(2, CODE + 4 * 40), msr("ELR_EL1", 2), ERET)
    target = [NOP] * (40 - 9 - len(flat(*words)))
    assert logged(*words, *target, log(20), *OFF, irq=(mrs(1, "ELR_EL1"), *STOP), lines=IRQ) == [CODE + 160]


def test_interrupt_after_an_operation():
    """The line is looked at before the next instruction, the operation is complete."""
    guest = Aarch64Guest(memory(daifclr(2), mrs(1, "ICC_RPR_EL1"), mov(1, 9), *STOP, irq=STOP))
    operation = guest.next(False, False)
    guest.complete(operation, 0xFF, 0)
    assert guest.next(True, False).kind is Kind.HALT
    assert guest.log == [0xFF]


def test_wfi_wakes_to_the_vector():
    guest = Aarch64Guest(memory(daifclr(2), WFI, *OFF, irq=(mrs(1, "ELR_EL1"), *STOP)))
    guest.complete(guest.next(False, False), 0, 0)
    guest.next(True, False)
    assert guest.log == [CODE + 4 * 11]


# -- exceptions of the guest itself ------------------------------------------------------------------------

REPORT = (mrs(1, "ESR_EL1"), log(1), mrs(1, "ELR_EL1"), log(1), mrs(1, "FAR_EL1"), *STOP)
FIRST = CODE + 4 * 9


def test_undefined_access():
    """The CPU port says UNDEFINED: the guest gets its syndrome, at the instruction."""
    assert logged(mrs(1, "ICC_IAR1_EL1"), synchronous=REPORT, reads=[0], fault=ESR_UNDEF) == [
        ESR_UNDEF,
        FIRST,
        0,
    ]


def test_undefined_instruction():
    assert logged(UNDEFINED, synchronous=REPORT) == [ESR_UNDEF, FIRST, 0]


def test_supervisor_call():
    assert logged(svc(0x12), synchronous=REPORT) == [0x5600_0012, FIRST + 4, 0]


@pytest.mark.parametrize(("words", "esr", "far"), [
    ([*mov(2, 0x1000), ldr(3, 2)], 0x9600_0010, 0x1000),
    ([*mov(2, 0x1000), store(3, 2)], 0x9600_0050, 0x1000),
    ([*mov(2, CODE), store(3, 2)], 0x9600_0050, CODE),
    ([*mov(2, GICD_BASE), 0xF840_8443], 0x9600_0010, GICD_BASE),  # ldr x3, [x2], #8
    ([*mov(2, GICD_BASE), 0xA940_0C44], 0x9600_0010, GICD_BASE),  # ldp x4, x3, [x2]
    ([*mov(2, GICD_BASE + 2), store(3, 2, 4)], 0x9600_0050, GICD_BASE + 2),
])  # fmt: skip
def test_data_aborts(words, esr, far):
    """Nothing there, code is read-only, no syndrome to emulate the access by, not aligned."""
    assert logged(*words, synchronous=REPORT) == [esr, FIRST + 4 * (len(words) - 1), far]


def test_instruction_abort():
    words = (mov(2, DATA), 0xD61F_0040)  # br x2
    assert logged(*words, synchronous=REPORT) == [0x8600_0010, DATA, DATA]


def test_no_vector():
    assert failure(UNDEFINED) == (
        "test: vCPU0: pc 0x40000010: exception (ESR 0x2000000) without a vector at 0x200"
    )


@pytest.mark.parametrize("word", [
    mrs(1, "CNTVCT_EL0"), mrs(1, "PMCCNTR_EL0"), msr("SPSEL", 1), 0xD500_40BF, 0xD69F_01E0,
])  # fmt: skip
def test_what_would_differ_from_run_to_run_is_refused(word):
    assert "not modelled" in failure(word, synchronous=REPORT)


def test_other_modes_are_refused():
    text = failure(mov(2, 0x3C0), msr("SPSR_EL1", 2), ERET)
    assert text.endswith("ERET with SPSR 0x3c0; this processor has EL1 with SP_EL1 only")


# -- state -------------------------------------------------------------------------------------------------


def snapshots(*words, count=4):
    guest = Aarch64Guest(memory(*words))
    found = []
    for _ in range(count):
        guest.complete(guest.next(False, False), 0, 0)
        found.append(guest.snapshot())
    return found


def test_a_loop_is_seen():
    """After the first time round every snapshot is the same."""
    assert len(set(snapshots(mov(3, 1), YIELD, branch(-1))[1:])) == 1
    assert len(set(snapshots(mov(3, 1), YIELD, SPIN)[1:])) == 1


def test_a_general_register_is_part_of_the_state():
    assert len(set(snapshots(add(3, 3, 1), YIELD, branch(-2)))) == 4


def test_a_floating_point_register_is_part_of_the_state():
    fmov_d1_x3, fadd_d0_d0_d1 = 0x9E67_0061, 0x1E61_2800
    words = (mov(3, 0x3FF0 << 48), fmov_d1_x3, fadd_d0_d0_d1, YIELD, branch(-2))
    assert len(set(snapshots(*words))) == 4


def test_memory_is_part_of_the_state():
    increment = (mov(1, DATA + 0xFF8), ldr(3, 1), add(3, 3, 1), store(3, 1), mov(3, 0))
    words = flat(*increment)
    assert len(set(snapshots(*words, YIELD, branch(-len(words) - 1)))) == 4


def test_vcpus_share_memory():
    shared = memory(mov(1, DATA), ldr(2, 1), add(2, 2, 1), store(2, 1), ldr(3, 1), log(3), *OFF)
    first, second = Aarch64Guest(shared, 0), Aarch64Guest(shared, 1)
    finish(first)
    finish(second)
    assert (first.log, second.log) == ([1], [2])
