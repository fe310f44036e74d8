"""``spillway synth``: size and frequency of a build."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from tb.cli.command import Command, json_option
from tb.cli.options import build_options, physical_options
from tb.cli.output import busy, print_json

if TYPE_CHECKING:
    from fpga.synthesis import Measurement

__all__ = ["command"]


@click.command(
    "synth",
    cls=Command,
    examples=[
        "spillway synth --lrs 16 --pri-bits 7 --pre-bits 7",
        "spillway synth --gic v2 --lrs 4 --speed 8 --json",
        "spillway synth --spis 64 --pes 2 --mhz 80",
    ],
)
@click.option("--speed", type=int, default=6, show_default=True, metavar="N", help="ECP5 speed grade, 6..8.")
@click.option("--mhz", type=float, default=125.0, show_default=True, help="Clock the placer aims at.")
@click.option("--pes", type=int, default=2, show_default=True, metavar="N", help="PEs, with --spis.")
@click.option("--alone", is_flag=True, help="With --spis: the physical side alone.")
@json_option
@physical_options
@build_options
def command(
    speed: int,
    mhz: float,
    pes: int,
    alone: bool,
    as_json: bool,
    config: GicConfig | GicV2Config,
    physical: PhysicalConfig | None,
) -> int:
    """Synthesise, place and route the core for an ECP5-25F; print size, frequency and cycle counts.

    Exit status: 0 the clock is met, 1 it is not, 2 bad options or a missing tool.
    """
    from fpga.synthesis import measure, measure_system

    if physical is not None:
        if not isinstance(config, GicConfig):
            raise InputError("a system with a physical side is GICv3; leave out --gic v2 or --spis")
        with busy("placing and routing, a minute or more"):
            result = measure_system(None if alone else config, physical, pes, speed, mhz)
        status = int(result.fmax < mhz)
        if as_json:
            return print_json("synth", status, [{"pes": pes, **asdict(physical), **asdict(result)}], mhz=mhz)
        click.echo(f"system            {pes} PEs, {physical.spis} SPIs, {physical.pri_bits} priority bits")
        _show(result, mhz)
        return status
    from hw.core import interval, latency, settling

    with busy("placing and routing, half a minute or more"):
        result = measure(config, speed, mhz)
    status = int(result.fmax < mhz)
    cycles = {
        "latency": latency(config),
        "interval": interval(config),
        "lines_settled": settling(config) + 1,
    }
    if as_json:
        return print_json("synth", status, [{**asdict(config), **asdict(result), **cycles}], mhz=mhz)
    click.echo(
        f"list registers    {config.lrs} ({config.pri_bits}/{config.pre_bits} bits, {config.id_bits} ID)"
    )
    _show(result, mhz)
    click.echo(
        f"access            {cycles['latency']} cycles to the response,"
        f" one access every {cycles['interval']} cycles"
    )
    click.echo(f"lines             settled {cycles['lines_settled']} cycles after the response")
    return status


def _show(result: Measurement, mhz: float) -> None:
    """Print what place and route found."""
    click.echo(f"LUT4 and carry    {result.comb} TRELLIS_COMB")
    click.echo(f"flip-flops        {result.ff} TRELLIS_FF")
    click.echo(f"clock             {result.fmax:.1f} MHz at speed grade {result.speed} ({mhz:g} MHz asked)")
