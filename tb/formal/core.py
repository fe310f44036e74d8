"""The virtual CPU interface under any sequence of accesses."""

from __future__ import annotations

from amaranth.hdl import Cat, Fragment, Module, Mux, Signal, Value

from hw.config import GicConfig
from hw.core import latency, settling
from hw.interface import VirtualCpuInterface
from hw.port import Request
from hw.registers import lookup
from tb.formal.reference import Reference, Storage
from tb.formal.spec import KEPT, Spec

__all__ = ["CoreSpec", "Equivalence", "Pipeline"]


def initial_storage(config: GicConfig) -> int:
    """Return storage after reset, packed (REG-13)."""
    return lookup("ICH_VMCR_EL2").reset_value(config) << Storage(config)["vmcr"].offset


class CoreSpec(Spec):
    """An interface whose PE does anything, and what a proof needs to know of its history.

    Attributes
    ----------
    now : Storage
        All that is stored, in this cycle.
    held : Request
        The access in flight.
    flight : Signal
        Cycles since it was taken; 0 if there is none.
    answered : Value
        The response comes in this cycle; storage changes at its end.
    since : Signal
        Cycles since storage was last changed, at most ``settling(config) + 1``.
    """

    def __init__(self, config: GicConfig):
        super().__init__()
        self.config = config

    def _describe(self, m: Module) -> None:
        config = self.config
        self.dut = VirtualCpuInterface(config)
        # Elaborated here, so that its inside can be spoken of.
        m.submodules.dut = Fragment.get(self.dut, None)
        cpu = self.cpu = self.dut.cpu
        valid, payload = self.free(1, "request_valid"), self.free(Request, "request")
        ready = self.free(1, "deactivate_ready")
        m.d.comb += [
            cpu.request.valid.eq(valid), cpu.request.payload.eq(payload), cpu.deactivate.ready.eq(ready),
        ]  # fmt: skip
        self.taken = valid & cpu.request.ready
        self.now = now = Signal(Storage(config), name="now", attrs=KEPT)
        m.d.comb += [now[name].eq(cpu.observe[name]) for name, _ in Storage(config)]
        self._history(m, payload)

    def _history(self, m: Module, payload) -> None:
        config = self.config
        last = latency(config)
        self.flight = Signal(range(last + 1), name="flight", attrs=KEPT)
        self.held = Signal(Request, name="held", attrs=KEPT)
        self.full = settling(config) + 1
        self.since = Signal(range(self.full + 1), init=self.full)
        with m.If(self.taken):
            m.d.sync += [self.flight.eq(1), self.held.eq(payload)]
        with m.Elif(self.flight != 0):
            m.d.sync += self.flight.eq(Mux(self.flight == last, 0, self.flight + 1))
        self.answered = self.flight == last
        with m.If(self.answered):
            m.d.sync += self.since.eq(1)
        with m.Elif(self.since != self.full):
            m.d.sync += self.since.eq(self.since + 1)

    def structure(self) -> dict[str, Value]:
        """Return how history shows in the pipeline, by a word on each; no rule on interrupts is in it."""
        dut = self.dut
        in_flight = Mux(self.flight == 0, 0, 1 << self.flight)[: len(dut._stage)]
        return {
            "stages follow the access": dut._stage == in_flight,
            "the access is held": (self.flight == 0) | (Value.cast(dut._request) == Value.cast(self.held)),
            "the wait follows storage": dut._remaining == self.full - self.since,
            "a deactivation waits alone": ~self.cpu.deactivate.valid | (self.flight == 0),
            "storage is implemented bits": self.well_formed(self.now),
        }

    def background(self, m: Module) -> dict[str, Value]:
        """Return how the winner and the lines follow storage, by a word on each."""
        winner, status, calm = self.dut._winner, self.reference(m).status, self.since == self.full
        where = (1 << status.index)[: self.config.lrs]
        told = (
            (winner.group == status.group)
            & (winner.where == where)
            & (winner.vintid == status.vintid)
            & (winner.level == status.level)
        )
        same = (winner.valid == status.selected) & (winner.signalled == status.signalled)
        lines = Cat(self.cpu.virq, self.cpu.vfiq, self.cpu.maintenance)
        return {
            "the winner follows storage": ~calm | (same & (~status.selected | told)),
            "lines follow storage": ~calm | (lines == Cat(status.virq, status.vfiq, status.maintenance)),
        }

    def well_formed(self, storage) -> Value:
        """Return whether only implemented bits are set and binary points keep their minimum."""
        config, holds = self.config, []
        for name in ("hcr", *(f"lr{n}" for n in range(config.lrs))):
            register = lookup("ICH_HCR_EL2" if name == "hcr" else "ICH_LR0_EL2")
            holds.append((Value.cast(storage[name]) & ~register.stored_mask(config)) == 0)
        vmcr, register = storage.vmcr, lookup("ICH_VMCR_EL2")
        constant = Value.cast(vmcr) & ~register.stored_mask(config)
        fixed = sum(f.reset(config) << f.lsb for f in register.fields if f.access.value == "RO")
        points = ((vmcr.VBPR0, config.min_bpr0), (vmcr.VBPR1, config.min_bpr1))
        holds += [constant == fixed, *(point >= least for point, least in points)]
        result = holds[0]
        for one in holds[1:]:
            result = result & one
        return result

    def reference(self, m: Module) -> Reference:
        """Return the rules, applied to storage and the access in flight."""
        if not hasattr(self, "_reference"):
            m.submodules.reference = self._reference = Reference(self.config)
            m.d.comb += [self._reference.state.eq(self.now), self._reference.request.eq(self.held)]
        return self._reference


class Pipeline(CoreSpec):
    """The invariants themselves."""

    def _describe(self, m: Module) -> None:
        super()._describe(m)
        for what, holds in (self.structure() | self.background(m)).items():
            self.claim(m, holds, what)


class Equivalence(CoreSpec):
    """Gateware and rules agree on every answer, every change of storage, every deactivation and the lines."""

    def _describe(self, m: Module) -> None:
        super()._describe(m)
        reference, response = self.reference(m), self.cpu.response
        for what, holds in (self.structure() | self.background(m)).items():
            self.claim(m, holds, what)
        expected = Signal(Storage(self.config).size, name="expected", init=initial_storage(self.config))
        m.d.sync += expected.eq(Mux(self.answered, reference.after, self.now))
        owed, pintid = Signal(), Signal(13)
        deactivate = self.cpu.deactivate
        with m.If(self.answered & reference.physical.valid):
            m.d.sync += [owed.eq(1), pintid.eq(reference.physical.pintid)]
        with m.Elif(deactivate.ready):
            m.d.sync += owed.eq(0)

        self.claim(m, Value.cast(self.now) == expected, "storage changes as the rules say, and only then")
        self.claim(m, response.valid == self.answered, "one response to each access, after its latency")
        same = Value.cast(response.payload) == Value.cast(reference.response)
        self.claim(m, ~self.answered | same, "the response is the rules'")
        self.claim(m, deactivate.valid == owed, "deactivations are the rules'")
        self.claim(m, ~owed | (deactivate.payload.pintid == pintid), "they name the physical interrupt")
