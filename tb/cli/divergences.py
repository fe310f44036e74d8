"""``spillway divergences``: where other models leave the architecture, and what notices it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hw.errors import InputError
from tb.cli.command import Command, json_option
from tb.cli.output import Bar, print_json

if TYPE_CHECKING:
    from sim.divergences import Divergence

__all__ = ["command"]


def _row(row: Divergence) -> dict[str, Any]:
    """Play a row on the architecture's model and on one that has the bug."""
    from sim.directed import run_directed
    from sim.port import run

    strict = run(run_directed(row.strict(), row.test))
    deviating = run(run_directed(row.deviating(), row.test))
    return {
        "name": row.name,
        "model": row.model,
        "where": row.where,
        "rules": list(row.test.rules),
        "finding": row.finding,
        "switch": row.switch,
        "noticed": not strict and bool(deviating),
        "by": str(deviating[0]) if deviating else "",
    }


@click.command(
    "divergences",
    cls=Command,
    examples=[
        "spillway divergences",
        "spillway divergences qemu gem5",
        "spillway divergences --json",
    ],
)
@click.argument("models", nargs=-1)
@json_option
def command(models: tuple[str, ...], as_json: bool) -> int:
    """Print the divergence table as Markdown; every row's test is run.

    MODELS: only these (QEMU, gem5, Renode, VCML). A test must pass on the architecture's model and fail on
    one that has the bug; the last column is the first value by which it does.

    Exit status: 0 every row is noticed, 1 some are not, 2 bad usage.
    """
    from sim.divergences import load_divergences

    table = load_divergences()
    known = {row.model.lower(): row.model for row in table}
    for model in models:
        if model.lower() not in known:
            raise InputError(f"no model {model!r}; known: {', '.join(known.values())}")
    wanted = {model.lower() for model in models} or set(known)
    chosen = [row for row in table if row.model.lower() in wanted]
    rows = []
    with Bar() as bar:
        for done, row in enumerate(chosen):
            bar("testing rows", done, len(chosen))
            rows.append(_row(row))
    status = int(not all(row["noticed"] for row in rows))
    if as_json:
        return print_json("divergences", status, rows)
    click.echo("| row | model | where | breaks | finding | noticed by |\n|---|---|---|---|---|---|")
    for row in rows:
        by = row["by"] if row["noticed"] else "NOTHING"
        rules = ", ".join(row["rules"])
        click.echo(f"| {row['name']} | {row['model']} | {row['where']} | {rules} | {row['finding']} | {by} |")
    return status
