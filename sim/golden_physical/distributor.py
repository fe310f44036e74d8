"""The golden distributor: interrupts, their states, and which one each PE is offered.

Rules DIST-1..29 of :mod:`hw.distributor_rules`, without the registers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from hw.config_physical import PhysicalConfig

__all__ = ["FIRST_SPI", "SGIS", "Distributor", "Interrupt", "Offer", "Redistributor", "Route"]

#: INTIDs below are SGIs.
SGIS = 16
#: INTIDs from here on are SPIs.
FIRST_SPI = 32
#: Priority that is never offered (DIST-12).
IDLE = 0xFF


class Route(NamedTuple):
    """Where an SPI goes with affinity routing: to one PE of several, or to the one of ``aff0``."""

    one_of_n: bool = False
    aff0: int = 0


_PE0 = Route()


@dataclass(slots=True)
class Interrupt:
    """One interrupt; of a private one, one PE's copy.

    ``latch`` is 0 or 1, but for an SGI of a GICv2 it has one bit for each source PE (DIST-25). ``route``
    counts with affinity routing and ``targets``, one bit for each PE, without; both for SPIs alone.
    """

    intid: int
    edge: bool = False
    enable: bool = False
    group: int = 0
    priority: int = 0
    latch: int = 0
    line: bool = False
    active: bool = False
    route: Route = _PE0
    targets: int = 0

    @property
    def pending(self) -> bool:
        """DIST-1."""
        return bool(self.latch) or (self.line and not self.edge)

    def drive(self, level: bool) -> None:
        """Set the line; a rising one sets an edge interrupt's latch (DIST-2)."""
        if level and not self.line and self.edge:
            self.latch = 1
        self.line = level

    def activate(self) -> None:
        """Become active; the latch, or the lowest source's, is used up (DIST-18, DIST-26)."""
        self.active = True
        self.latch &= self.latch - 1

    @property
    def source(self) -> int:
        """Lowest pending source of a GICv2 SGI (DIST-26); 0 of all others."""
        return (self.latch & -self.latch).bit_length() - 1 if self.latch else 0


class Offer(NamedTuple):
    """The highest-priority pending interrupt of a PE."""

    intid: int
    priority: int
    group: int
    source: int


class Redistributor:
    """What belongs to one PE: its SGIs and PPIs, whether it sleeps, and the groups it takes.

    Parameters
    ----------
    are : bool
        With affinity routing a PE sleeps after reset (DIST-17); without, it never does.
    """

    def __init__(self, are: bool) -> None:
        self.asleep = are
        #: The CPU interface's group enables, as it tells them upstream (DIST-11).
        self.igrpen = [False, False]
        self.private = [Interrupt(intid, edge=intid < SGIS) for intid in range(FIRST_SPI)]


class Distributor:
    """All interrupts of a system.

    Parameters
    ----------
    physical : PhysicalConfig
        The build.
    pes : int
        Number of PEs.

    Attributes
    ----------
    groups : list of bool
        GICD_CTLR.EnableGrp0 and EnableGrp1.
    """

    def __init__(self, physical: PhysicalConfig, pes: int) -> None:
        self.physical = physical
        self.pes = pes
        self.groups = [False, False]
        self.redistributors = [Redistributor(physical.are) for _ in range(pes)]
        self.shared = [Interrupt(intid) for intid in range(FIRST_SPI, physical.intids)]

    def reset(self) -> None:
        """Take the reset values; lines keep their levels (DIST-36)."""
        lines = [[i.line for i in r.private] for r in self.redistributors]
        shared = [i.line for i in self.shared]
        self.__init__(self.physical, self.pes)
        for redistributor, levels in zip(self.redistributors, lines, strict=True):
            for interrupt, level in zip(redistributor.private, levels, strict=True):
                interrupt.line = level
        for interrupt, level in zip(self.shared, shared, strict=True):
            interrupt.line = level

    def interrupt(self, intid: int, pe: int) -> Interrupt | None:
        """Return an interrupt as PE ``pe`` names it, or None if the distributor has none such."""
        if 0 <= intid < FIRST_SPI:
            return self.redistributors[pe].private[intid]
        if FIRST_SPI <= intid < self.physical.intids:
            return self.shared[intid - FIRST_SPI]
        return None

    # -- forwarding ------------------------------------------------------------------------------------

    def offer(self, pe: int) -> Offer | None:
        """Return what PE ``pe`` is offered (DIST-11, DIST-12)."""
        redistributor = self.redistributors[pe]
        if redistributor.asleep:
            return None
        takes = [self.groups[g] and redistributor.igrpen[g] for g in (0, 1)]
        best, urgent = None, IDLE
        # The enable first: it spares most of the work.
        for interrupt in redistributor.private:
            if interrupt.enable and interrupt.priority < urgent and self._ready(interrupt, takes):
                best, urgent = interrupt, interrupt.priority
        for interrupt in self.shared:
            if (
                interrupt.enable
                and interrupt.priority < urgent
                and self._ready(interrupt, takes)
                and self._goes_to(interrupt, pe)
            ):
                best, urgent = interrupt, interrupt.priority
        if best is None:
            return None
        source = 0 if self.physical.are else best.source
        return Offer(best.intid, best.priority, best.group, source)

    @staticmethod
    def _ready(interrupt: Interrupt, takes: list[bool]) -> bool:
        """Whether an enabled interrupt may be offered, wherever it goes (DIST-11)."""
        return not interrupt.active and takes[interrupt.group] and interrupt.pending

    def _goes_to(self, interrupt: Interrupt, pe: int) -> bool:
        """Whether an SPI is routed to a PE that is awake and takes its group (DIST-14..16)."""
        if not self.physical.are:
            return self.pes == 1 or bool(interrupt.targets >> pe & 1)
        if not interrupt.route.one_of_n:
            return interrupt.route.aff0 == pe
        return not any(r.igrpen[interrupt.group] and not r.asleep for r in self.redistributors[:pe])

    # -- inputs and messages ---------------------------------------------------------------------------

    def drive(self, intid: int, level: bool, pe: int = 0) -> None:
        """Set the level of a PPI or SPI input (DIST-2)."""
        self.interrupt(intid, pe).drive(level)

    def activate(self, intid: int, pe: int) -> None:
        """Take an acknowledge of PE ``pe`` (DIST-18)."""
        self.interrupt(intid, pe).activate()

    def deactivate(self, intid: int, pe: int) -> None:
        """Take a deactivation by PE ``pe``; an unknown INTID is ignored (DIST-19, DIST-20)."""
        interrupt = self.interrupt(intid, pe)
        if interrupt is not None:
            interrupt.active = False

    def generate_sgi(self, intid: int, group: int, targets: Iterable[int]) -> None:
        """Set an SGI pending at the targets where it is of ``group`` (DIST-21)."""
        for pe in targets:
            sgi = self.redistributors[pe].private[intid]
            if sgi.group == group:
                sgi.latch = 1

    def generate_sourced_sgi(self, intid: int, source: int, targets: Iterable[int]) -> None:
        """Set an SGI of a GICv2 pending at the targets, from ``source`` (DIST-27)."""
        for pe in targets:
            self.redistributors[pe].private[intid].latch |= 1 << source
