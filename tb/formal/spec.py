"""What every specification is made of: free inputs, named assertions, and a clock without reset."""

from __future__ import annotations

from amaranth.hdl import Assert, Assume, ClockDomain, Elaboratable, Module, Signal, Value

__all__ = ["KEPT", "Spec"]

#: Attributes of a signal that a counter-example has to show.
KEPT = {"keep": 1}


class Spec(Elaboratable):
    """A module under proof with its assertions around it.

    ``inputs`` are what the solver chooses freely in every cycle; they become ports, since an undriven signal
    inside would be constant. Storage begins as after power-up, which is as after reset.
    """

    def __init__(self) -> None:
        self.inputs: list[Signal] = []

    def free(self, shape, name: str) -> Signal:
        """Return a signal that the solver chooses anew in every cycle."""
        chosen = Signal(shape, name=name)
        self.inputs.append(Value.cast(chosen))
        return chosen

    def fixed(self, m: Module, shape, name: str) -> Signal:
        """Return a signal that the solver chooses once for all cycles."""
        chosen = self.free(shape, name)
        first, held = Signal(init=1, name=f"{name}_first"), Signal.like(chosen, name=f"{name}_held")
        m.d.sync += [first.eq(0), held.eq(chosen)]
        self.assume(m, first | (Value.cast(chosen) == Value.cast(held)))
        return chosen

    def past(self, m: Module, value, name: str, init=0) -> Signal:
        """Return a value as it was in the cycle before; ``init`` in the first."""
        held = Signal(Value.cast(value).shape(), name=f"past_{name}", init=init)
        m.d.sync += held.eq(value)
        return held

    def claim(self, m: Module, holds, what: str) -> None:
        """Assert in every cycle; ``what`` is said of a failure."""
        m.d.comb += Assert(holds, what)

    def assume(self, m: Module, holds) -> None:
        """Consider only what satisfies this."""
        m.d.comb += Assume(holds)

    def elaborate(self, platform) -> Module:
        """Make the module; ``_describe`` fills it."""
        m = Module()
        m.domains.sync = domain = ClockDomain(reset_less=True)
        self.inputs.append(domain.clk)
        self._describe(m)
        return m

    def _describe(self, m: Module) -> None:
        """Put the module under proof, and what is claimed of it, into ``m``."""
        raise NotImplementedError
