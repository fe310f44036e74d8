"""Size and frequency of the core: ``python -m fpga.numbers [PAGE...]``.

The core alone, for 2, 4, 8 and 16 list registers, GICv3 and GICv2, is placed and routed for each family of
FPGAs. Each page has two marks, between which the table is put; without a page it is printed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from fpga.synthesis import Measurement, measure, measure_up5k
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from sim.marked_page import read_page
from sim.module_command import run_command

__all__ = ["BEGIN", "END", "main", "table", "write"]

BEGIN, END = "<!-- table: make numbers -->", "<!-- end of the table -->"
_LRS = (2, 4, 8, 16)
_CONFIGS = {"GICv3": GicConfig, "GICv2": GicV2Config}
_Place = Callable[[GicConfig | GicV2Config], Measurement | None]
_FAMILIES: dict[str, _Place] = {
    "ECP5, grade 6": measure,
    "iCE40UP5K": measure_up5k,
}


def _row(family: str, kind: str, lrs: int, found: Measurement | None) -> str:
    cells = [family, kind, f"{lrs}"]
    cells += (
        ["does not fit", "", ""] if found is None else [f"{found.comb}", f"{found.ff}", f"{found.fmax:.1f}"]
    )
    return f"| {' | '.join(cells)} |"


def table(families: dict[str, _Place] | None = None, sizes: Sequence[int] = _LRS) -> str:
    """Measure and return the table; each row is reported on standard error as it is there.

    Parameters
    ----------
    families : dict or None
        What places and routes a configuration, by the name of its FPGAs; None: all there are.
    sizes : sequence of int
        Numbers of list registers.
    """
    lines = ["| family | | list registers | logic cells | flip-flops | MHz |", "|---|---|--:|--:|--:|--:|"]
    for family, place in (families or _FAMILIES).items():
        for kind, config in _CONFIGS.items():
            for lrs in sizes:
                lines.append(_row(family, kind, lrs, place(config(lrs=lrs))))
                click.echo(lines[-1], err=True)
    return "\n".join(lines)


def write(pages: list[Path], rows: str) -> None:
    """Put a table between the marks of pages."""
    for page in pages:
        head, _, tail = read_page(page, BEGIN, END)
        page.write_text(f"{head}\n\n{rows}\n\n{tail}")


@click.command()
@click.argument("pages", nargs=-1, type=click.Path(path_type=Path))
def main(pages: tuple[Path, ...]) -> None:
    """Place and route every size of the core, and put the table into PAGES."""
    for page in pages:
        read_page(page, BEGIN, END)  # before an hour is spent
    rows = table()
    write(list(pages), rows)
    if not pages:
        click.echo(rows)


if __name__ == "__main__":
    run_command(main, "fpga.numbers")
