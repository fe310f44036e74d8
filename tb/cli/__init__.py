"""The front door: the ``spillway`` command.

It imports everything and nothing imports it. Each subcommand is a module of this package with a click
command called ``command``; modules are imported only when used, so that ``spillway --help`` is quick.
Exit status: 0 success, 1 the run found differences or failures, 2 bad input or usage.
"""

from __future__ import annotations

import difflib
import errno
import importlib
import os
import sys
from typing import Any

import click
from click.shell_completion import CompletionItem

from hw.errors import InputError
from tb.cli.command import Group

__all__ = ["COMMANDS", "main"]

#: Subcommand name -> (module, one line for the overview).
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("tb.cli.run", "Play scenarios: guests, a hypervisor, and what must be seen."),
    "refine": ("tb.cli.refine", "Compare random guests with what an ideal GIC would show them."),
    "explore": ("tb.cli.explore", "Visit every state of small machines, and find every fault."),
    "parts": ("tb.cli.parts", "Run the same random guests on real parts, and tabulate what they cost."),
    "demo": ("tb.cli.demo", "Tell on the gateware what an overflow does to a guest; leaves waveforms."),
    "replay": ("tb.cli.replay", "Replay recorded register traffic and compare every value."),
    "predict": ("tb.cli.predict", "Predict a recorded kernel's world switches with the vgic model."),
    "patches": ("tb.cli.patches", "List the patches of the overflow series, and test each."),
    "cures": ("tb.cli.cures", "List the cures that make the profile fixed of 7.3."),
    "divergences": ("tb.cli.divergences", "List where other models differ, and test each row."),
    "cost": ("tb.cli.cost", "Measure exits and accesses of 7.3, its cures and fixed."),
    "waves": ("tb.cli.waves", "Make the waveform of a scenario, or show a dump, in words."),
    "report": ("tb.cli.report", "Show scenarios under several hypervisors as one page with a timeline."),
    "plot": ("tb.cli.plot", "Measure and draw what list registers cost, and how late guests see the truth."),
    "export": ("tb.cli.export", "Write the gateware as Verilog or RTLIL."),
    "lint": ("tb.cli.lint", "Export builds and let Verilator check them."),
    "registers": ("tb.cli.registers", "Describe the registers of a build."),
    "params": ("tb.cli.params", "List the parameters of a build."),
    "synth": ("tb.cli.synth", "Place and route a build; report size and frequency."),
    "fpga": ("tb.cli.fpga", "Build bitstreams, program boards, play scenarios on them."),
    "soak": ("tb.cli.soak", "Run gateware and golden in lockstep, at random and for long."),
    "prove": ("tb.cli.prove", "Prove the gateware formally, and that each proof can fail."),
    "mutate": ("tb.cli.mutate", "Make small faults in the gateware, and count what the checks notice."),
    "doctor": ("tb.cli.doctor", "Say what is installed, what is missing, how to get it."),
    "completion": ("tb.cli.completion", "Print what a shell needs to complete the command line."),
}


#: What an output that takes no more is answered with.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class _LazyGroup(Group):
    """A click group that imports a subcommand's module only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        return importlib.import_module(COMMANDS[name][0]).command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f"did you mean {close[0]}?" if close else "`spillway --help` lists them"
            raise click.UsageError(f"no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the names of subcommands without importing them."""
        known = [name for name in COMMANDS if name.startswith(incomplete)]
        names = [CompletionItem(name, help=COMMANDS[name][1]) for name in known]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    examples=[
        "spillway demo                            # what an overflow does to a guest, on the gateware",
        "spillway run sim/scenarios/A08.scenario  # one scenario",
        "spillway export verilog --lrs 4 -o vgic.v",
    ],
)
@click.version_option(package_name="spillway")
def cli() -> None:
    """Run the GIC virtual CPU interface, its models and its benches.

    `spillway COMMAND --help` tells more. Exit status of every command: 0 success, 1 the run found differences
    or failures, 2 bad input or usage, told in one line. With --json a command that reports prints
    {"command", "status", "results", ...} and nothing else.
    """


def main(args: list[str] | None = None) -> None:
    """Run the command line; bad input or usage becomes one line on standard error and exit status 2.

    A subcommand returns its exit status, or None for 0. Where the report is asked for as JSON, an error is
    such a report, too.
    """
    words = sys.argv[1:] if args is None else args
    output = sys.stdout
    try:
        status = cli.main(args=words, prog_name="spillway", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        status = 2
    except click.ClickException as error:
        status = _refuse(words, error.format_message().rstrip(".") + _hint(error))
    except InputError as error:
        status = _refuse(words, str(error))
    except (BrokenPipeError, SystemExit) as error:
        # click answers a broken pipe with another sys.stdout and status 1, which means something else here.
        if isinstance(error, SystemExit) and sys.stdout is output:
            raise
        sys.stdout = output
        # Whoever read our output has seen enough (`| head`): as if SIGPIPE had ended this.
        _discard_output()
        status = 141
    except OSError as error:
        if error.errno not in _FULL:
            raise
        _discard_output()
        place = error.filename or "standard output"
        status = _refuse([], f"{place}: cannot be written: {error.strerror}; make room, or write elsewhere")
    except (click.Abort, KeyboardInterrupt):
        print("spillway: interrupted", file=sys.stderr)
        status = 130
    sys.exit(status or 0)


def _hint(error: click.ClickException) -> str:
    """Return where to look for what was wanted, for a message that does not say so itself."""
    wrong = isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter)
    message = error.format_message().lower()
    if wrong or "did you mean" in message or "--help" in message or not isinstance(error, click.UsageError):
        return ""
    return f"; `{error.ctx.command_path} --help` tells more" if error.ctx else ""


def _discard_output() -> None:
    """Drop what is left to be written: Python would complain once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse(words: list[str], text: str) -> int:
    """Say in one line what is wrong with the input; return the exit status."""
    line = " ".join(text.split())
    print(f"spillway: {line}", file=sys.stderr)
    if "--json" in words:
        from tb.cli.output import print_json

        return print_json(words[0], 2, [], errors=[line])
    return 2
