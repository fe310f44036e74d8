"""One PE of a GICv2: its GICH, GICV and GICC frames, and the way to the distributor, behind one bus."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.bus import BusFrame, BusRequest, BusResponse, BusSignature
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.gicc import DecodedGicc, GiccDecoder, GiccInterface
from hw.gicv2 import GicV2Interface
from hw.link import LinkSignature
from hw.link_adapter import LinkAdapter
from hw.physical_interface import physical_observe_layout
from hw.port import Deactivation
from hw.port_v2 import GicV2PortSignature

__all__ = ["PeV2", "PeV2PortSignature"]


class PeV2PortSignature(wiring.Signature):
    """A :class:`hw.port_v2.GicV2PortSignature` with a physical side, from the PE's side.

    Its members, but the bus reaches GICC and GICD too, with no constant latency, and ``deactivate`` has no
    ``ready``: it only shows what goes to the distributor. ``settled`` is that of the whole system. Added are
    ``irq``, ``fiq`` and ``observe_physical`` as :class:`hw.pe.PePortSignature` has them.
    """

    def __init__(self, config: GicV2Config, physical: PhysicalConfig):
        self.config = config
        self.physical = physical
        members = dict(GicV2PortSignature(config).members)
        members["deactivate"] = In(wiring.Signature({"valid": Out(1), "payload": Out(Deactivation)}))
        members |= {"irq": In(1), "fiq": In(1), "observe_physical": In(physical_observe_layout(physical))}
        super().__init__(members)

    def __eq__(self, other):
        return type(self) is type(other) and (self.config, self.physical) == (other.config, other.physical)

    def __repr__(self):
        return f"PeV2PortSignature({self.config!r}, {self.physical!r})"


class PeV2(wiring.Component):
    """Take an access to where its frame is, one at a time.

    Latency: two cycles more than the frame's own, :func:`hw.core.latency` of GICH and GICV; GICC what
    :class:`hw.physical_interface.PhysicalCpuInterface` takes, GICD what the distributor takes. An access to
    another frame, or one that its frame does not define, is answered with an error and changes nothing.

    Parameters
    ----------
    config : GicV2Config
        The virtual side.
    physical : PhysicalConfig
        The physical side; ``are`` must be False.

    Members
    -------
    cpu : In(PeV2PortSignature(config, physical))
        The port; ``settled`` looks at this PE alone here.
    bus : Out(BusSignature())
        To the distributor's registers.
    link : Out(LinkSignature())
        To the distributor.
    """

    def __init__(self, config: GicV2Config, physical: PhysicalConfig):
        self.config = config
        self.physical = physical
        super().__init__({
            "cpu": In(PeV2PortSignature(config, physical)),
            "bus": Out(BusSignature()),
            "link": Out(LinkSignature()),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        cpu = self.cpu
        m.submodules.virtual = self._virtual = virtual = GicV2Interface(self.config)
        m.submodules.physical = self._physical = physical = GiccInterface(self.physical)
        m.submodules.adapter = adapter = LinkAdapter(self.physical)
        m.submodules.decoder = decoder = GiccDecoder(self.physical)
        connect(m, physical.link, adapter.interface)
        connect(m, virtual.cpu.deactivate, adapter.deactivate)
        connect(m, adapter.link, flipped(self.link))
        self._request = Signal(BusRequest)
        self._decoded = Signal(DecodedGicc)
        m.d.comb += decoder.request.eq(self._request)
        m.d.sync += self._decoded.eq(decoder.decoded)
        idle = self._sequence(m)
        m.d.comb += [
            physical.access.eq(self._decoded.access),
            virtual.cpu.request.payload.eq(self._request),
            self.bus.request.payload.eq(self._request),
            cpu.virq.eq(virtual.cpu.virq),
            cpu.vfiq.eq(virtual.cpu.vfiq),
            cpu.maintenance.eq(virtual.cpu.maintenance),
            cpu.irq.eq(physical.irq),
            cpu.fiq.eq(physical.fiq),
            cpu.settled.eq(idle & virtual.cpu.settled & physical.settled & ~adapter.deactivate.valid),
            cpu.deactivate.valid.eq(virtual.cpu.deactivate.valid),
            cpu.deactivate.payload.eq(virtual.cpu.deactivate.payload),
            cpu.observe.eq(virtual.cpu.observe),
            cpu.observe_physical.eq(physical.observe),
        ]
        return m

    def _sequence(self, m):
        """Take an access through its states; return whether there is none (comb)."""
        cpu, request, virtual, physical = self.cpu, self._request, self._virtual.cpu, self._physical
        answer = Signal(BusResponse)
        m.d.comb += cpu.response.payload.eq(answer)
        m.d.sync += cpu.response.valid.eq(0)
        with m.FSM() as fsm:
            with m.State("IDLE"):
                # A HW list register's deactivation goes first, so that nobody overtakes it.
                m.d.comb += cpu.request.ready.eq(~virtual.deactivate.valid & ~cpu.response.valid)
                with m.If(cpu.request.valid & cpu.request.ready):
                    m.d.sync += request.eq(cpu.request.payload)
                    m.next = "DECODE"
            with m.State("DECODE"):
                m.next = "ERROR"
                with m.Switch(request.frame):
                    with m.Case(BusFrame.GICH, BusFrame.GICV):
                        m.next = "VIRTUAL"
                    with m.Case(BusFrame.GICC):
                        m.next = "GICC"
                    with m.Case(BusFrame.GICD):
                        m.next = "GICD"
            with m.State("ERROR"):
                m.d.sync += [answer.error.eq(1), answer.data.eq(0)]
                self._finish(m)
            with m.State("VIRTUAL"):
                m.d.comb += virtual.request.valid.eq(1)
                with m.If(virtual.request.ready):
                    m.next = "VIRTUAL-WAIT"
            with m.State("VIRTUAL-WAIT"):
                with m.If(virtual.response.valid):
                    m.d.sync += answer.eq(virtual.response.payload)
                    self._finish(m)
            with m.State("GICC"):
                m.d.sync += [answer.error.eq(self._decoded.error), answer.data.eq(0)]
                with m.If(self._decoded.executes):
                    m.d.comb += physical.start.eq(1)
                    with m.If(physical.ready):
                        m.next = "GICC-WAIT"
                with m.Else():
                    self._finish(m)
            with m.State("GICC-WAIT"):
                with m.If(physical.done):
                    m.d.sync += answer.data.eq(physical.value)
                    self._finish(m)
            with m.State("GICD"):
                m.d.comb += self.bus.request.valid.eq(1)
                with m.If(self.bus.request.ready):
                    m.next = "GICD-WAIT"
            with m.State("GICD-WAIT"):
                with m.If(self.bus.response.valid):
                    m.d.sync += answer.eq(self.bus.response.payload)
                    self._finish(m)
            return fsm.ongoing("IDLE") & ~cpu.response.valid

    def _finish(self, m):
        m.d.sync += self.cpu.response.valid.eq(1)
        m.next = "IDLE"
