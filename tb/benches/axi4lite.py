"""What only AXI4-Lite has: channels that wait for each other, and answers that wait."""

import itertools

import cocotb
from cocotb.triggers import ClockCycles, Combine, FallingEdge

from hw.axi4lite import Resp
from hw.config_v2 import GicV2Config
from hw.core import latency
from tb.benches.bus_frames import at
from tb.benches.masters import lines, start

#: Cycles that no access takes.
_LONG = 50


def _pattern(dut, *channels) -> None:
    """Let channels pause in patterns that do not fit together."""
    for number, channel in enumerate(channels):
        pauses = [n % (number + 2) != 0 for n in range(7 + number)]
        channel.set_pause_generator(itertools.cycle(pauses))


@cocotb.test()
async def back_pressure(dut) -> None:
    """Any channel may be slow, at the sender or the receiver; nothing is lost or doubled."""
    bus = await start(dut)
    write, read = bus.master.write_if, bus.master.read_if
    _pattern(dut, write.aw_channel, write.w_channel, write.b_channel, read.ar_channel, read.r_channel)
    for n in range(12):
        await bus.write(at("GICH_LR0"), n << 10)
        await bus.write(0, n, error=True)
        assert await bus.read(0, error=True) == 0
        assert await bus.read(at("GICH_LR0")) == n << 10


@cocotb.test()
async def reads_and_writes_at_once(dut) -> None:
    """Neither direction keeps the other from getting its turn."""
    bus = await start(dut)
    order = []

    async def work(name, act):
        for _ in range(8):
            await act()
            order.append(name)

    await Combine(
        cocotb.start_soon(work("w", lambda: bus.write(at("GICH_LR1"), 5 << 10))),
        cocotb.start_soon(work("r", lambda: bus.read(at("GICH_LR1")))),
    )
    assert set(order[:4]) == {"r", "w"} and set(order[-6:-2]) == {"r", "w"}, order
    assert await bus.read(at("GICH_LR1")) == 5 << 10


@cocotb.test()
async def answers_wait(dut) -> None:
    """Hold VALID, and the response with it, until READY; no second access is made meanwhile."""
    bus = await start(dut)
    await bus.write(at("GICH_VMCR"), 0xF84C_0201)
    await bus.write(at("GICH_LR0"), 0x1800_0C05)
    await bus.write(at("GICH_LR1"), 0x1800_0006)
    await bus.write(at("GICH_HCR"), 1)
    bus.master.read_if.r_channel.pause = True
    first = cocotb.start_soon(bus.read(at("GICV_IAR")))
    second = cocotb.start_soon(bus.read(at("GICV_HPPIR")))
    seen = []
    for _ in range(60):
        await FallingEdge(dut.clk)
        if int(dut.pe0__rvalid.value):
            seen.append((int(dut.pe0__rdata.value), int(dut.pe0__rresp.value)))
    assert len(seen) > 30 and set(seen) == {(0xC05, 0)}
    bus.master.read_if.r_channel.pause = False
    assert await first == 0xC05
    # Priority 0x80 runs: what is pending has no more than that, but HPPIR names it all the same.
    assert await second == 6
    await ClockCycles(dut.clk, 4)


async def _bare_write(dut, address: int, value: int, strobes: int) -> int:
    """Write with the address some cycles before the data; return BRESP."""
    await FallingEdge(dut.clk)
    dut.pe0__awaddr.value = address
    dut.pe0__awvalid.value = 1
    for _ in range(3):
        await FallingEdge(dut.clk)
        assert not int(dut.pe0__awready.value), "an address alone is not taken"
    dut.pe0__wdata.value = value
    dut.pe0__wstrb.value = strobes
    dut.pe0__wvalid.value = 1
    cycles = 0
    while not int(dut.pe0__awready.value) and cycles < _LONG:
        await FallingEdge(dut.clk)
        cycles += 1
    assert int(dut.pe0__awready.value) and int(dut.pe0__wready.value)
    await FallingEdge(dut.clk)
    dut.pe0__awvalid.value = dut.pe0__wvalid.value = 0
    dut.pe0__bready.value = 1
    assert int(dut.pe0__bvalid.value)
    answer = int(dut.pe0__bresp.value)
    assert answer or cycles + 1 == latency(GicV2Config(2)) + 3, "as the documentation says"
    await FallingEdge(dut.clk)
    assert not int(dut.pe0__bvalid.value)
    dut.pe0__bready.value = 0
    return answer


@cocotb.test()
async def strobes_that_no_write_has(dut) -> None:
    """Answer byte enables with holes, and none at all, with SLVERR; change nothing (seen by vIRQ)."""
    await start(dut, drive=False)
    for name, value in (("GICH_VMCR", 0xF84C_0201), ("GICH_LR0", 0x1800_0C05), ("GICH_HCR", 1)):
        assert await _bare_write(dut, at(name), value, 0b1111) == Resp.OKAY.value
    assert await lines(dut) == (1, 0, 0)
    for strobes in (0b0000, 0b0101, 0b1010, 0b1001, 0b1011):
        assert await _bare_write(dut, at("GICH_HCR"), 0, strobes) == Resp.SLVERR.value
    assert await lines(dut) == (1, 0, 0)
    assert await _bare_write(dut, at("GICH_HCR"), 0, 0b1111) == Resp.OKAY.value
    assert await lines(dut) == (0, 0, 0)
