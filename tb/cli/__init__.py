"""The front door: the ``spillway`` command.

It imports everything and nothing imports it. Each subcommand is a module of this package with a click
command called ``command``; modules are imported only when used, so that ``spillway --help`` is quick.
Exit status: 0 success, 1 the run found differences or failures, 2 bad input or usage.
"""

from __future__ import annotations

import importlib
import sys

import click

from hw.errors import InputError

__all__ = ["COMMANDS", "main"]

#: Subcommand name -> (module, one line for the overview).
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("tb.cli.run", "Play scenarios: guests, a hypervisor, and what must be seen."),
    "refine": ("tb.cli.refine", "Compare random guests with what an ideal GIC would show them."),
    "parts": ("tb.cli.parts", "Run the same random guests on real parts, and tabulate what they cost."),
    "demo": ("tb.cli.demo", "Tell on the gateware what an overflow does to a guest; leaves waveforms."),
    "replay": ("tb.cli.replay", "Replay recorded register traffic and compare every value."),
    "predict": ("tb.cli.predict", "Predict a recorded kernel's world switches with the vgic model."),
    "patches": ("tb.cli.patches", "List the patches of the overflow series, and test each."),
    "cures": ("tb.cli.cures", "List the cures that make the profile fixed of 7.3."),
    "divergences": ("tb.cli.divergences", "List where other models differ, and test each row."),
    "cost": ("tb.cli.cost", "Measure exits and accesses of 7.3, its cures and fixed."),
    "waves": ("tb.cli.waves", "Write a GTKWave save file that shows a dump in words."),
    "export": ("tb.cli.export", "Write the gateware as Verilog or RTLIL."),
    "lint": ("tb.cli.lint", "Export builds and let Verilator check them."),
    "registers": ("tb.cli.registers", "Describe the registers of a build."),
    "params": ("tb.cli.params", "List the parameters of a build."),
    "synth": ("tb.cli.synth", "Place and route a build; report size and frequency."),
    "soak": ("tb.soak", "Run gateware and golden in lockstep, at random and for long."),
}


class _LazyGroup(click.Group):
    """A click group that imports a subcommand's module only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        return importlib.import_module(COMMANDS[name][0]).command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="spillway")
def cli() -> None:
    """Run the GIC virtual CPU interface, its models and its benches."""


def main(args: list[str] | None = None) -> None:
    """Run the command line; bad input or usage becomes one line on standard error and exit status 2.

    A subcommand returns its exit status, or None for 0.
    """
    try:
        status = cli.main(args=args, prog_name="spillway", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        status = 2
    except click.ClickException as error:
        print(f"spillway: {error.format_message()}", file=sys.stderr)
        status = 2
    except InputError as error:
        print(f"spillway: {error}", file=sys.stderr)
        status = 2
    except (click.Abort, KeyboardInterrupt):
        print("spillway: interrupted", file=sys.stderr)
        status = 130
    sys.exit(status or 0)
