"""The first bench to run after any change: identity, one interrupt through its life, a trap, a reset."""

import cocotb

from hw.registers import lookup
from sim.port import Access, Outcome, read, write
from tb.benches.bench import start

_PENDING = 0x5080_0000_0000_0028  # vINTID 40, priority 0x80, Group 1, pending


@cocotb.test()
async def identity(dut) -> None:
    """ICH_VTR_EL2 tells the parameters (REG-1), on every PE."""
    bench = await start(dut)
    for cpu in bench.ports:
        assert await read(cpu, 2, lookup("ICH_VTR_EL2")) == bench.config.vtr
        await cpu.lines()
    await bench.finish()


@cocotb.test()
async def one_interrupt(dut) -> None:
    """Signalled, acknowledged, completed, deactivated (T36); the other PEs see nothing."""
    bench = await start(dut)
    cpu, *others = bench.ports
    await write(cpu, 2, lookup("ICH_VMCR_EL2"), 0xF84C_0003)
    await write(cpu, 2, lookup("ICH_LR0_EL2"), _PENDING)
    await write(cpu, 2, lookup("ICH_HCR_EL2"), 1)
    assert (await cpu.lines()).virq
    for other in others:
        assert not any(await other.lines())
        await read(other, 2, lookup("ICH_ELRSR_EL2"))
    assert await read(cpu, 1, lookup("ICC_IAR1_EL1")) == 40
    assert not (await cpu.lines()).virq
    await write(cpu, 1, lookup("ICC_EOIR1_EL1"), 40)
    for port in bench.ports:
        state = await port.state()
        assert state.elrsr == (1 << bench.config.lrs) - 1 and not any(state.ap1r)
    await bench.finish()


@cocotb.test()
async def trap_and_reset(dut) -> None:
    """Trap an acknowledge, which changes nothing (TRP-5); reset, which empties everything (REG-13)."""
    bench = await start(dut)
    for cpu in bench.ports:
        await write(cpu, 2, lookup("ICH_VMCR_EL2"), 0xF84C_0003)
        await write(cpu, 2, lookup("ICH_LR0_EL2"), _PENDING)
        await write(cpu, 2, lookup("ICH_HCR_EL2"), 0x1001)
        response = await cpu.access(Access(1, lookup("ICC_IAR1_EL1")))
        assert response.outcome is Outcome.TRAP_EL2 and response.esr == 0x6230_3019
        assert (await cpu.state()).lr[0] == _PENDING
    dut.rst.value = 1
    await bench.ports[0].wait(1)
    dut.rst.value = 0
    await bench.ports[0].wait(20)
    for cpu in bench.ports:
        state = await cpu.state()
        assert state.hcr == 0 and not any(state.lr) and not any(await cpu.lines())
    await bench.finish()
