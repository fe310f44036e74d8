"""``spillway doctor``: what is installed, what is missing, how to get it."""

from __future__ import annotations

from dataclasses import asdict

import click

from tb.cli.command import Command, json_option
from tb.cli.output import busy, print_json

__all__ = ["command"]


@click.command(
    "doctor",
    cls=Command,
    examples=[
        "spillway doctor",
        "spillway doctor --json | jq '.results[] | select(.found == null) | .remedy'",
    ],
)
@json_option
def command(as_json: bool) -> int:
    """Say what is installed, what is missing, and how to get it.

    Exit status: 0 all that `make test` needs is there, 1 something is missing, 2 bad usage.
    """
    from tb.doctor import OPTIONAL, examine, needed

    with busy("looking"):
        findings = examine()
    missing = needed(findings)
    if as_json:
        return print_json("doctor", int(bool(missing)), map(asdict, findings))
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    width = max(len(finding.name) for finding in findings) + 2
    for finding in findings:
        if finding.found is not None:
            word, text = "[green]ok[/]      ", finding.found
        elif finding.needed == OPTIONAL:
            word, text = "[yellow]optional[/]", f"({finding.purpose}): {finding.remedy}"
        else:
            word, text = "[bold red]MISSING[/] ", f"for {finding.needed}: {finding.remedy}"
        console.print(f"{word} {escape(f'{finding.name:<{width}}{text}')}")
    if missing:
        console.print(f"\n{len(missing)} missing that `make test` needs")
    else:
        console.print("\nall that `make test` needs is there")
    return int(bool(missing))
