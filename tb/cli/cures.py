"""``spillway cures``: what makes the profile ``fixed`` of 7.3, cure by cure."""

from __future__ import annotations

from dataclasses import asdict

import click

from hw.errors import InputError
from sim.kvm.cures import CURES, Cure
from tb.cli.command import Command, json_option
from tb.cli.output import print_json

__all__ = ["command"]

_TESTS = "tests/sim/kvm/test_cures.py"
_SCENARIOS = "sim/scenarios"


def _seen(cure: Cure) -> str:
    names = [f"`*{name}*`" for name in cure.evidence.split(", ") if name]
    return f"recordings {', '.join(names)}" if names else "random guests; no recording"


def _overview(cures: list[Cure]) -> str:
    """Return one line for each cure as a table of Markdown."""
    lines = ["| fault | what goes wrong | minimal guest | evidence | cure |", "|---|---|---|---|---|"]
    for cure in cures:
        shown, faults = ", ".join(cure.scenarios), ", ".join(cure.faults)
        lines.append(f"| {faults} | {cure.symptom} | {shown} | {_seen(cure)} | `{cure.switch}` |")
    return "\n".join(lines)


def _section(cure: Cure) -> str:
    """Return one cure as a section of Markdown."""
    shown = ", ".join(f"`{_SCENARIOS}/{name}.scenario`" for name in cure.scenarios)
    functions = ", ".join(f"`{name}`" for name in cure.functions)
    rows = [
        ("fault", cure.symptom),
        ("why", cure.why),
        ("minimal guest", shown),
        ("evidence", _seen(cure)),
        ("functions", functions),
        ("cure", cure.change),
        ("exits", cure.exits),
        ("accesses", cure.accesses),
        ("locking", cure.locking),
        ("does not change", cure.unchanged or "nothing else"),
        (
            "waveforms",
            f"`spillway waves {_SCENARIOS}/{cure.scenarios[0]}.scenario --profile 7.3 --open`, and "
            "the same with `--profile fixed`",
        ),
        (
            "verified by",
            f"`{_TESTS}`, `tests/tb/test_bugs_rtl.py`, `tests/tb/test_cures_rtl.py`, "
            "`spillway refine --profile fixed --strict`",
        ),
    ]
    lines = [f"### {cure.switch}: {', '.join(cure.faults)}", "", "| | |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {text} |" for name, text in rows)])


@click.command(
    "cures",
    cls=Command,
    examples=[
        "spillway cures",
        "spillway cures 22.4 22.8",
        "spillway cures --json | jq '.results[].switch'",
    ],
)
@click.argument("switches", nargs=-1)
@json_option
def command(switches: tuple[str, ...], as_json: bool) -> int:
    """Print the cures: fault, minimal guest, evidence on real kernels, cure, cost, verification, as Markdown.

    A table of all of them goes first.

    SWITCHES: only these; a fault such as 22.4 stands for its cure.

    Exit status: 0 done, 2 bad usage.
    """
    chosen = [cure for cure in CURES if not switches or {cure.switch, *cure.faults} & set(switches)]
    known = {name for cure in CURES for name in (cure.switch, *cure.faults)}
    for name in switches:
        if name not in known:
            raise InputError(f"no cure {name!r}; `spillway cures` lists them")
    if as_json:
        return print_json("cures", 0, map(asdict, chosen))
    overview = [_overview(chosen)] if len(chosen) > 1 else []
    click.echo("\n\n".join([*overview, *map(_section, chosen)]))
    return 0
