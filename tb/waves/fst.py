"""The hierarchy block of an FST dump: names and widths, no values.

FST is the format of GTKWave's ``fstapi``: blocks of one type byte and a 64-bit big-endian length; the
hierarchy block is compressed as a whole (gzip, or LZ4 once or twice).
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from hw.errors import InputError
from tb.waves.variable import Variable

__all__ = ["end_time", "read_fst"]

_HEADER, _HIER_GZIP, _HIER_LZ4, _HIER_LZ4_TWICE = 0, 4, 6, 7
_ATTRIBUTE, _ATTRIBUTE_END, _SCOPE, _UP = 252, 253, 254, 255
#: The variable type of strings.
_STRING = 21


def read_fst(path: Path) -> list[Variable]:
    """Return the variables of an FST file in file order.

    Raises
    ------
    InputError
        When the file is not a complete FST dump.
    """
    data = path.read_bytes()
    position = 0
    try:
        if data[0] != _HEADER:
            raise ValueError("no header block")
        while position < len(data):
            kind = data[position]
            length = int.from_bytes(data[position + 1 : position + 9])
            block = data[position + 9 : position + 1 + length]
            if length < 8 or len(block) != length - 8:
                break
            if kind in (_HIER_GZIP, _HIER_LZ4, _HIER_LZ4_TWICE):
                return _variables(_hierarchy(kind, block))
            position += 1 + length
        raise ValueError("no hierarchy block")
    except (ValueError, IndexError, OSError, zlib.error, EOFError) as error:
        raise InputError(
            f"{path}: not a complete FST dump ({error}); was the simulation cut short? Run it again"
        ) from None


def end_time(path: Path) -> int:
    """Return the last time of an FST file that :func:`read_fst` has accepted: its header's second word."""
    with path.open("rb") as file:
        return int.from_bytes(file.read(25)[17:])


def _hierarchy(kind: int, block: bytes) -> bytes:
    """Return the uncompressed hierarchy."""
    size = int.from_bytes(block[:8])
    if kind == _HIER_GZIP:
        return gzip.decompress(block[8:])
    if kind == _HIER_LZ4:
        return _lz4(block[8:], size)
    between = int.from_bytes(block[8:16])
    return _lz4(_lz4(block[16:], between), size)


def _lz4(data: bytes, size: int) -> bytes:
    """Decompress one LZ4 block: literals and back references alternate."""
    out = bytearray()
    position = 0

    def extended(length: int) -> int:
        nonlocal position
        while True:
            byte = data[position]
            position += 1
            length += byte
            if byte != 255:
                return length

    while position < len(data):
        token = data[position]
        position += 1
        literals = token >> 4
        if literals == 15:
            literals = extended(literals)
        out += data[position : position + literals]
        position += literals
        if position >= len(data):  # the last sequence has literals only
            break
        distance = data[position] | data[position + 1] << 8
        position += 2
        length = token & 15
        if length == 15:
            length = extended(length)
        start = len(out) - distance
        if not distance or start < 0:
            raise ValueError("bad LZ4 reference")
        for n in range(start, start + length + 4):  # may overlap what it appends
            out.append(out[n])
    if len(out) != size:
        raise ValueError(f"{len(out)} bytes of hierarchy instead of {size}")
    return bytes(out)


def _variables(data: bytes) -> list[Variable]:
    """Walk the hierarchy's entries."""
    position = 0
    scopes: list[str] = []
    found: list[Variable] = []

    def text() -> str:
        nonlocal position
        end = data.index(0, position)
        result = data[position:end].decode("utf-8", "replace")
        position = end + 1
        return result

    def number() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    while position < len(data):
        tag = data[position]
        position += 1
        if tag == _SCOPE:
            position += 1  # kind of scope
            scopes.append(text())
            text()  # component
        elif tag == _UP:
            scopes.pop()
        elif tag == _ATTRIBUTE:
            position += 2
            text()
            number()
        elif tag != _ATTRIBUTE_END:
            position += 1  # direction
            name, width, _alias = text(), number(), number()
            found.append(Variable.declared(tuple(scopes), name, width, tag == _STRING))
    return found
