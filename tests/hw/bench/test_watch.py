"""The wait before an exit: on both clocks, to the cycle (docs/mailbox.md, Guests)."""

import random

import pytest
from amaranth.sim import Simulator

from hw.bench.protocol import LatencyWord
from hw.bench.watch import Watch


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("cycles", [0, 1])
@pytest.mark.parametrize("amount", [0, 1, 2, 7])
def test_an_exit_is_due_as_soon_as_the_wait_is_over(amount, cycles, seed):
    """Clocks that stand still or count by one, looks at least two cycles apart, against plain arithmetic."""
    choices, watch = random.Random(f"{amount} {cycles} {seed}"), Watch()
    print(f"seed {seed}")

    async def testbench(ctx):
        ctx.set(watch.latency, LatencyWord.const({"amount": amount, "cycles": cycles, "never": 0}))
        clocks, since, level = [choices.getrandbits(20), choices.getrandbits(20)], None, 0
        due = 0
        for cycle in range(400):
            look = cycle % choices.choice([2, 3]) == 0 and cycle % 2 == 0
            level = level if choices.randrange(6) else 1 - level
            ctx.set(watch.operations, clocks[0])
            ctx.set(watch.clock, clocks[1])
            ctx.set(watch.level, level)
            ctx.set(watch.look, look)
            if look and cycle > 2:
                now = clocks[cycles]
                expected = level and (now - since if since is not None else 0) >= amount
                assert ctx.get(watch.over) == bool(expected), (cycle, now, since)
                due += bool(expected)
            if look:
                since = None if not level else clocks[cycles] if since is None else since
            await ctx.tick()
            clocks = [one + choices.randrange(2) for one in clocks]
        assert due

    simulator = Simulator(watch)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.run()
