"""Invariants I1 to I14 of the run loop, checked at every entry and exit (spec section 19)."""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.machine.observer import Observer

__all__ = ["Broken", "Invariants"]


@dataclass(frozen=True)
class Broken:
    """An invariant that did not hold; ``hole`` names the known exception of section 22, if it is one."""

    name: str
    text: str
    hole: str | None = None


@dataclass
class Invariants(Observer):
    """Checks everything, always."""

    broken: list[Broken] = field(default_factory=list)
