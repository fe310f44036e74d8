"""A whole GICv2 behind a bus: an interrupt from its line to a guest and back, all by loads and stores."""

import pytest
from amaranth.sim import Simulator

from hw.bus import BusFrame
from hw.bus_access import GICV2_MAP
from hw.bus_cluster import BRIDGES
from hw.bus_system import BusSystemV2
from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from hw.export import to_verilog
from hw.mmio_map import lookup_mmio

PHYSICAL = PhysicalConfig(are=False)
SPI = 34
#: GICC_CTLR.EOImodeNS: the end of an interrupt leaves it active.
EOI_MODE = 1 << 9


class Apb:
    """The bus of one PE, as a processor uses it."""

    def __init__(self, ctx, pe):
        self.ctx, self.pe = ctx, pe

    async def access(self, register, value=None):
        """Write ``value``, or read; an error fails."""
        entry = lookup_mmio(register)
        place = GICV2_MAP.places[BusFrame[entry.frame.name]][0] + entry.offset
        pe, ctx = self.pe, self.ctx
        for signal, level in (
            (pe.psel, 1), (pe.pwrite, value is not None), (pe.paddr, place), (pe.pwdata, value or 0),
            (pe.pstrb, 15),
        ):  # fmt: skip
            ctx.set(signal, level)
        await ctx.tick()
        ctx.set(pe.penable, 1)
        while not ctx.get(pe.pready):
            await ctx.tick()
        assert not ctx.get(pe.pslverr), register
        answer = ctx.get(pe.prdata)
        await ctx.tick()
        ctx.set(pe.psel, 0)
        ctx.set(pe.penable, 0)
        return answer


async def _host_and_guest(ctx, dut, host, other):
    async def settle():
        await ctx.tick().repeat(4)
        while not ctx.get(dut.settled):
            await ctx.tick()

    for register, value in (
        ("GICD_CTLR", 1), ("GICD_ISENABLER1", 1 << SPI - 32), ("GICC_PMR", 0xF8), ("GICC_CTLR", EOI_MODE | 1),
        ("GICH_VMCR", 0xF84C_0001), ("GICH_HCR", 1),
    ):  # fmt: skip
        await host.access(register, value)
    # Each bus is its PE's: a private interrupt's target is who asks (DIST-16).
    for pe, bus in enumerate((host, other)):
        assert await bus.access("GICD_ITARGETSR0") == 0x01010101 << pe
    await host.access("GICD_ITARGETSR8", 0x01010101)
    ctx.set(dut.spi, 1 << SPI - 32)
    await settle()
    assert (ctx.get(dut.pe0.irq), ctx.get(dut.pe1.irq)) == (1, 0)
    assert await host.access("GICC_IAR") == SPI
    await host.access("GICC_EOIR", SPI)
    # Listed with HW, the guest's end of it deactivates the physical one.
    await host.access("GICH_LR0", 1 << 31 | 1 << 28 | 4 << 23 | SPI << 10 | 40)
    await settle()
    assert (ctx.get(dut.pe0.irq), ctx.get(dut.pe0.virq)) == (0, 1)
    assert await host.access("GICV_IAR") == 40
    ctx.set(dut.spi, 0)
    assert await host.access("GICD_ISACTIVER1") == 1 << SPI - 32
    await host.access("GICV_EOIR", 40)
    await settle()
    assert await host.access("GICD_ISACTIVER1") == 0


def test_a_device_interrupts_a_guest():
    dut = BusSystemV2(GicV2Config(1), PHYSICAL, 2, "apb")
    finished = []

    async def bench(ctx):
        await _host_and_guest(ctx, dut, Apb(ctx, dut.pe0), Apb(ctx, dut.pe1))
        finished.append(True)

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(bench)
    simulator.run()
    assert finished


@pytest.mark.parametrize("bus", BRIDGES)
def test_every_bus_has_one(bus):
    dut = BusSystemV2(GicV2Config(1), PHYSICAL, 2, bus)
    dut._MustUse__used = True
    names = {"__".join(map(str, path)) for path, _, _ in dut.signature.flatten(dut)}
    assert {"pe1__irq", "pe1__fiq", "pe1__virq", "pe0__maintenance", "spi", "ppi1", "settled"} <= names
    assert {f"pe1__{name}" for name in BRIDGES[bus].signature_type(15).members} <= names


def test_what_is_not_to_be_had_is_refused():
    with pytest.raises(InputError, match="unknown bus 'ahb'"):
        to_verilog(GicV2Config(1), bus="ahb", physical=PHYSICAL)
    with pytest.raises(InputError, match="1 to 8 PEs"):
        to_verilog(GicV2Config(1), 9, bus="apb", physical=PHYSICAL)
    with pytest.raises(InputError, match="--gic v2 for a whole GIC behind a bus"):
        to_verilog(GicConfig(lrs=1), bus="apb", physical=PhysicalConfig())
