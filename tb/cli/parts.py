"""``spillway parts``: the same random guests on every part, and what each part makes them cost."""

from __future__ import annotations

import click

from sim.kvm.profile import profile_named
from sim.machine.parts import PARTS, part_named
from tb.cli.command import Command, json_option
from tb.cli.output import Bar, print_json

__all__ = ["command"]


@click.command(
    "parts",
    cls=Command,
    examples=[
        "spillway parts --list",
        "spillway parts --guests 20",
        "spillway parts gic-400 apple-m1 --profile fixed --json",
    ],
)
@click.argument("names", nargs=-1, metavar="[PART...]")
@click.option("--list", "only_list", is_flag=True, help="List the parts and run nothing.")
@click.option("--guests", type=click.IntRange(1, 100_000), default=50, show_default=True,
              help="Random guests, the same ones on every part.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the first guest.")
@click.option("--profile", default="7.3", show_default=True, metavar="NAME", help="The kernel.")
@json_option
def command(
    names: tuple[str, ...], only_list: bool, guests: int, seed: int, profile: str, as_json: bool
) -> int:
    """Run the same random guests on parts (all by default) and tabulate what they cost.

    "same": guests that saw what an ideal GIC shows, to their end; "named": ended by a known exception of the
    kernel; "found": anything else. All other columns are for a thousand guest operations: full exits and
    their causes, accesses that hyp emulated without one, and reads and writes of ICH (or GICH) registers.

    Exit status: 0 nothing found, 1 a difference without a name, 2 bad options.
    """
    profile_named(profile)
    if only_list:
        parts = [part_named(name) for name in names] or list(PARTS.values())
        if as_json:
            listed = ({"name": part.name, "title": part.title, "unsure": part.unsure} for part in parts)
            return print_json("parts", 0, listed)
        for part in parts:
            unsure = f" (not sure: {part.unsure})" if part.unsure else ""
            click.echo(f"{part.name:<17}{part.title}{unsure}")
        return 0
    from sim.refinement.parts import describe_parts, run_parts

    with Bar() as bar:
        costs = run_parts(names, guests, seed, profile, bar)
    status = int(any(cost.findings for cost in costs.values()))
    if as_json:
        results = ({"part": name, **cost.as_dict()} for name, cost in costs.items())
        return print_json("parts", status, results, guests=guests, seed=seed, profile=profile)
    click.echo(f"{guests} guests, seed {seed}, profile {profile}; from exits on: for 1,000 guest operations")
    click.echo(describe_parts(costs))
    return status
