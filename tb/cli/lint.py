"""``spillway lint``: export builds and let Verilator check them."""

from __future__ import annotations

import time

import click

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from tb.cli.options import build_options

__all__ = ["command"]


def _elaborate(config: GicConfig | GicV2Config) -> list[str]:
    from amaranth.hdl import Fragment

    from hw.cluster import Cluster

    Fragment.get(Cluster(config), None).prepare()
    return []


def _export_and_lint(config: GicConfig | GicV2Config) -> list[str]:
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
@build_options
def command(cover: str | None, elaborate_only: bool, config: GicConfig | GicV2Config) -> int:
    """Export a build, or with --cover a set of builds, and let Verilator lint the Verilog.

    Warnings that only say how the back end writes Verilog are left out (tb/lint.py has them with reasons).
    Exit status 1 when a warning is left. With --cover the parameters are ignored
    (but --gic: every GICv2 build is one number of list registers).
    """
    from tb.cli.output import Bar
    from tb.configurations import covering, covering_v2, every_configuration, every_v2

    v2 = isinstance(config, GicV2Config)
    builds = {
        None: lambda: [config],
        "values": lambda: covering_v2() if v2 else covering(1),
        "pairs": lambda: covering_v2() if v2 else covering(2),
        "all": lambda: every_v2() if v2 else list(every_configuration()),
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
