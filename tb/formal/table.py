"""The table of proofs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from sim.marked_page import read_page
from tb.formal.proof import Outcome, Proof

__all__ = ["BEGIN", "END", "list_proofs", "write_table"]

#: Lines of a page between which the table stands.
BEGIN, END = "<!-- table: spillway prove --table docs/proofs.md -->", "<!-- end of the table -->"

_ROW = re.compile(r"^((?=\| `([\w-]+)`).*)$", re.MULTILINE)


def list_proofs(proofs: Sequence[Proof]) -> str:
    """Return a short text on each proof."""
    lines = []
    for proof in proofs:
        more = [f"rules {proof.rules}", f"{proof.config.lrs} LRs", f"{len(proof.bugs)} seeded bugs"]
        more += [f"assumes {', '.join(proof.uses)}"] if proof.uses else []
        more += [f"{proof.depth} cycles only: {proof.bounded}"] if proof.bounded else []
        more += ["fast"] if proof.fast else []
        lines.append(f"{proof.name}\n  {proof.statement}\n  ({'; '.join(more)})")
    return "\n".join(lines)


def _row(outcome: Outcome) -> str:
    proof, result = outcome.proof, outcome.result
    depth = f"{result.depth} cycles" if proof.bounded else f"{result.depth}"
    method = f"bounded: {proof.bounded}" if proof.bounded else "k-induction"
    if proof.uses:
        method += f", assumes {', '.join(f'`{name}`' for name in proof.uses)}"
    status = "" if outcome.good else f" **{result.status}**"
    bugs = "; ".join(bug.what for bug in proof.bugs)
    return (
        f"| `{proof.name}`{status} | {proof.statement} | {proof.rules} | {method} | {depth} "
        f"| {result.seconds} s | {bugs} |"
    )


def write_table(path: Path, outcomes: Sequence[Outcome], order: Sequence[str]) -> None:
    """Put the rows of finished proofs into a page, between its two marks; rows of others stay.

    Raises
    ------
    InputError
        As :func:`sim.marked_page.read_page`.
    """
    head, between, tail = read_page(path, BEGIN, END)
    rows = {name: row for row, name in _ROW.findall(between)} | {
        outcome.proof.name: _row(outcome) for outcome in outcomes if outcome.bug is None
    }
    names = ("proof", "statement", "rules", "method", "depth", "CPU time", "seeded bugs that it notices")
    header = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    path.write_text("\n".join([head, "", *header, *(rows[name] for name in order if name in rows), "", tail]))
