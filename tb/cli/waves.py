"""``spillway waves``: a GTKWave save file for a dump."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from tb.cli.command import Command, json_option
from tb.cli.output import print_json

__all__ = ["command"]


@click.command(
    "waves",
    cls=Command,
    examples=["spillway waves nest.fst", "spillway waves nest.vcd -o nest.gtkw"],
)
@click.argument("dump", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Save file [default: DUMP with .gtkw].")
@json_option
def command(dump: Path, output: Path | None, as_json: bool) -> int:
    """Write a GTKWave save file that shows DUMP, a .vcd or .fst file of any engine, in words.

    List-register states, ICH_HCR_EL2 and ICH_MISR_EL2 bits, register names and outcomes are spelled out;
    the first maintenance interrupt, trap and unmatched deactivation of a VCD file get markers. The words
    are kept in a directory beside the save file.

    Exit status: 0 done, 2 bad input or usage.
    """
    from tb.waves.gtkwave import write_save_file

    save = write_save_file(dump, output)
    if as_json:
        return print_json("waves", 0, [{"dump": str(dump), "save": str(save)}])
    click.echo(f"open with: gtkwave {shlex.quote(str(save))}")
    return 0
