"""Packing between the Python port and the bits of a GICv2 interface's (:mod:`hw.port_v2`)."""

from __future__ import annotations

from amaranth.lib import data

from hw import bus
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from hw.mmio import Frame
from hw.mmio_map import register_on
from hw.port_v2 import observe_layout_v2
from sim.engines.codec import PortCodec
from sim.port import Access, MmioAccess, MmioResponse, Outcome, Response, State

__all__ = ["PortCodecV2", "codec_of"]

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


def codec_of(config: GicConfig | GicV2Config) -> PortCodec | PortCodecV2:
    """Return the codec of a build."""
    return PortCodecV2(config) if isinstance(config, GicV2Config) else PortCodec(config)


class PortCodecV2:
    """Packer and unpacker for one configuration; :class:`sim.engines.codec.PortCodec` for GICv2.

    Parameters
    ----------
    config : GicV2Config
        Decides the width and the layout of the probe.
    """

    def __init__(self, config: GicV2Config):
        self.config = config
        layout = observe_layout_v2(config)
        self._scalars = [(name, *_slice(layout, name)) for name in ("hcr", "vmcr", "misr", "eisr", "elrsr")]
        self._apr = _slice(layout, "ap0r0")
        self._lrs = [_slice(layout, f"lr{n}") for n in range(config.lrs)]
        self._error = _slice(_RESPONSE, "error")
        self._data = _slice(_RESPONSE, "data")

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

    def request(self, access: Access) -> int:
        """Pack an access to a whole register."""
        register = access.register
        size = register.width // 8
        return self.mmio(MmioAccess(register.frame, register.offset, size, access.write, access.value))

    def bus_access(self, packed: int) -> MmioAccess:
        """Unpack a request, as a monitor sees it."""

        def member(name: str) -> int:
            lsb, mask = _slice(_REQUEST, name)
            return packed >> lsb & mask

        size = 1 << member("size")
        value = member("data") & (1 << 8 * size) - 1
        return MmioAccess(_FRAME_OF[member("frame")], member("offset"), size, bool(member("write")), value)

    def access(self, packed: int) -> Access | MmioAccess:
        """Unpack a request: an access to a whole register as such, any other as it is."""
        found = self.bus_access(packed)
        register = register_on(found.frame, found.offset)
        if register is None or found.offset != register.offset or found.size != register.width // 8:
            return found
        return Access(2, register, found.write, found.value)

    def mmio_response(self, packed: int) -> MmioResponse:
        """Unpack a response of the bus."""
        error, error_mask = self._error
        value, mask = self._data
        return MmioResponse(bool(packed >> error & error_mask), packed >> value & mask)

    def response(self, packed: int) -> Response:
        """Unpack a response to an access to a whole register."""
        error, value = self.mmio_response(packed)
        assert not error, "a register of the table answered with a bus error"
        return Response(Outcome.OK, value)

    def answer(self, access: Access | MmioAccess, packed: int) -> Response | MmioResponse:
        """Unpack the response to ``access``, as a monitor sees it."""
        return self.response(packed) if isinstance(access, Access) else self.mmio_response(packed)

    def state(self, packed: int) -> State:
        """Unpack the probe."""
        state = State()
        for name, lsb, mask in self._scalars:
            setattr(state, name, packed >> lsb & mask)
        lsb, mask = self._apr
        state.ap0r = [packed >> lsb & mask]
        state.lr = [packed >> lsb & mask for lsb, mask in self._lrs]
        return state
