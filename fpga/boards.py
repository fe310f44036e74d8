"""The boards: their parts, from amaranth-boards, and what Spillway puts on each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from amaranth_boards.arty_a7 import ArtyA7_35Platform
from amaranth_boards.ecp5_5g_evn import ECP55GEVNPlatform
from amaranth_boards.ice40_hx8k_b_evn import ICE40HX8KBEVNPlatform
from amaranth_boards.icebreaker import ICEBreakerPlatform
from amaranth_boards.ulx3s import (
    ULX3S_12F_Platform,
    ULX3S_25F_Platform,
    ULX3S_45F_Platform,
    ULX3S_85F_Platform,
)

from fpga.clocks import Ecp5Pll, Ice40CorePll, Ice40Pll
from hw.errors import InputError

__all__ = ["BOARDS", "Board", "board_named"]


@dataclass(frozen=True)
class Board:
    """A board.

    Attributes
    ----------
    name, title : str
        What the command line calls it, and its full name.
    platform : callable
        Its class in amaranth-boards.
    part : str
        The FPGA, with its speed grade.
    pll : type or None
        The FPGA's PLL; None where only the board's own clock is offered.
    synthesis : str
        Options of Yosys' command for the family.
    lrs, frequency : int, float
        List registers and clock in Hz of the build that is made unless another is asked for.
    engine : bool
        There is room for a guest engine; without one the host makes the guest's accesses itself.
    loader : str
        openFPGALoader's name of it.
    bitstream : str or None
        Suffix of the bitstream's file; None where only a project for the vendor's tool is written.
    seed : int
        Of the placement, unless another is asked for; of four tried on a ULX3S-85F, 2 was the fastest.
    """

    name: str
    title: str
    platform: Callable[[], Any]
    part: str
    pll: type[Ecp5Pll] | type[Ice40Pll] | None
    synthesis: str
    lrs: int
    frequency: float
    engine: bool
    loader: str
    bitstream: str | None
    seed: int = 1


_ECP5, _ICE40 = (Ecp5Pll, "-abc9"), Ice40Pll
BOARDS = {
    board.name: board
    for board in (
        Board("ulx3s-12f", "Radiona ULX3S", ULX3S_12F_Platform, "LFE5U-12F, grade 6", *_ECP5,
              16, 100e6, True, "ulx3s", "bit", 2),
        Board("ulx3s-25f", "Radiona ULX3S", ULX3S_25F_Platform, "LFE5U-25F, grade 6", *_ECP5,
              16, 100e6, True, "ulx3s", "bit", 2),
        Board("ulx3s-45f", "Radiona ULX3S", ULX3S_45F_Platform, "LFE5U-45F, grade 6", *_ECP5,
              16, 100e6, True, "ulx3s", "bit", 2),
        Board("ulx3s-85f", "Radiona ULX3S", ULX3S_85F_Platform, "LFE5U-85F, grade 6", *_ECP5,
              16, 100e6, True, "ulx3s", "bit", 2),
        Board("ecp5-evn", "Lattice ECP5-5G evaluation board", ECP55GEVNPlatform, "LFE5UM5G-85F, grade 8",
              *_ECP5, 16, 100e6, True, "ecp5_evn", "bit", 2),
        Board("icebreaker", "1BitSquared iCEBreaker", ICEBreakerPlatform, "iCE40UP5K", _ICE40,
              "-abc9 -device u", 10, 16e6, False, "ice40_generic", "bin"),
        Board("hx8k", "Lattice iCE40-HX8K breakout board", ICE40HX8KBEVNPlatform, "iCE40HX8K", Ice40CorePll,
              "-abc9 -device hx", 16, 60e6, False, "ice40_generic", "bin"),
        Board("arty-a7", "Digilent Arty A7-35T", ArtyA7_35Platform, "XC7A35T, grade 1L", None, "",
              16, 100e6, True, "arty_a7_35t", None),
    )
}  # fmt: skip


def board_named(name: str) -> Board:
    """Return a board by its name.

    Raises
    ------
    InputError
        For an unknown name; the text lists those there are.
    """
    if name not in BOARDS:
        raise InputError(f"unknown board {name!r}; one of {', '.join(BOARDS)}")
    return BOARDS[name]
