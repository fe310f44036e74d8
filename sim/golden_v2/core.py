"""The GICv2 golden model's front: which register an access reaches, and what bad accesses get."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hw.config_v2 import GicV2Config
from hw.mmio import Frame, MmioRegister
from hw.mmio_map import register_on
from hw.registers_v2 import REGISTERS_V2
from sim.golden_v2.interrupts import InterruptsV2
from sim.port import ESR_UNDEF, Access, MmioAccess, MmioResponse, Outcome, Response

__all__ = ["GoldenV2"]

_DONE = Response(Outcome.OK)
_UNDEFINED = Response(Outcome.UNDEF, 0, ESR_UNDEF)
_BUS_ERROR = MmioResponse(True)
_FRAMES = (Frame.GICH, Frame.GICV)


class GoldenV2(InterruptsV2):
    """Untimed reference model of one GICv2 virtual CPU interface: a GICH and a GICV frame.

    Written from the specification alone; it shares nothing with the gateware but the register tables and
    the parameters. Every access is complete when the call returns.
    :class:`sim.golden_v2.deviating.DeviatingV2` is the same model with switches.

    Parameters
    ----------
    config : GicV2Config
        The build to model.

    Attributes
    ----------
    effects : frozenset
        Deviations that took effect in the last access: none.
    """

    effects: frozenset[str] = frozenset()

    def __init__(self, config: GicV2Config) -> None:
        super().__init__(config)
        self._reads: dict[tuple[Frame, int], Callable[[], int]] = {}
        self._writes: dict[tuple[Frame, int], Callable[[int], None]] = {}
        for register in REGISTERS_V2:
            if register.frame in _FRAMES:
                read, write = self.executors(register)
                self._reads[register.frame, register.offset] = read or _zero
                self._writes[register.frame, register.offset] = write or _ignore

    def reset(self) -> None:
        """Return every register to its reset value (REG-13) and forget deactivations."""
        self.clear()

    def access(self, access: Access) -> Response:
        """Execute one load or store of a whole GICH or GICV register.

        Returns
        -------
        Response
            Always OK; a read of a write-only or missing register gives 0 (REG-8). Anything but a GICH or
            GICV register is UNDEFINED: this model has nothing else.
        """
        register = access.register
        if not isinstance(register, MmioRegister) or register.frame not in _FRAMES:
            return _UNDEFINED
        place = register.frame, register.offset
        if access.write:
            self._writes[place](access.value)
            return _DONE
        return Response(Outcome.OK, self._reads[place]())

    def mmio(self, access: MmioAccess) -> MmioResponse:
        """Execute one access on the bus, or answer a bad one with an error and no effect.

        Bad is an offset where nothing is mapped, one that is not aligned, and any size but a word.
        """
        frame, offset, size, write, value = access
        register = register_on(frame, offset) if frame in _FRAMES else None
        if register is None or not register.takes(offset, size):
            return _BUS_ERROR
        return MmioResponse(False, self.access(Access(2, register, write, value)).value)

    def executors(
        self, register: MmioRegister
    ) -> tuple[Callable[[], int] | None, Callable[[int], None] | None]:
        """Return the (read, write) methods of a register; None reads 0 or ignores the write."""
        stem = register.name.partition("_")[2].lower()  # GICH_LR3: lr3
        n = register.index
        if not register.exists(self.config):
            return None, None
        if stem.startswith("lr"):
            return partial(self.read_lr, n), partial(self.write_lr, n)
        if stem.startswith(("eisr", "elrsr")):
            return partial(getattr(self, f"read_{stem[:-1]}"), n), None
        if stem == "rpr":
            return self.running_priority, None
        stem = stem.removesuffix("0")  # GICV_APR0
        return getattr(self, f"read_{stem}", None), getattr(self, f"write_{stem}", None)


def _zero() -> int:
    """Answer a read of what cannot be read, or is not there (REG-8)."""
    return 0


def _ignore(value: int) -> None:
    """Take a write of what cannot be written, or is not there (REG-8)."""
