"""``spillway explore``: every interleaving of small machines, and a scenario for each fault."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hw.errors import InputError
from tb.cli.command import Command, json_option
from tb.cli.output import Bar, print_json, write_text
from tb.engines import ENGINES

if TYPE_CHECKING:
    from sim.explore.search import Explored, Found
    from sim.scenario.result import Result

__all__ = ["command"]


def _scopes(names: tuple[str, ...], profile: str | None) -> list[Any]:
    from sim.explore.scopes import SCOPES, scope_named, with_profile
    from sim.kvm.profile import profile_named

    chosen = [scope_named(name) for name in names] or list(SCOPES)
    if profile is not None:
        profile_named(profile)
        chosen = [with_profile(scope, profile) for scope in chosen]
    return chosen


def _line(one: Explored) -> str:
    state = "" if one.complete else ", cut off at the limit"
    return (
        f"{one.scope.name}: {one.scope.text}\n  {one.states:,} states, {one.transitions:,} transitions, "
        f"{one.depth} actions deep{state}"
    )


def _finding(one: Found, expected: bool, played: str) -> str:
    mark = "" if expected else " (not expected here)"
    trace = "; ".join(str(action).removesuffix(" 0 0").removesuffix(" 0") for action in one.trace)
    return f"  {one.name}{mark}: {one.text}{played}\n    after {len(one.trace)} actions: {trace}"


def _file(out: Path, one: Explored, found: Found) -> Path:
    return out / f"{one.scope.name}-{found.name.replace(' ', '-')}.scenario"


def _retell(out: Path, done: list[Explored], engine: str) -> dict[Path, Result]:
    """Write a scenario for each finding, play all of them, and return the results."""
    from sim.explore.retell import retell
    from tb.scenarios import play_scenarios

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: {error.strerror}; give a directory for the scenarios") from None
    files = [
        (_file(out, one, found), retell(one.scope, found)) for one in done for found in one.found.values()
    ]
    for path, text in files:
        write_text(path, text)
    results = play_scenarios([path for path, _ in files], engine) if files else []
    return {Path(result.file): result for result in results}


def _as_dict(one: Explored, results: dict[Path, Result], out: Path | None) -> dict[str, Any]:
    found = []
    for each in one.found.values():
        row = {
            "name": each.name, "kind": each.kind, "vcpu": each.vcpu, "text": each.text, "count": each.count,
            "trace": [str(action) for action in each.trace], "expected": each.name in one.scope.finds,
        }  # fmt: skip
        if out is not None:
            path = _file(out, one, each)
            row |= {"scenario": str(path), "played": results[path].status}
        found.append(row)
    return {
        "scope": one.scope.name, "text": one.scope.text, "profile": one.scope.setup.profile,
        "states": one.states, "transitions": one.transitions, "depth": one.depth, "complete": one.complete,
        "missing": sorted(one.missing), "findings": found,
    }  # fmt: skip


@click.command(
    "explore",
    cls=Command,
    examples=[
        "spillway explore resample soft-level",
        "spillway explore elsewhere --out build/explored --engine verilator",
        "spillway explore --profile fixed",
        "spillway explore --list",
    ],
)
@click.argument("scopes", nargs=-1, metavar="[SCOPE]...")
@click.option("--profile", metavar="NAME", help="Another kernel, of which nothing is expected: every finding "
              "is a surprise. Default: the scope's own, mostly 7.3.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1), default=1_000_000, show_default=True,
              help="Give a scope up at so many states.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Write a scenario for each finding, and play it: it passes where it shows.")  # fmt: skip
@click.option("--engine", type=click.Choice(ENGINES), default="golden", show_default=True,
              help="What plays the scenarios of --out.")  # fmt: skip
@click.option("--list", "listing", is_flag=True, help="List the scopes.")
@json_option
def command(
    scopes: tuple[str, ...],
    profile: str | None,
    limit: int,
    out: Path | None,
    engine: str,
    listing: bool,
    as_json: bool,
) -> int:
    """Visit every state of small machines, and find every fault they can show.

    All interleavings of guest operations, injections, late maintenance interrupts and what other vCPUs do, on
    the golden model under KVM's vgic, beside the ideal GIC. In every state the invariants must hold and the
    guest must see what the ideal shows; a live-lock is found as a cycle of polling in which an interrupt that
    is due is never signalled. Each fault is told with a shortest trace to it.

    Exit status: 0 every scope was visited to its end and showed exactly what is expected, 1 not so, 2 bad
    options.
    """
    chosen = _scopes(scopes, profile)
    if listing:
        if as_json:
            rows = ({"scope": one.name, "text": one.text, "finds": sorted(one.finds)} for one in chosen)
            return print_json("explore", 0, rows)
        for scope in chosen:
            click.echo(f"{scope.name:<20}{scope.text}; {' '.join(sorted(scope.finds)) or 'no finding'}")
        return 0
    from sim.explore.search import explore

    done = []
    with Bar() as bar:
        for scope in chosen:
            one = explore(
                scope,
                limit,
                lambda count, known, name=scope.name: bar(f"{name}, {known} states", count, known),
            )
            done.append(one)
            if not as_json and out is None:
                _print(one, {}, None)
        results = _retell(out, done, engine) if out is not None else {}
    bad = [one for one in done if one.surprises or one.missing or not one.complete]
    status = int(bool(bad) or any(result.status != "pass" for result in results.values()))
    if as_json:
        return print_json("explore", status, (_as_dict(one, results, out) for one in done), engine=engine)
    if out is not None:
        for one in done:
            _print(one, results, out)
    found = sum(len(one.found) for one in done)
    click.echo(f"{sum(one.states for one in done):,} states, {found} findings")
    return status


def _print(one: Explored, results: dict[Path, Result], out: Path | None) -> None:
    click.echo(_line(one))
    for each in one.found.values():
        played = ""
        if out is not None:
            path = _file(out, one, each)
            played = f"\n    {path}: {results[path].status}"
            for problem in results[path].problems:
                played += f"\n      {problem.place}: {problem.text}: {problem.found}"
        click.echo(_finding(each, each.name in one.scope.finds, played))
    for name in sorted(one.missing):
        click.echo(f"  {name}: expected, and not found")
