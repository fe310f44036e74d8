"""Sets of configurations: every legal one, and small sets that cover them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

from hw.config import ConfigError, GicConfig
from hw.config_v2 import GicV2Config

__all__ = ["VALUES", "covering", "covering_v2", "every_configuration", "every_v2"]

#: Every value a parameter may have, by itself.
VALUES: dict[str, tuple[int | bool, ...]] = {
    "lrs": tuple(range(1, 17)),
    "pri_bits": (5, 6, 7, 8),
    "pre_bits": (5, 6, 7),
    "id_bits": (16, 24),
} | {f.name: (False, True) for f in dataclasses.fields(GicConfig) if isinstance(f.default, bool)}


def every_configuration() -> Iterator[GicConfig]:
    """Yield every configuration that :class:`hw.config.GicConfig` accepts, in a fixed order."""
    for values in itertools.product(*VALUES.values()):
        try:
            yield GicConfig(**dict(zip(VALUES, values, strict=True)))
        except ConfigError:  # a combination that contradicts itself
            continue


def covering(strength: int) -> list[GicConfig]:
    """Return a small set in which every legal combination of ``strength`` parameter values occurs.

    Parameters
    ----------
    strength : int
        1: every value of every parameter; 2: every pair of values of two parameters.

    Notes
    -----
    Greedy: of the legal configurations the one that adds most is taken until nothing is missing. The
    result is the same every time.
    """
    candidates = [(config, _combinations(config, strength)) for config in every_configuration()]
    missing = set().union(*(found for _, found in candidates))
    chosen = []
    while missing:
        # What adds nothing now never will again.
        candidates = [entry for entry in candidates if not missing.isdisjoint(entry[1])]
        config, found = max(candidates, key=lambda entry: len(missing & entry[1]))
        chosen.append(config)
        missing -= found
    return chosen


def every_v2() -> list[GicV2Config]:
    """Return every GICv2 configuration."""
    return [GicV2Config(lrs) for lrs in range(1, 65)]


def covering_v2() -> list[GicV2Config]:
    """Return GICv2 configurations on both sides of every change of structure: levels, blocks, words."""
    edges = {1, 64, *(2**power + step for power in range(1, 6) for step in (-1, 0, 1)), 47, 48, 49, 63}
    return [GicV2Config(lrs) for lrs in sorted(edges)]


def _combinations(config: GicConfig, strength: int) -> frozenset[tuple]:
    values = [(name, getattr(config, name)) for name in VALUES]
    return frozenset(itertools.combinations(values, strength))
