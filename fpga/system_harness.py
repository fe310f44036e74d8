"""A wrapper with three pins around a whole system or its physical side, for place and route."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.bus import BusSignature
from hw.config_physical import PhysicalConfig
from hw.decode import PhysicalAccess
from hw.distributor import Distributor
from hw.physical_interface import PhysicalCpuInterface

__all__ = ["PhysicalSide", "ShiftHarness"]


class PhysicalSide(wiring.Component):
    """The physical interfaces of several PEs and their distributor, without the virtual interfaces.

    Parameters
    ----------
    physical : PhysicalConfig
        Its parameters.
    pes : int, 1..8
        Number of PEs.
    """

    def __init__(self, physical: PhysicalConfig, pes: int):
        self._physical = physical
        self._pes = pes
        members = {"bus": In(BusSignature()), "spi": In(physical.spis)}
        for n in range(pes):
            members |= {f"access{n}": In(PhysicalAccess), f"start{n}": In(1), f"ppi{n}": In(16)}
            members |= {f"value{n}": Out(64), f"flags{n}": Out(5)}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        m.submodules.distributor = distributor = Distributor(self._physical, self._pes)
        connect(m, flipped(self.bus), distributor.bus)
        m.d.comb += distributor.spi.eq(self.spi)
        for n in range(self._pes):
            m.submodules[f"pe{n}"] = pe = PhysicalCpuInterface(self._physical)
            connect(m, pe.link, getattr(distributor, f"link{n}"))
            m.d.comb += [
                pe.access.eq(getattr(self, f"access{n}")),
                pe.start.eq(getattr(self, f"start{n}")),
                getattr(distributor, f"ppi{n}").eq(getattr(self, f"ppi{n}")),
                getattr(self, f"value{n}").eq(pe.value),
                getattr(self, f"flags{n}").eq(Cat(pe.ready, pe.done, pe.irq, pe.fiq, pe.settled)),
            ]
        return m


class ShiftHarness(wiring.Component):
    """Every input of a component comes from a shift register, every output goes to one.

    Probes for testbenches (members called ``observe...``) are left open, as in a real design.

    Parameters
    ----------
    core : wiring.Component
        What to measure.

    Members
    -------
    serial_in, capture : In(1)
        Shift a bit in; load all outputs instead of shifting them.
    serial_out : Out(1)
        Outputs, one bit a cycle.
    """

    serial_in: In(1)
    capture: In(1)
    serial_out: Out(1)

    def __init__(self, core: wiring.Component):
        self._core = core
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = self._core
        inputs, outputs = [], []
        for path, member, value in core.signature.flatten(core):
            if not any(str(part).startswith("observe") for part in path):
                (inputs if member.flow is In else outputs).append(Value.cast(value))
        serial_in, capture = Signal(), Signal()
        given, taken = Signal(sum(map(len, inputs))), Signal(sum(map(len, outputs)))
        m.d.sync += [
            serial_in.eq(self.serial_in),
            capture.eq(self.capture),
            given.eq(Cat(serial_in, given)),
            taken.eq(taken << 1),
            self.serial_out.eq(taken[-1]),
        ]
        m.d.comb += Cat(inputs).eq(given)
        with m.If(capture):
            m.d.sync += taken.eq(Cat(outputs))
        return m
