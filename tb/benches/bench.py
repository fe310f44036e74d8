"""What every bench starts with: a running cluster with a driver, a monitor and a scoreboard per PE."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import cocotb

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from sim.engines.job import config_from_json
from sim.stimulus import RandomChoices
from tb.coverage import Coverage
from tb.driver import CocotbPort, bring_up
from tb.monitor import Monitor
from tb.scoreboard import Scoreboard

__all__ = ["Bench", "start"]


@dataclass
class Bench:
    """A cluster under test.

    ``settings`` is what :func:`tb.runner.run_bench` was given; ``coverage`` is shared by all PEs.
    """

    dut: object
    config: GicConfig | GicV2Config
    settings: dict
    coverage: Coverage
    ports: list[CocotbPort] = field(default_factory=list)
    monitors: list[Monitor] = field(default_factory=list)
    scoreboards: list[Scoreboard] = field(default_factory=list)

    def choices(self, salt: int = 0) -> RandomChoices:
        """Return a source of decisions made from cocotb's seed, which cocotb prints."""
        return RandomChoices(cocotb.RANDOM_SEED * 1000 + salt)

    @property
    def operations(self) -> int:
        """How many random accesses to make on each PE."""
        return self.settings["operations"]

    async def finish(self, cycles: int = 2) -> None:
        """Let the monitors see the end, check that nothing is owed and hand the coverage over."""
        await self.ports[0].wait(cycles)
        for scoreboard in self.scoreboards:
            scoreboard.finish()
        path = Path(self.settings["coverage"])
        if path.exists():
            self.coverage.merge(json.loads(path.read_text()))
        path.write_text(json.dumps(self.coverage.to_json()))


async def start(dut) -> Bench:
    """Reset the cluster and start watching it."""
    settings = json.loads(Path(os.environ["SPILLWAY_BENCH"]).read_text())
    config = config_from_json(settings["config"])
    bench = Bench(dut, config, settings, Coverage(config))
    bench.ports = await bring_up(dut, config, settings["pes"], strict=True)
    for n in range(settings["pes"]):
        monitor, scoreboard = Monitor(dut, n, config), Scoreboard(config, bench.coverage)
        scoreboard.watch(monitor)
        cocotb.start_soon(monitor.run())
        bench.monitors.append(monitor)
        bench.scoreboards.append(scoreboard)
    return bench
