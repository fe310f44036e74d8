"""A wrapper with three pins around the CPU interface, so that place and route measures the core alone."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.cluster import interface_of
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.port import Deactivation

__all__ = ["SerialHarness"]


class SerialHarness(wiring.Component):
    """Every input of the core comes from a register, every output goes to one.

    Requests are shifted in and answers shifted out, one bit a cycle, so that a part with few pins
    holds the core and no path of the core ends at a pin.

    Parameters
    ----------
    config : GicConfig or GicV2Config
        Configuration of the core.

    Members
    -------
    serial_in, present : In(1)
        Shift a bit into the request register; present the register to the core.
    serial_out : Out(1)
        Answers, lines and deactivations, one bit a cycle.
    """

    serial_in: In(1)
    present: In(1)
    serial_out: Out(1)

    def __init__(self, config: GicConfig | GicV2Config):
        self._config = config
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = interface_of(self._config)
        cpu = core.cpu
        request = Signal(cpu.request.payload.shape())
        serial_in, present = Signal(), Signal()
        m.d.sync += [
            serial_in.eq(self.serial_in),
            present.eq(self.present),
            request.eq(Cat(serial_in, request.as_value())),
            cpu.request.valid.eq(present),
            cpu.deactivate.ready.eq(1),
        ]
        m.d.comb += cpu.request.payload.eq(request)

        lines = Cat(cpu.virq, cpu.vfiq, cpu.maintenance, cpu.settled, cpu.request.ready)
        answer = Signal(cpu.response.payload.shape())
        deactivation = Signal(Deactivation)
        rest = Signal(len(lines))
        with m.If(cpu.response.valid):
            m.d.sync += [answer.eq(cpu.response.payload), rest.eq(lines)]
        with m.Else():
            out = Cat(answer.as_value(), deactivation.as_value(), rest)
            m.d.sync += [out.eq(out << 1), self.serial_out.eq(out[-1])]
        with m.If(cpu.deactivate.valid):
            m.d.sync += deactivation.eq(cpu.deactivate.payload)
        return m
