"""The port of a GICv2 virtual CPU interface: the internal bus, and the lines of one PE."""

from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.bus import BusRequest, BusResponse
from hw.config_v2 import GicV2Config
from hw.port import Deactivation

__all__ = ["GicV2PortSignature", "observe_layout_v2"]


def observe_layout_v2(config: GicV2Config) -> data.StructLayout:
    """Return the layout of the ``observe`` probe: all storage, as GICH reads would return it.

    EISR and ELRSR are both words of each. For testbenches and formal only.
    """
    return data.StructLayout({
        "hcr": 32,
        "vmcr": 32,
        "misr": 8,
        "eisr": 64,
        "elrsr": 64,
        "ap0r0": 32,
        **{f"lr{n}": 32 for n in range(config.lrs)},
    })  # fmt: skip


class GicV2PortSignature(wiring.Signature):
    """One PE's view of its GICH and GICV frames, from the initiator's side.

    The members are named as those of :class:`hw.port.CpuPortSignature`.

    Members
    -------
    request, response
        The internal bus (:class:`hw.bus.BusSignature`). The latency is constant for a configuration.
    virq, vfiq, maintenance : In(1)
        Level outputs, registered.
    settled : In(1)
        No access is in flight and the lines reflect all storage.
    deactivate : In(stream.Signature(Deactivation))
        Physical deactivation requests. While one waits no further request is taken.
    observe : In(observe_layout_v2(config))
        All storage, for testbenches.
    """

    def __init__(self, config: GicV2Config):
        self.config = config
        super().__init__({
            "request": Out(stream.Signature(BusRequest)),
            "response": In(wiring.Signature({"valid": Out(1), "payload": Out(BusResponse)})),
            "virq": In(1),
            "vfiq": In(1),
            "maintenance": In(1),
            "settled": In(1),
            "deactivate": In(stream.Signature(Deactivation)),
            "observe": In(observe_layout_v2(config)),
        })  # fmt: skip

    def __eq__(self, other):
        return type(self) is type(other) and self.config == other.config

    def __repr__(self):
        return f"GicV2PortSignature({self.config!r})"
