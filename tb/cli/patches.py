"""``spillway patches``: the overflow series, what carries each patch, and whether its test passes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from tb.cli.command import Command, json_option
from tb.cli.output import busy, print_json

if TYPE_CHECKING:
    from tb.patches import Row

__all__ = ["command"]


def _patch(row: Row) -> str:
    data = row.data
    merged = "" if data["merged"] is None else str(data["merged"])
    head = (
        f"{row.status:<8}{row.name:<10}{merged:>3}  {data['commit'] or '-':<13}{data['part']:<8}{row.title}"
    )
    return "\n".join([head, f"{'':<21}  {data['adds']}", *_details(row, ("switch", row.switches))])


def _bug(row: Row) -> str:
    data = row.data
    kernels = [("fails on", data["fails"]), ("not on", data["works"])]
    if data["seen"]:
        kernels.append(("seen on Linux", (data["seen"],)))
    return "\n".join([f"{row.status:<8}{row.name:<10}{row.title}", *_details(row, *kernels)])


def _details(row: Row, *lists: tuple[str, tuple[str, ...]]) -> list[str]:
    parts = [f"{what} {', '.join(words)}" for what, words in lists if words]
    if row.scenarios:
        parts.append(f"scenarios {', '.join(row.scenarios)}")
    if row.tests:
        parts.append(f"test {', '.join(row.tests)}")
    if row.reason:
        parts.append(row.reason)
    return [f"{'':<21}  {part}" for part in parts]


@click.command(
    "patches",
    cls=Command,
    examples=[
        "spillway patches",
        "spillway patches --bugs",
        "spillway patches --no-run --json",
    ],
)
@click.option("--bugs", is_flag=True, help="The known failures instead: which kernels have them.")
@click.option("--no-run", is_flag=True, help="Do not run the tests; only list them.")
@json_option
def command(bugs: bool, no_run: bool, as_json: bool) -> int:
    """Print the table of the overflow series: patch, switches, tests, status.

    A patch passes if its behaviour is there, and its test notices when one of its switches is changed.
    "open": it needs a part this build does not have; "none": there is nothing to show. The tests are
    those of a checkout; without one, or without pytest, they are not run.

    Exit status: 0 no test failed, 1 some did, 2 bad usage.
    """
    from tb.patches import FAILED, bug_rows, patch_rows, run_tests

    with busy("running the tests of the table"):
        ran = {} if no_run else run_tests()
        rows = bug_rows(ran) if bugs else patch_rows(ran)
    status = int(any(row.status == FAILED for row in rows))
    if as_json:
        return print_json("patches", status, (row.as_dict() for row in rows))
    for row in rows:
        click.echo(_bug(row) if bugs else _patch(row))
    counts = Counter(row.status for row in rows)
    click.echo(f"{len(rows)} rows: " + ", ".join(f"{count} {status}" for status, count in counts.items()))
    return status
