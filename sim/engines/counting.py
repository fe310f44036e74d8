"""An engine with a counter of what the hypervisor reads and writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sim.port import Access, CpuPort, Lines, Response, State

__all__ = ["CountingPort"]


class CountingPort:
    """A CPU port that counts accesses at EL2.

    Parameters
    ----------
    port : CpuPort
        The engine.

    Attributes
    ----------
    reads, writes : int
        Accesses at EL2 since the port was made.
    """

    def __init__(self, port: CpuPort) -> None:
        self.inner = port
        self.config = port.config
        self.reads = self.writes = 0
        self._counts = True

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """Do not count meanwhile: an observer looks."""
        self._counts = False
        try:
            yield
        finally:
            self._counts = True

    async def reset(self) -> None:
        """Return every register to its reset value."""
        await self.inner.reset()

    async def access(self, access: Access) -> Response:
        """Execute one register access."""
        if access.el == 2 and self._counts:
            if access.write:
                self.writes += 1
            else:
                self.reads += 1
        return await self.inner.access(access)

    async def lines(self) -> Lines:
        """Return the settled output lines."""
        return await self.inner.lines()

    async def deactivations(self) -> list[int]:
        """Return and forget the physical INTIDs deactivated through HW list registers, in order."""
        return await self.inner.deactivations()

    async def state(self) -> State:
        """Return all storage without an access."""
        return await self.inner.state()

    def now(self) -> int | None:
        """Return the simulated time in nanoseconds, None on engines that cannot tell."""
        return self.inner.now()
