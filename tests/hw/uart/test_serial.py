"""Bytes at the pins: rates that are off, noise, breaks, and what the frames make of them (docs/uart.md)."""

import pytest
from amaranth.sim import Simulator

from hw.uart.bridge import UartBridge
from hw.uart.protocol import Kind, Status
from hw.uart.serial import Receiver, Transmitter
from sim.bench.frames import FrameReader, frame, request_word, response_fields

_PERIOD = 1e-8
TEXT = b"\x00\xff\x7e\x7d\x55\xaa\x80\x01"
SYNC = frame([request_word(Kind.SYNC, 7)])


def bits_of(data):
    """Return the levels of bytes on a line, a bit each."""
    return [level for byte in data for level in (0, *(byte >> n & 1 for n in range(8)), 1)]


def received(levels, divisor):
    """Return (byte, broken) for levels given cycle by cycle."""
    receiver, found = Receiver(divisor), []

    async def testbench(ctx):
        for level in [*levels, *[1] * 4 * divisor]:
            ctx.set(receiver.rx, level)
            await ctx.tick()
            if ctx.get(receiver.valid):
                found.append((ctx.get(receiver.byte), ctx.get(receiver.broken)))

    simulate(receiver, testbench)
    return found


def simulate(component, testbench):
    simulator = Simulator(component)
    simulator.add_clock(_PERIOD)
    simulator.add_testbench(testbench)
    simulator.run()


def sampled(bits, per_bit):
    """Return bits cycle by cycle, with a length that need not be a whole number of cycles."""
    return [bits[int(cycle / per_bit)] for cycle in range(int(len(bits) * per_bit))]


@pytest.mark.parametrize(
    ("divisor", "rate"), [(2, 1), (4, 1), (8, 0.97), (8, 1.03), (100, 0.97), (100, 1.03)]
)
def test_bytes_arrive_at_rates_that_are_off(divisor, rate):
    levels = sampled(bits_of(TEXT), divisor * rate)
    assert received(levels, divisor) == [(byte, 0) for byte in TEXT]


def test_a_glitch_is_no_byte():
    levels = [1] * 20 + [0] * 3 + [1] * 40 + sampled(bits_of(b"\x5a"), 8)
    assert received(levels, 8) == [(0x5A, 0)]


def test_a_missing_stop_bit_is_told_and_a_held_line_is_one_byte():
    broken = [*bits_of(b"\x5a")[:-1], 0]
    assert received(sampled([*broken, 1, *bits_of(b"\x33")], 8), 8) == [(0x5A, 1), (0x33, 0)]
    assert received([0] * 1000 + [1] * 8 + sampled(bits_of(b"\x33"), 8), 8) == [(0, 1), (0x33, 0)]


@pytest.mark.parametrize("divisor", [2, 5])
def test_what_is_sent_is_what_is_received(divisor):
    transmitter, levels = Transmitter(divisor), []

    async def testbench(ctx):
        rest = list(TEXT)
        for _ in range((10 * divisor + 2) * len(TEXT)):
            ctx.set(transmitter.bytes.valid, bool(rest))
            ctx.set(transmitter.bytes.payload, rest[0] if rest else 0)
            if ctx.get(transmitter.bytes.ready) and rest:
                rest.pop(0)
            await ctx.tick()
            levels.append(ctx.get(transmitter.tx))

    simulate(transmitter, testbench)
    assert received(levels, divisor) == [(byte, 0) for byte in TEXT]


def test_a_break_in_a_frame_is_refused_by_name_and_the_next_frame_is_taken():
    """Status.LINE; a line that is held low before a session does no harm."""
    divisor = 4
    bridge, levels = UartBridge(divisor, 1000, 1), []
    broken = bits_of(SYNC[:3])
    broken[-1] = 0
    bits = [0] * 40 + [1] * 4 + bits_of(b"\x7e" * 2) + broken + [1] + bits_of(SYNC[3:]) + bits_of(SYNC)

    async def testbench(ctx):
        for level in [*sampled(bits, divisor), *[1] * 40 * 10 * divisor]:
            ctx.set(bridge.rx, level)
            await ctx.tick()
            levels.append(ctx.get(bridge.tx))

    simulate(bridge, testbench)
    answers = FrameReader().feed(bytes(byte for byte, _ in received(levels, divisor)))
    told = [response_fields(words[0])[0] for words in answers]
    assert told == [Status.LINE, Status.LINE, Status.SYNC]
