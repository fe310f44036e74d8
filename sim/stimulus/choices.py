"""Where a generator's decisions come from: a seeded random number, or a list that Hypothesis shrinks."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol, TypeVar

__all__ = ["Choices", "ListChoices", "RandomChoices", "preempting_level"]

T = TypeVar("T")


class Choices(Protocol):
    """A source of decisions. Zero, and the first of a sequence, is always the simplest one."""

    def below(self, limit: int) -> int:
        """Return a number from 0 to ``limit - 1``; ``limit`` is at most 2**64."""

    def among(self, items: Sequence[T]) -> T:
        """Return one of ``items``."""

    def one_in(self, n: int) -> bool:
        """Return True once in ``n`` times."""


class RandomChoices:
    """Decisions of a seeded random number generator: same seed, same decisions.

    Parameters
    ----------
    seed : int
        Any integer.
    """

    def __init__(self, seed: int):
        generator = random.Random(seed)
        self._random = generator.random
        self._bits = generator.getrandbits

    def below(self, limit: int) -> int:
        """Return a number from 0 to ``limit - 1``."""
        # A float has 53 bits; more are asked for in powers of two only.
        return int(self._random() * limit) if limit < 1 << 48 else self._bits(64) % limit

    def among(self, items: Sequence[T]) -> T:
        """Return one of ``items``."""
        return items[int(self._random() * len(items))]

    def one_in(self, n: int) -> bool:
        """Return True once in ``n`` times."""
        return self._random() * n >= n - 1


class ListChoices:
    """Decisions read from a list of integers; when it runs out, every further one is the simplest.

    Parameters
    ----------
    numbers : sequence of int
        Each is used once, modulo the number of possibilities.
    """

    def __init__(self, numbers: Sequence[int]):
        self._numbers = iter(numbers)

    def below(self, limit: int) -> int:
        """Return a number from 0 to ``limit - 1``."""
        return next(self._numbers, 0) % limit

    def among(self, items: Sequence[T]) -> T:
        """Return one of ``items``."""
        return items[self.below(len(items))]

    def one_in(self, n: int) -> bool:
        """Return True once in ``n`` times."""
        return self.below(n) == n - 1


def preempting_level(choices: Choices, running: int | None, levels: int) -> int:
    """Return a level that preempts: any, or one near, so that many nest; when idle, a low one."""
    if running is None:
        return levels - 1 - choices.below(levels // 2)
    near = min(running, 4)
    return running - 1 - choices.below(near) if choices.below(4) else choices.below(running)
