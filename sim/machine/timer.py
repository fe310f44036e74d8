"""A device like the generic timer: a compare value, a level, and a guest's handler that moves it on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.guest.operation import Kind, Operation
from sim.kvm.vm import Vcpu
from sim.machine.observer import Observer
from sim.machine.runner import Runner

if TYPE_CHECKING:
    from sim.machine.machine import Machine

__all__ = ["Timer"]


class Timer(Observer):
    """A timer behind a mapped interrupt.

    Its line rises ``period`` operations of its guest after it was last handled, and falls when the guest
    acknowledges its interrupt: that is where a handler writes the next compare value. While the guest waits
    in WFI time passes until the line rises.

    Parameters
    ----------
    vcpu : Vcpu
        Whose timer it is.
    hwintid : int
        Its physical interrupt.
    vintid : int
        The virtual one that is mapped to it.
    period : int, positive
        In operations of the guest.
    """

    def __init__(self, vcpu: Vcpu, hwintid: int, vintid: int, period: int) -> None:
        self.vcpu, self.hwintid, self.vintid, self.period = vcpu, hwintid, vintid, period
        self._left = period
        self._level = False

    def operated(self, machine: Machine, runner: Runner, operation: Operation, value: int) -> None:
        """Let an operation's time pass; the machine's host looks at the line after it."""
        if runner.vcpu is not self.vcpu:
            return
        self._left = 0 if operation.kind is Kind.WFI else max(self._left - 1, 0)
        acknowledges = operation.kind is Kind.SYSREG and not operation.write and value == self.vintid
        if acknowledges and "_IAR" in operation.register.name:
            self._left = self.period
        if self._level != (level := not self._left):
            self._level = level
            machine.physical.set_line(self.hwintid, level)

    def snapshot(self) -> int:
        """Return what decides when the line moves next."""
        return self._left
