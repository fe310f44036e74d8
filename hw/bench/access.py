"""Who uses a CPU port: the guest while it runs, else the host."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.bench.frames import cpu_signature
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.port import Deactivation, Request

__all__ = ["AccessSwitch"]


class AccessSwitch(wiring.Component):
    """Passes on the requests of one of two, and keeps the last deactivation until somebody was told of it.

    Members
    -------
    running : In(1)
        The guest has the port.
    guest, host : In(stream.Signature(Request))
        Requests; the response is for whose request it was.
    deactivated, pintid : Out(1), Out(Deactivation)
        A deactivation that waits. While it does, the interface keeps the next one, and takes no request.
    take : In(1)
        Forget it.
    cpu : Out(cpu_signature(config))
        The interface.
    """

    def __init__(self, config: GicConfig | GicV2Config):
        super().__init__({
            "running": In(1), "guest": In(stream.Signature(Request)), "host": In(stream.Signature(Request)),
            "deactivated": Out(1), "pintid": Out(Deactivation), "take": In(1),
            "cpu": Out(cpu_signature(config)),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        request, deactivate = self.cpu.request, self.cpu.deactivate
        for user, mine in ((self.guest, self.running), (self.host, ~self.running)):
            with m.If(mine):
                m.d.comb += [
                    request.valid.eq(user.valid),
                    request.payload.eq(user.payload),
                    user.ready.eq(request.ready),
                ]
        m.d.comb += deactivate.ready.eq(~self.deactivated)
        with m.If(deactivate.valid & deactivate.ready):
            m.d.sync += [self.deactivated.eq(1), self.pintid.eq(deactivate.payload)]
        with m.Elif(self.take):
            m.d.sync += self.deactivated.eq(0)
        return m
