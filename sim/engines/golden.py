"""The golden model as an engine: a CPU port that never suspends."""

from __future__ import annotations

from hw.config import GicConfig
from sim.deviations import STRICT, Deviations
from sim.golden import Golden
from sim.port import Access, Lines, Response, State

__all__ = ["GoldenPort"]


class GoldenPort:
    """:class:`sim.port.CpuPort` over a :class:`sim.golden.Golden`.

    Parameters
    ----------
    config : GicConfig
        The build to model.
    deviations : Deviations
        Passed to the model; none by default.

    Attributes
    ----------
    golden : Golden
        The model itself, for callers that want it without coroutines.
    """

    def __init__(self, config: GicConfig, deviations: Deviations = STRICT) -> None:
        self.config = config
        self.golden = Golden(config, deviations)

    async def reset(self) -> None:
        """Return every register to its reset value."""
        self.golden.reset()

    async def access(self, access: Access) -> Response:
        """Execute one system-register access."""
        return self.golden.access(access)

    async def lines(self) -> Lines:
        """Return the output lines."""
        return self.golden.lines()

    async def deactivations(self) -> list[int]:
        """Return and forget the physical INTIDs deactivated through HW list registers (HW-1), in order."""
        return self.golden.take_deactivations()

    async def state(self) -> State:
        """Return all storage without an access."""
        return self.golden.state()

    def now(self) -> None:
        """Return None: there is no time."""
