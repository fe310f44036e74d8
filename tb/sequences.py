"""What the cocotb benches do to a port: streams of accesses, idle time, back-pressure.

The accesses themselves come from :mod:`sim.stimulus`; here is what only a cycle-level bench can vary.
"""

from __future__ import annotations

from cocotb.triggers import Timer

from sim.stimulus import Choices, Stimulus
from tb.driver import PERIOD, CocotbPort
from tb.scoreboard import Scoreboard

__all__ = ["random_accesses", "stall_deactivations"]

#: Longest idle time between two accesses and longest stall of a deactivation, in cycles.
_LONGEST = 12


async def random_accesses(cpu: CocotbPort, scoreboard: Scoreboard, choices: Choices, count: int) -> None:
    """Make random accesses, aimed with the scoreboard's twin, and let the last one settle."""
    stimulus = Stimulus(cpu.config, choices)
    for _ in range(count):
        # The twin follows the monitor, which may not have seen the last response yet; aim is all it loses.
        await cpu.perform(stimulus.next(scoreboard.golden.state()))
        await _pause(cpu, choices)
    await cpu.lines()
    await cpu.wait(2)


async def _pause(cpu: CocotbPort, choices: Choices) -> None:
    kind = choices.below(4)
    if kind == 1:
        await cpu.lines()
    elif kind == 2:
        await cpu.wait(1 + choices.below(_LONGEST))
    elif kind == 3:
        await cpu.wait(1)


async def stall_deactivations(dut, index: int, choices: Choices) -> None:
    """Make the receiver of physical deactivations of a PE slow, for ever; start it with ``start_soon``."""
    ready = getattr(dut, f"pe{index}__deactivate__ready")
    while True:
        ready.value = 0
        await Timer(PERIOD * (1 + choices.below(_LONGEST)), "ns")
        ready.value = 1
        await Timer(PERIOD * (1 + choices.below(_LONGEST)), "ns")
