"""The ICC registers of the golden model: the physical interface behind the virtual one's front (PHY-11)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hw.config import GicConfig
from hw.registers import REGISTERS, Register, Space
from sim.golden import Golden
from sim.golden_physical.interface import PhysicalInterface
from sim.port import ESR_UNDEF, Access, Outcome, Response

__all__ = ["PhysicalGolden"]

_UNDEFINED = Response(Outcome.UNDEF, 0, ESR_UNDEF)


class PhysicalGolden(Golden):
    """The golden virtual interface with a physical one behind the ICC names (PHY-11).

    Parameters
    ----------
    config : GicConfig
        The virtual side.
    interface : PhysicalInterface
        What answers an ICC access that is not redirected.
    """

    def __init__(self, config: GicConfig, interface: PhysicalInterface) -> None:
        self.interface = interface
        super().__init__(config)
        self._icc: dict[tuple[int, bool], Callable[..., int | None]] = {}
        self._apr: dict[int, Register] = {}
        for register in REGISTERS:
            if register.space is Space.ICC and register.exists(interface.physical):
                read, write = _executors(interface, register)
                if read:
                    self._icc[register.encoding, False] = read
                if write:
                    self._icc[register.encoding, True] = write
            if register.name.startswith("ICC_AP"):
                self._apr[register.encoding] = register

    def access(self, access: Access) -> Response:
        """Execute one MRS or MSR, or fault it without any effect."""
        word = self._apr.get(access.register.encoding)
        if word is not None and access.el in (1, 2):
            mode = access.context.imo if word.name[6] == "1" else access.context.fmo
            redirected = access.el == 1 and mode
            if not word.exists(self.config if redirected else self.interface.physical):
                return _UNDEFINED
        return super().access(access)

    def _exists_at_el1(self, register: Register) -> bool:
        return register.exists(self.config) or register.exists(self.interface.physical)

    def _exists_at_el2(self, register: Register) -> bool:
        return register.exists(self.interface.physical)

    def _physical(self, register: Register, is_write: bool, operand: int) -> Response:
        """Execute an access of the physical interface."""
        execute = self._icc.get((register.encoding, is_write))
        if execute is None:
            return _UNDEFINED
        if is_write:
            execute(operand)
            return Response(Outcome.OK)
        return Response(Outcome.OK, execute())


def _ignore(value: int) -> None:
    """Take a write without effect: ICC_ASGI1R_EL1 (DIST-21)."""


def _executors(
    interface: PhysicalInterface, register: Register
) -> tuple[Callable[[], int] | None, Callable[[int], None] | None]:
    """Return the (read, write) methods of an ICC register; None where there is none."""
    stem = register.name.split("_")[1]
    if stem.startswith("AP"):
        group, n = int(stem[2]), register.index
        return partial(interface.read_apr, group, n), partial(interface.write_apr, group, n)
    if stem.startswith("IGRPEN"):
        group = int(stem[-1])
        return partial(interface.enable, group), lambda value: interface.set_enable(group, bool(value & 1))
    simple: dict[str, tuple[Callable[[], int] | None, Callable[[int], None] | None]] = {
        "PMR": (lambda: interface.pmr, interface.write_pmr),
        "BPR0": (lambda: interface.bpr0, interface.write_bpr0),
        "BPR1": (lambda: interface.bpr1, interface.write_bpr1),
        "CTLR": (interface.read_ctlr, interface.write_ctlr),
        "RPR": (interface.running_priority, None),
        "DIR": (None, interface.write_dir),
        "IAR0": (partial(interface.read_iar, 0), None),
        "IAR1": (partial(interface.read_iar, 1), None),
        "HPPIR0": (partial(interface.read_hppir, 0), None),
        "HPPIR1": (partial(interface.read_hppir, 1), None),
        "EOIR0": (None, partial(interface.write_eoir, 0)),
        "EOIR1": (None, partial(interface.write_eoir, 1)),
        "SGI0R": (None, partial(interface.write_sgi, 0)),
        "SGI1R": (None, partial(interface.write_sgi, 1)),
        "ASGI1R": (None, _ignore),
    }
    return simple.get(stem, (None, None))
