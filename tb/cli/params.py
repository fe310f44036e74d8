"""``spillway params``: the parameters of a build."""

from __future__ import annotations

import click

from tb.cli.command import Command, json_option
from tb.cli.output import print_json
from tb.parameters import BUILDS, build_parameters, parameters_markdown

__all__ = ["command"]


@click.command(
    "params",
    cls=Command,
    examples=["spillway params", "spillway params --json | jq '.results[] | {build, name, values}'"],
)
@click.option("--markdown", is_flag=True, help="Plain Markdown.")
@json_option
def command(markdown: bool, as_json: bool) -> int:
    """List the parameters of what can be built, their legal values and defaults.

    As options of a command their words are joined by dashes: pri_bits is --pri-bits; yes and no are
    --tds and --no-tds.

    Exit status: 0 done, 2 bad usage.
    """
    if as_json:
        rows = ({"build": name} | row._asdict() for name in BUILDS for row in build_parameters(name))
        return print_json("params", 0, rows)
    if markdown:
        click.echo(parameters_markdown(), nl=False)
        return 0
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(parameters_markdown()))
    return 0
