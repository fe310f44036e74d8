"""Packing between the Python port and the bits of a GICv2 interface's (:mod:`hw.port_v2`)."""

from __future__ import annotations

from amaranth.lib import data

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.mmio_map import register_on
from hw.port_v2 import observe_layout_v2
from sim.engines.codec import PortCodec
from sim.engines.codec_bus import BusCodec
from sim.port import Access, MmioAccess, MmioResponse, Outcome, Response, State

__all__ = ["PortCodecV2", "codec_of"]


def _slice(layout: data.Layout, name: str) -> tuple[int, int]:
    """Return position and mask, at bit 0, of a member."""
    member = layout[name]
    return member.offset, (1 << member.width) - 1


def codec_of(config: GicConfig | GicV2Config) -> PortCodec | PortCodecV2:
    """Return the codec of a build."""
    return PortCodecV2(config) if isinstance(config, GicV2Config) else PortCodec(config)


class PortCodecV2(BusCodec):
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

    def request(self, access: Access) -> int:
        """Pack an access to a whole register."""
        register = access.register
        size = register.width // 8
        return self.mmio(MmioAccess(register.frame, register.offset, size, access.write, access.value))

    def access(self, packed: int) -> Access | MmioAccess:
        """Unpack a request: an access to a whole register as such, any other as it is."""
        found = self.bus_access(packed)
        register = register_on(found.frame, found.offset)
        if register is None or found.offset != register.offset or found.size != register.width // 8:
            return found
        return Access(2, register, found.write, found.value)

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
