"""How fast the bench is on each transport: ``python -m tb.transports [PAGE...]``.

A guest that makes one access in 20 operations runs freely, then one that leaves for the Python vgic at every
other operation. Wall-clock time; building and starting are not counted. Each page has two marks, between
which the table is put; without a page it is printed.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import click

from hw.config import GicConfig
from sim.bench.free import FreeGuest
from sim.bench.port import BenchPort
from sim.bench.speed import hypercalls, mix
from sim.guest.language import parse_program
from sim.marked_page import read_page
from sim.module_command import run_command
from tb.runner import run_job

__all__ = ["BEGIN", "END", "LOADS", "Load", "Measured", "main", "measure", "table", "transport_job"]

BEGIN, END = "<!-- table: make transports -->", "<!-- end of the transports -->"
#: The guest's own operations for each access.
_OWN = 19


class Load(NamedTuple):
    """What a transport is measured with: turns of the guest's loop, and hypercalls; a few seconds of each."""

    turns: int
    exits: int


LOADS = {
    "bench-compiled": Load(20_000, 10_000),
    "bench-verilator": Load(800, 400),
    "bench-icarus": Load(60, 40),
    "bench-amaranth": Load(6, 4),
    "bench-uart": Load(600, 60),
}


class Measured(NamedTuple):
    """What a transport did.

    Attributes
    ----------
    operations, exits : int
        Guest operations without an exit; exits.
    operations_time, exits_time : float
        What each took, in seconds of wall-clock time.
    """

    operations: int
    operations_time: float
    exits: int
    exits_time: float


async def transport_job(ports: list[BenchPort], turns: int, exits: int) -> Measured:
    """Let a guest on the first port run, then another one leave, and take the time of both."""
    port = ports[0]
    source, done, timed = mix(_OWN)
    await port.reset()
    FreeGuest(parse_program(source, "transports"), port)
    start = time.perf_counter()
    stop = await port.run(turns * timed, entry=1)
    operations_time = time.perf_counter() - start
    assert stop.operations == turns * timed, stop
    start = time.perf_counter()
    made = await hypercalls(port, exits)
    return Measured(turns * done, operations_time, made, time.perf_counter() - start)


def measure(engine: str, load: Load, lrs: int = 4) -> Measured:
    """Return what an engine did with a load.

    Parameters
    ----------
    engine : str
        One of :data:`LOADS`.
    load : Load
        How much to measure.
    lrs : int, 1..16
        List registers.

    Raises
    ------
    InputError
        When the engine is not available.
    """
    arguments = {"turns": load.turns, "exits": load.exits}
    config = GicConfig(lrs=lrs)
    return Measured(*run_job("tb.transports:transport_job", arguments, engine=engine, config=config))


def table(loads: dict[str, Load]) -> str:
    """Measure and return the table."""
    lines = ["| engine | operations a second | exits a second |", "|---|--:|--:|"]
    for engine, load in loads.items():
        found = measure(engine, load)
        operations, exits = found.operations / found.operations_time, found.exits / found.exits_time
        lines.append(f"| `{engine}` | {operations:,.0f} | {exits:,.0f} |")
    return "\n".join(lines)


@click.command()
@click.argument("pages", nargs=-1, type=click.Path(path_type=Path))
def main(pages: tuple[Path, ...]) -> None:
    """Measure every transport, and put the table into PAGES."""
    for page in pages:
        read_page(page, BEGIN, END)
    rows = table(LOADS)
    for page in pages:
        head, _, tail = read_page(page, BEGIN, END)
        page.write_text(f"{head}\n\n{rows}\n\n{tail}")
    if not pages:
        click.echo(rows)


if __name__ == "__main__":
    run_command(main, "tb.transports")
