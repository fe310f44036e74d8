"""``spillway registers``: the register documentation."""

from __future__ import annotations

import click

from hw.config import GicConfig
from hw.mmio_map import find_register
from hw.registers import REGISTERS
from tb.cli.options import config_options
from tb.register_pages import mapped_registers, register_index, register_page

__all__ = ["command"]


@click.command("registers")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--markdown", is_flag=True, help="Plain Markdown, all pages when no NAME is given.")
@config_options
def command(names: tuple[str, ...], markdown: bool, config: GicConfig) -> None:
    """Describe the registers of a build: encoding or offset, access, reset, traps and fields.

    Without NAME an overview is printed; NAME is an architectural name such as ICH_HCR_EL2 or GICH_HCR.
    """
    pages = [register_page(find_register(name.upper()), config) for name in names]
    if not names:
        pages = [register_index(config)]
        if markdown:
            pages += [register_page(register, config) for register in (*REGISTERS, *mapped_registers(config))]
    text = "\n".join(pages)
    if markdown:
        click.echo(text, nl=False)
        return
    # rich draws the same Markdown as tables that fit the terminal.
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))
