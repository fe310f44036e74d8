"""The divergence table: where other models leave the architecture, and the test that notices each.

A row of ``divergences.toml`` is a directed test (:mod:`sim.directed`) with three keys more: ``model``,
``where`` and ``switch``. The strict golden model passes it, a golden model with the switch on fails it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from hw.config_v2 import GicV2Config
from sim.deviations import Deviations
from sim.deviations_peers import PeersV2, PeersV3
from sim.deviations_v2 import DeviationsV2
from sim.directed import DirectedTest, load_directed, run_directed
from sim.engines.golden import GoldenPort, GoldenV2Port
from sim.golden.peers import PeerGolden
from sim.golden_v2.peers import PeerGoldenV2
from sim.port import CpuPort

__all__ = ["DIVERGENCES", "Divergence", "load_divergences", "run_divergences"]

#: The table that comes with the project.
DIVERGENCES = Path(__file__).with_name("divergences.toml")

_SETS = (Deviations, DeviationsV2, PeersV3, PeersV2)


@dataclass(frozen=True)
class Divergence:
    """One row.

    ``model``: whose. ``where``: file and function. ``switch``: field of a set of switches.
    ``test``: notices it.
    """

    model: str
    where: str
    switch: str
    test: DirectedTest

    @property
    def name(self) -> str:
        """Report name of the switch and the number of the test: ``GEM1``."""
        return self.test.number

    @property
    def finding(self) -> str:
        """What the switch does, in a line."""
        return next(f.metadata["doc"] for s in _SETS for f in fields(s) if f.name == self.switch)

    def strict(self) -> GoldenPort | GoldenV2Port:
        """Return the architecture's model for the build of the test."""
        config = self.test.config
        return GoldenV2Port(config) if isinstance(config, GicV2Config) else GoldenPort(config)

    def deviating(self) -> GoldenPort | GoldenV2Port:
        """Return a model that has this bug and no other."""
        config, on = self.test.config, {self.switch: True}
        if isinstance(config, GicV2Config):
            if self.switch in DeviationsV2.names():
                return GoldenV2Port(config, DeviationsV2(**on))
            v2 = GoldenV2Port(config)
            v2.golden = PeerGoldenV2(config, PeersV2(**on))
            return v2
        if self.switch in Deviations.names():
            return GoldenPort(config, Deviations(**on))
        v3 = GoldenPort(config)
        v3.golden = PeerGolden(config, PeersV3(**on))
        return v3


def load_divergences() -> list[Divergence]:
    """Read the table, in its order."""
    entries = tomllib.loads(DIVERGENCES.read_text())["test"]
    return [
        Divergence(entry["model"], entry["where"], entry["switch"], test)
        for entry, test in zip(entries, load_directed(DIVERGENCES), strict=True)
    ]


async def run_divergences(ports: Sequence[CpuPort]) -> dict[str, list[str]]:
    """Run every row that fits the build of the first port: a job for any engine.

    Returns
    -------
    dict
        Mismatches, as text, by row; an empty list says that the engine does not have the bug.
    """
    port = ports[0]
    return {
        row.name: [str(mismatch) for mismatch in await run_directed(port, row.test)]
        for row in load_divergences()
        if row.test.config == port.config
    }
