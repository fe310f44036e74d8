"""How long a guest sees the wrong order, by the latency of maintenance interrupts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sim.kvm.profile import profile_named
from sim.refinement.actions import random_actions
from sim.refinement.run import LENGTH, refine
from sim.refinement.setup import random_setup

__all__ = ["inversion_by_latency"]

Listener = Callable[[str, int, int], None]


def inversion_by_latency(
    profiles: Sequence[str],
    latencies: Sequence[int],
    guests: int = 60,
    seed: int = 0,
    listener: Listener | None = None,
) -> list[dict[str, Any]]:
    """Run random guests beside the ideal GIC and measure priority inversions.

    An inversion is a stretch of guest operations in which the lines or what HPPIR reads differ from the ideal
    GIC's. A run ends at its first real divergence, so old kernels are measured over fewer operations.

    Parameters
    ----------
    profiles : sequence of str
        Kernels.
    latencies : sequence of int
        Guest operations from a maintenance interrupt or kick to the exit.
    guests : int
        Random guests for each point, the same for all.
    seed : int
        Of the first guest.
    listener : callable or None
        Called with (what, done, total).

    Returns
    -------
    list of dict
        For each profile and latency: ``guests``, ``operations``, ``diverged`` (runs that ended early),
        ``inversions`` (number by width), ``mean`` and ``widest`` in guest operations (None without any),
        and ``share``: the part of all operations spent in one.
    """
    for profile in profiles:
        profile_named(profile)
    rows = []
    total = len(profiles) * len(latencies) * guests
    for profile in profiles:
        for latency in latencies:
            widths: Counter[int] = Counter()
            operations = diverged = 0
            for number in range(guests):
                if listener is not None:
                    listener(f"{profile}, latency {latency}", len(rows) * guests + number, total)
                generator = random.Random(seed + number)
                setup = random_setup(generator, latency, profile, False)
                outcome = refine(setup, random_actions(generator, LENGTH, False))
                widths += outcome.widths
                operations += outcome.operations
                diverged += outcome.divergence is not None
            rows.append({"profile": profile, "latency": latency, "guests": guests, "operations": operations,
                         "diverged": diverged, **_summary(widths, operations)})  # fmt: skip
    return rows


def _summary(widths: Counter[int], operations: int) -> dict[str, Any]:
    count = sum(widths.values())
    inside = sum(width * number for width, number in widths.items())
    return {
        "inversions": {str(width): number for width, number in sorted(widths.items())},
        "mean": inside / count if count else None,
        "widest": max(widths) if count else None,
        "share": inside / operations if operations else 0.0,
    }
