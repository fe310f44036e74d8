"""Programs from files: what is loaded, and how everything else is refused."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.errors import InputError
from sim.guest.aarch64_cpu import Aarch64Guest
from sim.guest.aarch64_image import Aarch64Program, Memory, Segment, read_elf

FIXTURE = Path(__file__).parents[3] / "sim" / "guest" / "aarch64" / "overflow.elf"
ELF = FIXTURE.read_bytes()
#: Offsets in the ELF header and in its first program header (which is at 64).
KIND, MACHINE, ENTRY, FIRST = 16, 18, 24, 64
FLAGS, START, ADDRESS, STORED, SIZE = FIRST + 4, FIRST + 8, FIRST + 16, FIRST + 32, FIRST + 40


def changed(offset, layout, value):
    data = bytearray(ELF)
    struct.pack_into(f"<{layout}", data, offset, value)
    return bytes(data)


def read(data, tmp_path):
    path = tmp_path / "guest.elf"
    path.write_bytes(data)
    return read_elf(path, "guest.elf")


def test_fixture():
    """Code is not writable, data not executable, memory behind the data is zero; small enough to ship."""
    program = read_elf(FIXTURE, "overflow.elf", (1, 2))
    code, data = program.segments
    assert (code.address, code.writable, code.executable) == (0x4000_0000, False, True)
    assert (data.writable, data.executable) == (True, False)
    assert program.arguments == (1, 2)
    memory = Memory(program)
    assert memory.areas[0][1][: len(code.data)] == code.data
    (writable,) = memory.writable()
    assert not any(writable[:])
    assert memory.executable(program.entry)
    assert not memory.executable(data.address)
    assert len(ELF) < 16 << 10


def test_a_segment_may_start_inside_a_page():
    segment = Segment(0x4000_0104, b"code", 0x1000, True, False)
    assert segment.pages == (0x4000_0000, 0x2000)
    ((_, area),) = Memory(Aarch64Program("test", 0, (segment,))).areas
    assert area[:] == bytes(0x104) + b"code" + bytes(0x2000 - 0x108)


def test_empty_segments_are_passed_over(tmp_path):
    assert len(read(changed(SIZE + 56, "Q", 0), tmp_path).segments) == 1


def test_vectors_are_aligned():
    """VBAR_EL1 ignores its low 11 bits; the fixture's vectors branch at every 0x80."""
    code = read_elf(FIXTURE).segments[0].data
    assert all(struct.unpack_from("<I", code, 0x80 * n)[0] >> 26 == 0b000101 for n in range(16))


@pytest.mark.parametrize(("data", "text"), [
    (b"", "not a 64-bit little-endian ELF file"),
    (b"#!/bin/sh\n", "not a 64-bit little-endian ELF file"),
    (changed(4, "B", 1), "not a 64-bit little-endian ELF file"),
    (changed(MACHINE, "H", 62), "for machine 62, not for AArch64 (183)"),
    (changed(KIND, "H", 3), "not a static executable (it would need linking or relocation)"),
    (changed(ENTRY, "Q", 0), "entry 0x0 is not in executable memory"),
    (changed(ENTRY, "Q", 0x4000_0802), "entry 0x40000802 is not aligned"),
    (changed(FLAGS, "I", 7), "segment at 0x40000000 is writable and executable"),
    (changed(SIZE, "Q", 1 << 40), "needs more than 1024 KiB of memory"),
    (changed(SIZE, "Q", 0x2001), "segment at 0x40002000 shares pages with another or a device"),
    (changed(STORED, "Q", 1 << 20), "cut short"),
    (changed(START, "Q", len(ELF)), "cut short"),
    (ELF[:100], "cut short"),
    (ELF[:20], "cut short"),
])  # fmt: skip
def test_refused(data, text, tmp_path):
    with pytest.raises(InputError) as error:
        read(data, tmp_path)
    remedy = "; give a static AArch64 ELF executable (aarch64-linux-gnu-gcc -static -nostdlib)"
    assert str(error.value) == f"guest.elf: {text}{remedy}"


@pytest.mark.parametrize("address", [0x0800_0000, 0x0900_0000, 1 << 48, (1 << 64) - 0x1000])
def test_no_memory_there(address, tmp_path):
    """Where devices are, or beyond what can be mapped."""
    data = bytearray(changed(ADDRESS, "Q", address))
    struct.pack_into("<Q", data, ENTRY, address)
    with pytest.raises(InputError, match=rf"segment at {address:#x} "):
        read(bytes(data), tmp_path)


def test_missing(tmp_path):
    with pytest.raises(InputError, match=r"none\.elf: No such file or directory; give an AArch64 ELF"):
        read_elf(tmp_path / "none.elf")
    with pytest.raises(InputError, match="Is a directory; give an AArch64 ELF"):
        read_elf(tmp_path)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 175), st.integers(0, 255)), min_size=1, max_size=6))
def test_damaged_headers(tmp_path_factory, changes):
    """A file with wrong bytes in its headers is refused in one line, or can be started."""
    data = bytearray(ELF)
    for offset, value in changes:
        data[offset] = value
    try:
        program = read(bytes(data), tmp_path_factory.getbasetemp())
    except InputError as error:
        assert "\n" not in str(error)
    else:
        Aarch64Guest(Memory(program)).next(False, False)
