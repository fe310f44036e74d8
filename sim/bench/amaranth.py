"""The bench in Amaranth's own simulator: slow, and needs no other program."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from amaranth.sim import Simulator

from hw.bench.bench import Bench
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from sim.bench.link import Host
from sim.bench.port import bench_ports
from sim.engines.amaranth import PERIOD

__all__ = ["AmaranthLink", "run_job"]


class AmaranthLink:
    """A bench inside a testbench of Amaranth's simulator; see :class:`sim.bench.link.Link`."""

    def __init__(self, bench: Bench, ctx: Any):
        self._commands, self._answers, self._ctx = bench.commands, bench.answers, ctx
        ctx.set(self._answers.ready, 1)

    async def exchange(self, words: Sequence[int], messages: int) -> list[list[int]]:
        """Send words, a cycle each at least, and return at least ``messages`` messages."""
        ctx, commands, answers = self._ctx, self._commands, self._answers
        found: list[list[int]] = []
        rest = sent = 0
        while sent < len(words) or len(found) < messages or rest:
            offers = sent < len(words)
            ctx.set(commands.valid, offers)
            if offers:
                ctx.set(commands.payload, words[sent])
                sent += ctx.get(commands.ready)
            elif not ctx.get(answers.valid):
                await ctx.posedge(answers.valid)
            if ctx.get(answers.valid):
                word = ctx.get(answers.payload)
                if rest:
                    found[-1].append(word)
                    rest -= 1
                else:
                    found.append([word])
                    rest = word & 0xFF
            await ctx.tick()
        ctx.set(commands.valid, 0)
        return found


def run_job(
    function: Callable[..., Any],
    arguments: dict[str, Any],
    config: GicConfig | GicV2Config,
    pes: int = 1,
    waves: Path | None = None,
) -> Any:
    """Run ``await function(ports, **arguments)`` on a bench of its own and return its result."""
    bench = Bench(config, pes)
    outcome: dict[str, Any] = {}

    async def testbench(ctx: Any) -> None:
        try:
            ports = await bench_ports(Host(AmaranthLink(bench, ctx)), config, pes)
            outcome["result"] = await function(ports, **arguments)
        except Exception as error:
            # Raised again outside, so that the simulator comes to an orderly end and its waves are whole.
            outcome["error"] = error

    simulator = Simulator(bench)
    simulator.add_clock(PERIOD)
    simulator.add_testbench(testbench)
    with simulator.write_vcd(str(waves)) if waves else contextlib.nullcontext():
        simulator.run()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["result"]
