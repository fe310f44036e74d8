"""How long an access over a standard bus takes: what ``docs/ports.md`` says, counted."""

import pytest
from amaranth.sim import Simulator

from hw.bus_access import GICV2_MAP
from hw.bus_cluster import BRIDGES, BusCluster, cycles
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.mmio_map import lookup_mmio
from hw.registers import lookup
from hw.sysreg_window import OUTCOME, window_offset

_GICH = next(base for frame, (base, _) in GICV2_MAP.places.items() if frame.name == "GICH")
#: A build, a register of it, and whether that is one of the window's own.
PLACES = {
    "v3": (GicConfig(lrs=1), window_offset(lookup("ICH_VTR_EL2").encoding, 2), False),
    "v3-window": (GicConfig(lrs=1), OUTCOME, True),
    "v2": (GicV2Config(1), _GICH + lookup_mmio("GICH_VTR").offset, False),
    "v2-17": (GicV2Config(17), _GICH + lookup_mmio("GICH_VTR").offset, False),
}
#: Bus -> what to raise for a read of an address (one cycle later for APB), and what then answers.
READS = {
    "apb": (lambda place: {"psel": 1, "paddr": place}, {"penable": 1}, "pready"),
    "axi4lite": (lambda place: {"arvalid": 1, "araddr": place, "rready": 1}, {}, "rvalid"),
    "wishbone": (lambda place: {"cyc": 1, "stb": 1, "adr": place >> 2, "sel": 15}, {}, "ack"),
}


def _counted(dut, request, after, answer):
    """Return the cycles from the one that makes the request to the one that answers it."""
    counted = []

    async def read(ctx):
        pe = dut.pe0
        await ctx.tick().repeat(4)
        for name, value in request.items():
            ctx.set(getattr(pe, name), value)
        if after:
            await ctx.tick()
        for name, value in after.items():
            ctx.set(getattr(pe, name), value)
        passed = 0
        while not ctx.get(getattr(pe, answer)):
            await ctx.tick()
            passed += 1
            assert passed < 50
        counted.append(passed)

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(read)
    simulator.run()
    return counted[0]


@pytest.mark.parametrize("build", PLACES)
@pytest.mark.parametrize("bus", BRIDGES)
def test_a_read_takes_the_cycles_that_are_documented(bus, build):
    config, place, own = PLACES[build]
    request, after, answer = READS[bus]
    assert _counted(BusCluster(config, 1, bus), request(place), after, answer) == cycles(bus, config, own)
