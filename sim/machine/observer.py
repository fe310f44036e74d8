"""Watching a machine: what invariants, scenario expectations and statistics are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.guest.operation import Operation
from sim.machine.runner import Exit, Runner
from sim.port import State

if TYPE_CHECKING:
    from sim.machine.machine import Machine

__all__ = ["Observer"]


class Observer:
    """Somebody who watches; every method may be left as it is."""

    def synced(self, machine: Machine, runner: Runner, one: Exit, hardware: State) -> None:
        """See a vCPU after exit and sync; ``hardware`` is the interface as the exit found it."""

    def entering(self, machine: Machine, runner: Runner) -> None:
        """See memory after the exit's handler, before requests are served and the next flush."""

    def entered(self, machine: Machine, runner: Runner, hardware: State) -> None:
        """See a vCPU that has just entered, and what the hardware holds."""

    def operated(self, machine: Machine, runner: Runner, operation: Operation, value: int) -> None:
        """See a guest operation and its result, before any exit it caused."""

    def stuck(self, machine: Machine, runner: Runner) -> None:
        """See a vCPU that can make no progress: ``runner.stuck`` is the loop of exits."""
