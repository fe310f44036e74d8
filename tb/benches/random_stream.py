"""Random accesses on every PE at once, everything compared, deactivations taken late."""

import cocotb

from tb.benches.bench import start
from tb.sequences import random_accesses, stall_deactivations


async def _run(dut, stall: bool) -> None:
    bench = await start(dut)
    tasks = []
    for n, (cpu, scoreboard) in enumerate(zip(bench.ports, bench.scoreboards, strict=True)):
        if stall:
            cocotb.start_soon(stall_deactivations(dut, n, bench.choices(100 + n)))
        stream = random_accesses(cpu, scoreboard, bench.choices(n), bench.operations)
        tasks.append(cocotb.start_soon(stream))
    for task in tasks:
        await task
    for monitor in bench.monitors:
        assert monitor.transactions >= bench.operations
    await bench.finish(40)  # a stalled deactivation may still be on its way


@cocotb.test()
async def random_stream(dut) -> None:
    """Take deactivations at once."""
    await _run(dut, stall=False)


@cocotb.test()
async def random_stream_with_stalls(dut) -> None:
    """Take deactivations late, so that requests have to wait."""
    await _run(dut, stall=True)
