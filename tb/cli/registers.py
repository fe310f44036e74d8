"""``spillway registers``: the register documentation."""

from __future__ import annotations

import click

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from tb.cli.command import Command, json_option
from tb.cli.options import build_options
from tb.cli.output import print_json

__all__ = ["command"]


@click.command(
    "registers",
    cls=Command,
    examples=[
        "spillway registers",
        "spillway registers ICH_HCR_EL2 ICH_LR0_EL2 --pri-bits 7",
        "spillway registers --markdown > registers.md",
        "spillway registers GICH_HCR --json | jq '.results[].fields[].name'",
    ],
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--markdown", is_flag=True, help="Plain Markdown, all pages when no NAME is given.")
@json_option
@build_options
def command(names: tuple[str, ...], markdown: bool, as_json: bool, config: GicConfig | GicV2Config) -> int:
    """Describe the registers of a build: encoding or offset, access, reset, traps and fields.

    Without NAME an overview is printed; NAME is an architectural name such as ICH_HCR_EL2 or GICH_HCR.
    A page names the address of the register behind a bus of `spillway export`, too.

    Exit status: 0 done, 2 no such register, or bad options.
    """
    from hw.mmio_map import find_register
    from hw.registers import REGISTERS
    from tb.register_data import register_data
    from tb.register_pages import index_tables, mapped_registers, register_index, register_page

    chosen = [find_register(name.upper()) for name in names]
    system = REGISTERS if isinstance(config, GicConfig) else ()
    everything = (*system, *mapped_registers(config))
    if as_json:
        described = chosen or everything
        return print_json("registers", 0, (register_data(register, config) for register in described))
    pages = [register_page(register, config) for register in chosen]
    if not names:
        pages = [register_index(config)]
        if markdown:
            pages += [register_page(register, config) for register in everything]
    text = "\n".join(pages)
    if markdown:
        click.echo(text, nl=False)
        return 0
    # rich draws the same as tables that fit the terminal.
    from rich.console import Console
    from rich.markdown import Markdown

    if names:
        Console().print(Markdown(text))
    else:
        _overview(index_tables(config))
    return 0


def _overview(tables: list[tuple[tuple[str, ...], list[tuple[str, ...]]]]) -> None:
    """Print the tables of the overview: names and numbers stay whole."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    for head, rows in tables:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        for title in head:
            table.add_column(title, no_wrap=title not in ("EL1 trap", "meaning"))
        for row in rows:
            table.add_row(*row)
        Console(highlight=False, markup=False).print(table)
