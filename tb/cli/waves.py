"""``spillway waves``: a GTKWave save file for a dump."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

__all__ = ["command"]


@click.command("waves")
@click.argument("dump", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Save file [default: DUMP with .gtkw].")
def command(dump: Path, output: Path | None) -> None:
    """Write a GTKWave save file that shows DUMP, a .vcd or .fst file of any engine, in words.

    List-register states, ICH_HCR_EL2 and ICH_MISR_EL2 bits, register names and outcomes are spelled out;
    the first maintenance interrupt, trap and unmatched deactivation of a VCD file get markers. The words
    are kept in a directory beside the save file.
    """
    from tb.waves.gtkwave import write_save_file

    save = write_save_file(dump, output)
    click.echo(f"open with: gtkwave {shlex.quote(str(save))}")
