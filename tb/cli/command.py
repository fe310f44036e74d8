"""What a subcommand is: a click command with examples, and an option that makes its report JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from tb.cli.complete import know_values

__all__ = ["Command", "Group", "json_option"]


class _WithExamples:
    """A command whose help ends with examples.

    Parameters
    ----------
    examples : sequence of str
        Whole command lines, ``spillway replay tests/data/traces``; what follows a ``#`` is a remark.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        know_values(self)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, not wrapped: they are there to be copied."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
        super().format_epilog(ctx, formatter)


class Command(_WithExamples, click.Command):
    """A subcommand."""


class Group(_WithExamples, click.Group):
    """The command that has subcommands."""


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--json`` and pass it on as ``as_json``.

    With it, standard output holds one object and nothing else: what :func:`tb.cli.output.print_json`
    writes, or, for bad input, what the front door does.
    """
    return click.option(
        "--json", "as_json", is_flag=True, help="Print the report as JSON, and nothing else."
    )(function)
