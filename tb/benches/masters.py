"""Masters for the buses of exported gateware: one interface, whichever bus PE 0 has.

APB and AXI4-Lite come from other projects (cocotbext-apb, cocotbext-axi); Wishbone has a small one here.
"""

from __future__ import annotations

from typing import Protocol

from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge
from cocotbext.apb import Apb4Bus, ApbMaster
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

from tb.driver import PERIOD

__all__ = ["Master", "Wishbone", "lines", "start"]

#: Cycles in which the lines settle after any access.
_SETTLE = 16
_ALL = 0b1111


class Master(Protocol):
    """Accesses of a word of the bus, at the address of a byte; each checks whether it is an error."""

    async def read(self, address: int, error: bool = False) -> int:
        """Return the word."""

    async def write(self, address: int, value: int, strobes: int = _ALL, error: bool = False) -> None:
        """Write the bytes that ``strobes`` enables."""


class _Apb:
    def __init__(self, dut):
        self.master = ApbMaster(Apb4Bus.from_prefix(dut, "pe0_"), dut.clk)
        self.master.return_int = True

    async def read(self, address, error=False):
        return await self.master.read(address, error_expected=error)

    async def write(self, address, value, strobes=_ALL, error=False):
        await self.master.write(address, value, strobes, error_expected=error)


class _Axi4Lite:
    def __init__(self, dut):
        self.master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "pe0_"), dut.clk, dut.rst)

    async def read(self, address, error=False):
        answer = await self.master.read(address, 4)
        assert answer.resp == (AxiResp.SLVERR if error else AxiResp.OKAY), hex(address)
        return int.from_bytes(answer.data, "little")

    async def write(self, address, value, strobes=_ALL, error=False):
        first = (strobes & -strobes).bit_length() - 1
        count = strobes.bit_count()
        assert strobes == ((1 << count) - 1) << first, "cocotbext-axi writes a run of bytes"
        data = (value >> 8 * first).to_bytes(8, "little")[:count]
        answer = await self.master.write(address + first, data)
        assert answer.resp == (AxiResp.SLVERR if error else AxiResp.OKAY), hex(address)


class Wishbone:
    """A Wishbone B4 master.

    Parameters
    ----------
    dut : cocotb handle
    pipelined : bool
        Ends a request when STALL is low, and waits for ACK and ERR then; else both at once.
    """

    def __init__(self, dut, pipelined: bool = False):
        self.dut = dut
        self.pipelined = pipelined
        for name in ("cyc", "stb", "we", "adr", "sel", "dat_w"):
            self.pin(name).value = 0
        #: Cycles that the last access took.
        self.cycles = 0

    def pin(self, name: str):
        """Return the handle of a signal of the bus."""
        return getattr(self.dut, f"pe0__{name}")

    def request(self, address: int, value: int | None = None, strobes: int = _ALL) -> None:
        """Put a request on the bus."""
        self.pin("adr").value = address >> 2
        self.pin("sel").value = strobes
        self.pin("we").value = value is not None
        self.pin("dat_w").value = value or 0
        self.pin("cyc").value = self.pin("stb").value = 1

    async def _access(self, error: bool, *request) -> int:
        await FallingEdge(self.dut.clk)
        self.request(*request)
        self.cycles = 0
        while True:
            await FallingEdge(self.dut.clk)
            self.cycles += 1
            ack, err, stall = (int(self.pin(name).value) for name in ("ack", "err", "stall"))
            assert stall == (not (ack or err)), "STALL until the answer, and only then"
            if ack or err:
                break
        assert (ack, err) == (not error, error), request
        value = int(self.pin("dat_r").value)
        await RisingEdge(self.dut.clk)
        if self.pipelined:
            # The request has gone; the cycle stays open a little.
            self.pin("stb").value = 0
            for _ in range(2):
                await FallingEdge(self.dut.clk)
                assert not int(self.pin("ack").value)
        self.pin("cyc").value = self.pin("stb").value = 0
        return value

    async def read(self, address: int, error: bool = False, strobes: int = _ALL) -> int:
        """Return the word."""
        return await self._access(error, address, None, strobes)

    async def write(self, address: int, value: int, strobes: int = _ALL, error: bool = False) -> None:
        """Write the bytes that ``strobes`` enables."""
        await self._access(error, address, value, strobes)


async def start(dut, drive: bool = True) -> Master | None:
    """Start the clock, reset, and return a master for the bus that PE 0 has.

    Without ``drive`` there is none, and the inputs are 0.
    """
    names = {name for name in dir(dut) if name.startswith("pe0__")}
    dut.rst.value = 1
    dut.pe0__deactivate__ready.value = 1
    Clock(dut.clk, PERIOD, "ns").start()
    master = None
    if not drive:
        for name in ("awvalid", "wvalid", "bready", "arvalid", "rready"):
            getattr(dut, f"pe0__{name}").value = 0
    elif "pe0__psel" in names:
        master = _Apb(dut)
    elif "pe0__awvalid" in names:
        master = _Axi4Lite(dut)
    else:
        master = Wishbone(dut)
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 2)
    return master


async def lines(dut) -> tuple[int, int, int]:
    """Return vIRQ, vFIQ and maintenance of PE 0 when they have settled."""
    await ClockCycles(dut.clk, _SETTLE)
    return tuple(int(getattr(dut, f"pe0__{line}").value) for line in ("virq", "vfiq", "maintenance"))
