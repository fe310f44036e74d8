"""Amaranth's own simulator as an engine: slow, needs no other program, and the one Hypothesis shrinks on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from hw.cluster import Cluster
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.core import latency, settling
from hw.fields import Access as Use
from hw.mmio import Frame
from hw.registers import REGISTERS, Space
from hw.registers_v2 import REGISTERS_V2
from sim.engines.codec_v2 import codec_of
from sim.port import Access, CpuPort, Lines, MmioAccess, MmioResponse, Response, State, write

__all__ = ["PERIOD", "AmaranthEngine", "AmaranthPort", "reset_by_writes", "run_job"]

#: Clock period in seconds, as in the Verilog benches.
PERIOD = 8e-9


class AmaranthPort:
    """:class:`sim.port.CpuPort` of one PE, inside a testbench of Amaranth's simulator.

    Parameters
    ----------
    config : GicConfig or GicV2Config
        What the cluster was made from; with a GICv2 one this is a :class:`sim.port.MmioPort`.
    pins : CpuPortSignature or GicV2PortSignature interface
        The PE's port.
    rst : Signal or None
        Reset of the cluster when no other PE shares it.
    """

    def __init__(self, config: GicConfig | GicV2Config, pins: Any, rst: Any = None):
        self.config = config
        self._ctx: Any = None
        self._codec = codec_of(config)
        self._pins = pins
        self._rst = rst
        self._payload = pins.request.payload.as_value()
        self._response = pins.response.payload.as_value()
        self._observe = pins.observe.as_value()
        self._pintid = pins.deactivate.payload.as_value()
        self._deactivated: list[int] = []
        self._latency = latency(config)
        self._settling = settling(config) + 1

    def attach(self, ctx: Any) -> None:
        """Give the port its testbench's context, and drive the inputs to rest."""
        self._ctx = ctx
        self._deactivated.clear()
        ctx.set(self._pins.deactivate.ready, 1)

    async def collect(self, ctx: Any) -> None:
        """Run as a background testbench: note every deactivation request."""
        async for (valid,) in ctx.changed(self._pins.deactivate.valid):
            if valid:
                self._deactivated.append(ctx.get(self._pintid))

    async def reset(self) -> None:
        """Return every register to its reset value; see :meth:`tb.driver.CocotbPort.reset`."""
        if self._rst is None:
            await reset_by_writes(self)
        else:
            self._ctx.set(self._rst, 1)
            await self._ctx.tick()
            self._ctx.set(self._rst, 0)
        await self._settle()
        self._deactivated.clear()

    async def access(self, access: Access) -> Response:
        """Execute one register access."""
        return self._codec.response(await self._execute(self._codec.request(access)))

    async def mmio(self, access: MmioAccess) -> MmioResponse:
        """Execute one access on the bus of a GICv2 build."""
        return self._codec.mmio_response(await self._execute(self._codec.mmio(access)))

    async def _execute(self, packed: int) -> int:
        """Put a request on the pins and return the response."""
        ctx, request = self._ctx, self._pins.request
        ctx.set(self._payload, packed)
        ctx.set(request.valid, 1)
        await ctx.tick().repeat(self._latency if ctx.get(request.ready) else self._latency + 1)
        while not ctx.get(self._pins.response.valid):
            await ctx.tick()
        # Until now the port was not ready for another request.
        ctx.set(request.valid, 0)
        return ctx.get(self._response)

    async def _settle(self) -> None:
        """Wait until the lines and the probe show what the last access left."""
        if not self._ctx.get(self._pins.settled):
            await self._ctx.tick().repeat(self._settling)
            while not self._ctx.get(self._pins.settled):
                await self._ctx.tick()

    async def lines(self) -> Lines:
        """Return the settled output lines."""
        await self._settle()
        get, pins = self._ctx.get, self._pins
        return Lines(bool(get(pins.virq)), bool(get(pins.vfiq)), bool(get(pins.maintenance)))

    async def deactivations(self) -> list[int]:
        """Return and forget the physical INTIDs deactivated through HW list registers (HW-1), in order."""
        await self._settle()
        taken, self._deactivated = self._deactivated, []
        return taken

    async def state(self) -> State:
        """Return all storage without an access."""
        await self._settle()
        return self._codec.state(self._ctx.get(self._observe))

    def now(self) -> None:
        """Return None: Amaranth 0.5 does not tell a testbench the time."""


async def reset_by_writes(port: CpuPort) -> None:
    """Write every ICH or GICH register's reset value (REG-13), HCR first so that no line moves on the way.

    For one of several PEs behind one reset pin.
    """
    if isinstance(port.config, GicV2Config):
        table = [register for register in REGISTERS_V2 if register.frame is Frame.GICH]
    else:
        table = [register for register in REGISTERS if register.space is Space.ICH]
    for register in table:
        if register.access is Use.RW and register.exists(port.config):
            await write(port, 2, register, register.reset_value(port.config))


class AmaranthEngine:
    """A simulated cluster that can run one job after another, each from reset.

    Elaborating takes longer than a short job: who has many of them keeps the engine.

    Parameters
    ----------
    config, pes
        The cluster.
    """

    def __init__(self, config: GicConfig | GicV2Config, pes: int = 1):
        top = Module()
        # A domain of its own, so that the reset can be driven.
        top.domains.sync = domain = ClockDomain()
        top.submodules.cluster = cluster = Cluster(config, pes)
        rst = domain.rst if pes == 1 else None
        self.ports = [AmaranthPort(config, getattr(cluster, f"pe{n}"), rst) for n in range(pes)]
        self._job: Callable[[], Any] | None = None
        self._result: Any = None
        self._error: Exception | None = None
        self._simulator = Simulator(top)
        self._simulator.add_clock(PERIOD)
        self._simulator.add_testbench(self._testbench)
        for port in self.ports:
            self._simulator.add_testbench(port.collect, background=True)
        self._fresh = True

    async def _testbench(self, ctx: Any) -> None:
        for port in self.ports:
            port.attach(ctx)
        assert self._job is not None
        try:
            self._result = await self._job()
        except Exception as error:
            # Raised again outside, so that the simulator comes to an orderly end and its waves are whole.
            self._error = error

    def run(self, function: Callable[..., Any], arguments: dict[str, Any], waves: Path | None = None) -> Any:
        """Run ``await function(ports, **arguments)`` from reset and return its result.

        Parameters
        ----------
        function : coroutine function
            The job; see :mod:`sim.engines.job`.
        arguments : dict
            Its keyword arguments.
        waves : Path or None
            VCD file to write.
        """
        self._job = lambda: function(self.ports, **arguments)
        if not self._fresh:
            self._simulator.reset()
        self._fresh = False
        with self._simulator.write_vcd(str(waves)) if waves else contextlib.nullcontext():
            self._simulator.run()
        result, error = self._result, self._error
        self._job = self._result = self._error = None
        if error is not None:
            raise error
        return result


def run_job(
    function: Callable[..., Any],
    arguments: dict[str, Any],
    config: GicConfig | GicV2Config,
    pes: int = 1,
    waves: Path | None = None,
) -> Any:
    """Run one job on a cluster of its own; see :meth:`AmaranthEngine.run`."""
    return AmaranthEngine(config, pes).run(function, arguments, waves)
