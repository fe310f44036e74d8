"""The top of a board: clock, pins, and the bench behind its serial line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Elaboratable, Module
from amaranth.lib import io, wiring

from fpga.boards import Board
from fpga.clocks import Ecp5Pll, Ice40Pll, add_clock, pll_for
from hw.errors import InputError

__all__ = ["BoardTop", "Timing", "divisor_for"]

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


@dataclass(frozen=True)
class Timing:
    """Clock and serial line of a build.

    Attributes
    ----------
    frequency : float
        The clock as it will be, in Hz.
    pll : Ecp5Pll, Ice40Pll or None
        What makes it; None: the board's own clock.
    divisor : int
        Clock cycles of a bit.
    """

    frequency: float
    pll: Ecp5Pll | Ice40Pll | None
    divisor: int

    @classmethod
    def of(cls, board: Board, frequency: float, baud: int) -> Timing:
        """Return what a board can make of a clock in Hz, the PLL's next one above it, and of a rate.

        Raises
        ------
        InputError
            When clock or rate cannot be made.
        """
        oscillator = board.platform().default_clk_frequency
        pll = None
        if frequency != oscillator:
            if board.pll is None:
                raise InputError(f"{board.name} runs from its own {oscillator / 1e6:g} MHz; leave out --freq")
            pll = pll_for(board.pll, oscillator, frequency)
            frequency = pll.frequency
        return cls(frequency, pll, divisor_for(frequency, baud))


class BoardTop(Elaboratable):
    """Everything of a board.

    The first LED is on when a host has begun a session.

    Parameters
    ----------
    timing : Timing
        Clock and serial line.
    design, arguments : callable, tuple
        What is behind the pins ``rx``, ``tx`` and ``session``: :class:`hw.uart.board.UartBench`, and its
        arguments beside those of the line.
    """

    def __init__(self, timing: Timing, design: Callable[..., wiring.Component], *arguments: Any):
        self.timing = timing
        self._design, self._arguments = design, arguments

    def elaborate(self, platform):
        m = Module()
        timing = self.timing
        if timing.pll is not None:
            add_clock(m, platform, timing.pll)
        patience = round(_PATIENCE * timing.frequency)
        m.submodules.design = design = self._design(
            *self._arguments, divisor=timing.divisor, patience=patience, clock=round(timing.frequency)
        )
        uart, led = platform.request("uart", dir="-"), platform.request("led", dir="-")
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.Buffer("o", uart.tx)
        m.submodules.led = lamp = io.Buffer("o", led)
        m.d.comb += [design.rx.eq(rx.i), tx.o.eq(design.tx), lamp.o.eq(design.session)]
        return m
