"""``spillway divergences``: where other models leave the architecture, and what notices it."""

from __future__ import annotations

from pathlib import Path

import click

from hw.errors import InputError
from sim.directed import run_directed
from sim.divergences import Divergence, load_divergences
from sim.port import run
from tb.cli.output import check_writable, write_json

__all__ = ["command"]


def _row(row: Divergence) -> dict[str, object]:
    """Play a row on the architecture's model and on one that has the bug."""
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


@click.command("divergences")
@click.argument("models", nargs=-1)
@click.option("--json", "json_path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Also write the table to FILE.")  # fmt: skip
def command(models: tuple[str, ...], json_path: Path | None) -> int:
    """Print the divergence table as Markdown; every row's test is run.

    MODELS: only these (QEMU, gem5, Renode, VCML). A test must pass on the architecture's model and fail on
    one that has the bug; the last column is the first value by which it does.

    Exit status: 0 every row is noticed, 1 some are not, 2 bad usage.
    """
    check_writable(json_path)
    table = load_divergences()
    known = {row.model.lower(): row.model for row in table}
    for model in models:
        if model.lower() not in known:
            raise InputError(f"no model {model!r}; known: {', '.join(known.values())}")
    wanted = {model.lower() for model in models} or set(known)
    rows = [_row(row) for row in table if row.model.lower() in wanted]
    click.echo("| row | model | where | breaks | finding | noticed by |\n|---|---|---|---|---|---|")
    for row in rows:
        by = row["by"] if row["noticed"] else "NOTHING"
        rules = ", ".join(row["rules"])
        click.echo(f"| {row['name']} | {row['model']} | {row['where']} | {rules} | {row['finding']} | {by} |")
    if json_path is not None:
        write_json(json_path, rows)
    return int(not all(row["noticed"] for row in rows))
