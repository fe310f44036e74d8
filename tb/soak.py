"""The long random run: RTL in lockstep with golden over many configurations."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from sim.lockstep import random_job
from sim.port import CpuPort
from tb.coverage import Coverage
from tb.runner import run_job
from tb.system_builds import CONFIGURATIONS_SYSTEM, CONFIGURATIONS_SYSTEM_V2, SystemBuild

__all__ = [
    "CONFIGURATIONS",
    "CONFIGURATIONS_SYSTEM",
    "CONFIGURATIONS_SYSTEM_V2",
    "CONFIGURATIONS_V2",
    "Build",
    "Result",
    "builds_of",
    "coverage_job",
    "name_of",
    "soak",
]

#: What can be soaked.
Build = GicConfig | GicV2Config | SystemBuild

#: What a soak runs: every LR count, every width and every switch at least once, in mixtures.
CONFIGURATIONS: tuple[GicConfig, ...] = (
    GicConfig(lrs=1),
    GicConfig(lrs=2, id_bits=24),
    GicConfig(lrs=4),
    GicConfig(lrs=4, id_bits=24),
    GicConfig(lrs=4, tds=False),
    GicConfig(lrs=4, eoicnt_mode1=True),
    GicConfig(lrs=4, nv4=False),
    GicConfig(lrs=8, pri_bits=6, pre_bits=5, id_bits=24),
    GicConfig(lrs=8, pri_bits=7, pre_bits=6, tds=False),
    GicConfig(lrs=16, pri_bits=7, pre_bits=7),
    GicConfig(lrs=1, pri_bits=8, pre_bits=7, id_bits=24, nv4=False, dvim=True, seis=True),
    GicConfig(lrs=2, pri_bits=6, pre_bits=6, tds=False, nv4=False, eoicnt_mode1=True, a3v=False),
    GicConfig(lrs=16, pri_bits=8, pre_bits=5, id_bits=24, seis=True),
    GicConfig(lrs=3, pri_bits=7, pre_bits=5, tds=False, id_bits=24),
)
#: The same for GICv2: one list register, both sides of a block of 16 and of a status word, the most.
CONFIGURATIONS_V2 = tuple(GicV2Config(lrs) for lrs in (1, 2, 4, 16, 17, 32, 33, 64))


def name_of(config: Build) -> str:
    """Return a short name: LRs, priority/preemption/INTID bits and the switches that are not the default."""
    if isinstance(config, SystemBuild):
        return config.name
    if isinstance(config, GicV2Config):
        return f"GICv2 {config.lrs} LRs"
    switches = [
        field.name if getattr(config, field.name) else f"no {field.name}"
        for field in fields(config)
        if isinstance(field.default, bool) and getattr(config, field.name) != field.default
    ]
    return " ".join(
        [f"{config.lrs} LRs {config.pri_bits}/{config.pre_bits} {config.id_bits}-bit IDs", *switches]
    )


@dataclass(frozen=True)
class Result:
    """One configuration's share: operations compared, seconds, the first difference if any."""

    config: Build
    seed: int
    operations: int
    seconds: float
    difference: dict[str, Any] | None
    coverage: list[list]


async def coverage_job(ports: list[CpuPort], operations: int, seed: int) -> dict:
    """Run :func:`sim.lockstep.random_job` and collect functional coverage beside it (GICv3 only)."""
    if isinstance(ports[0].config, GicV2Config):
        return {**await random_job(ports, operations, seed), "coverage": []}
    coverage = Coverage(ports[0].config)
    result = await random_job(ports, operations, seed, observe=coverage.sample)
    return {**result, "coverage": coverage.to_json()}


def _job_of(build: Build, operations: int, seed: int) -> dict[str, Any]:
    """Return what :func:`tb.runner.run_job` is to do for a share."""
    arguments = {"operations": operations, "seed": seed}
    if not isinstance(build, SystemBuild):
        return {"job": "tb.soak:coverage_job", "arguments": arguments, "config": build}
    # To look at all of a distributor takes hundreds of reads.
    arguments["every"] = max(32, build.physical.spis)
    job = "sim.lockstep_physical:random_system_job"
    return {"job": job, "arguments": arguments, **build._asdict()}


def soak(
    operations: int,
    seed: int,
    engine: str = "verilator",
    configurations: tuple[Build, ...] | None = None,
    progress: Callable[[int], None] | None = None,
    done: Callable[[Result], None] | None = None,
) -> list[Result]:
    """Run a random lockstep on every configuration, an equal share each.

    Parameters
    ----------
    operations : int
        In total; the shares are rounded up.
    seed : int
        Configuration number n uses ``1000 * seed + n``.
    engine : str
        One of :data:`tb.runner.ENGINES`.
    configurations : tuple of GicConfig, GicV2Config or SystemBuild, or None
        :data:`CONFIGURATIONS` if None.
    progress : callable or None
        Called with the operations done so far, in total.
    done : callable or None
        Called with every result as it comes.

    Raises
    ------
    InputError
        When ``operations`` is not positive or the engine is not available.
    """
    if operations < 1:
        raise InputError(f"operations must be at least 1, not {operations}")
    configurations = configurations or CONFIGURATIONS
    share = -(-operations // len(configurations))
    results: list[Result] = []
    for number, config in enumerate(configurations):
        own_seed = 1000 * seed + number
        start = time.perf_counter()
        answer = run_job(
            **_job_of(config, share, own_seed),
            engine=engine,
            progress=progress and (lambda count, _, before=number * share: progress(before + count)),
        )
        seconds = time.perf_counter() - start
        result = Result(
            config, own_seed, answer["operations"], seconds, answer["difference"], answer.get("coverage", [])
        )
        results.append(result)
        if done:
            done(result)
    return results


def builds_of(gic: str) -> tuple[Build, ...]:
    """Return what a soak of ``v3``, ``v2``, ``system`` or ``system-v2`` runs."""
    return {
        "v3": CONFIGURATIONS,
        "v2": CONFIGURATIONS_V2,
        "system": CONFIGURATIONS_SYSTEM,
        "system-v2": CONFIGURATIONS_SYSTEM_V2,
    }[gic]
