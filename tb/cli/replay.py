"""``spillway replay``: recorded register traffic on any engine, every recorded value compared."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tb.cli.command import Command, json_option
from tb.cli.output import Bar, check_writable, print_json
from tb.engines import ENGINES

if TYPE_CHECKING:
    from sim.replay import FileReport
    from tb.replay import Replays

__all__ = ["command"]

#: How many differing files are shown in full.
_SHOWN = 3


def _file_line(report: FileReport, width: int) -> str:
    verdict = "differs" if report.differences else "ok"
    return (
        f"{verdict:<8}{os.path.basename(report.path):<{width}}{report.operations:>9,} operations"
        f"{report.share:>8.1%} compared  {report.differences} differences"
    )


def _print(result: Replays) -> None:
    from sim.replay import explain_deviation

    width = max((len(os.path.basename(report.path)) for report in result.reports), default=0) + 2
    for report in result.reports:
        click.echo(_file_line(report, width))
    shown = [report for report in result.reports if report.first is not None][:_SHOWN]
    for report in shown:
        assert report.first is not None
        click.echo("\nfirst difference of " + os.path.basename(report.path) + ":")
        click.echo("\n".join(report.first.lines))
        if report.others:
            click.echo(f"then {report.differences - 1} more, such as\n  {report.others[0]}")
    if result.explained:
        click.echo("\nexplained by what the recorder does differently from the architecture:")
    for name, counts in result.explained.items():
        click.echo(f"  {explain_deviation(name)}: {counts.text}")
    rate = result.operations / result.seconds if result.seconds else 0
    values = sum(report.values + report.line_events for report in result.reports)
    click.echo(
        f"\n{len(result.reports)} files on {result.engine}: {result.operations:,} operations, "
        f"{result.share:.2%} compared in full, {values:,} recorded values, "
        f"{result.differences} unexplained differences; {result.seconds:.1f} s, {rate:,.0f} operations/s"
    )


@click.command(
    "replay",
    cls=Command,
    examples=[
        "spillway replay tests/data/traces",
        "spillway replay tests/data/traces/qemu-gicv3-directed.jsonl.gz --engine verilator",
        "spillway replay tests/data/traces/7.3.4-s22_9-wfi.jsonl.gz --engine icarus --waves wfi.fst",
        "spillway replay tests/data/traces --json | jq .differences",
    ],
)
@click.argument("traces", nargs=-1, required=True, metavar="TRACE...")
@click.option(
    "--engine", type=click.Choice(ENGINES), default="golden", show_default=True, help="What to replay on."
)
@json_option
@click.option("--waves", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write a waveform (.vcd or .fst), from engines that have cycles.")  # fmt: skip
def command(traces: tuple[str, ...], engine: str, as_json: bool, waves: Path | None) -> int:
    """Replay recorded register traffic and compare every recorded value.

    TRACE is a recording (JSON lines, gzip-compressed or not) or a directory of them. The hardware is built
    as meta.vtr says. On golden, what the recorder does differently from the architecture is switched on and
    everything is compared; on the other engines it is explained, rule by rule.

    Exit status: 0 all agree, 1 something differs, 2 a file is malformed or not supported.
    """
    check_writable(waves)
    from tb.replay import replay_traces

    with Bar(engine) as bar:
        result = replay_traces(traces, engine, waves=waves, listener=bar)
    if as_json:
        report = result.to_json()
        files, refused = report.pop("files"), report.pop("refused")
        print_json("replay", result.status, files, errors=refused, **report)
    elif result.reports:
        _print(result)
    for text in result.refused:
        click.echo(f"spillway: {text}", err=True)
    return result.status
