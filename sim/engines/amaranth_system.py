"""Amaranth's simulator as an engine for whole systems."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from amaranth.hdl import ClockDomain, Module, Signal, Value
from amaranth.sim import Simulator

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.system import System, SystemV2, system_of
from sim.engines.amaranth import PERIOD
from sim.engines.system import SimulatedSystem
from sim.engines.system_v2 import simulated_system

__all__ = ["AmaranthSystemEngine"]


class _Pins:
    """:class:`sim.engines.system.Pins` of a component in Amaranth's simulator."""

    def __init__(self, system: System | SystemV2, rst: Signal):
        self._system = system
        self._found: dict[str, Value] = {"rst": rst}
        self.context: Any = None

    def _pin(self, name: str) -> Value:
        if name not in self._found:
            member: Any = self._system
            for part in name.split("__"):
                member = getattr(member, part)
            self._found[name] = Value.cast(member)
        return self._found[name]

    def get(self, name: str) -> int:
        return self.context.get(self._pin(name))

    def set(self, name: str, value: int) -> None:
        self.context.set(self._pin(name), value)

    async def cycles(self, count: int) -> None:
        # Not tick().repeat(): that refuses to pass through a reset.
        for _ in range(count):
            await self.context.tick()

    def now(self) -> None:
        return None


class AmaranthSystemEngine:
    """A simulated system that can run one job after another, each from reset.

    Parameters
    ----------
    config, physical, pes
        The system.
    """

    def __init__(self, config: GicConfig | GicV2Config, physical: PhysicalConfig, pes: int = 1):
        self._build = (config, physical, pes)
        top = Module()
        # A domain of its own, so that the reset can be driven.
        top.domains.sync = domain = ClockDomain()
        top.submodules.system = system = system_of(config, physical, pes)
        self._pins = _Pins(system, domain.rst)
        self._job: Callable[[SimulatedSystem], Any] | None = None
        self._result: Any = None
        self._error: Exception | None = None
        self._simulator = Simulator(top)
        self._simulator.add_clock(PERIOD)
        self._simulator.add_testbench(self._testbench)
        self._fresh = True

    async def _testbench(self, context: Any) -> None:
        self._pins.context = context
        assert self._job is not None
        try:
            self._result = await self._job(simulated_system(self._pins, *self._build))
        except Exception as error:
            # Raised again outside, so that the simulator comes to an orderly end and its waves are whole.
            self._error = error

    def run(self, function: Callable[..., Any], arguments: dict[str, Any], waves: Path | None = None) -> Any:
        """Run ``await function(system, **arguments)`` from reset and return its result.

        Parameters
        ----------
        function : coroutine function
            The job.
        arguments : dict
            Its keyword arguments.
        waves : Path or None
            VCD file to write.
        """
        self._job = lambda system: function(system, **arguments)
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
