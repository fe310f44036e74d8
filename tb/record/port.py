"""A CPU port that keeps what it showed last, and every access with its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sim.machine.hardware import hardware_state
from sim.port import Access, CpuPort, Lines, Response, State

__all__ = ["Done", "RecordingPort"]


class Done(NamedTuple):
    """An access and its answer, with the time in nanoseconds at which it began and ended."""

    access: Access
    response: Response
    began: int | None
    ended: int | None


class RecordingPort:
    """A :class:`sim.port.CpuPort` over another one.

    Attributes
    ----------
    seen : State or None
        The interface's storage when its lines were read last: the machine does that after every guest
        operation and entry.
    levels : Lines
        The lines at that moment.
    on_lines : callable or None
        Called when they have been read.
    accesses : list of Done
        Everything so far.
    hypervisor : int
        Accesses at EL2 so far.
    switch_began : int or None
        Time of the first of them since it was set to None.
    """

    def __init__(self, port: CpuPort):
        self.config = port.config
        self.seen: State | None = None
        self.levels = Lines(False, False, False)
        self.on_lines: Callable[[], None] | None = None
        self.accesses: list[Done] = []
        self.hypervisor = 0
        self.switch_began: int | None = None
        self._port = port

    def now(self) -> int | None:
        """Return the simulated time in nanoseconds."""
        return self._port.now()

    async def reset(self) -> None:
        """Reset the interface."""
        await self._port.reset()

    async def access(self, access: Access) -> Response:
        """Execute an access."""
        began = self.now()
        response = await self._port.access(access)
        self.accesses.append(Done(access, response, began, self.now()))
        if access.el == 2:
            self.hypervisor += 1
            self.switch_began = began if self.switch_began is None else self.switch_began
        return response

    async def lines(self) -> Lines:
        """Return the settled lines."""
        self.levels = await self._port.lines()
        self.seen = await hardware_state(self._port)
        if self.on_lines is not None:
            self.on_lines()
        return self.levels

    async def deactivations(self) -> list[int]:
        """Return and forget the physical deactivations."""
        return await self._port.deactivations()

    async def state(self) -> State:
        """Return all storage."""
        return await self._port.state()
