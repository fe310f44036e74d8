"""Commands that are run as ``python -m``: bad input is one line, and status 2."""

from __future__ import annotations

import sys

import click

from hw.errors import InputError

__all__ = ["run_command"]


def run_command(command: click.Command, module: str) -> None:
    """Run a command of a module, and end the process with what it returns.

    Parameters
    ----------
    command : click.Command
        What to run, with the arguments of the command line.
    module : str
        What ``python -m`` calls it; it stands before an error.
    """
    try:
        status = command.main(prog_name=f"python -m {module}", standalone_mode=False)
    except click.ClickException as error:
        print(f"{module}: {error.format_message()}", file=sys.stderr)
        sys.exit(2)
    except InputError as error:
        print(f"{module}: {error}", file=sys.stderr)
        sys.exit(2)
    sys.exit(status or 0)
