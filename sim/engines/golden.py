"""The golden engines: CPU ports that have no time and never suspend."""

from __future__ import annotations

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from sim.deviations import STRICT, Deviations
from sim.deviations_v2 import STRICT_V2, DeviationsV2
from sim.golden import Golden
from sim.golden_v2 import GoldenV2
from sim.golden_v2.deviating import make_golden_v2
from sim.port import Access, Lines, MmioAccess, MmioResponse, Response, State

__all__ = ["GoldenPort", "GoldenV2Port", "golden_port"]


def golden_port(config: GicConfig | GicV2Config) -> GoldenPort | GoldenV2Port:
    """Return the golden engine of a configuration, without deviations."""
    return GoldenV2Port(config) if isinstance(config, GicV2Config) else GoldenPort(config)


class _Untimed:
    """The methods that are the model's own."""

    golden: Golden | GoldenV2

    async def reset(self) -> None:
        """Return every register to its reset value."""
        self.golden.reset()

    async def access(self, access: Access) -> Response:
        """Execute one register access."""
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


class GoldenPort(_Untimed):
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

    golden: Golden

    def __init__(self, config: GicConfig, deviations: Deviations = STRICT) -> None:
        self.config = config
        self.golden = Golden(config, deviations)


class GoldenV2Port(_Untimed):
    """:class:`sim.port.MmioPort` over a :class:`sim.golden_v2.GoldenV2`.

    Parameters
    ----------
    config : GicV2Config
        The build to model.
    deviations : DeviationsV2
        Switches of the model; none by default.

    Attributes
    ----------
    golden : GoldenV2
        The model itself, for callers that want it without coroutines.
    """

    golden: GoldenV2

    def __init__(self, config: GicV2Config, deviations: DeviationsV2 = STRICT_V2) -> None:
        self.config = config
        self.golden = make_golden_v2(config, deviations)

    async def mmio(self, access: MmioAccess) -> MmioResponse:
        """Execute one access on the bus; a bad one is answered with an error."""
        return self.golden.mmio(access)
