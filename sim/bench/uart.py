"""The serial line as a transport: the host's end of ``docs/uart.md``, over pyserial.

The same code talks to a board, to a pseudo-terminal with a simulated board behind it, and in the tests to a
line that is noisy on purpose.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

import serial

from hw.bench.protocol import HELLO_WORDS, HelloWord, Mark, Opcode, members
from hw.errors import InputError
from hw.uart.protocol import REFUSALS, SYNC_WORDS, VERSION, Kind, Status
from sim.bench.frames import FrameReader, frame, request_word, response_fields
from sim.bench.words import command

__all__ = ["ATTEMPTS", "BAUD", "LineError", "Port", "SerialLink", "open_port"]

#: Bits a second, unless said otherwise.
BAUD = 1_000_000
#: How often a frame is sent before the host gives up.
ATTEMPTS = 60
#: Words in a frame, either way: few on a line that damages them.
_FEWEST, _MOST = 4, 128
#: Frames in a row without damage after which they may be longer again.
_CALM = 8
#: Answers in a row without a word while one is waited for: minutes on a board.
_SILENCE = 4000
#: Words that complete whatever command a host has left unfinished (docs/mailbox.md).
_COMPLETING = 256
_DAMAGED = {Status.CRC, Status.LENGTH, Status.LINE}
_MEANING = {
    Status.KIND: "the board does not know this kind of frame; its bitstream is of another version",
    Status.SEQUENCE: "the board has had other frames; does another program use the line?",
    Status.SESSION: "the board has been reset; begin again",
}


class LineError(InputError):
    """The line is dead, too noisy, or has something else at its other end."""


class Port(Protocol):
    """What is needed of :class:`serial.Serial`; ``timeout`` is in seconds."""

    name: str | None
    timeout: float | None

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes; fewer when the timeout passes."""

    def write(self, data: bytes) -> int | None:
        """Send bytes."""

    @property
    def in_waiting(self) -> int:
        """Bytes that have arrived."""


def open_port(device: str, baud: int = BAUD, timeout: float = 0.5) -> serial.SerialBase:
    """Open a serial device, or any URL that pyserial knows.

    Raises
    ------
    InputError
        When it cannot be opened.
    """
    try:
        port = serial.serial_for_url(device, baudrate=baud, timeout=timeout, write_timeout=10, exclusive=True)
    except (serial.SerialException, ValueError, OSError) as error:
        text = str(error)
        if "Permission" in text:
            remedy = "your user may not use it; join the group that owns it (often dialout)"
        elif "lock" in text:
            remedy = "another program has it open"
        else:
            remedy = "name the board's serial device, for example /dev/ttyUSB0"
        raise InputError(f"{device} cannot be opened: {remedy} ({text})") from None
    return port


class SerialLink:
    """A bench at the other end of a serial line; see :class:`sim.bench.link.Link`. It never suspends.

    Every frame is sent again, unchanged, until its answer has come; the board takes it once.

    Parameters
    ----------
    port : Port
        The line; its timeout is how long an answer's next byte may take.
    attempts : int
        How often a frame is sent.

    Attributes
    ----------
    resent : int
        Frames that had to be sent again.
    clock : int
        Clock of the board in Hz, after :meth:`begin`.
    """

    def __init__(self, port: Port, attempts: int = ATTEMPTS):
        self._port, self._attempts = port, attempts
        self._reader = FrameReader()
        self._ready: list[list[int]] = []
        self._sequence = 0
        self._size, self._calm = _MOST, 0
        self._room = self._answer_depth = 0
        self._partial: list[int] = []
        self.resent = self.clock = 0

    @property
    def sequence(self) -> int:
        """Sequence number of the last frame."""
        return self._sequence

    @property
    def _name(self) -> str:
        return self._port.name or "the line"

    # -- frames ----------------------------------------------------------------------------------------

    def _write(self, data: bytes) -> None:
        try:
            self._port.write(data)
        except (serial.SerialException, OSError) as error:
            raise LineError(f"{self._name}: {error}; is the board still plugged in?") from None

    def _receive(self) -> list[int] | None:
        """Return the next whole frame, or None when the line stays silent or a frame was damaged."""
        damaged = self._reader.damaged
        while not self._ready:
            try:
                received = self._port.read(max(1, self._port.in_waiting))
            except (serial.SerialException, OSError) as error:
                raise LineError(f"{self._name}: {error}; is the board still plugged in?") from None
            self._ready += self._reader.feed(received)
            if not self._ready and (not received or self._reader.damaged != damaged):
                return None
        return self._ready.pop(0)

    def _request(
        self, kind: Kind, words: Sequence[int] = (), messages: int = 0, limit: int = 0, attempts: int = 0
    ) -> list[int]:
        """Send a frame until it is answered, and return the answer's words."""
        self._sequence = self._sequence + 1 & 0xFF
        wanted = Status.SYNC if kind is Kind.SYNC else Status.DATA
        data = frame([request_word(kind, self._sequence, messages, limit), *words])
        attempts = attempts or self._attempts
        told = None
        for attempt in range(attempts):
            if attempt:
                self.resent += 1
                self._noisy()
            self._write(data)
            while (received := self._receive()) is not None:
                status, sequence, room = response_fields(received[0])
                if status == wanted and sequence == self._sequence:
                    self._room = room
                    self._quiet(not attempt)
                    return received[1:]
                if status in REFUSALS:
                    told = Status(status)
                    if kind is Kind.DATA and told in _MEANING:
                        raise LineError(f"{self._name}: {_MEANING[told]}")
                    if told in _DAMAGED or told is Status.ROOM:
                        break
        raise LineError(self._silent(kind, attempts, told))

    def _silent(self, kind: Kind, attempts: int, told: Status | None) -> str:
        if told is not None:
            return f"{self._name}: the board refused a frame {attempts} times, at last with {told.name}; " \
                "the line is too noisy, or its rate is not the board's"  # fmt: skip
        if kind is Kind.SYNC:
            return f"{self._name}: no board answers; is the bitstream loaded, is this its serial device, " \
                "and is the rate (--baud) the one it was built with?"  # fmt: skip
        return f"{self._name}: the board stopped answering; is it still powered, and its bitstream loaded?"

    def _noisy(self) -> None:
        self._calm = 0
        self._size = max(_FEWEST, self._size // 2)

    def _quiet(self, at_once: bool) -> None:
        self._calm = self._calm + 1 if at_once else 0
        if self._calm >= _CALM:
            self._calm = 0
            self._size = min(_MOST, 2 * self._size)

    # -- the session -----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a session, whatever state an earlier host has left line, bridge and bench in.

        Raises
        ------
        LineError
            When nothing answers, or something that is no Spillway board of this version.
        """
        # A number of its own: an answer to an earlier host's SYNC is then none to this one.
        self._sequence = time.monotonic_ns() // 1000 & 0xFF
        told = self._request(Kind.SYNC, attempts=min(self._attempts, 8) if self._attempts == ATTEMPTS else 0)
        if len(told) != SYNC_WORDS or told[0] != VERSION:
            version = told[0] if told else None
            raise LineError(
                f"{self._name}: the board's serial line has version {version}, this host {VERSION}; "
                "build its bitstream anew with spillway fpga build"
            )
        _, self._room, self._answer_depth, self.clock, _ = told
        self._partial.clear()
        sizes = self._find_hello([0] * _COMPLETING, tag=0xA5)
        lsb, mask = members(HelloWord)["pes"]
        pes = sizes >> lsb & mask
        resets = [word for pe in range(pes) for word in command(Opcode.RESET, pe, quiet=True)]
        self._find_hello(resets, tag=0x5A)

    def _find_hello(self, before: list[int], tag: int) -> int:
        """Send words, then HELLO, throw away what comes before its answer, and return its third word."""
        queue = before + command(Opcode.HELLO, 0, tag=tag)
        header = int(Mark.ANSWER) << 28 | int(Opcode.HELLO) << 16 | tag << 8 | HELLO_WORDS
        found: list[int] = []
        for _ in range(_SILENCE):
            queue, got = self._move(queue, 1)
            found += got
            if header in found and len(rest := found[found.index(header) + 1 :]) >= HELLO_WORDS:
                return rest[2]
        raise LineError(f"{self._name}: the board's serial line answers, but its mailbox does not")

    # -- words -----------------------------------------------------------------------------------------

    def _move(self, queue: list[int], messages: int) -> tuple[list[int], list[int]]:
        """Send what fits into a frame; return the rest, and the words that came back.

        ``messages`` are waited for when the frame holds the last of the queue.
        """
        count = min(len(queue), self._size, self._room)
        waits = min(messages, 255) if count == len(queue) else int(not count)
        got = self._request(Kind.DATA, queue[:count], waits, self._size)
        return queue[count:], got

    async def exchange(self, words: Sequence[int], messages: int) -> list[list[int]]:
        """Send words and return at least ``messages`` messages.

        Raises
        ------
        LineError
            When the board does not answer, or for minutes has nothing to say.
        """
        queue, found, silent = list(words), [], 0
        while queue or len(found) < messages or self._partial:
            queue, got = self._move(queue, max(1, messages - len(found)))
            silent = 0 if got or queue else silent + 1
            if silent > _SILENCE:
                raise LineError(f"{self._name}: the guest runs without an end, or the board has lost it")
            for word in got:
                self._partial.append(word)
                if len(self._partial) == 1 + (self._partial[0] & 0xFF):
                    found.append(self._partial)
                    self._partial = []
        return found
