"""``spillway params``: the parameters of a build."""

from __future__ import annotations

import click

from tb.cli.command import Command, json_option
from tb.cli.output import print_json
from tb.parameters import parameters, parameters_markdown

__all__ = ["command"]


@click.command(
    "params",
    cls=Command,
    examples=["spillway params", "spillway params --json | jq '.results[] | {name, values}'"],
)
@click.option("--markdown", is_flag=True, help="Plain Markdown: the README's table.")
@json_option
def command(markdown: bool, as_json: bool) -> int:
    """List the parameters of a virtual CPU interface, their legal values and defaults.

    Exit status: 0 done, 2 bad usage.
    """
    if as_json:
        return print_json("params", 0, (parameter._asdict() for parameter in parameters()))
    if markdown:
        click.echo(parameters_markdown(), nl=False)
        return 0
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(parameters_markdown()))
    return 0
