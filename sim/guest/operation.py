"""What a guest can do to the rest of the world, one architectural operation at a time.

Every kind of guest (a program of the guest language, real AArch64 code, a scenario's steps, a random
generator) is a source of these; the machine executes them one by one and hands back the result.
"""

from __future__ import annotations

import enum
from typing import NamedTuple, Protocol

from hw.registers import BY_NAME, Register
from sim.guest.memory_map import name_at

__all__ = ["Guest", "Kind", "Operation", "end_of_interrupt", "read_register", "write_register"]


class Kind(enum.Enum):
    """The ways in which a guest is seen from outside."""

    #: MRS or MSR of a CPU interface register.
    SYSREG = "sysreg"
    #: Load from or store to the distributor or a redistributor (always an exit).
    MMIO = "mmio"
    #: Wait for interrupt.
    WFI = "wfi"
    #: A hypercall: an exit that has nothing to do with interrupts.
    EXIT = "exit"
    #: Work that touches nothing (it takes one operation's time).
    NOP = "nop"
    #: The guest has finished; the vCPU never runs again.
    HALT = "halt"


class Operation(NamedTuple):
    """One guest operation.

    ``register``, ``write``, ``value`` (64 bits) and ``rt`` (number of the transfer register) describe a
    SYSREG; ``address`` (guest physical), ``size`` (bytes: 1, 2, 4 or 8), ``write`` and ``value`` an MMIO.
    ``line`` is the source line it comes from, 0 if there is none.
    """

    kind: Kind
    register: Register | None = None
    write: bool = False
    value: int = 0
    rt: int = 0
    address: int = 0
    size: int = 4
    line: int = 0

    def __str__(self) -> str:
        if self.kind is Kind.SYSREG:
            name = self.register.name.removeprefix("ICC_").removesuffix("_EL1")
            return f"{name} := {self.value:#x}" if self.write else name
        if self.kind is Kind.MMIO:
            name = name_at(self.address)
            return f"{name} := {self.value:#x}" if self.write else name
        return self.kind.value.upper()


class Guest(Protocol):
    """A source of operations. The machine calls :meth:`next`, executes, then calls :meth:`complete`.

    ``log``: values the guest has recorded; ``failures``: what it found wrong, a line each.
    """

    log: list[int]
    failures: list[str]

    def next(self, virq: bool, vfiq: bool) -> Operation | None:
        """Return the next operation, or None when there is none at present.

        ``virq`` and ``vfiq`` are the interrupt lines as the PE sees them at this moment.
        """

    def complete(self, operation: Operation, value: int, fault: int) -> None:
        """Take the result: ``value`` of a read (else 0); ``fault`` is ESR_EL1 of a fault (else 0)."""

    def snapshot(self) -> object:
        """Return something hashable that is equal whenever the guest will behave the same."""


def read_register(name: str, rt: int = 0) -> Operation:
    """Return the MRS of an ICC register, by its name without ``ICC_`` and ``_EL1``."""
    return Operation(Kind.SYSREG, BY_NAME[f"ICC_{name}_EL1"], rt=rt)


def write_register(name: str, value: int, rt: int = 0) -> Operation:
    """Return the MSR of an ICC register, by its name without ``ICC_`` and ``_EL1``."""
    return Operation(Kind.SYSREG, BY_NAME[f"ICC_{name}_EL1"], True, value, rt)


def end_of_interrupt(group: int, intid: int) -> Operation:
    """Return the write of ICC_EOIR<group>_EL1."""
    return write_register(f"EOIR{group}", intid)
