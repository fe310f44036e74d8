"""Packing between bus accesses in Python and the bits of the internal bus (:mod:`hw.bus`)."""

from __future__ import annotations

from amaranth.lib import data

from hw import bus
from hw.errors import InputError
from hw.mmio import Frame
from sim.port import MmioAccess, MmioResponse

__all__ = ["BusCodec"]

_REQUEST = data.Layout.cast(bus.BusRequest)
_RESPONSE = data.Layout.cast(bus.BusResponse)
_FRAMES = {frame: bus.BusFrame[frame.name].value for frame in Frame}
_FRAME_OF = {value: frame for frame, value in _FRAMES.items()}
_SIZES = {1 << size.value: size.value for size in bus.Size}
_DATA_LSB = _REQUEST["data"].offset


def _slice(layout: data.Layout, name: str) -> tuple[int, int]:
    """Return position and mask, at bit 0, of a member."""
    member = layout[name]
    return member.offset, (1 << member.width) - 1


class BusCodec:
    """Packer and unpacker of the bus, the same for every build."""

    _error = _slice(_RESPONSE, "error")
    _data = _slice(_RESPONSE, "data")

    def mmio(self, access: MmioAccess) -> int:
        """Pack a bus access.

        Raises
        ------
        InputError
            When a member does not fit: a size that is no power of two up to 8, an offset beyond what the bus
            carries, a value wider than the size.
        """
        frame, offset, size, write, value = access
        if size not in _SIZES or not 0 <= offset < 1 << bus.OFFSET_BITS or not 0 <= value < 1 << 8 * size:
            raise InputError(
                f"{frame.name} offset {offset:#x}: the bus carries 1, 2, 4 or 8 bytes at offsets below"
                f" {1 << bus.OFFSET_BITS:#x}, not {size} with value {value:#x}"
            )
        return (
            _FRAMES[frame] << _REQUEST["frame"].offset
            | offset << _REQUEST["offset"].offset
            | _SIZES[size] << _REQUEST["size"].offset
            | int(write) << _REQUEST["write"].offset
            | value << _DATA_LSB
        )

    def bus_access(self, packed: int) -> MmioAccess:
        """Unpack a request, as a monitor sees it."""

        def member(name: str) -> int:
            lsb, mask = _slice(_REQUEST, name)
            return packed >> lsb & mask

        size = 1 << member("size")
        value = member("data") & (1 << 8 * size) - 1
        return MmioAccess(_FRAME_OF[member("frame")], member("offset"), size, bool(member("write")), value)

    def mmio_response(self, packed: int) -> MmioResponse:
        """Unpack a response of the bus."""
        error, error_mask = self._error
        value, mask = self._data
        return MmioResponse(bool(packed >> error & error_mask), packed >> value & mask)
