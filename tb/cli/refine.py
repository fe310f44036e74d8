"""``spillway refine``: the machine against the ideal GIC, on random guests."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hw.config import GicConfig
from hw.errors import InputError
from tb.cli.command import Command, json_option
from tb.cli.options import one_hypervisor
from tb.cli.output import Bar, print_json, write_text
from tb.engines import ENGINES

if TYPE_CHECKING:
    from sim.refinement.run import Tally
    from sim.scenario.result import Result

__all__ = ["command", "refine"]

_JOB = "sim.refinement.job:refine_job"


def refine(
    engine: str, operations: int, seed: int, latency: int, profile: str, lrs: int, strict: bool, bar: Bar
) -> Tally:
    """Do random runs with one latency; on gateware half of them with one vCPU and half with two."""
    from sim.refinement.run import Tally, soak
    from tb.runner import run_job

    what = f"latency {latency}"
    if engine == "golden":
        return soak(
            operations,
            seed,
            latency,
            profile,
            report=lambda done, total: bar(what, done, total),
            strict=strict,
        )
    tally = Tally()
    for pes in (1, 2):
        arguments = {
            "operations": operations // 2,
            "seed": seed,
            "latency": latency,
            "profile": profile,
            "strict": strict,
        }
        tally.add(
            run_job(
                _JOB,
                arguments,
                engine=engine,
                config=GicConfig(lrs=lrs),
                pes=pes,
                progress=lambda done, total, pes=pes: bar(f"{what}, {pes} CPUs", done, total),
            )
        )
    return tally


def _directory(out: Path, policy: str | None, engine: str) -> None:
    """Make the directory of the scenarios, with the policy that they name."""
    if engine != "golden":
        raise InputError(
            f"--out is for --engine golden; `spillway run --engine {engine}` plays what it writes there"
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        if policy is not None and policy.endswith(".py"):
            if Path(policy).resolve() != (out / Path(policy).name).resolve():
                shutil.copy(policy, out)
    except OSError as error:
        raise InputError(f"{out}: {error.strerror}; give a directory for the scenarios") from None


def _retell(tally: Tally, latency: int, out: Path) -> list[Result]:
    """Write a scenario for each finding, play all of them, and return the results."""
    from sim.refinement.retell import retell
    from tb.scenarios import play_scenarios

    paths = []
    for finding in tally.findings:
        name = f"refine-{finding.seed}" + (f"-late{latency}" if latency else "")
        paths.append(out / f"{name}.scenario")
        write_text(paths[-1], retell(finding, name))
    return play_scenarios(paths) if paths else []


@click.command(
    "refine",
    cls=Command,
    examples=[
        "spillway refine --operations 20000",
        "spillway refine --latency 0 --latency 4 --seed 7",
        "spillway refine --profile fixed --strict",
        "spillway refine --engine verilator --operations 20000 --lrs 4",
        "spillway refine --profile 7.3,-tdir_on_overflow --operations 20000 --out build/found",
    ],
)
@click.option("--operations", type=click.IntRange(1), default=200_000, show_default=True,
              help="Guest operations to compare, for each latency; so many take some minutes.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the first run.")
@click.option("--latency", "latencies", type=click.IntRange(0, 1000), multiple=True, default=(0,),
              show_default=True, help="Guest operations until a maintenance interrupt or a kick takes "
              "effect; may be given several times.")  # fmt: skip
@click.option("--profile", metavar="NAME", help="The kernel.  [default: 7.3]")
@click.option("--policy", metavar="xen|bao|FILE.py", help="Another hypervisor's algorithm.")
@click.option("--engine", type=click.Choice(ENGINES), default="golden", show_default=True,
              help="What executes the hardware.")  # fmt: skip
@click.option("--lrs", type=click.IntRange(1, 16), default=2, show_default=True,
              help="List registers, on gateware; golden draws 1 to 4 for each run.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Know no exception: every difference is a finding, as is right "
              "for the profile fixed.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Write a scenario for each finding, and play it: it passes where the fault "
              "shows.")  # fmt: skip
@json_option
def command(
    operations: int,
    seed: int,
    latencies: tuple[int, ...],
    profile: str | None,
    policy: str | None,
    engine: str,
    lrs: int,
    strict: bool,
    out: Path | None,
    as_json: bool,
) -> int:
    """Compare random guests on the machine with what an ideal GIC would show them.

    The ideal GIC has no list registers and no hypervisor. Without latency everything a guest could see is
    compared after every operation; with it nothing may be lost, come twice or starve, and the time a guest
    sees the wrong order is measured. What differs is one of the known exceptions, which are counted by name,
    or a finding, which is shown with the shortest guest that leads to it: the actions that the random numbers
    mean, and the last events. As a scenario (--out) it can be read, changed and played by `run`, `report` and
    `waves`. Three findings are enough: then it stops.

    20,000 operations on golden take about 20 seconds.

    Exit status: 0 no finding, 1 a finding, 2 bad options.
    """
    profile = one_hypervisor(profile, policy) or "7.3"
    from sim.refinement.report import describe

    if out is not None:
        _directory(out, policy, engine)
    tallies = {}
    played: dict[int, list[Result]] = {}
    with Bar(engine) as bar:
        for latency in latencies:
            tally = refine(engine, operations, seed, latency, profile, lrs, strict, bar)
            tallies[latency] = tally
            played[latency] = _retell(tally, latency, out) if out is not None else []
            if not as_json:
                click.echo(f"seed {seed}, profile {profile}, {describe(tally, latency)}")
                for one in played[latency]:
                    click.echo(f"{one.file}: {one.status}")
    status = int(any(tally.findings for tally in tallies.values()))
    if as_json:
        results = (
            {"latency": latency, **tally.as_dict()}
            | {"scenarios": [{"scenario": one.file, "played": one.status} for one in played[latency]]}
            for latency, tally in tallies.items()
        )
        print_json("refine", status, results, seed=seed, profile=profile, engine=engine, strict=strict)
    return status
