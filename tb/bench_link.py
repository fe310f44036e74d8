"""The bench's mailbox on the pins of a simulated bench, under cocotb."""

from __future__ import annotations

from collections.abc import Sequence

from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from sim.bench.link import Host
from sim.bench.port import BenchPort, bench_ports
from tb.driver import PERIOD

__all__ = ["CocotbLink", "bring_up_bench"]


class CocotbLink:
    """:class:`sim.bench.link.Link`; it acts half a period after the clock's edge, like :mod:`tb.driver`."""

    def __init__(self, dut):
        self._valid, self._payload = dut.commands__valid, dut.commands__payload
        self._ready = dut.commands__ready
        self._speaks, self._word = dut.answers__valid, dut.answers__payload
        self._answers_ready = dut.answers__ready
        self._cycle, self._half = Timer(PERIOD, "ns"), Timer(PERIOD // 2, "ns")
        self._rise = RisingEdge(self._speaks)

    def idle(self) -> None:
        """Drive every input to rest."""
        self._valid.value = 0
        self._payload.value = 0
        self._answers_ready.value = 1

    async def exchange(self, words: Sequence[int], messages: int) -> list[list[int]]:
        """Send words, a cycle each at least, and return at least ``messages`` messages."""
        found: list[list[int]] = []
        rest = sent = 0
        while sent < len(words) or len(found) < messages or rest:
            if sent < len(words):
                self._valid.value = 1
                self._payload.value = words[sent]
                sent += int(self._ready.value)
            else:
                self._valid.value = 0
                if not self._speaks.value:
                    # Python sleeps while the guest runs.
                    await self._rise
                    await self._half
            if self._speaks.value:
                word = int(self._word.value)
                if rest:
                    found[-1].append(word)
                    rest -= 1
                else:
                    found.append([word])
                    rest = word & 0xFF
            await self._cycle
        self._valid.value = 0
        return found


async def bring_up_bench(dut, config: GicConfig | GicV2Config, pes: int) -> list[BenchPort]:
    """Start the clock, reset the bench and return its CPU ports."""
    link = CocotbLink(dut)
    dut.rst.value = 1
    link.idle()
    Clock(dut.clk, PERIOD, "ns", impl="gpi").start()
    await Timer(PERIOD * 2 + PERIOD // 2, "ns")
    dut.rst.value = 0
    await Timer(PERIOD, "ns")
    return await bench_ports(Host(link), config, pes)
