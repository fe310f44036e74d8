"""``spillway lint``: export builds and let Verilator check them."""

from __future__ import annotations

import time

import click

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from tb.cli.command import Command, json_option
from tb.cli.options import build_options
from tb.cli.output import Bar, print_json

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


@click.command(
    "lint",
    cls=Command,
    examples=[
        "spillway lint --lrs 16 --pri-bits 7",
        "spillway lint --gic v2 --lrs 64",
        "spillway lint --cover pairs              # minutes; all: hours",
    ],
)
@click.option(
    "--cover",
    type=click.Choice(["values", "pairs", "all"]),
    help="Check a set of builds: with every value, with every pair of values, or every legal one.",
)
@click.option("--elaborate-only", is_flag=True, help="Only elaborate: fifteen times faster.")
@json_option
@build_options
def command(cover: str | None, elaborate_only: bool, as_json: bool, config: GicConfig | GicV2Config) -> int:
    """Export a build, or with --cover a set of builds, and let Verilator lint the Verilog.

    Warnings that only say how the back end writes Verilog are left out (hw/verilog_text.py has them, with
    reasons). With --cover the parameters are ignored (but --gic: every GICv2 build is one number of list
    registers).

    Exit status: 0 no warning, 1 a warning is left, 2 bad options.
    """
    from tb.configurations import covering, covering_v2, every_configuration, every_v2

    v2 = isinstance(config, GicV2Config)
    builds = {
        None: lambda: [config],
        "values": lambda: covering_v2() if v2 else covering(1),
        "pairs": lambda: covering_v2() if v2 else covering(2),
        "all": lambda: every_v2() if v2 else list(every_configuration()),
    }[cover]()
    check = _elaborate if elaborate_only else _export_and_lint
    start, results = time.monotonic(), []
    with Bar() as bar:
        for done, build in enumerate(builds):
            bar("checking builds", done, len(builds))
            messages = check(build)
            results.append({"build": str(build), "messages": messages})
            for message in messages:
                click.echo(f"{build}: {message}", err=as_json)
    failed = sum(bool(result["messages"]) for result in results)
    what = "elaborated" if elaborate_only else "exported and linted"
    if as_json:
        return print_json("lint", int(failed > 0), results, done=what)
    click.echo(f"{len(builds)} builds {what}, {failed} with warnings; {time.monotonic() - start:.0f} s")
    return int(failed > 0)
