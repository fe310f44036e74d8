"""The CPU interface behind a guest engine: the GICv3 one as it is, or GICv2's frames behind the same port."""

from amaranth.hdl import Module, Mux
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.bus import BusFrame, Size
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.gicv2 import GicV2Interface
from hw.interface import VirtualCpuInterface
from hw.mmio import Frame
from hw.port import CpuPortSignature, Deactivation, Outcome, Request, Response, observe_layout
from hw.port_v2 import observe_layout_v2

__all__ = ["FrameInterface", "FramePortSignature", "cpu_interface", "cpu_signature", "place", "probe_layout"]

#: Bit of an encoding that says GICV; without it GICH. The bits below are the offset in the frame.
_GICV = 15


def place(register) -> int:
    """Return the 16 bits by which instructions and ACCESS name a register.

    That is the encoding of a system register, or the frame and the offset of a GICH or GICV register.
    """
    encoding = getattr(register, "encoding", None)
    if encoding is None:
        encoding = (register.frame is Frame.GICV) << _GICV | register.offset
    return encoding


class FramePortSignature(wiring.Signature):
    """:class:`hw.port.CpuPortSignature` of a GICv2 interface: its accesses are words of GICH and GICV.

    The members are the same, but ``observe`` is :func:`hw.port_v2.observe_layout_v2`. ``el``, ``rt`` and
    ``context`` of a request play no part.
    """

    def __init__(self, config: GicV2Config):
        self.config = config
        super().__init__({
            "request": Out(stream.Signature(Request)),
            "response": In(wiring.Signature({"valid": Out(1), "payload": Out(Response)})),
            "virq": In(1), "vfiq": In(1), "maintenance": In(1), "settled": In(1),
            "deactivate": In(stream.Signature(Deactivation)),
            "observe": In(observe_layout_v2(config)),
        })  # fmt: skip

    def __eq__(self, other):
        return type(self) is type(other) and self.config == other.config

    def __repr__(self):
        return f"FramePortSignature({self.config!r})"


def cpu_signature(config: GicConfig | GicV2Config) -> wiring.Signature:
    """Return the signature of the port between an engine and its interface."""
    return FramePortSignature(config) if isinstance(config, GicV2Config) else CpuPortSignature(config)


def probe_layout(config: GicConfig | GicV2Config) -> data.StructLayout:
    """Return the layout of that port's ``observe``."""
    return observe_layout_v2(config) if isinstance(config, GicV2Config) else observe_layout(config)


def cpu_interface(config: GicConfig | GicV2Config) -> wiring.Component:
    """Return the interface of a configuration, with a ``cpu`` of :func:`cpu_signature`."""
    return FrameInterface(config) if isinstance(config, GicV2Config) else VirtualCpuInterface(config)


class FrameInterface(wiring.Component):
    """A GICv2 interface behind the port of a GICv3 one.

    A request's ``encoding`` is what :func:`place` makes of a GICH or GICV register; the access is a word.
    One that is not defined is answered UNDEF. The latency is :class:`hw.gicv2.GicV2Interface`'s.

    Parameters
    ----------
    config : GicV2Config
        Implementation choices.

    Members
    -------
    cpu : In(FramePortSignature(config))
        The port.
    """

    def __init__(self, config: GicV2Config):
        self._config = config
        super().__init__({"cpu": In(FramePortSignature(config))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.frames = frames = GicV2Interface(self._config)
        cpu, inner = self.cpu, frames.cpu
        asked, access = cpu.request.payload, inner.request.payload
        answer, told = cpu.response.payload, inner.response.payload
        m.d.comb += [
            inner.request.valid.eq(cpu.request.valid), cpu.request.ready.eq(inner.request.ready),
            access.frame.eq(Mux(asked.encoding[_GICV], BusFrame.GICV, BusFrame.GICH)),
            access.offset.eq(asked.encoding[:_GICV]), access.size.eq(Size.WORD),
            access.write.eq(asked.write), access.data.eq(asked.value[:32]),
            cpu.response.valid.eq(inner.response.valid), answer.value.eq(told.data),
            answer.outcome.eq(Mux(told.error, Outcome.UNDEF, Outcome.OK)),
            cpu.virq.eq(inner.virq), cpu.vfiq.eq(inner.vfiq), cpu.maintenance.eq(inner.maintenance),
            cpu.settled.eq(inner.settled), cpu.observe.eq(inner.observe),
            cpu.deactivate.valid.eq(inner.deactivate.valid),
            cpu.deactivate.payload.eq(inner.deactivate.payload),
            inner.deactivate.ready.eq(cpu.deactivate.ready),
        ]  # fmt: skip
        return m
