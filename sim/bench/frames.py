"""Frames of the serial line, the host's side: words to bytes and back (``docs/uart.md``)."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from hw.bench.protocol import members
from hw.uart.protocol import ESCAPE, FLAG, FLIP, WORD_BYTES, Kind, RequestWord, ResponseWord

__all__ = ["FrameReader", "frame", "request_word", "response_fields"]

_FLAG, _ESCAPE = bytes([FLAG]), bytes([ESCAPE])
#: More bytes without a flag than any frame has: something else is talking.
_LONGEST = 8192
_REQUEST, _RESPONSE = members(RequestWord), members(ResponseWord)


def request_word(kind: Kind, sequence: int, messages: int = 0, words: int = 0) -> int:
    """Return a request's header."""
    values = {"kind": kind, "sequence": sequence, "messages": messages, "words": words}
    return sum((value & _REQUEST[name][1]) << _REQUEST[name][0] for name, value in values.items())


def response_fields(word: int) -> tuple[int, int, int]:
    """Return status, sequence number and room of a response's header."""
    status, sequence, room = (word >> lsb & mask for lsb, mask in _RESPONSE.values())
    return status, sequence, room


def frame(words: Sequence[int]) -> bytes:
    """Return the bytes of a frame, flags included."""
    plain = b"".join(word.to_bytes(WORD_BYTES, "little") for word in words)
    plain += zlib.crc32(plain).to_bytes(WORD_BYTES, "little")
    for special in (_ESCAPE, _FLAG):  # the escape first: the others bring more of them
        plain = plain.replace(special, _ESCAPE + bytes([special[0] ^ FLIP]))
    return _FLAG + plain + _FLAG


class FrameReader:
    """Finds the frames in what arrives, byte by byte or in pieces."""

    def __init__(self) -> None:
        self._frame = bytearray()
        #: Frames that were thrown away: damaged, or noise between flags.
        self.damaged = 0

    def feed(self, received: bytes) -> list[list[int]]:
        """Return the words, CRC taken off, of the whole frames that end in ``received``."""
        found = []
        *ended, rest = received.split(_FLAG)
        for piece in ended:
            self._frame += piece
            words = self._words()
            if words is not None:
                found.append(words)
            self._frame.clear()
        self._frame += rest
        if len(self._frame) > _LONGEST:
            self._frame.clear()
            self.damaged += 1
        return found

    def _words(self) -> list[int] | None:
        if not self._frame:
            return None
        plain, escaped = bytearray(), False
        for byte in self._frame:
            if byte == ESCAPE and not escaped:
                escaped = True
                continue
            plain.append(byte ^ FLIP if escaped else byte)
            escaped = False
        right = not escaped and not len(plain) % WORD_BYTES and len(plain) >= 2 * WORD_BYTES
        if not right or zlib.crc32(plain[:-WORD_BYTES]) != int.from_bytes(plain[-WORD_BYTES:], "little"):
            self.damaged += 1
            return None
        return [
            int.from_bytes(plain[at : at + WORD_BYTES], "little")
            for at in range(0, len(plain) - WORD_BYTES, WORD_BYTES)
        ]
