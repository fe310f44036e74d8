"""The overflow series patch by patch: what each adds, which switch carries it, how it is checked."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Patch"]


@dataclass(frozen=True)
class Patch:
    """One patch of the series or of what followed it (spec section 20)."""

    name: str
    commit: str
    title: str
    adds: str
    switches: tuple[str, ...] = ()
