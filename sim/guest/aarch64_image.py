"""AArch64 guest programs as files: static ELF executables, and the memory they run in."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

from hw.errors import InputError
from sim.guest.memory_map import DEVICES

__all__ = ["PAGE", "Aarch64Program", "Memory", "Segment", "read_elf"]

#: Bytes in a page; memory is mapped, and access rights hold, by page.
PAGE = 0x1000
#: Most memory a program may have, in bytes. All that is writable is looked at after every operation.
_LIMIT = 1 << 20
#: End of the guest physical address space.
_END = 1 << 40
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_IDENT = b"\x7fELF\x02\x01"
_EXECUTABLE, _AARCH64, _LOAD = 2, 183, 1
_FLAG_EXECUTE, _FLAG_WRITE = 1, 2


@dataclass(frozen=True)
class Segment:
    """A loadable segment: ``data`` at ``address``, zeros up to ``size`` bytes."""

    address: int
    data: bytes
    size: int
    writable: bool
    executable: bool

    @property
    def pages(self) -> tuple[int, int]:
        """First address and size of the pages it takes."""
        start = self.address & -PAGE
        return start, (self.address + self.size + PAGE - 1 & -PAGE) - start


@dataclass(frozen=True)
class Aarch64Program:
    """A program and how it is started: at ``entry``, EL1h, interrupts masked, ``arguments`` in x0 and up."""

    name: str
    entry: int
    segments: tuple[Segment, ...]
    arguments: tuple[int, ...] = ()


def read_elf(path: Path, name: str | None = None, arguments: tuple[int, ...] = ()) -> Aarch64Program:
    """Read a program.

    Parameters
    ----------
    path : Path
        A static little-endian AArch64 ELF executable.
    name : str or None
        What messages call it; by default the path.
    arguments : tuple of int
        Values of x0, x1, ..., 64 bits each, at most eight.

    Raises
    ------
    InputError
        When the file cannot be read or is not such a program; the text says what is wrong.
    """
    name = name or str(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}; give an AArch64 ELF executable") from None
    try:
        return Aarch64Program(name, *_parse(data), arguments)
    except (ValueError, struct.error) as error:
        what = "cut short" if isinstance(error, struct.error) else str(error)
        raise InputError(
            f"{name}: {what}; give a static AArch64 ELF executable (aarch64-linux-gnu-gcc -static -nostdlib)"
        ) from None


def _parse(data: bytes) -> tuple[int, tuple[Segment, ...]]:
    """Return entry and segments; ValueError or struct.error for what is not a usable executable."""
    if not data.startswith(_IDENT):
        raise ValueError("not a 64-bit little-endian ELF file")
    _, kind, machine, _, entry, offset, *_, entry_size, count, _, _, _ = _HEADER.unpack_from(data)
    if machine != _AARCH64:
        raise ValueError(f"for machine {machine}, not for AArch64 ({_AARCH64})")
    if kind != _EXECUTABLE:
        raise ValueError("not a static executable (it would need linking or relocation)")
    segments = []
    for n in range(count):
        at = offset + n * entry_size
        header = data[at : at + _PROGRAM_HEADER.size]
        kind, flags, start, address, _, stored, size, _ = _PROGRAM_HEADER.unpack(header)
        if kind != _LOAD or not size:
            continue
        if stored > size or start + stored > len(data):
            raise ValueError("cut short")
        content = data[start : start + stored]
        segments.append(
            Segment(address, content, size, bool(flags & _FLAG_WRITE), bool(flags & _FLAG_EXECUTE))
        )
    _check(entry, segments)
    return entry, tuple(segments)


def _check(entry: int, segments: list[Segment]) -> None:
    if not any(s.executable and s.address <= entry < s.address + len(s.data) for s in segments):
        raise ValueError(f"entry {entry:#x} is not in executable memory")
    if entry % 4:
        raise ValueError(f"entry {entry:#x} is not aligned")
    if sum(segment.pages[1] for segment in segments) > _LIMIT:
        raise ValueError(f"needs more than {_LIMIT >> 10} KiB of memory")
    taken = [DEVICES]
    for segment in segments:
        if segment.writable and segment.executable:
            raise ValueError(f"segment at {segment.address:#x} is writable and executable")
        start, size = segment.pages
        if start + size > _END:
            raise ValueError(f"segment at {segment.address:#x} is beyond the address space ({_END:#x})")
        for other, length in taken:
            if start < other + length and other < start + size:
                raise ValueError(f"segment at {segment.address:#x} shares pages with another or a device")
        taken.append((start, size))


class Memory:
    """The memory of a program, loaded. vCPUs that run the same program share it.

    Parameters
    ----------
    program : Aarch64Program
        What is loaded.
    """

    def __init__(self, program: Aarch64Program):
        self.program = program
        self.areas: list[tuple[Segment, mmap.mmap]] = []
        for segment in program.segments:
            start, size = segment.pages
            area = mmap.mmap(-1, size)
            area[segment.address - start : segment.address - start + len(segment.data)] = segment.data
            self.areas.append((segment, area))

    def writable(self) -> list[mmap.mmap]:
        """Return what the program can change."""
        return [area for segment, area in self.areas if segment.writable]

    def executable(self, address: int) -> bool:
        """Return whether there is code at an address."""
        return any(
            s.executable and s.address <= address < s.address + len(s.data) for s in self.program.segments
        )
