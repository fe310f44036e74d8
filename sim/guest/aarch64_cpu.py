"""A guest that is real AArch64 code, executed by Unicorn.

Unicorn executes what concerns only the PE. Accesses to GIC registers, loads from and stores to the
distributor and redistributors, WFI and hypercalls are stopped at before they happen and become guest
operations; interrupts are taken here, from the lines of the CPU port. Unicorn's own idea of a GIC, of
interrupts and of time is never used, so the same code does the same on every engine.

What there is: EL1 with SP_EL1, MMU off, no timer, no performance counters.
"""

from __future__ import annotations

import ctypes
import hashlib

from unicorn import UC_ARCH_ARM64, UC_HOOK_CODE, UC_HOOK_MEM_INVALID, UC_MODE_ARM, Uc, UcError
from unicorn import arm64_const as arm64
from unicorn import unicorn_const as const

from sim.guest.aarch64_decode import Action, Special, Transfer, special, transfer
from sim.guest.aarch64_image import Memory
from sim.guest.memory_map import DEVICES, MAILBOX
from sim.guest.operation import Kind, Operation
from sim.port import ESR_UNDEF

__all__ = ["MAILBOX_FAIL", "MAILBOX_LOG", "Aarch64Guest"]

#: Offsets in the mailbox page: a store logs its value, or reports a failure with its value as the reason.
MAILBOX_LOG, MAILBOX_FAIL = 0x0, 0x8
#: Instructions, and stops that are no operations, after which one operation's time has passed.
_INSTRUCTIONS, _STOPS = 10_000, 256
_NOWHERE = 1 << 48

_I, _F = 1 << 7, 1 << 6
_DAIF, _EL1H, _FLAGS, _MODE = 0xF << 6, 0b0101, 0xF << 28, 0xF
#: Offsets of the vectors for exceptions from EL1 with SP_EL1.
_SYNCHRONOUS, _IRQ, _FIQ = 0x200, 0x280, 0x300
_SPSR = (4, 0, 3, 0, 0)
_IL = 1 << 25
_EC_SVC, _EC_INSTRUCTION_ABORT, _EC_DATA_ABORT = 0x15, 0x21, 0x25
_EXTERNAL, _WNR, _ISV = 0x10, 1 << 6, 1 << 24
_PSCI_CPU_OFF, _PSCI_SYSTEM_OFF = 0x8400_0002, 0x8400_0008
_PSCI_NOT_SUPPORTED = (1 << 64) - 1
_MPIDR_RES1 = 1 << 31
_WORD = (1 << 64) - 1
_X = (*(arm64.UC_ARM64_REG_X0 + n for n in range(29)), arm64.UC_ARM64_REG_X29, arm64.UC_ARM64_REG_X30)
_PC, _PSTATE = arm64.UC_ARM64_REG_PC, arm64.UC_ARM64_REG_PSTATE
_ELR, _VBAR = arm64.UC_ARM64_REG_ELR_EL1, arm64.UC_ARM64_REG_VBAR_EL1
_WRITES = (const.UC_MEM_WRITE_UNMAPPED, const.UC_MEM_WRITE_PROT)
_FETCHES = (const.UC_MEM_FETCH_UNMAPPED, const.UC_MEM_FETCH_PROT)


class Aarch64Guest:
    """Executes a program on vCPU number ``vcpu``.

    An interrupt is taken when its line is high and its mask in PSTATE clear: before the instruction after
    an operation, and when DAIFClr, a write of DAIF or ERET unmasks it. FIQ goes before IRQ. HVC is PSCI's
    SYSTEM_OFF or CPU_OFF, at which the vCPU halts, else an exit that returns -1 in x0.

    Parameters
    ----------
    memory : Memory
        The loaded program; vCPUs of one machine may share it.
    vcpu : int
        Affinity 0 in MPIDR_EL1.

    Attributes
    ----------
    log : list of int
        What the program stored to the mailbox's LOG.
    failures : list of str
        What it reported to FAIL, and what it did that nothing can execute.
    """

    def __init__(self, memory: Memory, vcpu: int = 0):
        self.vcpu = vcpu
        self.memory = memory
        self.log: list[int] = []
        self.failures: list[str] = []
        self._halted = False
        self._current: Special | Transfer | None = None
        self._fault: tuple[int, int, int] | None = None
        self._specials: dict[int, Special] = {}
        self._uc = Uc(UC_ARCH_ARM64, UC_MODE_ARM)
        # A model without random numbers.
        self._uc.ctl_set_cpu_model(arm64.UC_CPU_ARM64_A57)
        self._map()
        program = memory.program
        self._uc.reg_write(_PSTATE, _DAIF | _EL1H)
        self._uc.reg_write(_PC, program.entry)
        for register, value in zip(_X, program.arguments, strict=False):
            self._uc.reg_write(register, value)
        # Always the same one: its header is never written, so a new one would differ for no reason.
        self._context = self._uc.context_save()

    def _map(self) -> None:
        """Give Unicorn the memory, and a stop at each instruction that is not its business."""
        for segment, area in self.memory.areas:
            start, size = segment.pages
            rights = const.UC_PROT_READ
            rights |= const.UC_PROT_WRITE * segment.writable | const.UC_PROT_EXEC * segment.executable
            host = ctypes.addressof(ctypes.c_char.from_buffer(area))
            self._uc.mem_map_ptr(start, size, rights, host)
            if not segment.executable:
                continue
            for address in range(-(-segment.address // 4) * 4, segment.address + len(segment.data) - 3, 4):
                found = special(self._word(address))
                if found is not None:
                    self._specials[address] = found
                    self._uc.hook_add(UC_HOOK_CODE, _stop, begin=address, end=address)
        self._uc.hook_add(UC_HOOK_MEM_INVALID, self._invalid)

    def _word(self, address: int) -> int:
        return int.from_bytes(self._uc.mem_read(address, 4), "little")

    def _invalid(self, uc: Uc, access: int, address: int, size: int, value: int, data: object) -> bool:
        """Note an access outside the memory; False stops before the instruction has any effect."""
        self._fault = access, address, value & (1 << 8 * size) - 1
        return False

    # -- what the machine calls ------------------------------------------------------------------------

    def snapshot(self) -> object:
        """Return a digest of registers and memory."""
        self._uc.context_update(self._context)
        digest = hashlib.sha256(bytes(self._context))
        for area in self.memory.writable():
            digest.update(area)
        return self._halted, digest.digest()

    def next(self, virq: bool, vfiq: bool) -> Operation:
        """Run up to the next operation and return it."""
        self._current = None
        for _ in range(_STOPS):
            self._take(virq, vfiq)
            operation = Operation(Kind.HALT) if self._halted else self._advance()
            if operation is not None:
                return operation
        return Operation(Kind.NOP)

    def complete(self, operation: Operation, value: int, fault: int) -> None:
        """Store a read's result and step past the instruction, or take the exception."""
        current, self._current = self._current, None
        if current is None:
            return
        if fault:
            self._exception(_SYNCHRONOUS, fault)
            return
        if isinstance(current, Transfer):
            if not current.write:
                self._set(current.rt, current.loaded(value))
        elif current.action is Action.SYSREG and not current.write:
            self._set(current.rt, value)
        elif current.action is Action.HVC:
            self._set(0, _PSCI_NOT_SUPPORTED)
        self._step()

    # -- the processor ---------------------------------------------------------------------------------

    @property
    def _pc(self) -> int:
        return self._uc.reg_read(_PC)

    def _step(self) -> None:
        self._uc.reg_write(_PC, self._pc + 4)

    def _get(self, rt: int) -> int:
        return self._uc.reg_read(_X[rt]) if rt < 31 else 0

    def _set(self, rt: int, value: int) -> None:
        if rt < 31:
            self._uc.reg_write(_X[rt], value)

    def _fail(self, what: str) -> None:
        self.failures.append(f"{self.memory.program.name}: vCPU{self.vcpu}: {what}")

    def _give_up(self, what: str) -> None:
        """Stop for good at something nobody can go on from."""
        self._fail(f"pc {self._pc:#x}: {what}")
        self._halted = True

    def _take(self, virq: bool, vfiq: bool) -> None:
        """Take an interrupt if one is signalled and not masked."""
        if not (virq or vfiq) or self._halted:
            return
        pstate = self._uc.reg_read(_PSTATE)
        if vfiq and not pstate & _F:
            self._exception(_FIQ)
        elif virq and not pstate & _I:
            self._exception(_IRQ)

    def _exception(self, offset: int, esr: int = 0, far: int | None = None, back: int = 0) -> None:
        """Enter the vector at ``offset``; ``back``: bytes from here to where it returns to."""
        vector = self._uc.reg_read(_VBAR) + offset
        if not self.memory.executable(vector):
            self._give_up(f"exception (ESR {esr:#x}) without a vector at {vector:#x}")
            return
        pstate = self._uc.reg_read(_PSTATE)
        self._uc.reg_write(_ELR, self._pc + back)
        self._uc.reg_write(arm64.UC_ARM64_REG_CP_REG, (*_SPSR, pstate))
        if esr:
            self._uc.reg_write(arm64.UC_ARM64_REG_ESR_EL1, esr)
        if far is not None:
            self._uc.reg_write(arm64.UC_ARM64_REG_FAR_EL1, far)
        self._uc.reg_write(_PSTATE, pstate & _FLAGS | _DAIF | _EL1H)
        self._uc.reg_write(_PC, vector)

    def _advance(self) -> Operation | None:
        """Execute up to the next stop; None if the lines must be looked at again, or nothing came of it."""
        pc = self._pc
        if pc not in self._specials:
            self._fault = None
            try:
                self._uc.emu_start(pc, _NOWHERE, count=_INSTRUCTIONS)
            except UcError as error:
                return self._stopped(error)
            pc = self._pc
            if pc not in self._specials:
                # So many instructions and not one operation: a turn is over.
                return Operation(Kind.NOP)
        return _ACTIONS[self._specials[pc].action](self, self._specials[pc])

    def _stopped(self, error: UcError) -> Operation | None:
        """Turn what Unicorn cannot execute into an operation or an exception of the guest."""
        if self._fault is None:
            # An undefined instruction, or one that calls for a debugger.
            self._exception(_SYNCHRONOUS, ESR_UNDEF)
            return None
        access, address, value = self._fault
        if access in _FETCHES:
            self._exception(_SYNCHRONOUS, _EC_INSTRUCTION_ABORT << 26 | _IL | _EXTERNAL, address)
            return None
        one = transfer(self._word(self._pc))
        start, size = DEVICES
        if one is not None and start <= address < start + size and address % one.size == 0:
            self._current = one
            if address < MAILBOX:
                return Operation(
                    Kind.MMIO, None, one.write, value if one.write else 0, one.rt, address, one.size
                )
            return self._mailbox(one, address - MAILBOX, value)
        write = _WNR if access in _WRITES else 0
        self._exception(_SYNCHRONOUS, _EC_DATA_ABORT << 26 | _IL | write | _EXTERNAL, address)
        return None

    def _mailbox(self, one: Transfer, offset: int, value: int) -> None:
        """Take what the program stores for its readers; the mailbox reads as zero."""
        if one.write and offset == MAILBOX_LOG:
            self.log.append(value)
        elif one.write and offset == MAILBOX_FAIL:
            self._fail(f"reports failure {value} ({value:#x})")
        self.complete(Operation(Kind.NOP), 0, 0)

    # -- instructions that are not Unicorn's business --------------------------------------------------

    def _sysreg(self, one: Special) -> Operation:
        self._current = one
        value = self._get(one.rt) if one.write else 0
        return Operation(Kind.SYSREG, one.register, one.write, value, one.rt)

    def _mpidr(self, one: Special) -> None:
        self._set(one.rt, _MPIDR_RES1 | self.vcpu)
        self._step()

    def _wfi(self, one: Special) -> Operation:
        self._current = one
        return Operation(Kind.WFI)

    def _yield(self, one: Special) -> Operation:
        self._current = one
        return Operation(Kind.NOP)

    def _hvc(self, one: Special) -> Operation:
        if self._get(0) & 0xFFFF_FFFF in (_PSCI_CPU_OFF, _PSCI_SYSTEM_OFF):
            self._halted = True
            return Operation(Kind.HALT)
        self._current = one
        return Operation(Kind.EXIT)

    def _svc(self, one: Special) -> None:
        self._exception(_SYNCHRONOUS, _EC_SVC << 26 | _IL | one.immediate, back=4)

    def _eret(self, one: Special) -> None:
        spsr = self._uc.reg_read(arm64.UC_ARM64_REG_CP_REG, _SPSR)
        if spsr & _MODE != _EL1H:
            self._give_up(f"ERET with SPSR {spsr:#x}; this processor has EL1 with SP_EL1 only")
            return
        self._uc.reg_write(_PSTATE, spsr)
        self._uc.reg_write(_PC, self._uc.reg_read(_ELR))

    def _daifclr(self, one: Special) -> None:
        self._uc.reg_write(_PSTATE, self._uc.reg_read(_PSTATE) & ~(one.immediate << 6))
        self._step()

    def _daif(self, one: Special) -> None:
        pstate = self._uc.reg_read(_PSTATE) & ~_DAIF
        self._uc.reg_write(_PSTATE, pstate | self._get(one.rt) & _DAIF)
        self._step()

    def _not_modelled(self, one: Special) -> None:
        self._give_up("SP_EL0 as the stack, the timer and the counters are not modelled")


def _stop(uc: Uc, address: int, size: int, data: object) -> None:
    uc.emu_stop()


_ACTIONS = {
    Action.SYSREG: Aarch64Guest._sysreg, Action.MPIDR: Aarch64Guest._mpidr, Action.WFI: Aarch64Guest._wfi,
    Action.YIELD: Aarch64Guest._yield, Action.HVC: Aarch64Guest._hvc, Action.SVC: Aarch64Guest._svc,
    Action.ERET: Aarch64Guest._eret, Action.DAIFCLR: Aarch64Guest._daifclr, Action.DAIF: Aarch64Guest._daif,
    Action.NOT_MODELLED: Aarch64Guest._not_modelled,
}  # fmt: skip
