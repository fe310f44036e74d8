"""One list register: its storage and the only four ways to change it."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.config import GicConfig
from hw.layouts import LRState, layout_of
from hw.registers import lookup

__all__ = ["ListRegister"]


class ListRegister(wiring.Component):
    """ICH_LR<n>_EL2.

    Each strobe takes effect at the end of the cycle; at most one is high at a time. The fields are
    signals of their own so that a waveform shows them by name.

    Parameters
    ----------
    config : GicConfig
        Implemented priority and vINTID bits; the others read 0 (REG-7).

    Members
    -------
    write, write_data : In
        Store ``write_data`` as EL2 wrote it, unimplemented bits dropped, nothing validated.
    acknowledge : In(1)
        Pending becomes active (IAR-3).
    discard : In(1)
        Pending becomes invalid: a special INTID was acknowledged (IAR-6).
    deactivate : In(1)
        Clear the active bit only (EOI-6).
    value : Out
        The register as EL2 reads it, in the layout of the register table.
    """

    def __init__(self, config: GicConfig):
        self._config = config
        layout = layout_of("ICH_LR0_EL2")
        super().__init__({
            "write": In(1),
            "write_data": In(layout),
            "acknowledge": In(1),
            "discard": In(1),
            "deactivate": In(1),
            "value": Out(layout),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        register = lookup("ICH_LR0_EL2")
        stored = {}
        for field in register.fields:
            name = field.name.lower()
            implemented = field.implemented(self._config)
            stored[field.name] = signal = self._field_signal(field, name)
            m.d.comb += self.value[field.name].eq(signal)
            with m.If(self.write):
                if field.name == "State":
                    m.d.sync += signal.eq(self.write_data.State)
                else:
                    m.d.sync += signal.eq(self.write_data[field.name] & implemented)
        state = stored["State"]
        with m.If(self.acknowledge):
            m.d.sync += state.eq(LRState.ACTIVE)
        with m.If(self.discard):
            m.d.sync += state.eq(LRState.INVALID)
        with m.If(self.deactivate):
            m.d.sync += state.as_value()[1].eq(0)
        return m

    @staticmethod
    def _field_signal(field, name):
        if field.name == "State":
            return Signal(LRState, name=name)
        return Signal(field.width, name=name)
