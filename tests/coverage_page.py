"""The coverage tables of ``docs/coverage.md``: ``make coverage-python`` fills them in.

``python -m tests.coverage_page functional`` runs the random streams of the soak on the golden model and
counts the situations of :data:`tb.coverage.POINTS`; ``python -m tests.coverage_page lines FILE`` reads
what ``coverage json`` wrote. Each writes one table, between its own marks.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import click

from hw.errors import InputError
from sim.golden import Golden
from sim.marked_page import read_page
from sim.stimulus import RandomChoices, Stimulus
from tb.coverage import POINTS, Coverage
from tb.soak import CONFIGURATIONS

__all__ = ["functional_table", "lines_table", "put", "run_streams"]

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "coverage.md"
_COUNTS = ("num_statements", "covered_lines", "num_branches", "covered_branches")


def put(page: Path, name: str, lines: list[str]) -> None:
    """Put a table between the marks of that name in a page.

    Raises
    ------
    InputError
        When the page or its marks are not there.
    """
    before, _, after = read_page(page, f"<!-- table: {name} -->", f"<!-- end of table: {name} -->")
    page.write_text("\n".join([before, "", *lines, "", after]))


def run_streams(operations: int, seed: int) -> Coverage:
    """Run the soak's random stream of every build on golden alone, and return what it met.

    Parameters
    ----------
    operations : int
        Of each build.
    seed : int
        Build number n uses ``1000 * seed + n``, as a soak does.
    """
    total = Coverage(CONFIGURATIONS[0])
    for number, config in enumerate(CONFIGURATIONS):
        own = Coverage(config)
        golden, stimulus = Golden(config), Stimulus(config, RandomChoices(1000 * seed + number))
        for _ in range(operations):
            before = golden.state()
            access = stimulus.next(before)
            own.sample(before, access, golden.access(access))
        total.merge(own.to_json())
    return total


def functional_table(coverage: Coverage, operations: int, seed: int) -> list[str]:
    """Return a row for each coverage point, and every bin that was not met."""
    lines = [
        f"{operations * len(CONFIGURATIONS):,} operations, {len(CONFIGURATIONS)} builds, seed {seed}.",
        "",
    ]
    lines += ["| point | bins | met | share |", "|---|---:|---:|---:|"]
    for point, bins in POINTS.items():
        met = len(bins) - len(coverage.holes(point))
        lines.append(f"| {point} | {len(bins)} | {met} | {met / len(bins):.1%} |")
    total = sum(map(len, POINTS.values()))
    lines.append(f"| **all** | {total} | {total - len(coverage.holes())} | {coverage.ratio():.1%} |")
    holes = coverage.holes()
    return [*lines, "", *([f"* not met: {hole}" for hole in holes] or ["Every bin is met."])]


def lines_table(report: dict[str, Any]) -> list[str]:
    """Return a row for each package: lines and branches that there are and that the tests met."""
    found: defaultdict[str, list[int]] = defaultdict(lambda: [0] * 4)
    for file, data in report["files"].items():
        summary = data["summary"]
        counts = [
            summary[key] for key in ("num_statements", "covered_lines", "num_branches", "covered_branches")
        ]
        package = str(Path(file).parent)
        for name in (package, "all"):
            found[name] = [a + b for a, b in zip(found[name], counts, strict=True)]
    lines = ["| package | lines | met | share | branches | met | share |", "|---|" + "---:|" * 6]
    for package in [*sorted(set(found) - {"all"}), "all"]:
        statements, met, branches, taken = found[package]
        name = f"`{package}`" if package != "all" else "**all**"
        lines.append(
            f"| {name} | {statements} | {met} | {met / max(statements, 1):.1%} "
            f"| {branches} | {taken} | {taken / branches:.1%} |"
            if branches
            else f"| {name} | {statements} | {met} | {met / max(statements, 1):.1%} | 0 | 0 | |"
        )
    return lines


@click.group()
def main() -> None:
    """Fill in the tables of the page on coverage."""


@main.command()
@click.option("--operations", default=30_000, show_default=True, help="Of each build.")
@click.option("--seed", default=1, show_default=True)
@click.option("--page", type=click.Path(path_type=Path), default=PAGE, show_default="docs/coverage.md")
def functional(operations: int, seed: int, page: Path) -> None:
    """Count the situations that random streams meet."""
    coverage = run_streams(operations, seed)
    put(page, "functional", functional_table(coverage, operations, seed))
    click.echo(coverage.report())


@main.command()
@click.argument("report", type=click.Path(exists=True, path_type=Path))
@click.option("--page", type=click.Path(path_type=Path), default=PAGE, show_default="docs/coverage.md")
def lines(report: Path, page: Path) -> None:
    """Tell lines and branches by package, of REPORT as coverage.py's json command wrote it."""
    rows = lines_table(json.loads(report.read_text()))
    put(page, "lines of Python", rows)
    click.echo("\n".join(rows))


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        click.echo(f"coverage_page: {error}", err=True)
        sys.exit(2)
