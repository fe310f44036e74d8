"""Bytes on a serial line: 8 data bits, no parity, one stop bit, least significant bit first."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

__all__ = ["Receiver", "Transmitter"]

_BITS = 8


class Receiver(wiring.Component):
    """Samples every bit in its middle; a byte is there half a bit before its stop bit ends.

    When idle it waits, without a register changing, for the line to fall. A start bit that is gone again in
    its middle was noise.

    Parameters
    ----------
    divisor : int, 2 or more
        Clock cycles of a bit. The sender's clock may be off by 3 % when it is 8 or more.

    Members
    -------
    rx : In(1)
        The pin, asynchronous.
    byte : Out(8)
        What has come in.
    valid : Out(1)
        It is whole, for one cycle.
    broken : Out(1)
        With ``valid``: it has no stop bit, so it may be anything.
    """

    rx: In(1, init=1)
    byte: Out(8)
    valid: Out(1)
    broken: Out(1)

    def __init__(self, divisor: int):
        self._divisor = divisor
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        rx = Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.rx, rx, init=1)
        wait, left = Signal(range(self._divisor)), Signal(range(_BITS + 1))
        m.d.sync += self.valid.eq(0)
        with m.FSM():
            with m.State("idle"):
                m.d.sync += [wait.eq(self._divisor // 2 - 1), left.eq(_BITS)]
                with m.If(~rx):
                    m.next = "start"
            with m.State("start"):
                m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 0):
                    m.d.sync += wait.eq(self._divisor - 1)
                    m.next = "bits"
                    with m.If(rx):
                        m.next = "idle"
            with m.State("bits"):
                m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 0):
                    m.d.sync += wait.eq(self._divisor - 1)
                    with m.If(left == 0):
                        m.d.sync += [self.valid.eq(1), self.broken.eq(~rx)]
                        m.next = "idle"
                        with m.If(~rx):
                            m.next = "stop"
                    with m.Else():
                        m.d.sync += [self.byte.eq(Cat(self.byte[1:], rx)), left.eq(left - 1)]
            with m.State("stop"):
                # A line held low is one broken byte, not one after the other.
                with m.If(rx):
                    m.next = "idle"
        return m


class Transmitter(wiring.Component):
    """Sends bytes, ten bits each.

    Parameters
    ----------
    divisor : int, 2 or more
        Clock cycles of a bit.

    Members
    -------
    bytes : In(stream.Signature(8))
        What to send; taken when the line is free.
    tx : Out(1)
        The pin, from a register; high when idle.
    """

    bytes: In(stream.Signature(_BITS))
    tx: Out(1, init=1)

    def __init__(self, divisor: int):
        self._divisor = divisor
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        bits, left, wait = Signal(_BITS + 1), Signal(range(_BITS + 3)), Signal(range(self._divisor))
        idle = Signal()
        m.d.comb += [idle.eq(left == 0), self.bytes.ready.eq(idle)]
        with m.If(~idle):
            m.d.sync += wait.eq(wait - 1)
            with m.If(wait == 0):
                m.d.sync += [
                    self.tx.eq(bits[0]),
                    bits.eq(Cat(bits[1:], 1)),
                    left.eq(left - 1),
                    wait.eq(self._divisor - 1),
                ]
        with m.Elif(self.bytes.valid):
            m.d.sync += [
                self.tx.eq(0),
                bits.eq(Cat(self.bytes.payload, 1)),
                left.eq(_BITS + 2),
                wait.eq(self._divisor - 1),
            ]
        return m
