"""``spillway synth``: size and frequency of a build."""

from __future__ import annotations

import click

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.core import interval, latency, settling
from tb.cli.options import build_options

__all__ = ["command"]


@click.command("synth")
@click.option("--speed", type=int, default=6, show_default=True, metavar="N", help="ECP5 speed grade, 6..8.")
@click.option("--mhz", type=float, default=125.0, show_default=True, help="Clock the placer aims at.")
@build_options
def command(speed: int, mhz: float, config: GicConfig | GicV2Config) -> int:
    """Synthesise, place and route the core for an ECP5-25F; print size, frequency and cycle counts.

    Exit status 1 when the requested clock is not met.
    """
    from fpga.synthesis import measure

    result = measure(config, speed, mhz)
    click.echo(
        f"list registers    {config.lrs} ({config.pri_bits}/{config.pre_bits} bits, {config.id_bits} ID)"
    )
    click.echo(f"LUT4 and carry    {result.comb} TRELLIS_COMB")
    click.echo(f"flip-flops        {result.ff} TRELLIS_FF")
    click.echo(f"clock             {result.fmax:.1f} MHz at speed grade {result.speed} ({mhz:g} MHz asked)")
    click.echo(
        f"access            {latency(config)} cycles to the response,"
        f" one access every {interval(config)} cycles"
    )
    click.echo(f"lines             settled {settling(config) + 1} cycles after the response")
    return int(result.fmax < mhz)
