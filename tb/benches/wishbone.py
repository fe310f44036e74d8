"""What only Wishbone has: pipelined masters, SEL of reads, cycles that end early; and how long it takes."""

import cocotb
from cocotb.triggers import ClockCycles, FallingEdge

from hw.config_v2 import GicV2Config
from hw.core import latency
from tb.benches.bus_frames import at
from tb.benches.masters import Wishbone, lines, start


@cocotb.test()
async def pipelined_masters(dut) -> None:
    """STALL low accepts the request and answers it; standard and pipelined masters see the same."""
    await start(dut)
    bus = Wishbone(dut, pipelined=True)
    await bus.write(at("GICH_VMCR"), 0xF84C_0201)
    await bus.write(at("GICH_LR0"), 0x1800_0C05)
    await bus.write(at("GICH_HCR"), 1)
    assert await lines(dut) == (1, 0, 0)
    assert await bus.read(at("GICV_IAR")) == 0xC05
    await bus.write(0, 0, error=True)
    assert await bus.read(at("GICH_LR0")) == 0x2800_0C05


@cocotb.test()
async def requests_back_to_back(dut) -> None:
    """STB stays high over two accesses; each is answered once."""
    bus = await start(dut)
    await FallingEdge(dut.clk)
    answers = []
    for value in (7 << 10, 9 << 10):
        bus.request(at("GICH_LR1"), value)
        while not int(dut.pe0__ack.value):
            await FallingEdge(dut.clk)
        answers.append(value)
        await FallingEdge(dut.clk)
        assert not int(dut.pe0__ack.value), "an answer lasts one cycle"
    dut.pe0__cyc.value = dut.pe0__stb.value = 0
    assert await bus.read(at("GICH_LR1")) == 9 << 10


@cocotb.test()
async def sel_counts_for_reads(dut) -> None:
    """Refuse to read less than a word: an acknowledge that did not happen (IAR-8)."""
    bus = await start(dut)
    await bus.write(at("GICH_VMCR"), 0xF84C_0201)
    await bus.write(at("GICH_LR0"), 0x1800_0C05)
    await bus.write(at("GICH_HCR"), 1)
    for sel in range(15):
        assert await bus.read(at("GICV_IAR"), error=True, strobes=sel) == 0
        await bus.write(at("GICH_LR0"), 0, sel, error=True)
    assert await bus.read(at("GICV_IAR")) == 0xC05


@cocotb.test()
async def a_cycle_that_ends_early(dut) -> None:
    """No answer comes when nobody waits for it, not even in the next cycle of the bus; the access is made."""
    bus = await start(dut)
    for wait in range(1, 12):
        await FallingEdge(dut.clk)
        bus.request(at("GICH_LR0"), wait << 10)
        await ClockCycles(dut.clk, wait)
        dut.pe0__cyc.value = dut.pe0__stb.value = 0
        await FallingEdge(dut.clk)
        # Right behind it another one: its answer must be its own.
        assert await bus.read(at("GICH_VTR")) & 0x3F == 1
        assert await bus.read(at("GICH_LR0")) == wait << 10


@cocotb.test()
async def the_time_an_access_takes(dut) -> None:
    """Take the cycles that the documentation names."""
    bus = await start(dut)
    await bus.read(at("GICH_VTR"))
    assert bus.cycles == latency(GicV2Config(2)) + 4
