"""The golden physical side as :class:`sim.system_port.PhysicalState`, for comparison."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sim.golden_physical.distributor import SGIS, Interrupt
from sim.golden_physical.frames import Frames
from sim.golden_physical.interface import NONE, PhysicalInterface
from sim.system_port import PePhysicalState, PhysicalState

__all__ = ["view"]


def _words(interrupts: Sequence[Interrupt]) -> dict[str, list[int]]:
    """Return every flag of some interrupts as words of 32."""
    words: dict[str, list[int]] = {name: [] for name in ("group", "enable", "pending", "active", "edge")}
    for first in range(0, len(interrupts), 32):
        group = enable = pending = active = edge = 0
        for n, i in enumerate(interrupts[first : first + 32]):
            bit = 1 << n
            if i.group:
                group |= bit
            if i.enable:
                enable |= bit
            if i.latch or (i.line and not i.edge):
                pending |= bit
            if i.active:
                active |= bit
            if i.edge:
                edge |= bit
        for name, word in zip(words, (group, enable, pending, active, edge), strict=True):
            words[name].append(word)
    return words


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
        **{name: word[0] for name, word in _words(private).items()},
        offered=NONE if offer is None else offer.intid,
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
        **_words(shared),
        priority=[i.priority for i in shared],
        route=[frames.route(i) if are else i.targets for i in shared],
        pes=[_pe(frames, interface) for interface in interfaces],
    )
