"""Refinement as a job, so that gateware can stand where golden does."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

from sim import progress
from sim.port import CpuPort
from sim.refinement.actions import random_actions
from sim.refinement.run import LENGTH, refine_on
from sim.refinement.setup import random_setup

__all__ = ["refine_job"]


async def refine_job(
    ports: list[CpuPort], operations: int, seed: int = 0, latency: int = 0, profile: str = "7.3"
) -> dict[str, Any]:
    """Do random runs on this hardware until so many guest operations were compared.

    The list registers are those of the ports; only machines with as many vCPUs as there are ports are
    drawn. The observations are compared with the ideal GIC's after every operation.

    Returns
    -------
    dict
        runs, operations, exceptions by name, findings as text.
    """
    done, runs, number = 0, 0, seed
    exceptions: Counter[str] = Counter()
    findings: list[str] = []
    while done < operations:
        progress.report(done, operations)
        generator = random.Random(number)
        setup = random_setup(generator, latency, profile)
        number += 1
        if setup.vcpus != len(ports):
            continue
        setup = replace(setup, lrs=ports[0].config.lrs)
        outcome = await refine_on(ports, setup, random_actions(generator, LENGTH, setup.trouble))
        runs += 1
        done += outcome.operations
        if outcome.name is not None:
            exceptions[outcome.name] += 1
        if outcome.finding:
            findings.append(f"seed {number - 1}: {outcome.divergence}")
    return {"runs": runs, "operations": done, "exceptions": dict(exceptions), "findings": findings}
