"""The results of a campaign as tables of a page, by block, and what survived."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hw.errors import InputError
from tb.mutation.checks import CHECKS
from tb.mutation.equivalence import CONTRACT, SAME
from tb.mutation.run import Campaign, Verdict, score

__all__ = ["BEGIN", "END", "page_parts", "tables"]

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


def page_parts(path: Path) -> tuple[str, str]:
    """Return what stands before and after the tables of a page, the marks included.

    Raises
    ------
    InputError
        When the page is not there or lacks the marks.
    """
    try:
        text = path.read_text()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise InputError(f"{path}: the lines {BEGIN!r} and {END!r} have to stand there once each")
    return text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
