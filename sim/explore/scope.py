"""What is explored: a small machine and what may happen to it."""

from __future__ import annotations

from dataclasses import dataclass

from sim.explore.world import SmallSetup
from sim.refinement.actions import Action

__all__ = ["Scope"]


@dataclass(frozen=True)
class Scope:
    """One small machine, explored to its end.

    Parameters
    ----------
    name : str
        What the command line calls it.
    text : str
        What it is for, one line.
    setup : SmallSetup
        The machine, with at most four interrupts.
    choices : tuple of Action
        What may happen next, in every state; what means nothing in a state leads nowhere.
    finds : frozenset of str
        Findings it must come upon, by name; every other one is a surprise.
    drain : bool
        In every state also ask whether the guests get through from there, and whether the state of every
        interrupt is right then.
    """

    name: str
    text: str
    setup: SmallSetup
    choices: tuple[Action, ...]
    finds: frozenset[str] = frozenset()
    drain: bool = True
