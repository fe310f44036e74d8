"""Clocks of a board: the parameters of a PLL for a frequency, and the PLL."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import ClockDomain, Instance, Module, Signal
from amaranth.lib import io
from amaranth.lib.cdc import ResetSynchronizer

from hw.errors import InputError

__all__ = ["Ecp5Pll", "Ice40CorePll", "Ice40Pll", "add_clock", "pll_for"]

_MHZ = 1e6


@dataclass(frozen=True)
class Ecp5Pll:
    """EHXPLLL with CLKOP as its feedback: ``source / input * feedback``, oscillating ``output`` times faster.

    Limits: FPGA-DS-02012 (ECP5 data sheet), sysCLOCK PLL timing.
    """

    source: float
    input: int
    feedback: int
    output: int

    @property
    def frequency(self) -> float:
        """What comes out, in Hz."""
        return self.source / self.input * self.feedback

    @classmethod
    def choices(cls, source: float) -> Iterable[Ecp5Pll]:
        """Return every setting the part allows."""
        for divided, feedback, output in itertools.product(range(1, 129), range(1, 81), range(1, 129)):
            phase, oscillator = source / divided, source / divided * feedback * output
            if phase < 3.125 * _MHZ:
                break
            if 400 * _MHZ <= oscillator <= 800 * _MHZ:
                yield cls(source, divided, feedback, output)

    def instance(self, pin: Signal, clock: Signal, locked: Signal) -> Instance:
        """Return the PLL."""
        return Instance(
            "EHXPLLL",
            a_FREQUENCY_PIN_CLKI=f"{self.source / _MHZ:g}",
            a_FREQUENCY_PIN_CLKOP=f"{self.frequency / _MHZ:g}",
            a_ICP_CURRENT="12", a_LPF_RESISTOR="8",
            p_PLLRST_ENA="DISABLED", p_INTFB_WAKE="DISABLED", p_STDBY_ENABLE="DISABLED",
            p_DPHASE_SOURCE="DISABLED", p_OUTDIVIDER_MUXA="DIVA", p_CLKOP_ENABLE="ENABLED",
            p_FEEDBK_PATH="CLKOP",
            p_CLKI_DIV=self.input, p_CLKFB_DIV=self.feedback, p_CLKOP_DIV=self.output,
            # Nothing runs from the board's clock itself, so the phase between the two is of no account.
            p_CLKOP_CPHASE=self.output // 2, p_CLKOP_FPHASE=0,
            i_RST=0, i_STDBY=0, i_PHASESEL0=0, i_PHASESEL1=0, i_PHASEDIR=0, i_PHASESTEP=0,
            i_PHASELOADREG=0, i_PLLWAKESYNC=0, i_ENCLKOP=0,
            i_CLKI=pin, i_CLKFB=clock, o_CLKOP=clock, o_LOCK=locked,
        )  # fmt: skip


@dataclass(frozen=True)
class Ice40Pll:
    """SB_PLL40 in simple feedback: ``source * (divf + 1) / ((divr + 1) << divq)``.

    Limits: FPGA-TN-02052 (iCE40 sysCLOCK PLL design and usage guide).
    """

    source: float
    divr: int
    divf: int
    divq: int
    #: The clock comes in at the PLL's own pin.
    pad: bool = True

    @property
    def frequency(self) -> float:
        """What comes out, in Hz."""
        return self.source * (self.divf + 1) / ((self.divr + 1) << self.divq)

    @classmethod
    def choices(cls, source: float) -> Iterable[Ice40Pll]:
        """Return every setting the part allows."""
        for divr, divf, divq in itertools.product(range(16), range(128), range(1, 7)):
            phase = source / (divr + 1)
            if 10 * _MHZ <= phase <= 133 * _MHZ and 533 * _MHZ <= phase * (divf + 1) <= 1066 * _MHZ:
                yield cls(source, divr, divf, divq)

    @property
    def _filter(self) -> int:
        phase = self.source / (self.divr + 1) / _MHZ
        return 1 + sum(phase >= limit for limit in (17, 26, 44, 66, 101))

    def instance(self, pin: Signal, clock: Signal, locked: Signal) -> Instance:
        """Return the PLL."""
        kind, source = ("SB_PLL40_PAD", "PACKAGEPIN") if self.pad else ("SB_PLL40_CORE", "REFERENCECLK")
        return Instance(
            kind, p_FEEDBACK_PATH="SIMPLE", p_PLLOUT_SELECT="GENCLK", p_DIVR=self.divr, p_DIVF=self.divf,
            p_DIVQ=self.divq, p_FILTER_RANGE=self._filter, **{f"i_{source}": pin}, i_RESETB=1, i_BYPASS=0,
            o_PLLOUTGLOBAL=clock, o_LOCK=locked,
        )  # fmt: skip


@dataclass(frozen=True)
class Ice40CorePll(Ice40Pll):
    """The same on a board whose clock does not come in at the PLL's own pin."""

    pad: bool = False


def pll_for(kind: type[Ecp5Pll] | type[Ice40Pll], source: float, wanted: float) -> Ecp5Pll | Ice40Pll:
    """Return the setting whose clock is the slowest that is not below what is wanted.

    Parameters
    ----------
    kind : type
        Which PLL.
    source, wanted : float
        Frequencies in Hz.

    Raises
    ------
    InputError
        When none comes within 5 % of it.
    """
    right = [one for one in kind.choices(source) if wanted * 0.999_999 <= one.frequency <= wanted * 1.05]
    if not right:
        raise InputError(
            f"the board's PLL cannot make {wanted / _MHZ:g} MHz of its {source / _MHZ:g} MHz; "
            "choose another --freq"
        )
    return min(right, key=lambda one: one.frequency)


def add_clock(m: Module, platform: Any, pll: Ecp5Pll | Ice40Pll) -> None:
    """Give a top the domain ``sync`` from a PLL, in reset until that has locked.

    Parameters
    ----------
    m : Module
        Of the top.
    platform : Platform
        The board.
    pll : Ecp5Pll or Ice40Pll
        The setting.
    """
    m.domains.sync = domain = ClockDomain()
    locked = Signal()
    port = platform.request(platform.default_clk, dir="-")
    if getattr(pll, "pad", False):
        pin = port.io  # the PLL has an input buffer of its own
    else:
        m.submodules.clock_buffer = buffer = io.Buffer("i", port)
        pin = buffer.i
    m.submodules.pll = pll.instance(pin, domain.clk, locked)
    m.submodules.clock_reset = ResetSynchronizer(~locked, domain="sync")
    platform.add_clock_constraint(domain.clk, pll.frequency)
