"""The pins of a simulated system (:class:`hw.system.System`) inside a cocotb test."""

from __future__ import annotations

from typing import Any

from cocotb.clock import Clock
from cocotb.triggers import Timer
from cocotb.utils import get_sim_time

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from sim.engines.system import SimulatedSystem
from sim.engines.system_v2 import simulated_system
from tb.driver import PERIOD

__all__ = ["CocotbPins", "bring_up_system"]


class CocotbPins:
    """:class:`sim.engines.system.Pins` of the top, half a period away from the clock edge."""

    def __init__(self, dut: Any):
        self._dut = dut
        self._pins: dict[str, Any] = {}
        self._timers: dict[int, Timer] = {}

    def _pin(self, name: str) -> Any:
        pin = self._pins.get(name)
        if pin is None:
            pin = self._pins[name] = getattr(self._dut, name)
        return pin

    def get(self, name: str) -> int:
        """Return the value of an output."""
        return int(self._pin(name).value)

    def set(self, name: str, value: int) -> None:
        """Drive an input."""
        self._pin(name).value = value

    async def cycles(self, count: int) -> None:
        """Let clock cycles pass."""
        timer = self._timers.get(count)
        if timer is None:
            timer = self._timers[count] = Timer(PERIOD * count, "ns")
        await timer

    def now(self) -> int:
        """Return the simulated time in nanoseconds."""
        return int(get_sim_time("ns"))


async def bring_up_system(
    dut: Any, config: GicConfig | GicV2Config, physical: PhysicalConfig, pes: int
) -> SimulatedSystem:
    """Start the clock, reset the system with all inputs at rest and return it."""
    pins = CocotbPins(dut)
    inputs = ["spi", *(f"ppi{n}" for n in range(pes))]
    if physical.are:
        inputs += ["bus__request__valid", "bus__request__payload"]
    inputs += [f"pe{n}__request__{name}" for n in range(pes) for name in ("valid", "payload")]
    for name in inputs:
        pins.set(name, 0)
    pins.set("rst", 1)
    Clock(dut.clk, PERIOD, "ns", impl="gpi").start()
    await Timer(PERIOD * 2 + PERIOD // 2, "ns")
    pins.set("rst", 0)
    system = simulated_system(pins, config, physical, pes)
    await system.settle()
    return system
