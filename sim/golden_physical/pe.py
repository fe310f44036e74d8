"""The golden model's ports: one PE of a GICv3 or of a GICv2 with its physical side."""

from __future__ import annotations

from typing import Any

from hw.config import GicConfig
from hw.config_physical import MAINTENANCE_PPI
from hw.config_v2 import GicV2Config
from hw.mmio import Frame, MmioRegister
from hw.mmio_map import register_on
from hw.registers_dist import GICR_STRIDE
from sim.golden_physical.frames import Frames
from sim.golden_physical.gicc import Gicc
from sim.golden_physical.icc import PhysicalGolden
from sim.golden_physical.interface import PhysicalInterface
from sim.golden_v2 import GoldenV2
from sim.port import ESR_UNDEF, Access, Lines, MmioAccess, MmioResponse, Outcome, Response, State

__all__ = ["Gicv2Pe", "Gicv3Pe", "GoldenPe"]

_BUS_ERROR = MmioResponse(True, 0)
_DONE = Response(Outcome.OK)
_UNDEFINED = Response(Outcome.UNDEF, 0, ESR_UNDEF)
#: Frames that hold a virtual interface.
_VIRTUAL = frozenset({Frame.GICH, Frame.GICV})


class NoVirtual:
    """The virtual side of a PE that has none: every access to it is UNDEFINED."""

    def __init__(self) -> None:
        self.deactivated: list[int] = []

    def access(self, access: Access) -> Response:
        """Answer any access."""
        return _UNDEFINED

    def reset(self) -> None:
        """Do nothing."""

    def lines(self) -> Lines:
        """Return no line."""
        return Lines(False, False, False)

    def maintenance(self) -> bool:
        """Return a low line."""
        return False

    def take_deactivations(self) -> list[int]:
        """Return none."""
        return []

    def state(self) -> State:
        """Return an empty storage."""
        return State()


class GoldenPe:
    """One PE's port of a golden system: :class:`sim.port.CpuPort` with frames.

    Parameters
    ----------
    config : GicConfig, GicV2Config or None
        The virtual side.
    virtual : PhysicalGolden, GoldenV2 or NoVirtual
        The virtual interface; its HW deactivations go to the distributor.
    interface : PhysicalInterface
        The physical interface.
    frames : Frames
        The distributor's registers.
    here : frozenset of Frame
        Frames of this architecture version.
    """

    def __init__(
        self, config: Any, virtual: Any, interface: PhysicalInterface, frames: Frames, here: frozenset[Frame]
    ) -> None:
        self.config = config
        self.virtual = virtual
        self.interface = interface
        self.frames = frames
        self.pe = interface.pe
        self._here = here

    def _execute(self, access: Access) -> Response:
        """Execute an access of the virtual interface, and what follows from it outside (DIST-20, DIST-24)."""
        known = len(self.virtual.deactivated)
        response = self.virtual.access(access)
        for intid in self.virtual.deactivated[known:]:
            self.frames.distributor.deactivate(intid, self.pe)
        self._settle()
        return response

    def _settle(self) -> None:
        """Let the maintenance line reach its PPI (DIST-24)."""
        self.frames.distributor.drive(MAINTENANCE_PPI, self.virtual.maintenance(), self.pe)

    def _read(self, register: MmioRegister, pe: int) -> int:
        """Read a register of one of the frames that are here; GICR is PE ``pe``'s."""
        return self.frames.read(register, pe)

    def _write(self, register: MmioRegister, pe: int, value: int, mask: int) -> None:
        """Write the bits of such a register that ``mask`` names."""
        self.frames.write(register, pe, value, mask)

    async def reset(self) -> None:
        """Return both interfaces to their reset values; the distributor keeps its own."""
        self.virtual.reset()
        self.interface.clear()
        self._settle()

    async def access(self, access: Access) -> Response:
        """Execute one access: of a system register, or by name of a memory-mapped one.

        GICR registers are this PE's own. UNDEF for what this architecture version does not have.
        """
        register = access.register
        if not isinstance(register, MmioRegister):
            return self._execute(access)
        if register.frame not in self._here:
            return _UNDEFINED
        if access.write:
            self._write(register, self.pe, access.value, (1 << register.width) - 1)
            return _DONE
        return Response(Outcome.OK, self._read(register, self.pe))

    async def mmio(self, access: MmioAccess) -> MmioResponse:
        """Execute one access of the bus (DIST-30, DIST-31, DIST-34)."""
        frame, offset, pe = access.frame, access.offset, self.pe
        if frame not in self._here:
            return _BUS_ERROR
        if frame is Frame.GICR:
            pe, offset = divmod(offset, GICR_STRIDE)
            if not 0 <= pe < self.frames.distributor.pes:
                return _BUS_ERROR
        register = register_on(frame, offset)
        if register is None or not register.takes(offset, access.size):
            return _BUS_ERROR
        shift = 8 * (offset - register.offset)
        mask = (1 << 8 * access.size) - 1
        if access.write:
            self._write(register, pe, (access.value & mask) << shift, mask << shift)
            return MmioResponse(False, 0)
        return MmioResponse(False, self._read(register, pe) >> shift & mask)

    async def lines(self) -> Lines:
        """Return the output lines of both interfaces."""
        irq, fiq = self.interface.lines()
        return self.virtual.lines()._replace(irq=irq, fiq=fiq)

    async def deactivations(self) -> list[int]:
        """Return and forget the physical INTIDs deactivated through HW list registers (HW-1), in order."""
        return self.virtual.take_deactivations()

    async def state(self) -> State:
        """Return the storage of the virtual interface without an access."""
        return self.virtual.state()

    def now(self) -> None:
        """Return None: there is no time."""


class Gicv3Pe(GoldenPe):
    """A PE with ICV, ICH and ICC registers; GICD and GICR frames."""

    def __init__(self, config: GicConfig, frames: Frames, pe: int) -> None:
        interface = PhysicalInterface(frames.physical, frames.distributor, pe)
        virtual = PhysicalGolden(config, interface)
        super().__init__(config, virtual, interface, frames, frozenset({Frame.GICD, Frame.GICR}))


class Gicv2Pe(GoldenPe):
    """A PE with GICC and GICD frames, and with GICH and GICV if there is a ``config`` of the virtual side."""

    interface: Gicc

    def __init__(self, config: GicV2Config | None, frames: Frames, pe: int) -> None:
        interface = Gicc(frames.physical, frames.distributor, pe)
        here = frozenset({Frame.GICD, Frame.GICC})
        if config is None:
            super().__init__(config, NoVirtual(), interface, frames, here)
        else:
            super().__init__(config, GoldenV2(config), interface, frames, here | _VIRTUAL)

    def _read(self, register: MmioRegister, pe: int) -> int:
        if register.frame in _VIRTUAL:
            return self._execute(Access(2, register)).value
        if register.frame is Frame.GICC:
            return self.interface.read(register)
        return super()._read(register, pe)

    def _write(self, register: MmioRegister, pe: int, value: int, mask: int) -> None:
        if register.frame in _VIRTUAL:
            self._execute(Access(2, register, True, value))
        elif register.frame is Frame.GICC:
            self.interface.write(register, value)
        else:
            super()._write(register, pe, value, mask)
