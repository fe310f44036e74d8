"""Every scenario on the bench: ``python -m tb.bench_scenarios [ENGINE...]``.

Each engine named (by default the bench compiled, on Verilator and behind a serial line) plays the whole
collection, or the files given with ``--file``, under every profile; every result, with each event of it, must
be golden's.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from hw.errors import InputError
from sim.module_command import run_command
from sim.scenario.result import Result
from tb.engines import ENGINES
from tb.scenarios import play_scenarios

__all__ = ["compare", "main"]

_COLLECTION = Path(__file__).parents[1] / "sim" / "scenarios"
_DEFAULT = ("bench-compiled", "bench-verilator", "bench-uart")


def compare(golden: Sequence[Result], found: Sequence[Result]) -> list[str]:
    """Return a line for each result that is not golden's."""
    lines = []
    for expected, one in zip(golden, found, strict=True):
        theirs, ours = expected.as_dict(), one.as_dict()
        if theirs != ours:
            names = ", ".join(name for name in theirs if theirs[name] != ours[name])
            lines.append(f"{one.file}:{one.line} under {one.profile}: another {names} than golden's")
    return lines


@click.command()
@click.argument("engines", nargs=-1)
@click.option("--file", "files", multiple=True, type=click.Path(path_type=Path), help="Only this scenario.")
def main(engines: tuple[str, ...], files: tuple[Path, ...]) -> None:
    """Play every scenario on the engines named and compare the results with golden's."""
    engines = engines or _DEFAULT
    for engine in engines:
        if engine not in ENGINES:
            raise InputError(f"unknown engine {engine!r}; one of {', '.join(ENGINES)}")
    paths = list(files) or sorted(_COLLECTION.glob("*.scenario"))
    golden = play_scenarios(paths)
    differ = 0
    for engine in engines:
        start = time.monotonic()
        lines = compare(golden, play_scenarios(paths, engine))
        for line in lines:
            click.echo(line)
        differ += len(lines)
        took = time.monotonic() - start
        counts = f"{len(golden)} results of {len(paths)} files, {len(lines)} differ"
        click.echo(f"{engine}: {counts}, {took:.0f} s")
    if differ:
        sys.exit(1)


if __name__ == "__main__":
    run_command(main, "tb.bench_scenarios")
