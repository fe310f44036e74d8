"""``spillway plot``: exits for each interrupt, and priority inversions, measured and drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hw.errors import InputError
from tb.cli.command import Command, Group, json_option
from tb.cli.output import Bar, check_writable, print_json

__all__ = ["command"]

_PROFILES = ("legacy", "6.19", "7.3", "fixed")
_LRS = (2, 4, 8)
_FLIGHTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24)
_LATENCIES = (0, 1, 2, 4, 8, 16)
_PATTERNS = ("nested", "burst")


@click.group(
    "plot",
    cls=Group,
    examples=[
        "spillway plot exits -o exits.svg",
        "spillway plot inversion -o inversion.png --json",
    ],
)
def command() -> None:
    """Measure runs of the machine and draw them, as SVG or PNG.

    Exit status: 0 done, 2 bad input or usage.
    """


def _output(function: Any) -> Any:
    text = "The picture, a .svg or .png file; without it the numbers are printed."
    return click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help=text)(
        function
    )


def _check(output: Path | None) -> None:
    """Refuse what cannot be drawn before anything is measured."""
    from tb.plots.draw import FORMATS

    check_writable(output)
    if output is not None and output.suffix not in FORMATS:
        raise InputError(f"{output}: not a kind of picture that is drawn; name a .svg or .png file")


def _tell(
    name: str, rows: list[dict[str, Any]], output: Path | None, as_json: bool, columns: list[str]
) -> int:
    if as_json:
        return print_json(f"plot {name}", 0, rows, picture=str(output) if output else None)
    if output is not None:
        click.echo(f"{len(rows)} points drawn in {output}")
        return 0
    click.echo("  ".join(f"{column:>10}" for column in columns))
    for row in rows:
        click.echo("  ".join(f"{_cell(row[column]):>10}" for column in columns))
    return 0


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


@command.command(
    "exits",
    cls=Command,
    examples=[
        "spillway plot exits -o exits.svg",
        "spillway plot exits --profile 7.3 --profile xen --lrs 4 --pattern burst",
    ],
)
@_output
@click.option("--profile", "profiles", metavar="NAME", multiple=True, default=_PROFILES, show_default=True,
              help="A hypervisor; may be given several times.")  # fmt: skip
@click.option("--lrs", type=click.IntRange(1, 16), multiple=True, default=_LRS, show_default=True,
              help="A number of list registers; may be given several times.")  # fmt: skip
@click.option("--in-flight", "flights", type=click.IntRange(1, 30), multiple=True, default=_FLIGHTS,
              show_default=True, help="Interrupts in flight; may be given several times.")  # fmt: skip
@click.option("--pattern", "patterns", type=click.Choice(_PATTERNS), multiple=True, default=_PATTERNS,
              show_default=True, help="nested: all active at once; burst: all pending at once.")  # fmt: skip
@json_option
def exits(
    output: Path | None,
    profiles: tuple[str, ...],
    lrs: tuple[int, ...],
    flights: tuple[int, ...],
    patterns: tuple[str, ...],
    as_json: bool,
) -> int:
    """Measure exits for each interrupt against the number of interrupts in flight.

    One guest for each point, on the golden model. Where a guest does not get all its interrupts (a live-lock)
    there is no number, and a cross in the picture. Kicks by devices count, the exit at the end does not.

    Exit status: 0 done, 2 bad input or usage.
    """
    _check(output)
    from tb.plots.draw import draw_exits
    from tb.plots.exits import exits_by_flight

    with Bar() as bar:
        rows = exits_by_flight(profiles, lrs, flights, patterns, listener=bar)
    if output is not None:
        draw_exits(rows, output)
    columns = ["pattern", "profile", "lrs", "in_flight", "delivered", "verdict", "exits_per_interrupt"]
    return _tell("exits", rows, output, as_json, columns)


@command.command(
    "inversion",
    cls=Command,
    examples=[
        "spillway plot inversion -o inversion.svg",
        "spillway plot inversion --profile 7.3 --latency 0 --latency 8 --guests 10 --json",
    ],
)
@_output
@click.option("--profile", "profiles", metavar="NAME", multiple=True, default=_PROFILES, show_default=True,
              help="A kernel; may be given several times.")  # fmt: skip
@click.option("--latency", "latencies", type=click.IntRange(0, 1000), multiple=True, default=_LATENCIES,
              show_default=True, help="Guest operations from a maintenance interrupt to the exit; may be "
              "given several times.")  # fmt: skip
@click.option(
    "--guests", type=click.IntRange(1), default=30, show_default=True, help="Random guests a point."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the first guest.")
@json_option
def inversion(
    output: Path | None,
    profiles: tuple[str, ...],
    latencies: tuple[int, ...],
    guests: int,
    seed: int,
    as_json: bool,
) -> int:
    """Measure how long guests see the wrong order, against the latency of maintenance interrupts.

    Random guests, the same for every point, run beside the ideal GIC on the golden model; an inversion lasts
    while the interrupt lines or HPPIR differ from the ideal's. A run ends at its first real divergence, of
    which old kernels have many: their points stand for fewer operations.

    Exit status: 0 done, 2 bad input or usage.
    """
    _check(output)
    from tb.plots.draw import draw_inversion
    from tb.plots.inversion import inversion_by_latency

    with Bar() as bar:
        rows = inversion_by_latency(profiles, latencies, guests, seed, bar)
    if output is not None:
        draw_inversion(rows, output)
    columns = ["profile", "latency", "operations", "diverged", "mean", "widest", "share"]
    return _tell("inversion", rows, output, as_json, columns)
