"""``spillway soak``: gateware in lockstep with the golden model, at random and for long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tb.cli.command import Command, json_option
from tb.cli.output import Bar, print_json
from tb.engines import ENGINES

if TYPE_CHECKING:
    from tb.soak import Result

__all__ = ["command"]


@click.command(
    "soak",
    cls=Command,
    examples=[
        "spillway soak --operations 100000",
        "spillway soak --gic v2 --seed 7",
        "spillway soak --gic system --operations 10000 --engine icarus --json",
    ],
)
@click.option("--operations", type=click.IntRange(1), default=1_000_000, show_default=True, help="In total.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True,
              help="Same seed, same operations.")  # fmt: skip
@click.option("--engine", type=click.Choice(ENGINES), default="verilator", show_default=True,
              help="What executes the hardware.")  # fmt: skip
@click.option("--gic", type=click.Choice(["v3", "v2", "system", "system-v2"]), default="v3",
              show_default=True,
              help="v3, v2: the virtual interface; system, system-v2: with its physical side.")  # fmt: skip
@click.option("--holes", type=click.IntRange(0), default=20, show_default=True,
              help="Coverage holes to list (GICv3).")  # fmt: skip
@json_option
def command(operations: int, seed: int, engine: str, gic: str, holes: int, as_json: bool) -> int:
    """Run random accesses on the RTL in lockstep with golden, over many configurations.

    One line for each configuration, then the functional coverage of all of them together.

    Exit status: 0 no difference, 1 a difference, 2 bad options.
    """
    from tb.coverage import Coverage
    from tb.soak import CONFIGURATIONS, builds_of, name_of, soak

    coverage = Coverage(CONFIGURATIONS[0])

    def show(result: Result) -> None:
        coverage.merge(result.coverage)
        if not as_json:
            verdict = "DIFFERS" if result.difference else "equal"
            rate = result.operations / result.seconds
            click.echo(
                f"{name_of(result.config):52} seed {result.seed}: {result.operations} operations {verdict}"
                f" ({rate:,.0f}/s with the build)"
            )

    with Bar() as bar:
        results = soak(
            operations,
            seed,
            engine,
            builds_of(gic),
            progress=lambda count: bar("soak", count, operations),
            done=show,
        )
    failed = [result for result in results if result.difference]
    status = int(bool(failed))
    if as_json:
        rows = [
            {
                "build": name_of(result.config),
                "seed": result.seed,
                "operations": result.operations,
                "difference": result.difference["report"] if result.difference else None,
            }
            for result in results
        ]
        text = coverage.report(holes).splitlines() if gic == "v3" else []
        return print_json("soak", status, rows, seed=seed, engine=engine, gic=gic, coverage=text)
    for result in failed:
        click.echo(result.difference["report"])
    if gic == "v3":
        click.echo(coverage.report(holes))
    total = sum(result.operations for result in results)
    click.echo(
        f"seed {seed}: {total:,} operations on {engine} over {len(results)} configurations,"
        f" {len(failed)} with a difference"
    )
    return status
