"""Edges that arrive while their interrupt waits in a running list register, and the kick is late.

An edge that finds its interrupt pending is one with it. But the hypervisor hears of it only after the exit;
by then the guest may have acknowledged the first one, and the second counts on its own, as if it had come a
little later. Both are right, so both are allowed.
"""

from __future__ import annotations

__all__ = ["LateEdges"]

#: (vCPU, 0 for shared ones; INTID).
Key = tuple[int, int]


class LateEdges:
    """Interrupts that may be pending once more than the ideal says.

    Attributes
    ----------
    maybe : set
        Interrupts the machine may or may not have pending.
    second : set
        Interrupts with an edge that counts on its own once the first one is acknowledged.
    """

    def __init__(self) -> None:
        self.maybe: set[Key] = set()
        self.second: set[Key] = set()

    def pulse(self, key: Key, pending: bool) -> None:
        """Note an edge; ``pending`` is the interrupt's state before it."""
        if pending or key in self.maybe:
            self.second.add(key)
        self.maybe.discard(key)

    def acknowledge(self, key: Key) -> None:
        """Note an acknowledge: a second edge may count from now on."""
        self.maybe.discard(key)
        if key in self.second:
            self.second.remove(key)
            self.maybe.add(key)

    def clear(self, key: Key) -> None:
        """Note that the pending state was cleared."""
        self.maybe.discard(key)
        self.second.discard(key)
