"""The directed tests of the specification, with the scoreboard watching."""

import cocotb

from sim.directed import load_directed, run_directed
from tb.benches.bench import start


@cocotb.test()
async def every_test_of_this_build(dut) -> None:
    """Run every directed test whose build this is, each from reset; golden follows the reset pin."""
    bench = await start(dut)
    cpu = bench.ports[0]
    failures = []
    ran = 0
    for test in load_directed():
        if test.config == bench.config:
            ran += 1
            failures += map(str, await run_directed(cpu, test))
            await cpu.wait(2)
    assert ran, f"no directed test is made for {bench.config}"
    assert not failures, "\n".join(failures)
    await bench.finish()
