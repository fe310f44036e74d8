"""``spillway parts``: the same random guests on every part, and what each part makes them cost."""

from __future__ import annotations

from pathlib import Path

import click

from sim.kvm.profile import profile_named
from sim.machine.parts import PARTS
from sim.refinement.parts import describe_parts, run_parts
from tb.cli.output import Bar, check_writable, write_json

__all__ = ["command"]


@click.command("parts")
@click.argument("names", nargs=-1, metavar="[PART...]")
@click.option("--list", "only_list", is_flag=True, help="List the parts and run nothing.")
@click.option("--guests", type=click.IntRange(1, 100_000), default=50, show_default=True,
              help="Random guests, the same ones on every part.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the first guest.")
@click.option("--profile", default="7.3", show_default=True, metavar="NAME", help="The kernel.")
@click.option("--json", "json_path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Also write the numbers to FILE.")  # fmt: skip
def command(
    names: tuple[str, ...], only_list: bool, guests: int, seed: int, profile: str, json_path: Path | None
) -> int:
    """Run the same random guests on parts (all by default) and tabulate what they cost.

    "same": guests that saw what an ideal GIC shows, to their end; "named": ended by a known exception of the
    kernel; "found": anything else. All other columns are for a thousand guest operations: full exits and
    their causes, accesses that hyp emulated without one, and reads and writes of ICH (or GICH) registers.

    Exit status: 0 nothing found, 1 a difference without a name, 2 bad options.
    """
    check_writable(json_path)
    profile_named(profile)
    if only_list:
        for part in PARTS.values():
            unsure = f" (not sure: {part.unsure})" if part.unsure else ""
            click.echo(f"{part.name:<17}{part.title}{unsure}")
        return 0
    bar = Bar()
    try:
        costs = run_parts(names, guests, seed, profile, bar)
    finally:
        bar.stop()
    click.echo(f"{guests} guests, seed {seed}, profile {profile}")
    click.echo(describe_parts(costs))
    if json_path is not None:
        write_json(json_path, {name: cost.as_dict() for name, cost in costs.items()})
    return int(any(cost.findings for cost in costs.values()))
