"""Refinement as a job, so that gateware can stand where golden does."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from sim import progress
from sim.port import CpuPort
from sim.refinement.actions import random_actions
from sim.refinement.run import LENGTH, Finding, Tally, refine_on
from sim.refinement.setup import random_setup
from sim.scenario.build import pes_needed

__all__ = ["refine_job"]


async def refine_job(
    ports: list[CpuPort],
    operations: int,
    seed: int = 0,
    latency: int = 0,
    profile: str = "7.3",
    strict: bool = False,
) -> dict[str, Any]:
    """Do random runs on this hardware until so many guest operations were compared.

    The list registers are those of the ports; only machines with as many physical CPUs as there are
    ports are drawn. The observations are compared with the ideal GIC's after every operation.

    Returns
    -------
    dict
        :class:`sim.refinement.run.Tally` as JSON data.
    """
    tally = Tally()
    number = seed
    while tally.operations < operations:
        progress.report(tally.operations, operations)
        generator = random.Random(number)
        setup = random_setup(generator, latency, profile)
        number += 1
        if pes_needed(setup.spec) != len(ports):
            continue
        setup = replace(setup, lrs=ports[0].config.lrs, strict=strict)
        outcome = await refine_on(ports, setup, random_actions(generator, LENGTH, setup.trouble))
        tally.runs += 1
        tally.operations += outcome.operations
        tally.widths += outcome.widths
        if outcome.name is not None:
            tally.exceptions[outcome.name] += 1
        if outcome.finding:
            text = str(outcome.divergence)
            tally.findings.append(Finding(number - 1, setup, (), text, ()))
    return tally.as_dict()
