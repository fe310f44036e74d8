"""The totals of many refinement runs as text."""

from __future__ import annotations

from sim.policy.applies import texts
from sim.refinement.exceptions import EXCEPTIONS
from sim.refinement.run import Tally

__all__ = ["describe"]


def describe(tally: Tally, latency: int) -> str:
    """Return the totals as text."""
    lines = [f"latency {latency}: {tally.operations:,} guest operations in {tally.runs:,} runs"]
    lines += [
        f"  {tally.exceptions[known.name]:6} {known.name:6} {known.text} ({known.function})"
        for known in EXCEPTIONS
        if tally.exceptions[known.name]
    ]
    known = {one.name for one in EXCEPTIONS}
    lines += [
        f"  {count:6} {name:6} {texts().get(name, '')}".rstrip()
        for name, count in sorted(tally.exceptions.items())
        if name not in known
    ]
    if tally.widths:
        widest = max(tally.widths)
        total = sum(tally.widths.values())
        mean = sum(width * count for width, count in tally.widths.items()) / total
        lines.append(f"  {total:6} inversions, {mean:.2f} operations wide on average, {widest} at most")
    lines.append(f"  {len(tally.findings):6} findings")
    return "\n".join([*lines, *(str(one) for one in tally.findings)])
