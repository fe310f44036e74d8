"""The system port in Python: several PEs, their physical side and the interrupt inputs.

A :class:`System` is to a whole GIC what :class:`sim.port.CpuPort` is to one PE; the golden model
(:mod:`sim.golden_physical`) and the gateware engines have the same one. Rule numbers are those of
:mod:`hw.distributor_rules`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from hw.config_physical import MAINTENANCE_PPI, PhysicalConfig
from hw.errors import InputError
from sim.port import Access, MmioAccess, MmioPort

__all__ = ["Drive", "PePhysicalState", "PhysicalState", "System", "SystemStep", "check_input"]


@dataclass(slots=True)
class PePhysicalState:
    """What software can see of one PE's physical interface and private interrupts, without side effect.

    ``pmr`` to ``ap1r``: as ICC reads at EL2, or GICC reads, return them. ``offered``: the INTID
    offered to the PE, 1023 if none (DIST-12). ``group`` to ``edge``: bit n is INTID n, ``pending`` as
    ISPENDR0 reads (DIST-5). ``priority``: 32 bytes. ``asleep``: GICR_WAKER.ProcessorSleep.
    ``sources``: of a GICv2, the latches of each SGI, bit s is source s (DIST-25); else empty.
    """

    pmr: int = 0
    bpr0: int = 0
    bpr1: int = 0
    ctlr: int = 0
    igrpen0: int = 0
    igrpen1: int = 0
    ap0r: list[int] = field(default_factory=list)
    ap1r: list[int] = field(default_factory=list)
    offered: int = 1023
    group: int = 0
    enable: int = 0
    pending: int = 0
    active: int = 0
    edge: int = 0xFFFF
    priority: list[int] = field(default_factory=list)
    asleep: bool = False
    sources: list[int] = field(default_factory=list)


@dataclass(slots=True)
class PhysicalState:
    """What software can see of the physical side, without side effect.

    ``ctlr``: GICD_CTLR. ``group`` to ``edge``: words of 32 SPIs, bit x of word n is INTID 32 + 32n + x.
    ``priority`` and ``route``: one for each SPI; a route is GICD_IROUTER, or a GICv2's byte of
    GICD_ITARGETSR. ``pes``: one for each PE.
    """

    ctlr: int = 0
    group: list[int] = field(default_factory=list)
    enable: list[int] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)
    active: list[int] = field(default_factory=list)
    edge: list[int] = field(default_factory=list)
    priority: list[int] = field(default_factory=list)
    route: list[int] = field(default_factory=list)
    pes: list[PePhysicalState] = field(default_factory=list)


class Drive(NamedTuple):
    """A change of an interrupt input; ``pe`` is None for an SPI."""

    intid: int
    level: bool
    pe: int | None = None


class SystemStep(NamedTuple):
    """One operation on a system: an access by PE ``pe``, by register or on the bus, or an input."""

    pe: int
    action: Access | MmioAccess | Drive


class System(Protocol):
    """A GIC with its PEs on some engine.

    Attributes
    ----------
    physical : PhysicalConfig
        Parameters of the physical side.
    ports : sequence of MmioPort
        One for each PE. Their lines include ``irq`` and ``fiq``; their ``mmio`` is an access by that PE.
    """

    physical: PhysicalConfig
    ports: Sequence[MmioPort]

    async def reset(self) -> None:
        """Return every register of every PE and of the distributor to its reset value (DIST-36)."""

    async def drive(self, intid: int, level: bool, pe: int | None = None) -> None:
        """Set the level of an interrupt input; ``pe`` names the PE of a PPI. An edge is high, then low.

        Raises
        ------
        InputError
            When there is no such input (:func:`check_input`).
        """

    async def physical_state(self) -> PhysicalState:
        """Return everything visible of the physical side without an access."""


def check_input(physical: PhysicalConfig, pes: int, intid: int, pe: int | None) -> None:
    """Refuse an interrupt input that a system of ``pes`` PEs does not have.

    Raises
    ------
    InputError
        For an SGI, an INTID beyond the distributor, the maintenance PPI (DIST-24), a PPI without its PE, an
        SPI with one, and a PE that does not exist.
    """
    if not 16 <= intid < physical.intids:
        raise InputError(f"interrupt {intid} has no input; PPIs and SPIs are 16 to {physical.intids - 1}")
    if intid == MAINTENANCE_PPI:
        raise InputError(f"interrupt {intid} is the maintenance interrupt; its PE's interface drives it")
    if intid < 32 and pe is None:
        raise InputError(f"interrupt {intid} is a PPI; say of which PE")
    if intid >= 32 and pe is not None:
        raise InputError(f"interrupt {intid} is an SPI, not one of PE {pe}; leave the PE out")
    if pe is not None and not 0 <= pe < pes:
        raise InputError(f"there is no PE {pe}; PEs are 0 to {pes - 1}")
