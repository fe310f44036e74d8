"""``spillway lint``: export builds and let Verilator check them."""

from __future__ import annotations

import time

import click

from hw.config import GicConfig
from tb.cli.options import config_options

__all__ = ["command"]


def _elaborate(config: GicConfig) -> list[str]:
    from amaranth.hdl import Fragment

    from hw.cluster import Cluster

    Fragment.get(Cluster(config), None).prepare()
    return []


def _export_and_lint(config: GicConfig) -> list[str]:
    from hw.export import to_verilog
    from tb.lint import lint_verilog

    return lint_verilog(to_verilog(config))


@click.command("lint")
@click.option(
    "--cover",
    type=click.Choice(["values", "pairs", "all"]),
    help="Check a set of builds: with every value, with every pair of values, or every legal one.",
)
@click.option("--elaborate-only", is_flag=True, help="Only elaborate: fifteen times faster.")
@config_options
def command(cover: str | None, elaborate_only: bool, config: GicConfig) -> int:
    """Export a build, or with --cover a set of builds, and let Verilator lint the Verilog.

    Warnings that only say how the back end writes Verilog are left out (tb/lint.py has them with reasons).
    Exit status 1 when a warning is left. With --cover the parameters are ignored.
    """
    from tb.cli.output import Bar
    from tb.configurations import covering, every_configuration

    builds = {
        None: lambda: [config],
        "values": lambda: covering(1),
        "pairs": lambda: covering(2),
        "all": lambda: list(every_configuration()),
    }[cover]()
    check = _elaborate if elaborate_only else _export_and_lint
    bar, failed, start = Bar(), 0, time.monotonic()
    try:
        for done, build in enumerate(builds):
            bar("checking builds", done, len(builds))
            messages = check(build)
            failed += bool(messages)
            for message in messages:
                click.echo(f"{build}: {message}")
    finally:
        bar.stop()
    what = "elaborated" if elaborate_only else "exported and linted"
    click.echo(f"{len(builds)} builds {what}, {failed} with warnings; {time.monotonic() - start:.0f} s")
    return int(failed > 0)
