"""The results of a campaign as tables of a page, by block, and what survived."""

from __future__ import annotations

from collections.abc import Sequence

from tb.mutation.checks import CHECKS
from tb.mutation.equivalence import CONTRACT, SAME
from tb.mutation.run import Campaign, Verdict, score

__all__ = ["BEGIN", "END", "tables"]

#: Lines of a page between which the tables stand.
BEGIN, END = "<!-- tables: spillway mutate --table docs/mutation-rtl.md -->", "<!-- end of the tables -->"


def _percent(verdicts: Sequence[Verdict]) -> str:
    noticed, of = score(verdicts)
    return f"{100 * noticed / of:.1f} %" if of else "-"


def _row(name: str, verdicts: Sequence[Verdict]) -> str:
    checks = [sum(check in verdict.noticed for verdict in verdicts) for check in CHECKS[:2]]
    late = [sum(list(verdict.noticed) == [check] for verdict in verdicts) for check in CHECKS[2:]]
    equal = [
        sum(verdict.equivalence is not None and verdict.equivalence.what == what for verdict in verdicts)
        for what in (SAME, CONTRACT)
    ]
    noticed, of = score(verdicts)
    cells = [name, len(verdicts), noticed, *checks, *late, *equal, of - noticed, _percent(verdicts)]
    return f"| {' | '.join(map(str, cells))} |"


def tables(campaign: Campaign, verdicts: Sequence[Verdict]) -> str:
    """Return the tables as Markdown."""
    blocks = sorted({verdict.mutant.block for verdict in verdicts})
    names = ("block", "mutants", "noticed", "by directed", "by random", "by sweep only", "by stream only",
             "equivalent: same", "equivalent: contract", "survive", "score")  # fmt: skip
    lines = [
        f"{len(verdicts)} mutants, {campaign.config.lrs} list registers, seed {campaign.seed}.",
        f"For each {campaign.operations} random operations and {campaign.cycles} cycles of the stream.",
        "",
        f"| {' | '.join(names)} |",
        "|---" * len(names) + "|",
    ]
    lines += [_row(f"`{block}`", [v for v in verdicts if v.mutant.block == block]) for block in blocks]
    lines += [_row("**all**", verdicts), ""]
    survivors = [verdict for verdict in verdicts if verdict.survives]
    if survivors:
        lines += ["| survivor | line | what a proof says |", "|---|---|---|"]
        lines += [_survivor(verdict) for verdict in survivors]
    return "\n".join(lines).rstrip()


def _survivor(verdict: Verdict) -> str:
    where = ", ".join(f"`{source}`" for source in verdict.mutant.sources) or "-"
    said = verdict.equivalence.failed if verdict.equivalence else "not asked"
    return f"| {verdict.mutant.number}: `{verdict.mutant.text}` | {where} | {said} |"
