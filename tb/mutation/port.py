"""The CPU port of a mutant, compiled, in this process."""

from __future__ import annotations

import ctypes
from pathlib import Path

from hw.config import GicConfig
from hw.core import latency, settling
from sim.bench.compiled import library_of
from sim.engines.codec import PortCodec
from sim.port import Access, Lines, Response, State
from tb.mutation.design import pins_layout

__all__ = ["HungError", "MutantPort", "Pins", "build"]

_WORD = 64
_MOST = 8


class HungError(Exception):
    """The port has not answered, or has not settled, for far longer than it may take."""


def build(config: GicConfig, netlist: str) -> Path:
    """Return the library of a netlist of :func:`tb.mutation.netlist.selectable`."""
    constants = f"constexpr int LATENCY = {latency(config)}, SETTLING = {settling(config) + 1};\n"
    return library_of({"top": netlist}, constants + Path(__file__).with_name("driver.cc").read_text())


def _words(bits: int) -> ctypes.Array:
    return (ctypes.c_uint64 * -(-bits // _WORD))()


class Pins:
    """A mutant and its outputs, cycle by cycle.

    Parameters
    ----------
    library : Path
        What :func:`build` has made.
    config : GicConfig
        What it was made from.
    number : int
        The mutant; 0 is none.
    """

    def __init__(self, library: Path, config: GicConfig, number: int = 0):
        self._native = ctypes.CDLL(str(library))
        address, new = ctypes.c_void_p, self._native.mutant_new
        new.restype, new.argtypes = address, [ctypes.c_uint32]
        for name, result, arguments in (
            ("delete", None, []),
            ("reset", None, []),
            ("settle", ctypes.c_bool, [address]),
            ("access", ctypes.c_bool, [address, address]),
            ("deactivations", ctypes.c_size_t, [address]),
            ("cycle", None, [ctypes.c_bool, address, ctypes.c_bool, ctypes.c_bool, address]),
        ):
            function = getattr(self._native, f"mutant_{name}")
            function.restype, function.argtypes = result, [address, *arguments]
        self._mutant = new(number)
        layout = pins_layout(config)
        self._members = {name: (field.offset, (1 << field.width) - 1) for name, field in layout}
        self._pins = _words(layout.size)
        self._request = _words(PortCodec.request_width)
        self._pintids = _words(_MOST * _WORD)

    def close(self) -> None:
        """Free it."""
        if self._mutant is not None:
            self._native.mutant_delete(self._mutant)
            self._mutant = None

    def reset(self) -> None:
        """Reset the interface."""
        self._native.mutant_reset(self._mutant)

    def __getitem__(self, name: str) -> int:
        """Return a member of the outputs as last looked at."""
        offset, mask = self._members[name]
        return int.from_bytes(self._pins, "little") >> offset & mask

    def _load(self, packed: int) -> None:
        self._request[0], self._request[1] = packed & (1 << _WORD) - 1, packed >> _WORD

    def access(self, packed: int) -> None:
        """Make a whole access and look at the outputs while it is answered."""
        self._load(packed)
        if not self._native.mutant_access(self._mutant, self._request, self._pins):
            raise HungError("no response")

    def settle(self) -> None:
        """Wait for the port to settle and look."""
        if not self._native.mutant_settle(self._mutant, self._pins):
            raise HungError("never settled")

    def deactivations(self) -> list[int]:
        """Return the physical INTIDs deactivated since the last call."""
        return self._pintids[: self._native.mutant_deactivations(self._mutant, self._pintids)]

    def cycle(self, valid: bool, packed: int, ready: bool, reset: bool = False) -> None:
        """Let a cycle pass with these inputs; look at the outputs of that cycle."""
        self._load(packed)
        self._native.mutant_cycle(self._mutant, valid, self._request, ready, reset, self._pins)


class MutantPort:
    """:class:`sim.port.CpuPort` of a mutant; it never suspends, and raises :class:`HungError` when stuck."""

    def __init__(self, pins: Pins, config: GicConfig):
        self.config = config
        self._pins = pins
        self._codec = PortCodec(config)
        self._quiet = False

    async def reset(self) -> None:
        """Return every register to its reset value."""
        self._pins.reset()
        self._quiet = False

    async def access(self, access: Access) -> Response:
        """Execute one register access."""
        self._pins.access(self._codec.request(access))
        self._quiet = False
        return self._codec.response(self._pins["response__payload"])

    def _settle(self) -> None:
        if not self._quiet:
            self._pins.settle()
            self._quiet = True

    async def state(self) -> State:
        """Return all storage without an access."""
        self._settle()
        return self._codec.state(self._pins["observe"])

    async def lines(self) -> Lines:
        """Return the settled output lines."""
        self._settle()
        pins = self._pins
        return Lines(bool(pins["virq"]), bool(pins["vfiq"]), bool(pins["maintenance"]))

    async def deactivations(self) -> list[int]:
        """Return and forget the physical INTIDs deactivated through HW list registers (HW-1), in order."""
        self._settle()
        return self._pins.deactivations()

    def now(self) -> None:
        """Return None: it keeps no time."""
