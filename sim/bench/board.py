"""A simulated board: the design of hw/uart/board.py compiled, its two pins behind a pseudo-terminal."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import select
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from amaranth.back import rtlil

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.uart.bridge import UartBridge
from sim.bench.compiled import CompiledLink, build, library_of
from sim.bench.link import Host
from sim.bench.port import bench_ports
from sim.bench.uart import SerialLink, open_port
from sim.port import run

__all__ = ["DIVISOR", "SimulatedBoard", "SimulatedPort", "build_bridge", "pseudo_terminal", "run_job"]

#: Clock cycles of a bit: as few as work, because every one is simulated.
DIVISOR = 2
#: Clock cycles that DATA may wait for its messages, and the clock that the simulated board says it has.
_PATIENCE, _CLOCK = 500_000, 100_000_000
#: Bytes that one call into the simulation may bring, and cycles that it may take.
_ROOM, _SLICE = 1 << 12, 100_000
#: Seconds without a byte after which the host's end asks again. Only a machine out of breath needs them.
_TIMEOUT = 20.0


@functools.cache
def build_bridge(divisor: int = DIVISOR) -> Path:
    """Return the library of a serial line's bridge; errors as :func:`sim.bench.compiled.build`."""
    bridge = rtlil.convert(UartBridge(divisor, _PATIENCE, _CLOCK), name="bridge", emit_src=False)
    return library_of({"bridge": bridge}, Path(__file__).with_name("uart.cc").read_text())


@functools.cache
def _bench(config: GicConfig | GicV2Config, pes: int, engine: bool) -> Path:
    return build(config, pes) if engine else build(config, pes, 0, 0)


class SimulatedBoard:
    """A board in this process, at its two pins.

    Parameters
    ----------
    config : GicConfig or GicV2Config
        Configuration of its interfaces.
    pes : int
        Number of PEs.
    divisor : int
        Clock cycles of a bit.
    engine : bool
        It has guest engines.
    """

    def __init__(
        self, config: GicConfig | GicV2Config, pes: int = 1, divisor: int = DIVISOR, engine: bool = True
    ):
        self._bench = CompiledLink(_bench(config, pes, engine))
        self._library = ctypes.CDLL(str(build_bridge(divisor)))
        pointer, size = ctypes.c_void_p, ctypes.c_size_t
        for name, result, arguments in (
            ("board_new", pointer, [ctypes.c_uint, pointer, pointer]),
            ("board_delete", None, [pointer]),
            ("board_cycles", ctypes.c_uint64, [pointer]),
            ("board_run", size, [pointer, ctypes.c_char_p, size, ctypes.c_char_p, size, ctypes.c_uint64,
                                 ctypes.POINTER(size), ctypes.POINTER(ctypes.c_bool)]),
        ):  # fmt: skip
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
        self._board = self._library.board_new(divisor, *self._bench.stepping())
        self._room = ctypes.create_string_buffer(_ROOM)
        #: Nothing moves any more until a byte is sent.
        self.rest = False

    def close(self) -> None:
        """Free it."""
        if self._board is not None:
            self._library.board_delete(self._board)
            self._board = None
            self._bench.close()

    @property
    def cycles(self) -> int:
        """Clock cycles simulated so far."""
        return self._library.board_cycles(self._board)

    def run(self, data: bytes = b"", cycles: int = _SLICE) -> tuple[int, bytes]:
        """Send bytes until nothing moves any more, or for so many cycles.

        Returns
        -------
        tuple of int and bytes
            How many were sent, and what has come back.
        """
        sent, rest = ctypes.c_size_t(), ctypes.c_bool()
        got = self._library.board_run(
            self._board, data, len(data), self._room, _ROOM, cycles, ctypes.byref(sent), ctypes.byref(rest)
        )
        self.rest = rest.value
        return sent.value, self._room.raw[:got]


class SimulatedPort:
    """A serial port at the pins of a simulated board, whose time is that of the board.

    Parameters
    ----------
    board : SimulatedBoard
        The other end.
    outward, inward : callable
        What the line makes of the bytes that the host, and the board, send.
    """

    name: str | None = "simulated board"

    def __init__(
        self,
        board: SimulatedBoard,
        outward: Callable[[bytes], bytes] = bytes,
        inward: Callable[[bytes], bytes] = bytes,
    ):
        self._board, self._outward, self._inward = board, outward, inward
        self._sent, self._got = b"", b""
        self.timeout: float | None = None

    def write(self, data: bytes) -> int:
        """Send bytes; they leave when something is read."""
        self._sent += self._outward(data)
        return len(data)

    @property
    def in_waiting(self) -> int:
        """Bytes that have arrived."""
        return len(self._got)

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, or none when the board is at rest: then nothing would ever come."""
        while not self._got:
            sent, got = self._board.run(self._sent)
            self._sent = self._sent[sent:]
            self._got += self._inward(got)
            if self._board.rest and not self._sent and not self._got:
                return b""
        got, self._got = self._got[:size], self._got[size:]
        return got


@contextlib.contextmanager
def pseudo_terminal(board: SimulatedBoard) -> Iterator[str]:
    """Put a board behind a pseudo-terminal and yield the device's name, to be opened like any serial port."""
    near, far = os.openpty()
    tty.setraw(far)
    os.set_blocking(near, False)
    woken, wake = os.pipe()

    def serve() -> None:
        """Carry bytes between the terminal and the pins until woken."""
        sent, got = b"", b""
        while True:
            busy = bool(sent) or not board.rest
            readable, _, _ = select.select([near, woken], [], [], 0 if busy else None)
            if woken in readable:
                return
            if near in readable:
                sent += os.read(near, _ROOM)
            count, came = board.run(sent)
            sent, got = sent[count:], got + came
            if got:
                # A host that reads nothing loses what does not fit into the terminal, as on a real line.
                with contextlib.suppress(BlockingIOError):
                    got = got[os.write(near, got) :]

    thread = threading.Thread(target=serve, name="simulated board", daemon=True)
    thread.start()
    try:
        yield os.ttyname(far)
    finally:
        os.write(wake, b"x")
        thread.join()
        for descriptor in (near, far, woken, wake):
            os.close(descriptor)


def run_job(
    function: Callable[..., Any],
    arguments: dict[str, Any],
    config: GicConfig | GicV2Config,
    pes: int = 1,
    waves: Path | None = None,
) -> Any:
    """Run ``await function(ports, **arguments)`` over a serial port with a board of its own behind it."""
    board = SimulatedBoard(config, pes)
    try:
        with pseudo_terminal(board) as device, open_port(device, timeout=_TIMEOUT) as port:
            link = SerialLink(port)
            link.begin()

            async def job() -> Any:
                return await function(await bench_ports(Host(link), config, pes), **arguments)

            return run(job())
    finally:
        board.close()
