"""The engine's log: what goes in comes out in order, and is counted (docs/mailbox.md, LOG)."""

import random
from collections import deque

import pytest
from amaranth.sim import Simulator

from hw.bench.log import Log


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("depth", [4, 5, 64])
def test_records_are_kept_in_order_and_counted(depth, seed):
    """Two writers, a reader, and spells of filling and of emptying, against a queue."""
    choices, log = random.Random(f"{depth} {seed}"), Log(depth)
    print(f"seed {seed}")

    async def testbench(ctx):
        inside, late, counts = deque(), None, set()
        for cycle in range(1, 8 * depth + 400):
            filling = cycle // (4 * depth) % 2 == 0
            room = len(inside) + (late is not None) < depth
            writes = room and choices.random() < (0.7 if filling else 0.2)
            notes = not writes and late is None and room and choices.random() < 0.3
            # An operation never comes in the cycle after a note.
            writes = writes and late is None
            reads = choices.random() < (0.2 if filling else 0.7)
            for writer, there, record in ((log.keep, writes, log.operation), (log.notes, notes, log.note)):
                ctx.set(writer, there)
                ctx.set(record.value, cycle if there else 0)
            ctx.set(log.log.ready, reads)
            assert ctx.get(log.records) == len(inside), cycle
            assert ctx.get(log.full) == (len(inside) >= depth - 2), cycle
            counts.add(len(inside))
            if reads and ctx.get(log.log.valid):
                assert ctx.get(log.log.payload.value) == inside.popleft(), cycle
            if late is not None:
                inside.append(late)
            if writes:
                inside.append(cycle)
            late = cycle if notes else None
            await ctx.tick()
        assert counts == set(range(depth + 1))

    simulator = Simulator(log)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.run()
