"""The GICv2 interface by itself: its timing, its bus, and what sets it apart from GICv3."""

from functools import cache

import pytest

from hw.config_v2 import GicV2Config
from hw.core import interval, latency, settling
from hw.errors import InputError
from hw.mmio import Frame
from hw.mmio_map import MMIO_REGISTERS, lookup_mmio
from sim.engines.amaranth import AmaranthEngine
from sim.engines.codec_v2 import PortCodecV2, codec_of
from sim.port import Access, MmioAccess, MmioResponse

_STATES = {"I": 0, "P": 1, "A": 2, "PA": 3}


def lr(state, vintid, priority=0x80, group=0, **more):
    """Build a GICH_LR<n>: ``hw``, ``pid`` (or ``eoi``, ``cpuid`` while ``hw`` is 0)."""
    low = more.get("pid", 0) | more.get("eoi", 0) << 9 | more.get("cpuid", 0)
    upper = more.get("hw", 0) << 31 | group << 30 | _STATES[state] << 28
    return upper | priority >> 3 << 23 | low << 10 | vintid


class Hand:
    """Register accesses by name."""

    def __init__(self, port):
        self.port = port

    async def read(self, name):
        """Return what a register reads."""
        return (await self.port.access(Access(2, lookup_mmio(name)))).value

    async def write(self, **values):
        """Write registers in order."""
        for name, value in values.items():
            await self.port.access(Access(2, lookup_mmio(name), True, value))

    async def lines(self):
        """Return vIRQ, vFIQ and maintenance."""
        return tuple(map(int, await self.port.lines()))[:3]


def on_gateware(test, lrs=4):
    """Run ``await test(hand)`` on a fresh interface."""

    async def job(ports):
        await test(Hand(ports[0]))

    _engine(lrs).run(job, {})


@cache
def _engine(lrs):
    """Return an elaborated interface; elaborating is the slow part."""
    return AmaranthEngine(GicV2Config(lrs))


def test_timing_follows_the_list_registers():
    """Up to 16 list registers an access takes as long as on GICv3; what settles later makes it longer."""
    assert [(latency(c), interval(c)) for c in map(GicV2Config, (1, 16, 17, 64))] == [
        (6, 7), (6, 7), (8, 9), (8, 9),
    ]  # fmt: skip
    assert all(settling(GicV2Config(n)) <= latency(GicV2Config(n)) - 1 for n in range(1, 65))


def test_every_word_of_both_frames_is_defined_or_an_error():
    """1.9: exactly what the table maps answers; other frames, offsets, sizes and alignments are errors."""
    mapped = {(r.frame, r.offset) for r in MMIO_REGISTERS}

    async def test(hand):
        mmio = hand.port.mmio
        for frame, length in ((Frame.GICH, 0x240), (Frame.GICV, 0x140), (Frame.GICC, 0x40)):
            for offset in (*range(0, length, 4), 0x1000, 0x1004, 0x2000, 0x4_1000, 0xF_FFFC):
                answer = await mmio(MmioAccess(frame, offset))
                good = frame is not Frame.GICC and (frame, offset) in mapped
                assert answer.error == (not good), (frame, hex(offset))
                assert good or answer.value == 0
        before = await hand.port.state()
        for size, offset in ((1, 0), (2, 0), (8, 0), (8, 0x100), (4, 1), (4, 2), (4, 3), (2, 2), (4, 0x102)):
            for write in (False, True):
                access = MmioAccess(Frame.GICH, offset, size, write, 0xFF if write else 0)
                assert await mmio(access) == MmioResponse(True, 0)
        assert await hand.port.state() == before

    on_gateware(test)


def test_wrong_directions_do_nothing():
    """A read-only register ignores writes (IAR above all), a write-only one reads 0, without an error."""

    async def test(hand):
        entry = lr("P", 40)
        await hand.write(GICH_VMCR=0xF84C_0001, GICH_LR0=entry, GICH_HCR=1)
        before = await hand.port.state()
        await hand.write(GICV_IAR=40, GICV_AIAR=40, GICV_HPPIR=40, GICH_ELRSR0=0, GICH_VTR=0, GICV_RPR=0)
        for name in ("GICV_EOIR", "GICV_AEOIR", "GICV_DIR"):
            assert await hand.read(name) == 0
        assert await hand.port.state() == before

    on_gateware(test)


@pytest.mark.parametrize("lrs", [1, 4, 17, 33])
def test_list_registers_beyond_the_last_read_zero_reg8(lrs):
    async def test(hand):
        for n in range(64):
            await hand.write(**{f"GICH_LR{n}": 0xFFFF_FFFF})
        stored = 0xFF8F_FFFF  # [22:20] are reserved
        for n in range(64):
            assert await hand.read(f"GICH_LR{n}") == (stored if n < lrs else 0)
        assert (await hand.port.state()).lr == [stored] * lrs

    on_gateware(test, lrs)


@pytest.mark.parametrize("lrs", [33, 64])
def test_status_of_many_list_registers_v2_9(lrs):
    """EISR1 and ELRSR1 hold the upper half; underflow and "no pending" count over all blocks."""

    async def test(hand):
        high = lrs - 1
        await hand.write(**{f"GICH_LR{high}": lr("I", 40, eoi=1)}, GICH_LR0=lr("A", 41))
        every = (1 << lrs) - 1
        word = await hand.read("GICH_ELRSR1") << 32 | await hand.read("GICH_ELRSR0")
        assert word == every & ~(1 << high) & ~1
        word = await hand.read("GICH_EISR1") << 32 | await hand.read("GICH_EISR0")
        assert word == 1 << high
        await hand.write(GICH_HCR=0xB)
        assert await hand.read("GICH_MISR") == 0b1011
        await hand.write(**{f"GICH_LR{high}": lr("P", 40)})
        assert await hand.read("GICH_MISR") == 0
        await hand.write(GICH_LR0=0)
        assert await hand.read("GICH_MISR") == 0b0010

    on_gateware(test, lrs)


def test_the_lowest_of_many_equal_entries_wins_sel4():
    """Ties and duplicates in different blocks: the lowest list register is taken and found (C5)."""

    async def test(hand):
        await hand.write(GICH_VMCR=0xF84C_0001, GICH_HCR=1)
        for n in (63, 34, 33, 18):
            await hand.write(**{f"GICH_LR{n}": lr("P", 40)})
        for n in (18, 33):
            assert await hand.read("GICV_IAR") == 40
            assert await hand.read(f"GICH_LR{n}") == lr("A", 40)
            await hand.write(GICH_APR=0)
        await hand.write(GICH_APR=1 << 16, GICV_EOIR=40)
        assert await hand.read("GICH_LR18") == lr("I", 40)
        assert await hand.read("GICH_LR33") == lr("A", 40)

    on_gateware(test, 64)


def test_ack_ctl_opens_iar_eoir_and_hppir_to_group_1_v2_2():
    async def test(hand):
        await hand.write(GICH_VMCR=0xF84C_0003, GICH_LR0=lr("P", 40, group=1), GICH_HCR=1)
        assert await hand.read("GICV_HPPIR") == await hand.read("GICV_IAR") == 1022
        assert await hand.read("GICV_AHPPIR") == 40
        await hand.write(GICV_PMR=0x80)
        assert await hand.read("GICV_IAR") == await hand.read("GICV_AIAR") == 1023  # masked comes first
        await hand.write(GICV_PMR=0xF8, GICV_CTLR=7)
        assert await hand.read("GICV_IAR") == 40
        await hand.write(GICV_EOIR=40)
        assert await hand.read("GICH_LR0") == lr("I", 40, group=1)
        await hand.write(GICH_LR0=lr("P", 41))
        assert await hand.read("GICV_AIAR") == await hand.read("GICV_AHPPIR") == 1023
        assert await hand.read("GICV_IAR") == 41
        await hand.write(GICV_AEOIR=41)
        assert await hand.read("GICH_LR0") == lr("A", 41)  # EOI-10: the other group
        assert await hand.read("GICH_APR") == 0

    on_gateware(test)


def test_eoir_of_group_1_uses_its_own_binary_point_eoi10():
    """With AckCtl, GICV_EOIR ends a Group 1 interrupt at the level that ABPR, not BPR, gave it."""

    async def test(hand):
        await hand.write(GICV_CTLR=7, GICV_PMR=0xF8, GICV_BPR=4, GICV_ABPR=3, GICH_HCR=1)
        await hand.write(GICH_LR0=lr("P", 40, 0x98, group=1))
        assert await hand.read("GICV_IAR") == 40
        assert await hand.read("GICH_APR") == 1 << (0x98 >> 3)
        await hand.write(GICV_EOIR=40)
        assert await hand.read("GICH_LR0") == lr("I", 40, 0x98, group=1)

    on_gateware(test)


def test_one_active_priority_word_serves_both_groups_v2_1():
    async def test(hand):
        await hand.write(GICH_VMCR=0xF84C_0007, GICH_HCR=1, GICH_LR0=lr("P", 40, 0x80, group=1))
        assert await hand.read("GICV_IAR") == 40
        await hand.write(GICH_LR1=lr("P", 41, 0x40, group=0))
        assert await hand.read("GICV_IAR") == 41
        assert await hand.read("GICH_APR") == await hand.read("GICV_APR0") == 1 << 16 | 1 << 8
        assert await hand.read("GICV_APR1") == 0
        await hand.write(GICV_EOIR=41)
        assert await hand.read("GICV_RPR") == 0x80

    on_gateware(test)


@pytest.mark.parametrize(("pid", "request_made"), [(15, False), (16, True), (1019, True), (1020, False)])
def test_physical_deactivation_hw3(pid, request_made):
    """PhysicalID 0..15 and 1020..1023 make no request; the virtual side proceeds; no CPUID is shown."""

    async def test(hand):
        await hand.write(GICH_VMCR=0xF84C_0001, GICH_HCR=1, GICH_LR0=lr("P", 5, hw=1, pid=pid))
        assert await hand.read("GICV_IAR") == 5
        await hand.write(GICV_EOIR=5)
        assert await hand.port.deactivations() == [pid] * request_made
        assert await hand.read("GICH_LR0") == lr("I", 5, hw=1, pid=pid)

    on_gateware(test)


def test_fiq_enable_and_maintenance_line_v2_4():
    async def test(hand):
        await hand.write(GICV_CTLR=1, GICV_PMR=0xF8, GICH_LR0=lr("P", 40), GICH_HCR=3)
        assert await hand.lines() == (1, 0, 1)
        await hand.write(GICV_CTLR=9)
        assert await hand.lines() == (0, 1, 1)
        await hand.write(GICH_HCR=2)
        assert await hand.lines() == (0, 0, 0)

    on_gateware(test)


def test_codec_packs_what_the_bus_carries():
    codec = codec_of(GicV2Config())
    assert isinstance(codec, PortCodecV2)
    register = lookup_mmio("GICV_DIR")
    access = Access(2, register, True, 0xC05)
    assert codec.access(codec.request(access)) == access
    raw = MmioAccess(Frame.GICV, 0x1002, 2, True, 5)
    assert codec.access(codec.mmio(raw)) == raw
    for bad in (MmioAccess(Frame.GICH, 0, 3), MmioAccess(Frame.GICH, 1 << 20), raw._replace(value=1 << 16)):
        with pytest.raises(InputError, match="the bus carries 1, 2, 4 or 8 bytes"):
            codec.mmio(bad)
