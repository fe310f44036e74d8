"""The port's cycle contract: latency, exactly-once effects, back-pressure, and lines that do not glitch."""

import pytest

from hw.config import GicConfig
from hw.interface import INTERVAL, LATENCY, settling
from hw.port import Outcome
from hw.registers import BY_ENCODING
from tests.hw.simulating import simulate

OPEN = 0xF84C0003
PENDING_40 = 0x5080000000000028
PENDING_41 = 0x5070000000000029


def test_every_access_takes_the_same_time():
    """Executed, trapped, UNDEFINED, read or write: always LATENCY cycles, one access each INTERVAL."""

    async def test(port):
        for el in (0, 1, 2, 3):
            for register in BY_ENCODING.values():
                for value in (None, 0):
                    port.present(el, register.name, value)
                    await port.take()
                    cycles, _ = await port.answer()
                    assert cycles == LATENCY, (el, register.name, value)
                    port.present(2, "ICH_VTR_EL2")
                    waited = await port.take()
                    assert cycles + waited == INTERVAL
                    await port.answer()

    simulate(test)


def test_unknown_encodings_are_undefined():
    """An encoding outside the table answers UNDEFINED at EL1 and EL2, and nothing else happens."""

    async def test(port):
        for encoding in range(0, 1 << 16, 97):
            if encoding not in BY_ENCODING:
                port.present(2, "", None, encoding)
                await port.take()
                _, response = await port.answer()
                assert response.outcome == Outcome.UNDEF
                assert response.value == 0
                assert response.esr == 0x2000000

    simulate(test)


def test_acknowledge_happens_once():
    """IAR-8: a request held valid for many cycles is taken, and acknowledges, once."""

    async def test(port):
        await port.access(2, "ICH_VMCR_EL2", OPEN)
        await port.access(2, "ICH_HCR_EL2", 1)
        await port.access(2, "ICH_LR0_EL2", PENDING_40)
        await port.access(2, "ICH_LR1_EL2", PENDING_41)
        port.present(1, "ICC_IAR1_EL1")
        await port.take()
        cycles, response = await port.answer()
        assert (cycles, response.value) == (LATENCY, 41)
        for _ in range(50):
            await port.ctx.tick()
            assert not port.ctx.get(port.cpu.response.valid)
        assert (await port.access(2, "ICH_LR0_EL2")).value == PENDING_40
        assert (await port.access(2, "ICH_AP1R0_EL2")).value == 1 << (0x70 >> 3)

    simulate(test)


@pytest.mark.parametrize("lrs", [1, 2, 3, 4, 7, 8, 16])
def test_an_access_sees_its_predecessor(lrs):
    """Back to back at INTERVAL: IAR finds the list register written just before, in every position."""

    async def test(port):
        await port.access(2, "ICH_VMCR_EL2", OPEN)
        await port.access(2, "ICH_HCR_EL2", 1)
        for n in range(lrs):
            port.present(2, f"ICH_LR{n}_EL2", 0x5080000000000000 | 32 + n)
            await port.take()
            port.present(1, "ICC_IAR1_EL1")
            assert await port.take() == INTERVAL - 1
            assert (await port.answer())[1].value == 32 + n
            port.present(1, "ICC_EOIR1_EL1", 32 + n)
            await port.take()
            port.present(1, "ICC_RPR_EL1")
            assert await port.take() == INTERVAL - 1
            assert (await port.answer())[1].value == 0xFF

    simulate(test, GicConfig(lrs=lrs))


def test_deactivation_waits_for_its_consumer():
    """HW-1: while a physical deactivation waits, no request is taken; it is delivered exactly once."""

    async def test(port):
        port.ctx.set(port.cpu.deactivate.ready, 0)
        await port.access(2, "ICH_VMCR_EL2", OPEN)
        await port.access(2, "ICH_HCR_EL2", 1)
        await port.access(2, "ICH_LR0_EL2", 0x70A000280000003C)
        assert (await port.access(1, "ICC_IAR1_EL1")).value == 60
        await port.access(1, "ICC_EOIR1_EL1", 60)
        port.present(2, "ICH_VTR_EL2")
        for _ in range(30):
            await port.ctx.tick()
            assert not port.ctx.get(port.cpu.request.ready)
            assert port.ctx.get(port.cpu.deactivate.valid)
            assert port.ctx.get(port.cpu.deactivate.payload.pintid) == 40
        port.ctx.set(port.cpu.deactivate.ready, 1)
        await port.ctx.tick()
        assert not port.ctx.get(port.cpu.deactivate.valid)
        await port.take()
        assert (await port.answer())[1].value == GicConfig(id_bits=24).vtr

    simulate(test)


@pytest.mark.parametrize("lrs", [1, 4, 16])
def test_lines_move_once_for_each_access(lrs):
    """SIG-8: all lines change together, settling() + 1 cycles after the response, in one step.

    The VMCR writes swap the enabled group and open the mask at once: a pipeline whose parts arrive
    one by one would raise vIRQ for the group just disabled.
    """
    config = GicConfig(lrs=lrs)

    async def change(port, name, value):
        await port.settle()
        before = port.lines()
        port.present(2, name, value)
        await port.take()
        await port.answer()
        for _ in range(settling(config)):
            await port.ctx.tick()
            assert port.lines() == before
            assert not port.ctx.get(port.cpu.settled)
        await port.ctx.tick()
        assert port.ctx.get(port.cpu.settled)
        return port.lines()

    async def test(port):
        assert await change(port, "ICH_HCR_EL2", 0x1) == (0, 0, 0)
        assert await change(port, f"ICH_LR{lrs - 1}_EL2", PENDING_40) == (0, 0, 0)
        assert await change(port, "ICH_VMCR_EL2", 0x004C0002) == (0, 0, 0)
        assert await change(port, "ICH_VMCR_EL2", 0xF84C0001) == (0, 0, 0)
        assert await change(port, "ICH_VMCR_EL2", 0xF84C0002) == (1, 0, 0)
        assert await change(port, "ICH_VMCR_EL2", 0x004C0001) == (0, 0, 0)
        assert await change(port, f"ICH_LR{lrs - 1}_EL2", 0x4080000000000028) == (0, 0, 0)
        assert await change(port, "ICH_VMCR_EL2", 0xF84C0001) == (0, 1, 0)
        assert await change(port, "ICH_HCR_EL2", 0x3) == (0, 1, 1)
        assert await change(port, "ICH_HCR_EL2", 0x2) == (0, 0, 0)

    simulate(test, config)


def test_settled_after_reset():
    """REG-13: nothing is signalled after reset and the port is ready at once."""

    async def test(port):
        assert port.lines() == (0, 0, 0)
        assert port.ctx.get(port.cpu.settled)
        assert port.ctx.get(port.cpu.request.ready)

    simulate(test)
