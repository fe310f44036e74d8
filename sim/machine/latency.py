"""How late an exit comes after what asked for it."""

from __future__ import annotations

from dataclasses import dataclass

from sim.port import CLOCK_NS, CpuPort

__all__ = ["IMMEDIATE", "SLOW", "Latency"]


@dataclass(frozen=True)
class Latency:
    """The delay between a maintenance interrupt or a kick and the exit it forces.

    Parameters
    ----------
    amount : int
        0: right after the guest operation; None: never by itself, only when asked for.
    cycles : bool
        It counts clock cycles, on engines that have them; else guest operations of the vCPU.
    """

    amount: int | None = 0
    cycles: bool = False

    def clock(self, port: CpuPort, operations: int, idle: int) -> int:
        """Return the time it is measured in.

        ``operations`` of the vCPU so far; ``idle`` is how many of them touched nothing: they take no
        simulated time, and count as a cycle each.
        """
        if not self.cycles:
            return operations
        now = port.now()
        if now is None:
            raise RuntimeError("a latency in cycles needs an engine that tells the time")
        return now // CLOCK_NS + idle

    def over(self, since: int, clock: int) -> bool:
        """Return whether the delay that began at ``since`` is over."""
        return self.amount is not None and clock - since >= self.amount

    def __str__(self) -> str:
        if self.amount is None:
            return "slow"
        return f"{self.amount} cycles" if self.cycles else str(self.amount)


#: The exit comes right after the operation.
IMMEDIATE = Latency()
#: The exit comes when :meth:`sim.machine.machine.Machine.maintenance` is called.
SLOW = Latency(None)
