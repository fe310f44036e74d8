"""``python -m tb.coverage_rtl_page PAGE``: line and toggle coverage of the gateware as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from sim.marked_page import read_page
from sim.module_command import run_command
from tb.coverage_rtl import KINDS, Point, measure
from tb.soak import name_of

__all__ = ["BEGIN", "BUILDS", "END", "tables"]

#: What is measured: the build of the directed tests of each generation.
BUILDS = (GicConfig(lrs=4, id_bits=24), GicV2Config(4))
#: Lines of a page between which the tables stand.
BEGIN, END = "<!-- tables: make coverage-rtl -->", "<!-- end of the tables -->"


def _share(points: Sequence[Point], kind: str) -> str:
    """Return how many of the points of a kind that can be met were met."""
    counted = [point for point in points if point.kind == kind and not point.constant]
    met = sum(point.count > 0 for point in counted)
    return f"{met} of {len(counted)}, {100 * met / len(counted):.1f} %" if counted else "-"


def _row(name: str, points: Sequence[Point]) -> str:
    constant = sum(point.constant for point in points) // 2
    return f"| {' | '.join([name, *(_share(points, kind) for kind in KINDS), str(constant)])} |"


def _missed(points: Sequence[Point]) -> list[str]:
    """Return a row for each line, branch or signal with something that was not met."""
    missed = Counter(
        (point.block, point.kind, point.signal if point.kind == "toggle" else point.what)
        for point in points
        if not point.count and not point.constant
    )
    return [
        f"| `{block}` | {kind} | `{what}` | {count} |"
        for (block, kind, what), count in sorted(missed.items())
    ]


def tables(name: str, points: Sequence[Point]) -> str:
    """Return the tables of one build as Markdown."""
    lines = [
        f"## {name}",
        "",
        "| block | lines | branches | toggles | constant bits |",
        "|---|---|---|---|---|",
    ]
    for block in sorted({point.block for point in points}):
        lines.append(_row(f"`{block}`", [point for point in points if point.block == block]))
    lines.append(_row("**all**", points))
    if missed := _missed(points):
        lines += ["", "Not met:", "", "| block | kind | what | points |", "|---|---|---|---|", *missed]
    return "\n".join(lines)


@click.command()
@click.argument("page", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--operations", type=click.IntRange(1), default=20_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the random accesses.")
def main(page: Path, operations: int, seed: int) -> None:
    """Measure the builds and put their tables into PAGE."""
    head, _, tail = read_page(page, BEGIN, END)
    parts = [
        f"Directed tests of each build, {operations} random operations, seed {seed}, and the sweep of GICv3."
    ]
    for config in BUILDS:
        points = measure(config, operations, seed, swept=True)
        parts.append(tables(name_of(config), points))
        print(_row(name_of(config), points))
    page.write_text("\n\n".join([head, *parts, tail]))


if __name__ == "__main__":
    run_command(main, "tb.coverage_rtl_page")
