"""``spillway prove``: formal proofs of the gateware."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hw.errors import InputError
from tb.cli.command import Command, json_option
from tb.cli.output import Bar, print_json
from tb.formal.solvers import SOLVERS, check_tools

if TYPE_CHECKING:
    from tb.formal.bugs import Bug
    from tb.formal.proof import Outcome, Proof

__all__ = ["command"]


def _run(jobs: list[tuple[Proof, Bug | None]], workers: int, solver: str, timeout: int) -> Iterator[Outcome]:
    """Run proofs side by side; yield each as it ends."""
    from tb.formal.proof import prove

    with Bar() as bar, ThreadPoolExecutor(workers) as pool:
        waiting = [pool.submit(prove, proof, bug, solver, timeout) for proof, bug in jobs]
        try:
            for done, future in enumerate(as_completed(waiting)):
                bar("proving", done, len(waiting))
                yield future.result()
        except RuntimeError as error:
            raise InputError(f"the proof tools failed: {' '.join(str(error).split())[-300:]}") from None
        finally:
            pool.shutdown(cancel_futures=True)


def _line(outcome: Outcome) -> str:
    proof, bug, result = outcome.proof, outcome.bug, outcome.result
    if bug is None:
        what = f"{proof.name}: {result.status}"
        detail = f"depth {result.depth}" if outcome.good else result.failed
    else:
        what = f"{proof.name}: {'noticed' if outcome.good else 'NOT NOTICED'}: {bug.what}"
        detail = result.failed
    return f"{what} ({result.seconds} s CPU)" + (f": {detail}" if detail else "")


def _report(outcome: Outcome) -> dict[str, Any]:
    proof, result = outcome.proof, outcome.result
    return {
        "name": proof.name, "bug": outcome.bug.what if outcome.bug else None, "good": outcome.good,
        "status": result.status, "cpu_seconds": result.seconds, "depth": result.depth,
        "method": proof.method, "failed": result.failed,
    }  # fmt: skip


def _described(proof: Proof) -> dict[str, Any]:
    return {
        "name": proof.name, "statement": proof.statement, "rules": proof.rules, "method": proof.method,
        "uses": list(proof.uses), "bounded": proof.bounded, "fast": proof.fast,
        "bugs": [bug.what for bug in proof.bugs],
    }  # fmt: skip


@click.command(
    "prove",
    cls=Command,
    examples=[
        "spillway prove --list",
        "spillway prove --fast",
        "spillway prove completion conservation --seeded --keep build/formal",
        "spillway prove --json | jq '.results[] | select(.good | not)'",
    ],
)
@click.argument("names", nargs=-1)
@click.option("--list", "only_list", is_flag=True, help="List the proofs and run none.")
@click.option("--fast", is_flag=True, help="Only the fast subset, under a minute.")
@click.option("--seeded", is_flag=True, help="Show that each proof fails on its seeded bugs, instead.")
@click.option(
    "--solver",
    type=click.Choice(list(SOLVERS)),
    default="bitwuzla",
    show_default=True,
    help="z3 and yices (GPL) are not installed by default.",
)
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Proofs side by side; default: one a core.")
@click.option(
    "--timeout",
    type=click.IntRange(1),
    default=900,
    show_default=True,
    metavar="SECONDS",
    help="Give up a proof after this time.",
)
@click.option(
    "--keep",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Write a file for each counter-example of the interface, which the simulators can replay.",
)
@click.option(
    "--table",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Put the rows of these proofs into the table of FILE, such as docs/proofs.md.",
)
@json_option
def command(
    names: tuple[str, ...], only_list: bool, fast: bool, seeded: bool, solver: str, jobs: int | None,
    timeout: int, folder: Path | None, table: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Prove the gateware, or NAMES of the proofs, with Yosys, SBY and an SMT solver.

    Most proofs hold for ever (k-induction); the table says which do not, and why. The first call of Yosys
    on a machine takes a minute more.

    Exit status: 0 all proven (with --seeded: all bugs noticed), 1 not, 2 bad usage or a missing tool.
    """
    from sim.marked_page import read_page
    from tb.formal.proofs import PROOFS, chosen
    from tb.formal.table import BEGIN, END, list_proofs, write_table
    from tb.formal.witness import keep

    if table is not None:
        read_page(table, BEGIN, END)
    proofs = chosen(names, fast)
    if only_list:
        if as_json:
            return print_json("prove", 0, map(_described, proofs))
        click.echo(list_proofs(proofs))
        return 0
    check_tools(solver)
    jobs_to_do = [(proof, bug) for proof in proofs for bug in (proof.bugs if seeded else (None,))]
    start, outcomes = time.monotonic(), []
    for outcome in _run(jobs_to_do, jobs or os.cpu_count() or 1, solver, timeout):
        outcomes.append(outcome)
        if not as_json:
            click.echo(_line(outcome))
        if folder is not None and outcome.result.trace is not None:
            keep(folder, outcome)
    order = {id(bug or proof): n for n, (proof, bug) in enumerate(jobs_to_do)}
    outcomes.sort(key=lambda one: order[id(one.bug or one.proof)])
    if table is not None:
        write_table(table, outcomes, [proof.name for proof in PROOFS])
    good = sum(outcome.good for outcome in outcomes)
    status = int(good < len(outcomes))
    if as_json:
        return print_json("prove", status, map(_report, outcomes), seeded=seeded, solver=solver)
    what = "seeded bugs noticed" if seeded else "proven"
    click.echo(f"{good} of {len(outcomes)} {what}; {time.monotonic() - start:.0f} s")
    return status
