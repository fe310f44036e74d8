"""Decode of an access to the GICH and GICV frames (spec 1.9)."""

from amaranth.hdl import Const, Module, Mux
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.bus import BusFrame, BusRequest, Size
from hw.config_v2 import GicV2Config
from hw.decode import Target
from hw.mmio import WORD, Frame, MmioRegister
from hw.registers_v2 import REGISTERS_V2

__all__ = ["DecodedFrame", "FrameDecoder"]

#: GICH and GICV registers whose target has another name.
_RENAMED = {
    "GICH_EISR0": Target.EISR,
    "GICH_ELRSR0": Target.ELRSR,
    "GICH_APR": Target.AP0R,
    "GICV_APR0": Target.AP0R,
    "GICV_BPR": Target.BPR0,
    "GICV_ABPR": Target.BPR1,
    "GICV_IAR": Target.IAR0,
    "GICV_AIAR": Target.IAR1,
    "GICV_EOIR": Target.EOIR0,
    "GICV_AEOIR": Target.EOIR1,
    "GICV_HPPIR": Target.HPPIR0,
    "GICV_AHPPIR": Target.HPPIR1,
}
_LRS = [r for r in REGISTERS_V2 if r.frame is Frame.GICH and r.name.startswith("GICH_LR")]
#: List registers fill a naturally aligned part of their frame, so that an offset's bits are the index.
_LR_BASE = _LRS[0].offset
_INDEX_BITS = 6
_LR_OFFSET_BITS = _INDEX_BITS + 2
assert _LR_BASE % (1 << _LR_OFFSET_BITS) == 0
assert [r.offset for r in _LRS] == [_LR_BASE + 4 * n for n in range(1 << _INDEX_BITS)]


class DecodedFrame(data.Struct):
    """What the register tables say of an access.

    ``error``: nothing is mapped there, or not with that size and alignment. ``executes``: the register
    exists in this build and the direction is allowed; else the access reads 0 or is ignored (REG-8).
    """

    error: 1
    executes: 1
    target: Target
    index: _INDEX_BITS


def _target(register: MmioRegister) -> Target:
    return _RENAMED.get(register.name) or Target[register.name.split("_")[1]]


class FrameDecoder(wiring.Component):
    """Look an access up in the register tables; combinational.

    Parameters
    ----------
    config : GicV2Config
        Decides which list registers exist.

    Members
    -------
    request : In(BusRequest)
        The access.
    decoded : Out(DecodedFrame)
        Its entry.
    """

    def __init__(self, config: GicV2Config):
        self._config = config
        super().__init__({"request": In(BusRequest), "decoded": Out(DecodedFrame)})

    def elaborate(self, platform):
        m = Module()
        request, decoded = self.request, self.decoded
        # Every register of the two frames takes whole, aligned words only; offsets outside are errors.
        m.d.comb += decoded.error.eq(1)
        with m.If((request.size == Size.WORD) & (request.offset[:2] == 0)):
            with m.Switch(request.frame):
                for frame in (Frame.GICH, Frame.GICV):
                    with m.Case(BusFrame[frame.name]):
                        self._decode(m, frame)
        return m

    def _decode(self, m, frame):
        offset = self.request.offset
        with m.Switch(offset[2:]):
            for register in REGISTERS_V2:
                if register.frame is frame and register not in _LRS:
                    assert register.sizes == WORD and register.width == 32
                    with m.Case(register.offset >> 2):
                        self._found(m, register)
        if frame is Frame.GICH:
            with m.If(offset[_LR_OFFSET_BITS:] == _LR_BASE >> _LR_OFFSET_BITS):
                index = offset[2:_LR_OFFSET_BITS]
                m.d.comb += [
                    self.decoded.error.eq(0),
                    self.decoded.executes.eq(index < self._config.lrs),
                    self.decoded.target.eq(Target.LR),
                    self.decoded.index.eq(index),
                ]

    def _found(self, m, register):
        decoded = self.decoded
        m.d.comb += decoded.error.eq(0)
        if register.exists(self._config):
            allowed = Mux(self.request.write, int(register.writable), int(register.readable))
            m.d.comb += [decoded.executes.eq(allowed), decoded.target.eq(_target(register))]
            m.d.comb += decoded.index.eq(Const(0))
