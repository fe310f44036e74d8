"""``spillway report``: scenarios under several hypervisors, as one page with a timeline."""

from __future__ import annotations

import re
from pathlib import Path

import click

from hw.errors import InputError
from tb.cli.command import Command, json_option
from tb.cli.output import Bar, check_writable, print_json, write_text

__all__ = ["command"]

#: Engines that a recording can be made on.
_ENGINES = ("golden", "verilator", "icarus", "amaranth")
_PROFILES = ("legacy", "6.19", "7.3", "fixed")


@click.command(
    "report",
    cls=Command,
    examples=[
        "spillway report sim/scenarios/A08.scenario -o report.html",
        "spillway report sim/scenarios/F22_6.scenario --profile 7.3 --profile fixed -o fault.html",
        "spillway report my.scenario --lrs 2 --mi-latency 3 -o late.html",
    ],
)
@click.argument("scenarios", nargs=-1, required=True, metavar="SCENARIO...", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True,
              help="The page, an HTML file.")  # fmt: skip
@click.option("--profile", "profiles", metavar="NAME", multiple=True, default=_PROFILES, show_default=True,
              help="A hypervisor; may be given several times.")  # fmt: skip
@click.option("--engine", type=click.Choice(_ENGINES), default="golden", show_default=True,
              help="What executes the hardware.")  # fmt: skip
@click.option("--lrs", type=click.IntRange(1, 64), help="Another number of list registers.")
@click.option("--mi-latency", metavar="K|Kcycles|slow", help="Another latency of the maintenance interrupt.")
@click.option("--events", type=click.IntRange(10, 5000), default=600, show_default=True,
              help="Events shown of each run.")  # fmt: skip
@json_option
def command(
    scenarios: tuple[Path, ...],
    output: Path,
    profiles: tuple[str, ...],
    engine: str,
    lrs: int | None,
    mi_latency: str | None,
    events: int,
    as_json: bool,
) -> int:
    """Play SCENARIOs under several hypervisors and write one page that shows them side by side.

    The page has a timeline to step through with the arrow keys: list registers as lanes, the overflow list,
    guest operations, exits and their causes, and below what an ideal GIC would show the guest, differences
    highlighted. A few sentences say what came of each run. It is one file that needs no network.

    Every sequence of steps is played under every profile; where it is not written for a profile its
    expectations are not judged. GICv2 guests are not compared with the ideal.

    Exit status: 0 written, 1 written, but an expectation did not hold, 2 a file or an option is wrong.
    """
    check_writable(output)
    if mi_latency is not None and not re.fullmatch(r"fast|slow|\d{1,5}(cycles)?", mi_latency):
        raise InputError(
            f"--mi-latency {mi_latency}: give fast, slow, a number of guest operations, or 40cycles"
        )
    settings = [] if lrs is None else [f"lrs {lrs}"]
    settings += [] if mi_latency is None else [f"mi {mi_latency}"]
    from tb.report.explain import explain
    from tb.report.page import page, record_scenarios

    with Bar(engine) as bar:
        groups = record_scenarios(scenarios, profiles, engine, ", ".join(settings), events, bar)
    write_text(output, page(groups))
    recordings = [recording for group in groups for recording in group]
    results = []
    for one in recordings:
        found = explain(one)
        results.append(
            {name: one[name] for name in ("name", "steps", "profile", "verdict", "judged", "problems")}
            | {"tone": found.tone, "headline": found.headline}
        )
    status = int(any(one["problems"] and one["judged"] for one in recordings))
    if as_json:
        return print_json("report", status, results, page=str(output))
    width = max(len(one["profile"]) for one in results)
    told = None
    several = {recording["name"] for recording in recordings if recording["sequence"]}
    for one, recording in zip(results, recordings, strict=True):
        part = (recording["file"], recording["sequence"])
        if one["name"] in several and part != told:
            steps = recording["steps"] or f"the steps for {' '.join(recording['written_for'])}"
            click.echo(f"{one['name']}, {steps}:")
        told = part
        click.echo(f"{one['name']}: {one['profile']:<{width}}  {one['headline']}")
        for problem in one["problems"]:
            click.echo(f"  {problem}")
    click.echo(f"open {output} in a browser")
    return status
