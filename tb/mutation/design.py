"""What is mutated: the virtual CPU interface, with its pins for simulation and its contract for proof.

Both come from one netlist, so that a mutant is the same cell, port and bit in both.
"""

from __future__ import annotations

from amaranth.back import rtlil
from amaranth.hdl import Assert, Cat, ClockDomain, Fragment, Module, Mux, Signal, Value
from amaranth.lib import data

from hw import port
from hw.config import GicConfig
from tb.formal.core import Equivalence
from tb.formal.tools import name_claims

__all__ = ["MODULE", "PREFIX", "RESET", "Contract", "convert", "pins_layout"]

#: The interface, and those of its parts, are modules of these names.
MODULE = "top.dut"
#: The signal that tells of the first reset; no other flip-flop's initial value matters.
RESET = "has_been_reset"
#: What cells of the interface are called once the netlist is flat.
PREFIX = "$flatten\\dut."


def pins_layout(config: GicConfig) -> data.StructLayout:
    """Return how the outputs of the port stand in ``pins``; what the native loop looks at comes first."""
    return data.StructLayout({
        "request__ready": 1, "response__valid": 1, "settled": 1, "deactivate__valid": 1,
        "virq": 1, "vfiq": 1, "maintenance": 1, "deactivate__payload": port.Deactivation,
        "response__payload": port.Response, "observe": port.observe_layout(config),
    })  # fmt: skip


class Contract(Equivalence):
    """All that the port promises: the rules, when it is ready and settled, that lines rest.

    Unlike the other specifications it has a reset, which may come in any cycle and comes in the first. So
    nothing depends on how a mutated flip-flop begins.

    Attributes
    ----------
    pins : Signal
        The outputs of the port, as :func:`pins_layout` has them.
    """

    def elaborate(self, platform) -> Module:
        """Make the module."""
        m = Module()
        m.domains.sync = domain = ClockDomain()
        self.inputs += [domain.clk, domain.rst]
        self._reset = Signal(init=0, reset_less=True, name=RESET)
        m.d.sync += self._reset.eq(1)
        self.assume(m, self._reset | domain.rst)
        self._describe(m)
        return m

    def claim(self, m: Module, holds, what: str) -> None:
        """Assert in every cycle after the first reset."""
        m.d.comb += Assert(~self._reset | holds, what)

    def _describe(self, m: Module) -> None:
        super()._describe(m)
        cpu = self.cpu
        busy = (self.flight != 0) | cpu.deactivate.valid
        self.claim(m, cpu.request.ready == ~busy, "ready unless busy or a deactivation waits")
        calm = (self.since == self.full) & (self.flight == 0)
        self.claim(m, cpu.settled == calm, "settled tells that the lines stand")
        lines = Cat(cpu.virq, cpu.vfiq, cpu.maintenance)
        held = self.past(m, lines, "lines")
        self.claim(m, (lines == held) | (self.since == self.full), "lines move once an access")
        self._connect_pins(m)

    def _connect_pins(self, m: Module) -> None:
        cpu = self.cpu
        layout = pins_layout(self.config)
        outputs = Signal(layout)
        flat = {name.replace(".", "__"): value for name, value in _outputs(cpu).items()}
        m.d.comb += [Value.cast(outputs[name]).eq(flat[name]) for name, _ in layout]
        # A gate between the interface and the output, so that no mutation makes an output part of the logic.
        self.pins = Signal(layout.size, name="pins")
        m.d.comb += self.pins.eq(Mux(self.free(1, "show"), outputs.as_value(), 0))


def _outputs(cpu) -> dict[str, Value]:
    return {
        "request.ready": cpu.request.ready, "response.valid": cpu.response.valid, "settled": cpu.settled,
        "deactivate.valid": cpu.deactivate.valid, "virq": cpu.virq, "vfiq": cpu.vfiq,
        "maintenance": cpu.maintenance, "deactivate.payload": Value.cast(cpu.deactivate.payload),
        "response.payload": Value.cast(cpu.response.payload), "observe": Value.cast(cpu.observe),
    }  # fmt: skip


def convert(config: GicConfig) -> str:
    """Return the interface and its contract as RTLIL, with the source line of each cell."""
    spec = Contract(config)
    fragment = Fragment.get(spec, None)
    return name_claims(rtlil.convert(fragment, name="top", ports=[*spec.inputs, spec.pins], emit_src=True))
