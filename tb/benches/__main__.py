"""Run a bench by hand: ``python -m tb.benches random_stream --engine icarus --seed 7 --lrs 8``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hw.config import GicConfig
from hw.errors import InputError
from tb.runner import run_bench
from tb.tools import SIMULATORS

BENCHES = sorted(
    path.stem
    for path in Path(__file__).parent.glob("*.py")
    if path.stem not in ("__init__", "__main__", "bench")
)


@click.command()
@click.argument("bench", type=click.Choice(BENCHES))
@click.option("--engine", type=click.Choice(SIMULATORS), default=SIMULATORS[0], show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="cocotb's seed.")
@click.option("--operations", type=int, default=1000, show_default=True, help="Random accesses per PE.")
@click.option("--pes", type=int, default=1, show_default=True, help="PEs in the cluster.")
@click.option("--lrs", type=int, default=4, show_default=True, help="List registers.")
@click.option("--pri-bits", type=int, default=5, show_default=True, help="Priority bits.")
@click.option("--pre-bits", type=int, default=5, show_default=True, help="Preemption bits.")
@click.option("--id-bits", type=int, default=24, show_default=True, help="INTID bits.")
@click.option("--waves", type=click.Path(path_type=Path), help="Wave file to write, .vcd or .fst.")
@click.option("--holes", type=int, default=20, show_default=True, help="Coverage holes to list.")
def main(bench, engine, seed, operations, pes, lrs, pri_bits, pre_bits, id_bits, waves, holes) -> None:
    """Run one cocotb bench and print its functional coverage."""
    config = GicConfig(lrs=lrs, pri_bits=pri_bits, pre_bits=pre_bits, id_bits=id_bits)
    result = run_bench(
        f"tb.benches.{bench}",
        engine=engine,
        config=config,
        pes=pes,
        operations=operations,
        seed=seed,
        waves=waves,
    )
    print(f"{bench} on {engine}: {result.tests} tests passed, seed {seed}")
    print(result.coverage.report(holes))


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        print(f"tb.benches: {error}", file=sys.stderr)
        sys.exit(2)
    except AssertionError as error:
        print(f"tb.benches: {error}", file=sys.stderr)
        sys.exit(1)
