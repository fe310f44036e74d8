"""The golden system: PEs with both interfaces, one distributor, interrupt inputs."""

from __future__ import annotations

from hw.config import ConfigError, GicConfig
from hw.config_physical import MAX_PES, PhysicalConfig
from hw.config_v2 import GicV2Config
from sim.golden_physical.distributor import Distributor
from sim.golden_physical.frames import Frames
from sim.golden_physical.pe import Gicv2Pe, Gicv3Pe, GoldenPe
from sim.golden_physical.view import view
from sim.system_port import PhysicalState, check_input

__all__ = ["GoldenSystem"]


class GoldenSystem:
    """:class:`sim.system_port.System` on the golden model.

    Parameters
    ----------
    config : GicConfig, GicV2Config or None
        The virtual side of every PE; None is a GICv2 without one.
    physical : PhysicalConfig
        The physical side; ``are`` for a GICv3, not for a GICv2.
    pes : int, 1..8
        Number of PEs.

    Raises
    ------
    ConfigError
        When the number of PEs is out of range, or the two sides are of different architecture versions.
    """

    def __init__(
        self, config: GicConfig | GicV2Config | None, physical: PhysicalConfig, pes: int = 1
    ) -> None:
        if not 1 <= pes <= MAX_PES:
            raise ConfigError(f"pes must be from 1 to {MAX_PES}, not {pes}")
        gicv2 = not isinstance(config, GicConfig)
        if physical.are is gicv2:
            raise ConfigError(f"a GICv{2 if gicv2 else 3} needs physical are={not gicv2}")
        self.physical = physical
        self.distributor = Distributor(physical, pes)
        self.frames = Frames(self.distributor)
        port = Gicv2Pe if gicv2 else Gicv3Pe
        self.ports: tuple[GoldenPe, ...] = tuple(port(config, self.frames, pe) for pe in range(pes))

    async def reset(self) -> None:
        """Return everything to its reset value (DIST-36)."""
        self.distributor.reset()
        for port in self.ports:
            await port.reset()

    async def drive(self, intid: int, level: bool, pe: int | None = None) -> None:
        """Set the level of an interrupt input."""
        check_input(self.physical, len(self.ports), intid, pe)
        self.distributor.drive(intid, level, pe or 0)

    async def physical_state(self) -> PhysicalState:
        """Return everything visible of the physical side without an access."""
        return view(self.frames, [port.interface for port in self.ports])
