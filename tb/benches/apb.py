"""The APB4 completer of a GICv2 build, driven by cocotbext-apb; lines and PSLVERR checked at the pins."""

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles
from cocotbext.apb import Apb4Bus, ApbMaster

from hw.apb import PLACES
from hw.bus import BusFrame
from hw.mmio_map import lookup_mmio
from tb.driver import PERIOD

#: vINTID 5 from PE 3, priority 0x80, Group 0, pending.
_SGI = 0x1800_0C05
#: Cycles in which the lines settle after any access.
_SETTLE = 16


class _Apb:
    """A requester on PE 0, by register name."""

    def __init__(self, dut):
        self.dut = dut
        self.master = ApbMaster(Apb4Bus.from_prefix(dut, "pe0_"), dut.clk)
        self.master.return_int = True

    async def start(self) -> None:
        self.dut.rst.value = 1
        self.dut.pe0__deactivate__ready.value = 1
        Clock(self.dut.clk, PERIOD, "ns").start()
        await ClockCycles(self.dut.clk, 2)
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, 2)

    async def read(self, name: str) -> int:
        return await self.read_at(address(name))

    async def read_at(self, place: int, error: bool = False) -> int:
        return await self.master.read(place, error_expected=error)

    async def write(self, name: str, value: int, strobes: int = 0b1111, error: bool = False) -> None:
        await self.write_at(address(name), value, strobes, error)

    async def write_at(self, place: int, value: int, strobes: int = 0b1111, error: bool = False) -> None:
        await self.master.write(place, value, strobes, error_expected=error)

    async def lines(self) -> tuple[int, int, int]:
        await ClockCycles(self.dut.clk, _SETTLE)
        return tuple(int(getattr(self.dut, f"pe0__{line}").value) for line in ("virq", "vfiq", "maintenance"))


def address(name: str) -> int:
    """Return where APB has a register."""
    register = lookup_mmio(name)
    return PLACES[BusFrame[register.frame.name]][0] + register.offset


async def _started(dut) -> _Apb:
    apb = _Apb(dut)
    await apb.start()
    return apb


@cocotb.test()
async def one_interrupt(dut) -> None:
    """Signal an SGI, acknowledge it with its CPUID, complete and deactivate it (V2-3, V2-4)."""
    apb = await _started(dut)
    assert await apb.read("GICH_VMCR") == 0x004C_0000
    await apb.write("GICH_VMCR", 0xF84C_0201)
    await apb.write("GICH_LR0", _SGI)
    await apb.write("GICH_HCR", 3)
    assert await apb.lines() == (1, 0, 1)
    assert await apb.read("GICV_IAR") == 0xC05
    assert await apb.read("GICH_LR0") == 0x2800_0C05
    assert await apb.read("GICH_APR") == 0x10000
    assert await apb.lines() == (0, 0, 1)
    await apb.write("GICV_EOIR", 0xC05)
    assert await apb.read("GICV_RPR") == 0xFF
    await apb.write("GICV_DIR", 0xC05)
    assert await apb.read("GICH_LR0") == 0x0800_0C05
    assert await apb.read("GICH_ELRSR0") & 1


@cocotb.test()
async def bad_transfers(dut) -> None:
    """Answer unmapped, unaligned and partial accesses with PSLVERR; change nothing."""
    apb = await _started(dut)
    await apb.write("GICH_VMCR", 0xF84C_0201)
    await apb.write("GICH_LR0", _SGI)
    await apb.write("GICH_HCR", 1)
    unmapped = [0, 0xFFC, 0x1000, 0x2000, 0x2FFC, 0x3000, 0x5000, 0x5100, 0x7FFC]
    unmapped += [address("GICH_VMCR") + 4, address("GICV_AHPPIR") + 4, address("GICV_DIR") + 4]
    for place in unmapped:
        await apb.write_at(place, 0xFFFF_FFFF, error=True)
        assert await apb.read_at(place, error=True) == 0
    for strobes in range(15):
        await apb.write("GICH_LR0", 0, strobes, error=True)
        await apb.write("GICH_HCR", 0, strobes, error=True)
    for byte in (1, 2, 3):
        await apb.write_at(address("GICH_LR0") + byte, 0, error=True)
        assert await apb.read_at(address("GICV_IAR") + byte, error=True) == 0
    assert await apb.read("GICH_LR0") == _SGI
    assert await apb.read("GICH_HCR") == 1
    assert await apb.read("GICH_VMCR") == 0xF84C_0201
    assert await apb.lines() == (1, 0, 0)


@cocotb.test()
async def silent_accesses(dut) -> None:
    """Read 0 from, and ignore writes of, wrong directions and list registers that are not there (REG-8)."""
    apb = await _started(dut)
    await apb.write("GICH_LR63", 0x1234_5678)
    assert await apb.read("GICH_LR63") == 0
    await apb.write("GICH_LR0", _SGI)
    await apb.write("GICH_VMCR", 0xF84C_0001)
    await apb.write("GICH_HCR", 1)
    await apb.write("GICV_IAR", 5)
    assert await apb.read("GICV_EOIR") == 0
    assert await apb.read("GICV_DIR") == 0
    assert await apb.read("GICH_LR0") == _SGI
