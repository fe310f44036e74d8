"""GICv2's frames behind whichever bus the build has; lines and errors checked at the pins."""

import cocotb

from hw.bus import BusFrame
from hw.bus_access import GICV2_MAP
from hw.mmio_map import lookup_mmio
from tb.benches.masters import lines, start

#: vINTID 5 from PE 3, priority 0x80, Group 0, pending.
_SGI = 0x1800_0C05
#: Byte enables of what a CPU can write at once, less a word.
_PARTS = (0b0001, 0b0010, 0b0100, 0b1000, 0b0011, 0b1100, 0b0110, 0b0111, 0b1110)


def at(name: str) -> int:
    """Return where a register is."""
    register = lookup_mmio(name)
    return GICV2_MAP.places[BusFrame[register.frame.name]][0] + register.offset


@cocotb.test()
async def one_interrupt(dut) -> None:
    """Signal an SGI, acknowledge it with its CPUID, complete and deactivate it (V2-3, V2-4)."""
    bus = await start(dut)
    assert await bus.read(at("GICH_VMCR")) == 0x004C_0000
    await bus.write(at("GICH_VMCR"), 0xF84C_0201)
    await bus.write(at("GICH_LR0"), _SGI)
    await bus.write(at("GICH_HCR"), 3)
    assert await lines(dut) == (1, 0, 1)
    assert await bus.read(at("GICV_IAR")) == 0xC05
    assert await bus.read(at("GICH_LR0")) == 0x2800_0C05
    assert await bus.read(at("GICH_APR")) == 0x10000
    assert await lines(dut) == (0, 0, 1)
    await bus.write(at("GICV_EOIR"), 0xC05)
    assert await bus.read(at("GICV_RPR")) == 0xFF
    await bus.write(at("GICV_DIR"), 0xC05)
    assert await bus.read(at("GICH_LR0")) == 0x0800_0C05
    assert await bus.read(at("GICH_ELRSR0")) & 1


@cocotb.test()
async def bad_accesses(dut) -> None:
    """Answer what is not mapped and parts of words with an error; change nothing."""
    bus = await start(dut)
    await bus.write(at("GICH_VMCR"), 0xF84C_0201)
    await bus.write(at("GICH_LR0"), _SGI)
    await bus.write(at("GICH_HCR"), 1)
    unmapped = [0, 0xFFC, 0x1000, 0x2000, 0x2FFC, 0x3000, 0x5000, 0x5100, 0x7FFC]
    unmapped += [at("GICH_VMCR") + 4, at("GICV_AHPPIR") + 4, at("GICV_DIR") + 4]
    for place in unmapped:
        await bus.write(place, 0xFFFF_FFFF, error=True)
        assert await bus.read(place, error=True) == 0
    for strobes in _PARTS:
        await bus.write(at("GICH_LR0"), 0, strobes, error=True)
        await bus.write(at("GICH_HCR"), 0, strobes, error=True)
    assert await bus.read(at("GICH_LR0")) == _SGI
    assert await bus.read(at("GICH_HCR")) == 1
    assert await bus.read(at("GICH_VMCR")) == 0xF84C_0201
    assert await lines(dut) == (1, 0, 0)


@cocotb.test()
async def silent_accesses(dut) -> None:
    """Read 0 from, and ignore writes of, wrong directions and list registers that are not there (REG-8)."""
    bus = await start(dut)
    await bus.write(at("GICH_LR63"), 0x1234_5678)
    assert await bus.read(at("GICH_LR63")) == 0
    await bus.write(at("GICH_LR0"), _SGI)
    await bus.write(at("GICH_VMCR"), 0xF84C_0001)
    await bus.write(at("GICH_HCR"), 1)
    await bus.write(at("GICV_IAR"), 5)
    assert await bus.read(at("GICV_EOIR")) == 0
    assert await bus.read(at("GICV_DIR")) == 0
    assert await bus.read(at("GICH_LR0")) == _SGI
