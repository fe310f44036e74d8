"""``spillway mutate``: how many small faults of the gateware the checks notice."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hw.errors import InputError
from tb.cli.command import Command, json_option
from tb.cli.output import Bar, print_json, write_text
from tb.formal.solvers import check_tools

if TYPE_CHECKING:
    from tb.mutation.run import Verdict

__all__ = ["command"]


def _report(verdict: Verdict) -> dict[str, Any]:
    mutant, equivalence = verdict.mutant, verdict.equivalence
    return {
        "number": mutant.number, "block": mutant.block, "mutant": mutant.text,
        "sources": list(mutant.sources), "noticed": verdict.noticed, "survives": verdict.survives,
        "equivalent": equivalence.what if equivalence else "",
        "failed": equivalence.failed if equivalence else "",
    }  # fmt: skip


@click.command(
    "mutate",
    cls=Command,
    examples=[
        "spillway mutate --count 100",
        "spillway mutate --count 1000 --seed 2 --table docs/mutation-rtl.md",
        "spillway mutate --count 50 --no-proofs --json | jq '.results[] | select(.survives)'",
    ],
)
@click.option(
    "--count", type=click.IntRange(1, 100_000), default=300, show_default=True, help="Mutants in the sample."
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of sample and stimulus.")
@click.option(
    "--operations",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    help="Random accesses in lockstep with golden.",
)
@click.option(
    "--cycles",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    help="Cycles of the stream that is made of what is left.",
)
@click.option("--no-proofs", is_flag=True, help="Do not ask whether survivors are equivalent.")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Processes; default: one a core.")
@click.option(
    "--table",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Put the tables into FILE, such as docs/mutation-rtl.md.",
)
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep each answer in FILE as it comes; the same campaign goes on from there.",
)
@json_option
def command(
    count: int, seed: int, operations: int, cycles: int, no_proofs: bool, jobs: int | None,
    table: Path | None, record: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Make small faults in the gateware, one at a time, and count those that the checks notice.

    All mutants are in one netlist, which is compiled once: a minute for each thousand. Each goes through the
    directed tests, lockstep and, if those miss it, a stream under the monitor; what is left, to a solver.

    Exit status: 0 every mutant was noticed or is equivalent, 1 some survive, 2 bad usage or a missing tool.
    """
    from sim.marked_page import read_page
    from tb.mutation.run import Campaign, score, survey
    from tb.mutation.table import BEGIN, END, tables

    check_tools("bitwuzla")
    page = read_page(table, BEGIN, END) if table is not None else None
    campaign = Campaign(count, seed, operations, cycles, jobs or os.cpu_count() or 1, not no_proofs)
    try:
        with Bar() as bar:
            verdicts = survey(campaign, bar, record)
    except RuntimeError as error:
        raise InputError(f"the tools failed: {' '.join(str(error).split())[-300:]}") from None
    if table is not None and page is not None:
        write_text(table, f"{page[0]}\n\n{tables(campaign, verdicts)}\n\n{page[2]}")
    noticed, of = score(verdicts)
    status = int(noticed < of)
    if as_json:
        return print_json("mutate", status, map(_report, verdicts), seed=seed, noticed=noticed, of=of)
    for verdict in verdicts:
        if verdict.survives:
            mutant = verdict.mutant
            click.echo(
                f"survives: {mutant.number}: {mutant.text} ({', '.join(mutant.sources) or mutant.block})"
            )
    equal = len(verdicts) - of
    click.echo(
        f"{noticed} of {of} noticed, {100 * noticed / max(of, 1):.1f} %; {equal} more are equivalent;"
        f" seed {seed}"
    )
    return status
