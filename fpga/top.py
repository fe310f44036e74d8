"""The top of a board: clock, pins, and the bench behind its serial line."""

from __future__ import annotations

from amaranth.hdl import Elaboratable, Module

from fpga.boards import Board
from fpga.clocks import PllClock, pll_for
from hw.config import GicConfig
from hw.errors import InputError
from hw.uart.board import UartBench

__all__ = ["BoardTop", "divisor_for"]

#: Clock cycles of a bit, at least, and how far a bit may be from its length.
_FEWEST, _TOLERANCE = 4, 0.02
#: DATA is answered after this part of a second at the latest.
_PATIENCE = 0.1


def divisor_for(frequency: float, baud: int) -> int:
    """Return how many clock cycles a bit of the serial line has.

    Raises
    ------
    InputError
        When no whole number of them is within 2 % of the rate, or the clock is too slow for it.
    """
    divisor = round(frequency / baud) if baud > 0 else 0
    if divisor < _FEWEST or abs(frequency / divisor / baud - 1) > _TOLERANCE:
        raise InputError(
            f"{baud} baud cannot be made of a clock of {frequency / 1e6:g} MHz (a whole number of cycles, at "
            f"least {_FEWEST}, within 2 %); try --baud {round(frequency / max(_FEWEST, divisor or 100))}"
        )
    return divisor


class BoardTop(Elaboratable):
    """Everything of a board.

    The first LED is on when a host has begun a session.

    Parameters
    ----------
    board : Board
        Which one.
    config : GicConfig
        Configuration of the interface.
    frequency : float
        Clock asked for, in Hz; the PLL's next one above it is used.
    baud : int
        Bits a second of the serial line.
    pes : int
        Number of PEs.

    Attributes
    ----------
    frequency : float
        The clock as it will be.

    Raises
    ------
    InputError
        When clock or rate cannot be made.
    """

    def __init__(self, board: Board, config: GicConfig, frequency: float, baud: int, pes: int = 1):
        oscillator = board.platform().default_clk_frequency
        self._pll = None
        if frequency == oscillator:
            self.frequency = oscillator
        elif board.pll is None:
            raise InputError(
                f"{board.name} runs from its own {oscillator / 1e6:g} MHz only; leave out --freq"
            )
        else:
            self._pll = pll_for(board.pll, oscillator, frequency)
            self.frequency = self._pll.frequency
        self._bench = config, pes
        self._line = {
            "divisor": divisor_for(self.frequency, baud), "patience": round(_PATIENCE * self.frequency),
            "clock": round(self.frequency),
        }  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        if self._pll is not None:
            m.submodules.clock = PllClock(self._pll)
        config, pes = self._bench
        m.submodules.bench = bench = UartBench(config, pes, **self._line)
        uart, led = platform.request("uart"), platform.request("led")
        m.d.comb += [bench.rx.eq(uart.rx.i), uart.tx.o.eq(bench.tx), led.o.eq(bench.session)]
        return m
