"""``spillway params``: the parameters of a build."""

from __future__ import annotations

import click

from tb.parameters import parameters_markdown

__all__ = ["command"]


@click.command("params")
@click.option("--markdown", is_flag=True, help="Plain Markdown: the README's table.")
def command(markdown: bool) -> None:
    """List the parameters of a virtual CPU interface, their legal values and defaults."""
    if markdown:
        click.echo(parameters_markdown(), nl=False)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(parameters_markdown()))
