"""What can happen in a refinement run, as small tuples that a generator draws and Hypothesis shrinks.

An action means something in every state: numbers are taken modulo what there is, and one that makes no sense
at the moment does nothing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

__all__ = ["KINDS", "PRIORITIES", "TROUBLE", "WIDE", "Action", "pick", "random_actions"]


T = TypeVar("T")

#: Priorities to draw from; few, so that equal ones are common.
PRIORITIES = (0x00, 0x10, 0x20, 0x28, 0x40, 0x48, 0x80, 0x88, 0xA0, 0xF0)


class Action(NamedTuple):
    """One action: its kind, and three numbers whose meaning :class:`sim.refinement.world.World` gives."""

    kind: str
    a: int = 0
    b: int = 0
    c: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.a} {self.b} {self.c}"


#: Kind -> weight in random runs.
KINDS: dict[str, int] = {
    "pulse": 16,  # a: which edge device
    "raise": 7,  # a: which level device, b: vCPU of a PPI
    "lower": 4,
    "phys": 4,  # a: which mapped interrupt, b: level
    "ack": 30,  # a: vCPU, b: group if nothing is signalled
    "eoi": 20,  # a: vCPU
    "dir": 14,  # a: vCPU, b: which dropped one, c: 0: another vCPU's
    "hppir": 4,  # a: vCPU, b: group
    "rpr": 3,
    "sgi": 5,  # a: vCPU, b: which, c: targets
    "pmr": 3,  # a: vCPU, b: which value
    "bpr": 2,  # a: vCPU, b: group, c: value
    "igrpen": 3,  # a: vCPU, b: group, c: on
    "enable": 3,  # a: vCPU, b: which interrupt, c: on
    "pend": 2,
    "unpend": 2,
    "prio": 3,  # c: which value
    "route": 1,  # c: target
    "icactive": 1,
    "read": 2,  # ISACTIVER of interrupt b
    "exit": 4,
    "wfi": 2,
    "nop": 3,
}
#: Kinds that only runs with trouble use.
TROUBLE: dict[str, int] = {
    "group": 1,
    "gicd": 1,  # a: vCPU, b: on
    "sactive": 1,
    "alias": 1,  # a: vCPU, b: which dropped one, c: what is added
}


#: Kinds that only wide runs use.
WIDE: dict[str, int] = {
    "eoimode": 3,  # a: vCPU, b: mode
}


def pick(sequence: Sequence[T], number: int) -> T | None:
    """Return the element that a number of an action means, None if there is none at all."""
    return sequence[number % len(sequence)] if sequence else None


def random_actions(generator: random.Random, count: int, trouble: bool, wide: bool = False) -> list[Action]:
    """Draw ``count`` actions."""
    weights = KINDS | (TROUBLE if trouble else {}) | (WIDE if wide else {})
    kinds = generator.choices(list(weights), list(weights.values()), k=count)
    return [Action(kind, *(generator.randrange(16) for _ in range(3))) for kind in kinds]
