"""Counting what a machine does: exits, accesses of the hypervisor, interrupts delivered."""

from __future__ import annotations

from dataclasses import dataclass

from sim.engines.golden import GoldenPort
from sim.guest.operation import Kind, Operation
from sim.ideal import FIRST_LPI
from sim.machine.machine import Machine
from sim.machine.observer import Observer
from sim.machine.runner import Runner
from sim.port import Access, Response

__all__ = ["Cost", "Deliveries", "MeteredPort", "take"]

_FIRST_SPECIAL = 1020


@dataclass
class Cost:
    """Totals: guests, guest operations, interrupts acknowledged, exits, and hypervisor accesses to ICH_*."""

    guests: int = 0
    operations: int = 0
    delivered: int = 0
    exits: int = 0
    accesses: int = 0

    def __iadd__(self, other: Cost) -> Cost:
        self.guests += other.guests
        self.operations += other.operations
        self.delivered += other.delivered
        self.exits += other.exits
        self.accesses += other.accesses
        return self

    @property
    def exits_each(self) -> float:
        """Exits for each interrupt delivered."""
        return self.exits / max(1, self.delivered)

    @property
    def accesses_each(self) -> float:
        """Accesses for each interrupt delivered."""
        return self.accesses / max(1, self.delivered)


class MeteredPort(GoldenPort):
    """A golden CPU port that counts what EL2 reads and writes; ``accesses`` is the count."""

    accesses: int = 0

    async def access(self, access: Access) -> Response:
        """Execute one system-register access."""
        self.accesses += access.el == 2
        return await super().access(access)


class Deliveries(Observer):
    """Counts the acknowledges that gave an interrupt; ``spurious`` those that gave none."""

    def __init__(self) -> None:
        self.count = self.spurious = 0

    def operated(self, machine: Machine, runner: Runner, operation: Operation, value: int) -> None:
        """See a guest operation and its result."""
        if operation.kind is Kind.SYSREG and operation.register.name.startswith("ICC_IAR"):
            if value < _FIRST_SPECIAL or value >= FIRST_LPI:
                self.count += 1
            else:
                self.spurious += 1


def take(machine: Machine, deliveries: Deliveries) -> Cost:
    """Return what a machine of metered ports has cost so far."""
    return Cost(
        1,
        machine.time,
        deliveries.count,
        sum(len(runner.exits) for runner in machine.runners),
        sum(port.accesses for port in machine.ports),
    )
