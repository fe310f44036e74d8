"""``spillway cost``: exits and ICH accesses for each interrupt delivered, of 7.3, its cures and ``fixed``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tb.cli.command import Command, json_option
from tb.cli.output import Bar, print_json

if TYPE_CHECKING:
    from sim.cost.meter import Cost
    from sim.cost.optimum import Optimum

__all__ = ["command"]

_BASE, _FIXED = "7.3", "fixed"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a Markdown table; it reads well as text too."""
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    lines = [
        "| " + " | ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)) + " |"
        for row in (head, *rows)
    ]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def _change(new: float, old: float) -> str:
    return f"{100 * (new - old) / old:+.1f} %" if old else "-"


def _costs(costs: dict[str, Cost]) -> list[str]:
    """Return the table of some profiles, each held against 7.3."""
    base = costs[_BASE]
    rows = [
        [
            profile, f"{cost.exits_each:.2f}", _change(cost.exits, base.exits),
            f"{cost.accesses_each:.1f}", _change(cost.accesses, base.accesses),
        ]
        for profile, cost in costs.items()
    ]  # fmt: skip
    return _table(["profile", "exits each", "to 7.3", "accesses each", "to 7.3"], rows)


def _recorded(
    paths: Sequence[Path], profiles: Sequence[str], bar: Bar
) -> tuple[dict[str, Cost], list[list[str]]]:
    """Measure the guests of all complete recordings; return the totals and a row for each file."""
    from sim.cost.meter import Cost
    from sim.cost.recorded import is_complete, measure_recorded, read_guest
    from sim.kvm.profile import profile_named

    totals = {profile: Cost() for profile in profiles}
    rows = []
    for number, path in enumerate(paths):
        bar("recorded guests", number, len(paths))
        guest = read_guest(path) if is_complete(path) else None
        if guest is None:
            continue
        found = {profile: measure_recorded(guest, profile_named(profile)) for profile in profiles}
        for profile, one in found.items():
            totals[profile] += one.cost
        base, fixed = found[_BASE], found[_FIXED]
        name = path.name.removesuffix(".gz").removesuffix(".jsonl")
        rows.append(
            [
                name, str(guest.exits), str(base.cost.exits), str(fixed.cost.exits),
                _change(fixed.cost.exits, base.cost.exits), _change(fixed.cost.accesses, base.cost.accesses),
                str(base.different),
            ]
        )  # fmt: skip
    return totals, rows


def _optimum(found: Optimum, lrs: int) -> str:
    taken = ", ".join(
        f"{profile} {exits} ({exits / max(1, found.least):.2f} times as many)"
        for profile, exits in found.taken.items()
    )
    return f"{found.guests} guests, {lrs} LRs, {found.delivered} delivered: least {found.least}; {taken}"


@click.command(
    "cost",
    cls=Command,
    examples=[
        "spillway cost                                    # random guests",
        "spillway cost --guests 0 --small 0 tests/data/traces",
        "spillway cost --per-switch --json > cost.json",
    ],
)
@click.argument("traces", nargs=-1, type=click.Path(path_type=Path))
@click.option("--guests", type=click.IntRange(0), default=50, show_default=True, help="Random guests.")
@click.option("--small", type=click.IntRange(0), default=40, show_default=True,
              help="Small guests whose least number of exits is searched, each for 1, 2, 3 LRs.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the first guest.")
@click.option("--per-switch", is_flag=True, help="Also 7.3 with each cure alone.")
@json_option
def command(
    traces: tuple[Path, ...], guests: int, small: int, seed: int, per_switch: bool, as_json: bool
) -> int:
    """Print what fixed costs against 7.3: exits and accesses to ICH_* for each interrupt delivered.

    Measured on random guests that are right under every profile; on the guests of recordings TRACES (files
    or directories; those with all of their stimulus are taken), played in closed loop without the host's own
    exits; and, for small guests, against the least number of exits that any hypervisor could have taken,
    found by search. The tables are Markdown.

    Exit status: 0 done, 2 bad input or usage.
    """
    from sim.cost.optimum import measure_optimum
    from sim.cost.random_guests import measure_random
    from sim.kvm.profile import CURES
    from sim.trace import find_traces

    profiles = [_BASE, _FIXED, *(f"{_BASE},+{switch}" for switch in CURES if per_switch)]
    files = find_traces(traces) if traces else []
    lines: list[str] = []
    results: list[dict[str, Any]] = []
    with Bar() as bar:
        if guests:
            costs = measure_random(
                profiles, guests, seed, lambda done, total: bar("random guests", done, total)
            )
            one = costs[_BASE]
            told = f"{one.operations:,} operations, {one.delivered:,} interrupts delivered under 7.3."
            lines += ["", f"Random guests: {guests} from seed {seed}, {told}", "", *_costs(costs)]
            results += _results("random", costs)
        if files:
            totals, rows = _recorded(files, profiles, bar)
            head = ["recording", "exits recorded", "7.3", "fixed", "exits", "accesses", "IAR not as recorded"]
            lines += ["", f"Recorded guests: {len(rows)}.", "", *_costs(totals), "", *_table(head, rows)]
            results += _results("recorded", totals)
        if small:
            lines += ["", "Exits against the least possible:", ""]
            for lrs in (1, 2, 3):
                bar("small guests", lrs - 1, 3)
                # With one list register 7.3 gets through hardly any.
                found = measure_optimum([_FIXED] if lrs == 1 else [_BASE, _FIXED], small, seed, lrs)
                lines.append(f"* {_optimum(found, lrs)}")
                results.append({"measured": "small", "lrs": lrs, **asdict(found)})
    if as_json:
        return print_json("cost", 0, results, seed=seed)
    click.echo("\n".join(lines))
    return 0


def _results(measured: str, costs: dict[str, Cost]) -> list[dict[str, Any]]:
    return [{"measured": measured, "profile": profile, **asdict(cost)} for profile, cost in costs.items()]
