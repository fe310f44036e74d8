"""The golden physical side as :class:`sim.system_port.PhysicalState`, for comparison."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sim.golden_physical.distributor import SGIS, Interrupt
from sim.golden_physical.frames import Frames
from sim.golden_physical.interface import NONE, PhysicalInterface
from sim.system_port import PePhysicalState, PhysicalState

__all__ = ["view"]


def _word(bits: Iterable[object]) -> int:
    return sum(1 << n for n, bit in enumerate(bits) if bit)


def _words(interrupts: Sequence[Interrupt], attribute: str) -> list[int]:
    return [
        _word(getattr(i, attribute) for i in interrupts[n : n + 32]) for n in range(0, len(interrupts), 32)
    ]


def _pe(frames: Frames, interface: PhysicalInterface) -> PePhysicalState:
    redistributor = frames.distributor.redistributors[interface.pe]
    private = redistributor.private
    words = range(frames.physical.apr_words)
    offer = interface.offer()
    return PePhysicalState(
        pmr=interface.pmr,
        bpr0=interface.bpr0,
        bpr1=interface.bpr1,
        ctlr=interface.read_ctlr(),
        igrpen0=interface.enable(0),
        igrpen1=interface.enable(1),
        ap0r=[interface.read_apr(0, n) for n in words],
        ap1r=[interface.read_apr(1, n) for n in words],
        offered=NONE if offer is None else offer.intid,
        group=_word(i.group for i in private),
        enable=_word(i.enable for i in private),
        pending=_word(i.pending for i in private),
        active=_word(i.active for i in private),
        edge=_word(i.edge for i in private),
        priority=[i.priority for i in private],
        asleep=redistributor.asleep,
        sources=[] if frames.physical.are else [i.latch for i in private[:SGIS]],
    )


def view(frames: Frames, interfaces: Iterable[PhysicalInterface]) -> PhysicalState:
    """Return the visible state of a distributor and of the interfaces of its PEs."""
    shared = frames.distributor.shared
    are = frames.physical.are
    return PhysicalState(
        ctlr=frames.read_ctlr(),
        group=_words(shared, "group"),
        enable=_words(shared, "enable"),
        pending=_words(shared, "pending"),
        active=_words(shared, "active"),
        edge=_words(shared, "edge"),
        priority=[i.priority for i in shared],
        route=[frames.route(i) if are else i.targets for i in shared],
        pes=[_pe(frames, interface) for interface in interfaces],
    )
