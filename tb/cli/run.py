"""``spillway run``: scenarios on any engine, every expectation judged."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import click

from hw.errors import InputError
from sim.machine.parts import part_named
from sim.scenario.parser import find_scenarios, read_scenario
from sim.scenario.result import FAIL, KNOWN, OBSERVED, OPEN, PASS, Result
from tb.cli.command import Command, json_option
from tb.cli.options import one_hypervisor
from tb.cli.output import Bar, print_json
from tb.engines import PLAYERS

__all__ = ["command", "print_results"]


def _list(paths: tuple[Path, ...], as_json: bool) -> int:
    """Tell what scenarios are about, and for which hypervisors they have steps."""
    scenarios = [(file, read_scenario(file, str(file))) for path in paths for file in find_scenarios(path)]
    rows = [
        {
            "name": one.name,
            "title": one.title,
            "file": str(file),
            "profiles": list(dict.fromkeys(name for steps in one.sequences for name in steps.profiles)),
        }
        for file, one in scenarios
    ]
    if as_json:
        return print_json("run", 0, rows)
    width = max(len(str(row["name"])) for row in rows) + 2
    for row in rows:
        click.echo(f"{row['name']:<{width}}{row['title']}")
    return 0


def _line(result: Result, width: int, profiles: int) -> str:
    if result.status == OPEN:
        return f"{result.status:<9}{result.name:<{width}}{result.reason}"
    steps = f" ({result.steps})" if result.steps else ""
    exits = ", ".join(f"{count} {cause}" for cause, count in result.exits.items()) or "no exits"
    ended = "" if result.verdict in ("", "running") else f"{result.verdict}, "
    return (
        f"{result.status:<9}{result.name:<{width}}{result.profile:<{profiles}} {result.title}{steps}: "
        f"{ended}{result.operations} operations, {exits}"
    )


def print_results(results: list[Result], log: bool) -> None:
    """Print what came of scenarios; with ``log`` every event."""
    width = max(len(result.name) for result in results) + 2
    profiles = max(8, *(len(result.profile) for result in results))
    for result in results:
        click.echo(_line(result, width, profiles))
        if result.status == KNOWN:
            click.echo(f"  {result.reason}")
            continue
        for problem in result.problems:
            click.echo(f"  {problem.place}: {problem.text}\n    {problem.found}")
        if result.status == OBSERVED:
            for note in result.notes:
                click.echo(f"  differs: {note}")
        if log:
            for event in result.log:
                click.echo(f"    {event}")
    counts = Counter(result.status for result in results)
    known = "known weakness" if counts[KNOWN] == 1 else "known weaknesses"
    names = {PASS: "passed", FAIL: "failed", KNOWN: known, OBSERVED: "observed", OPEN: "open"}
    click.echo(", ".join(f"{counts[status]} {name}" for status, name in names.items() if counts[status]))


@click.command(
    "run",
    cls=Command,
    examples=[
        "spillway run sim/scenarios/A08.scenario",
        "spillway run sim/scenarios --list",
        "spillway run sim/scenarios --profile 7.3",
        "spillway run sim/scenarios --policy xen",
        "spillway run sim/scenarios/A08.scenario --profile 6.19 --mi-latency 3 --log",
        "spillway run sim/scenarios/A01.scenario --engine icarus --waves build/waves",
    ],
)
@click.argument("scenarios", nargs=-1, required=True, metavar="SCENARIO|DIRECTORY...",
                type=click.Path(path_type=Path))  # fmt: skip
@click.option("--engine", type=click.Choice(PLAYERS), default="golden", show_default=True,
              help="What executes the hardware; system-...: with its physical side, so that devices' "
              "interrupts and the maintenance interrupt go through a distributor.")  # fmt: skip
@click.option("--profile", "profiles", metavar="NAME", multiple=True,
              help="Play only this profile: legacy, v1, 6.19, 7.0, 7.3, fixed, or one with switches changed: "
              "7.3,-walk_from_tail. May be given several times.")  # fmt: skip
@click.option("--policy", metavar="xen|bao|FILE.py",
              help="Play another hypervisor's algorithm: a built-in one, or that "
              "of a Python file; what guests see is judged.")  # fmt: skip
@click.option("--part", metavar="NAME", help="Another machine: a part such as gic-400 or thunderx, with its "
              "own list registers unless --lrs is given; `spillway parts --list` names them.")  # fmt: skip
@click.option("--lrs", type=click.IntRange(1, 64), help="Another number of list registers.")
@click.option("--mi-latency", metavar="K|Kcycles|slow", help="Guest operations, or clock cycles, from the "
              "maintenance interrupt to the exit; slow: only where a step says MI!.")  # fmt: skip
@click.option("--seed", type=int, help="Seed of the scheduler and of hammer; default: round robin, 0.")
@click.option("--waves", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Write waveforms, from engines that have cycles.")  # fmt: skip
@click.option("--list", "only_list", is_flag=True, help="Say what the scenarios are about, and play none.")
@json_option
@click.option("--log", is_flag=True, help="Print every event.")
def command(
    scenarios: tuple[Path, ...],
    engine: str,
    profiles: tuple[str, ...],
    policy: str | None,
    part: str | None,
    lrs: int | None,
    mi_latency: str | None,
    seed: int | None,
    waves: Path | None,
    only_list: bool,
    as_json: bool,
    log: bool,
) -> int:
    """Play scenarios: guests, interrupts and a hypervisor, and everything that must be seen.

    A line tells of each how its guests ended where a step lets them RUN (in the words of V: of a scenario),
    guest operations, and exits by their causes.

    With --part, --lrs, --mi-latency or a profile that a file has no steps for, its expectations do not apply:
    what differs is shown, only invariants are judged, and the status is "observed".

    With --policy another hypervisor's list-register algorithm runs the machine. Where a file has no steps for
    it, guests must see what they should; known weaknesses of the built-in ones are shown by name.

    Exit status: 0 all expectations held, 1 some did not, 2 a file or an option is wrong.
    """
    chosen = [one_hypervisor(one, policy) for one in profiles] or [one_hypervisor(None, policy)]
    if mi_latency is not None and not re.fullmatch(r"fast|slow|\d{1,5}(cycles)?", mi_latency):
        raise InputError(
            f"--mi-latency {mi_latency}: give fast, slow, a number of guest operations, or 40cycles"
        )
    settings = [f"part {part_named(part).name}"] if part is not None else []
    if lrs is not None:
        settings.append(f"lrs {lrs}")
    if mi_latency is not None:
        settings.append(f"mi {mi_latency}")
    if only_list:
        return _list(scenarios, as_json)
    from tb.scenarios import play_scenarios

    with Bar(engine) as bar:
        results = [
            result
            for one in dict.fromkeys(chosen)
            for result in play_scenarios(scenarios, engine, one, ", ".join(settings), seed, waves, bar)
        ]
    status = int(any(result.status == FAIL for result in results))
    if as_json:
        return print_json("run", status, (result.as_dict() for result in results), engine=engine)
    print_results(results, log)
    return status
