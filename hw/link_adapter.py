"""The only module between a PE's CPU interfaces and the distributor.

Here the records of :mod:`hw.link` pass as they are. Who has the packet formats of the GIC Stream Protocol,
or puts the two sides into different clock domains, replaces this module.
"""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.config_physical import PhysicalConfig
from hw.link import Command, LinkSignature
from hw.port import Deactivation

__all__ = ["LinkAdapter"]


class LinkAdapter(wiring.Component):
    """Put the deactivations of HW list registers on the link of the PE's physical interface; no latency.

    A PE has one access in flight, so the two sources never send in the same cycle.

    Parameters
    ----------
    config : PhysicalConfig
        The INTIDs that the distributor has; others go no further (DIST-20).

    Members
    -------
    interface : In(LinkSignature())
        The physical CPU interface.
    deactivate : In(stream.Signature(Deactivation))
        The virtual CPU interface (HW-1).
    link : Out(LinkSignature())
        The distributor.
    """

    def __init__(self, config: PhysicalConfig):
        self._config = config
        super().__init__({
            "interface": In(LinkSignature()),
            "deactivate": In(stream.Signature(Deactivation)),
            "link": Out(LinkSignature()),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        interface, link, deactivate = self.interface, self.link, self.deactivate
        pintid = deactivate.payload.pintid
        known = pintid < self._config.intids
        m.d.comb += [
            link.enable.eq(interface.enable),
            interface.offer.eq(link.offer),
            interface.current.eq(link.current),
            interface.accepted.eq(link.accepted),
            interface.message.ready.eq(link.message.ready & ~deactivate.valid),
            deactivate.ready.eq(link.message.ready | ~known),
            link.message.valid.eq(interface.message.valid | (deactivate.valid & known)),
            link.message.payload.eq(interface.message.payload),
        ]
        with m.If(deactivate.valid):
            m.d.comb += [
                link.message.payload.eq(0),
                link.message.payload.command.eq(Command.DEACTIVATE),
                link.message.payload.intid.eq(pintid),
            ]
        return m
