"""One PE's CPU interfaces, virtual and physical, behind one system-register port."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.interface import VirtualCpuInterface
from hw.link import LinkSignature
from hw.link_adapter import LinkAdapter
from hw.physical_interface import PhysicalCpuInterface, physical_observe_layout
from hw.port import CpuPortSignature, Deactivation, Outcome

__all__ = ["Pe", "PePortSignature"]


class PePortSignature(wiring.Signature):
    """A :class:`hw.port.CpuPortSignature` with a physical side, from the PE's side.

    Its members, but the latency of an access that the physical interface executes is not constant, and
    ``deactivate`` has no ``ready``: it only shows what goes to the distributor. ``settled`` is that of the
    whole system. Added are:

    Members
    -------
    irq, fiq : In(1)
        Physical interrupt lines, registered.
    observe_physical : In(physical_observe_layout(physical))
        Storage of the physical interface, for testbenches.
    """

    def __init__(self, config: GicConfig, physical: PhysicalConfig):
        self.config = config
        self.physical = physical
        members = dict(CpuPortSignature(config).members)
        members["deactivate"] = In(wiring.Signature({"valid": Out(1), "payload": Out(Deactivation)}))
        members |= {"irq": In(1), "fiq": In(1), "observe_physical": In(physical_observe_layout(physical))}
        super().__init__(members)

    def __eq__(self, other):
        return type(self) is type(other) and (self.config, self.physical) == (other.config, other.physical)

    def __repr__(self):
        return f"PePortSignature({self.config!r}, {self.physical!r})"


class Pe(wiring.Component):
    """The virtual interface checks every access; what is not redirected goes on to the physical one.

    Latency of an access that the virtual interface answers: :data:`hw.interface.LATENCY` cycles. Of one that
    goes on: that, and what :class:`hw.physical_interface.PhysicalCpuInterface` takes.

    Parameters
    ----------
    config : GicConfig
        The virtual side.
    physical : PhysicalConfig
        The physical side.

    Members
    -------
    cpu : In(PePortSignature(config, physical))
        The port; ``settled`` looks at this PE alone here.
    link : Out(LinkSignature())
        To the distributor.
    """

    def __init__(self, config: GicConfig, physical: PhysicalConfig):
        self.config = config
        self.physical = physical
        super().__init__({"cpu": In(PePortSignature(config, physical)), "link": Out(LinkSignature())})

    def elaborate(self, platform):
        m = Module()
        cpu = self.cpu
        m.submodules.virtual = virtual = VirtualCpuInterface(self.config, self.physical)
        m.submodules.physical = physical = PhysicalCpuInterface(self.physical)
        m.submodules.adapter = adapter = LinkAdapter(self.physical)
        connect(m, physical.link, adapter.interface)
        connect(m, virtual.cpu.deactivate, adapter.deactivate)
        connect(m, adapter.link, flipped(self.link))
        m.d.comb += [
            virtual.cpu.request.valid.eq(cpu.request.valid & physical.ready),
            virtual.cpu.request.payload.eq(cpu.request.payload),
            cpu.request.ready.eq(virtual.cpu.request.ready & physical.ready),
            physical.access.eq(virtual.access),
            physical.start.eq(virtual.cpu.response.valid & virtual.elsewhere),
            cpu.response.valid.eq((virtual.cpu.response.valid & ~virtual.elsewhere) | physical.done),
            cpu.response.payload.eq(virtual.cpu.response.payload),
            cpu.virq.eq(virtual.cpu.virq),
            cpu.vfiq.eq(virtual.cpu.vfiq),
            cpu.maintenance.eq(virtual.cpu.maintenance),
            cpu.irq.eq(physical.irq),
            cpu.fiq.eq(physical.fiq),
            cpu.settled.eq(virtual.cpu.settled & physical.settled & ~adapter.deactivate.valid),
            cpu.deactivate.valid.eq(virtual.cpu.deactivate.valid),
            cpu.deactivate.payload.eq(virtual.cpu.deactivate.payload),
            cpu.observe.eq(virtual.cpu.observe),
            cpu.observe_physical.eq(physical.observe),
        ]
        with m.If(physical.done):
            m.d.comb += [
                cpu.response.payload.eq(0),
                cpu.response.payload.outcome.eq(Outcome.OK),
                cpu.response.payload.value.eq(physical.value),
            ]
        return m
