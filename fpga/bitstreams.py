"""The boards' bitstreams, one after the other: ``python -m fpga.bitstreams [--page PAGE]... BOARD...``.

Each board gets the build that :mod:`fpga.boards` ships for it. A page has two marks, between which the boards
stand in a table; the rows of boards that are not built now are left as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from fpga.boards import BOARDS, Board, board_named
from fpga.build import Built, build_board, default_directory
from hw.config import GicConfig
from hw.errors import InputError
from sim.marked_page import read_page
from sim.module_command import run_command

__all__ = ["BEGIN", "END", "main", "row", "table"]

BEGIN, END = "<!-- table: make bitstreams -->", "<!-- end of the bitstreams -->"
_HEAD = (
    "| board | part | list registers | guest engine | logic cells | clock | possible |",
    "|---|---|--:|---|--:|--:|--:|",
)
_BAUD = 1_000_000
#: What nextpnr calls a logic cell.
_CELLS = ("TRELLIS_COMB", "ICESTORM_LC")


def row(board: Board, built: Built) -> str:
    """Return a board's row: what it has, and what place and route found."""
    used, there = next(built.used[cell] for cell in _CELLS if cell in built.used)
    cells = (
        f"`{board.name}`", board.part, built.lrs, "yes" if board.engine else "no", f"{used} of {there}",
        f"{built.frequency:.4g} MHz", f"{built.fmax:.1f} MHz",
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def table(old: str, rows: dict[str, str]) -> str:
    """Return the table with new rows, by the names of their boards, in the boards' order.

    Parameters
    ----------
    old : str
        The table as it was; empty if there was none.
    rows : dict
        New rows.
    """
    kept = {line.split("`")[1]: line for line in old.splitlines() if line.startswith("| `")}
    whole = kept | rows
    return "\n".join((*_HEAD, *(whole[name] for name in BOARDS if name in whole)))


def _build(names: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return the rows of boards, and the names of those that are too slow for their clock."""
    rows, slow = {}, []
    for name in names:
        board = BOARDS[name]
        built = build_board(board, GicConfig(lrs=board.lrs), board.frequency, _BAUD, default_directory(board))
        assert built is not None, name
        rows[name] = row(board, built)
        click.echo(rows[name])
        if not built.met:
            slow.append(name)
    return rows, slow


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="BOARD...")
@click.option("--page", "pages", multiple=True, type=click.Path(path_type=Path), help="Put the table there.")
def main(names: tuple[str, ...], pages: tuple[Path, ...]) -> int:
    """Build the boards' bitstreams; one that is too slow for its clock is an error, with status 1."""
    for name in names:
        if board_named(name).bitstream is None:
            raise InputError(f"{name}: no open tool makes its bitstream, see spillway fpga build")
    parts = {page: read_page(page, BEGIN, END) for page in pages}
    rows, slow = _build(names)
    for page, (head, old, tail) in parts.items():
        page.write_text(f"{head}\n\n{table(old, rows)}\n\n{tail}")
    for name in slow:
        click.echo(f"fpga.bitstreams: {name} is too slow for its clock; there is no bitstream", err=True)
    return int(bool(slow))


if __name__ == "__main__":
    run_command(main, "fpga.bitstreams")
