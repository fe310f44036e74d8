"""``spillway export``: the gateware as Verilog or RTLIL."""

from __future__ import annotations

from pathlib import Path

import click

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from tb.cli.command import Command
from tb.cli.options import build_options, physical_options
from tb.cli.output import busy, check_writable, write_text

__all__ = ["command"]

#: :data:`hw.export.BUSES`, named here because importing it takes long.
BUSES = ("none", "apb", "axi4lite", "wishbone")


@click.command(
    "export",
    cls=Command,
    examples=[
        "spillway export verilog --lrs 16 --pri-bits 7 -o vgic.v",
        "spillway export verilog --gic v2 --bus apb --name gicv -o gicv.v",
        "spillway export rtlil --spis 64 --pes 2 -o gic.il",
    ],
)
@click.argument("language", type=click.Choice(["verilog", "rtlil"]), default="verilog")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Where to write  [default: standard output].")  # fmt: skip
@click.option("--pes", type=int, default=1, show_default=True, metavar="N", help="PEs, 1..8.")
@click.option("--name", default="spillway", show_default=True, help="Name of the top module.")
@click.option("--bus", type=click.Choice(BUSES), default="none", show_default=True,
              help="none: the interface's own port; else a bus for each PE, in front of GICv2's frames or "
              "of a window onto GICv3's system registers.")  # fmt: skip
@physical_options
@build_options
def command(
    language: str,
    output: Path | None,
    pes: int,
    name: str,
    bus: str,
    config: GicConfig | GicV2Config,
    physical: PhysicalConfig | None,
) -> None:
    """Write the virtual CPU interface of a build, or a whole GICv3, as one self-contained module.

    The same parameters give the same text.

    Exit status: 0 done, 2 bad options or the file cannot be written.
    """
    from hw.export import to_rtlil, to_verilog

    if not (name.isascii() and name.isidentifier()):
        raise InputError(f"--name {name!r} is not a plain identifier; use letters, digits and underscores")
    check_writable(output)
    with busy("exporting"):
        text = (to_verilog if language == "verilog" else to_rtlil)(config, pes, name, bus, physical)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_text(output, text)
