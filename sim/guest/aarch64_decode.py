"""The AArch64 instructions that are seen outside a PE, and those whose meaning depends on where it is.

Everything else a processor emulator executes alone. Source: Arm ARM, A64 encodings C4.1; the syndrome
of a data abort (ISS.ISV), ESR_EL2 in D24.2.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from hw.registers import BY_ENCODING, Register, sys_reg

__all__ = ["Action", "Special", "Transfer", "special", "transfer"]


class Action(enum.Enum):
    """What is done instead of executing an instruction."""

    SYSREG = "an access to a GIC register"
    MPIDR = "read of MPIDR_EL1, the number of the vCPU"
    WFI = "wait for interrupt"
    YIELD = "YIELD or WFE: somebody else may run"
    HVC = "hypervisor call"
    SVC = "supervisor call"
    ERET = "exception return"
    DAIFCLR = "interrupts may become unmasked, immediate"
    DAIF = "interrupts may become unmasked, register"
    NOT_MODELLED = "something that would not be the same in every run, or SP_EL0 as the stack"


class Special(NamedTuple):
    """A decoded instruction: ``immediate`` of HVC, SVC and DAIFClr; ``rt`` is the transfer register."""

    action: Action
    register: Register | None = None
    write: bool = False
    rt: int = 31
    immediate: int = 0


_FIXED = {
    0xD503_207F: Special(Action.WFI),
    0xD503_203F: Special(Action.YIELD),
    0xD503_205F: Special(Action.YIELD),
    0xD69F_03E0: Special(Action.ERET),
    0xD500_40BF: Special(Action.NOT_MODELLED),
}
#: MSR and MRS: bits of the opcode, its value, and the bit that means MRS.
_MOVE_MASK, _MOVE, _READ = 0xFFD0_0000, 0xD510_0000, 1 << 21
_MPIDR = sys_reg(3, 0, 0, 0, 5)
_DAIF = sys_reg(3, 3, 4, 2, 1)
_SPSEL = sys_reg(3, 0, 4, 2, 0)
#: CRn of the performance counters and of the generic timer, both with op1 3.
_COUNTERS = (9, 14)


def special(word: int) -> Special | None:
    """Decode an instruction word; None for one that concerns only the PE itself."""
    if word in _FIXED:
        return _FIXED[word]
    if word & 0xFFE0_001F == 0xD400_0002:
        return Special(Action.HVC, immediate=word >> 5 & 0xFFFF)
    if word & 0xFFE0_001F == 0xD400_0001:
        return Special(Action.SVC, immediate=word >> 5 & 0xFFFF)
    if word & 0xFFFF_F0FF == 0xD503_40FF:
        return Special(Action.DAIFCLR, immediate=word >> 8 & 15)
    if word & ~0x3E0 == 0xD69F_0000:
        # Unallocated, but Unicorn takes it for ERET.
        return Special(Action.NOT_MODELLED)
    if word & _MOVE_MASK != _MOVE:
        return None
    encoding, rt, write = word >> 5 & 0xFFFF, word & 31, not word & _READ
    if encoding in BY_ENCODING:
        return Special(Action.SYSREG, BY_ENCODING[encoding], write, rt)
    if encoding == _MPIDR and not write:
        return Special(Action.MPIDR, rt=rt)
    if encoding == _DAIF and write:
        return Special(Action.DAIF, rt=rt)
    op1, crn = encoding >> 11 & 7, encoding >> 7 & 15
    if (op1 == 3 and crn in _COUNTERS) or (encoding == _SPSEL and write):
        return Special(Action.NOT_MODELLED)
    return None


class Transfer(NamedTuple):
    """A load or store as the syndrome of a data abort describes it.

    ``size`` in bytes; ``signed``: the load extends the sign, to 64 bits if ``wide``, else to 32.
    """

    rt: int
    size: int
    write: bool
    signed: bool = False
    wide: bool = False

    def loaded(self, value: int) -> int:
        """Return what a load of ``value`` leaves in the register."""
        bits = 8 * self.size
        value &= (1 << bits) - 1
        if self.signed and value >> bits - 1:
            value -= 1 << bits
        return value & ((1 << 64) - 1 if self.wide else (1 << 32) - 1)


def transfer(word: int) -> Transfer | None:
    """Decode a load or store of one general register without writeback, LDAR and STLR included.

    None for every other form: the hardware gives no syndrome for it (ISV 0), and a hypervisor cannot
    emulate it.
    """
    rt, size = word & 31, 1 << (word >> 30)
    if word & 0x3FA0_8000 == 0x0880_8000:
        return Transfer(rt, size, not word >> 22 & 1, wide=size == 8)
    if word & 0x3E00_0000 != 0x3800_0000:
        return None
    if not word >> 24 & 1:
        form = (word >> 21 & 1, word >> 10 & 3)
        # Unscaled, unprivileged, register offset; the others write back or are atomic.
        if form not in ((0, 0b00), (0, 0b10), (1, 0b10)):
            return None
    opc = word >> 22 & 3
    if opc < 2:
        return Transfer(rt, size, opc == 0, wide=size == 8)
    wide = opc == 2
    # PRFM, and an extension that would not extend, are no loads.
    if size == 8 or (size == 4 and not wide):
        return None
    return Transfer(rt, size, False, True, wide)
