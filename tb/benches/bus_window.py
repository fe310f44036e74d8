"""The window onto GICv3's system registers behind whichever bus the build has."""

import cocotb

from hw.decode import ESR_UNDEF
from hw.port import Outcome
from hw.registers import lookup
from hw.sysreg_window import CONTEXT, ESR, HIGH, OUTCOME, window_offset
from tb.benches.masters import lines, start

#: Pending, Group 1, priority 0x80, vINTID 37.
_LR = 0x5080_0000_0000_0025
_HYPERVISOR, _GUEST = 2, 1


def at(name: str, el: int = _HYPERVISOR) -> int:
    """Return where the window has a register."""
    return window_offset(lookup(name).encoding, el)


async def _write64(bus, address: int, value: int) -> None:
    await bus.write(HIGH, value >> 32)
    await bus.write(address, value & 0xFFFF_FFFF)


async def _read64(bus, address: int) -> int:
    low = await bus.read(address)
    return await bus.read(address + 4) << 32 | low


async def _prepared(dut):
    """Return a master; one interrupt is pending for the guest."""
    bus = await start(dut)
    await bus.write(at("ICH_VMCR_EL2"), 0xF800_0002)
    await _write64(bus, at("ICH_LR0_EL2"), _LR)
    await bus.write(at("ICH_HCR_EL2"), 1)
    return bus


@cocotb.test()
async def one_interrupt(dut) -> None:
    """List an interrupt at EL2; acknowledge and complete it at EL1 (IAR-1, EOI-1)."""
    bus = await _prepared(dut)
    assert await bus.read(HIGH) == 0, "a write takes HIGH with it"
    assert await _read64(bus, at("ICH_LR0_EL2")) == _LR
    assert await lines(dut) == (1, 0, 0)
    assert await bus.read(at("ICC_IAR1_EL1", _GUEST)) == 37
    assert await bus.read(OUTCOME) == Outcome.OK.value
    assert await _read64(bus, at("ICH_LR0_EL2")) == _LR ^ 0xC << 60
    assert await lines(dut) == (0, 0, 0)
    await bus.write(at("ICC_EOIR1_EL1", _GUEST), 37)
    assert await _read64(bus, at("ICH_LR0_EL2")) == _LR & ~(0xC << 60)
    assert await bus.read(at("ICH_ELRSR_EL2")) & 1


@cocotb.test()
async def what_does_not_execute(dut) -> None:
    """Answer a trap and an UNDEFINED access with errors, tell why, and change nothing (TRP-1, TRP-5)."""
    bus = await _prepared(dut)
    await bus.write(at("ICH_HCR_EL2"), 1 << 12 | 1)
    await bus.write(CONTEXT, await bus.read(CONTEXT) | 7 << 8)
    await bus.read(at("ICC_IAR1_EL1", _GUEST), error=True)
    assert await bus.read(OUTCOME) == Outcome.TRAP_EL2.value
    esr = await bus.read(ESR)
    assert esr >> 26 == 0x18 and esr >> 5 & 31 == 7 and esr & 1, hex(esr)
    await bus.write(at("ICH_HCR_EL2", _GUEST), 0, error=True)
    assert await bus.read(OUTCOME) == Outcome.UNDEF.value
    assert await bus.read(ESR) == ESR_UNDEF
    assert await bus.read(at("ICH_HCR_EL2")) == 1 << 12 | 1
    assert await _read64(bus, at("ICH_LR0_EL2")) == _LR


@cocotb.test()
async def the_context_decides(dut) -> None:
    """Without IMO the guest's access is not redirected, and there is no physical interface to take it."""
    bus = await _prepared(dut)
    context = await bus.read(CONTEXT)
    assert context == 0b11011
    await bus.write(CONTEXT, 0xFFFF_FFFF)
    assert await bus.read(CONTEXT) == 0x1F7F
    await bus.write(CONTEXT, context & ~1)
    await bus.read(at("ICC_IAR1_EL1", _GUEST), error=True)
    assert await bus.read(OUTCOME) == Outcome.UNDEF.value
    await bus.write(CONTEXT, context)
    assert await bus.read(at("ICC_IAR1_EL1", _GUEST)) == 37


@cocotb.test()
async def bad_accesses(dut) -> None:
    """Parts of words and holes of the window are errors; read-only registers ignore writes."""
    bus = await _prepared(dut)
    for strobes in (0b0001, 0b0010, 0b0100, 0b1000, 0b0011, 0b1100, 0b0110):
        for place in (at("ICH_HCR_EL2"), at("ICH_HCR_EL2") + 4, CONTEXT, HIGH):
            await bus.write(place, 0xFFFF_FFFF, strobes, error=True)
    for place in (0x10, 0x100, 0x1_FFFC, at("ICH_HCR_EL2", 0)):
        await bus.write(place, 0xFFFF_FFFF, error=True)
        assert await bus.read(place, error=True) == 0
    await bus.write(OUTCOME, 3)
    await bus.write(ESR, 3)
    assert await bus.read(OUTCOME) == await bus.read(ESR) == await bus.read(HIGH) == 0
    assert await bus.read(at("ICH_HCR_EL2")) == 1
