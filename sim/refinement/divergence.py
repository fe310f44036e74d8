"""A difference between the machine and the ideal GIC."""

from __future__ import annotations

from collections.abc import Iterable

from sim.ideal import NONE

__all__ = ["Divergence", "key_of"]


class Divergence(Exception):  # noqa: N818 - a result that leaves the run, not a failure
    """The machine shows a guest something the ideal GIC would not.

    Parameters
    ----------
    kind : str
        iar, hppir, lines, rpr, active, asleep, storm, starved, invariant or final.
    vcpu : int
        Who sees it.
    text : str
        One line.
    intids : iterable of int
        The interrupts it is about.
    taken : int or None
        What has just been acknowledged.
    presented : iterable of int
        What the highest-pending registers give.
    """

    def __init__(
        self,
        kind: str,
        vcpu: int,
        text: str,
        intids: Iterable[int] = (),
        taken: int | None = None,
        presented: Iterable[int] = (),
    ):
        super().__init__(f"vCPU{vcpu} {kind}: {text}")
        self.kind = kind
        self.vcpu = vcpu
        self.text = text
        self.taken = taken
        self.intids = frozenset(intids) - {NONE}
        self.presented = frozenset(presented)
        #: (vCPU, 0 for shared ones; INTID) -> active on the machine, filled in when it is looked into.
        self.active: dict[tuple[int, int], bool] = {}


def key_of(intid: int, vcpu: int) -> tuple[int, int]:
    """Return what tells one interrupt from all others: private ones exist once for each vCPU."""
    return (vcpu if intid < 32 else 0), intid
