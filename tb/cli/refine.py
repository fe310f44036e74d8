"""``spillway refine``: the machine against the ideal GIC, on random guests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hw.config import GicConfig
from tb.cli.command import Command, json_option
from tb.cli.options import one_hypervisor
from tb.cli.output import Bar, print_json
from tb.engines import ENGINES

if TYPE_CHECKING:
    from sim.refinement.run import Tally

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


@click.command(
    "refine",
    cls=Command,
    examples=[
        "spillway refine --operations 20000",
        "spillway refine --latency 0 --latency 4 --seed 7",
        "spillway refine --profile fixed --strict",
        "spillway refine --engine verilator --operations 20000 --lrs 4",
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
    as_json: bool,
) -> int:
    """Compare random guests on the machine with what an ideal GIC would show them.

    The ideal GIC has no list registers and no hypervisor. Without latency everything a guest could see is
    compared after every operation; with it nothing may be lost, come twice or starve, and the time a guest
    sees the wrong order is measured. What differs is one of the known exceptions, which are counted by name,
    or a finding, which is shown with the shortest guest that leads to it.

    20,000 operations on golden take about 20 seconds.

    Exit status: 0 no finding, 1 a finding, 2 bad options.
    """
    profile = one_hypervisor(profile, policy) or "7.3"
    from sim.refinement.report import describe

    tallies = {}
    with Bar(engine) as bar:
        for latency in latencies:
            tally = refine(engine, operations, seed, latency, profile, lrs, strict, bar)
            tallies[latency] = tally
            if not as_json:
                click.echo(f"seed {seed}, profile {profile}, {describe(tally, latency)}")
    status = int(any(tally.findings for tally in tallies.values()))
    if as_json:
        results = ({"latency": latency, **tally.as_dict()} for latency, tally in tallies.items())
        print_json("refine", status, results, seed=seed, profile=profile, engine=engine, strict=strict)
    return status
