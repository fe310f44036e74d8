"""``spillway completion``: what a shell needs to complete the command line."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from tb.cli.command import Command

__all__ = ["command"]

_SHELLS = ("bash", "zsh", "fish")


@click.command(
    "completion",
    cls=Command,
    examples=[
        'eval "$(spillway completion bash)"      # in ~/.bashrc; zsh the same in ~/.zshrc',
        "spillway completion fish > ~/.config/fish/completions/spillway.fish",
    ],
)
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> int:
    """Print a script that lets SHELL complete commands, options and their values.

    Exit status: 0 done, 2 another shell.
    """
    completer = get_completion_class(shell)
    assert completer is not None
    root = click.get_current_context().find_root().command
    # source() would run bash to look at its version; the script says itself what it needs.
    instance = completer(root, {}, "spillway", "_SPILLWAY_COMPLETE")
    script = instance.source_template % instance.source_vars()
    if shell == "zsh":
        # The first line is for zsh itself; a ~/.zshrc that never asked for completion has no compdef.
        first, _, rest = script.partition("\n")
        script = f"{first}\n(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit -i }}\n{rest}"
    click.echo(script)
    return 0
