"""What an access does, seen one cycle after its answer: the ground that the rules' own proofs stand on."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value

from hw.config import GicConfig
from hw.port import Outcome, Request, Response
from hw.registers import lookup
from tb.formal.core import CoreSpec
from tb.formal.reference import Storage, layout_of

__all__ = ["LPI", "NONE", "SPECIAL", "AccessSpec", "any_of"]

#: INTIDs: first special one, the last (none), first LPI.
SPECIAL, NONE, LPI = 1020, 1023, 8192


def any_of(values) -> Value:
    """Return whether one of some one-bit values is 1."""
    return Cat(*values).any()


class AccessSpec(CoreSpec):
    """An interface whose pipeline has the structure that ``pipeline`` proves, and its last access.

    Attributes
    ----------
    done : Signal
        In the cycle before, an access was answered; storage shows what it did.
    was, now : Storage
        Storage before and after it.
    asked, got : Request, Response
        The access and its answer.
    which, lr, new_lr : Signal
        A list register that the solver picks, before and after.
    """

    def __init__(self, config: GicConfig):
        super().__init__(config)

    def _describe(self, m: Module) -> None:
        super()._describe(m)
        for holds in self.structure().values():
            self.assume(m, holds)
        config = self.config
        self.done = Signal(name="done")
        self.was, self.asked = Signal(Storage(config), name="was"), Signal(Request, name="asked")
        self.got = Signal(Response, name="got")
        m.d.sync += [
            self.done.eq(self.answered), self.was.eq(self.now), self.asked.eq(self.held),
            self.got.eq(self.cpu.response.payload),
        ]  # fmt: skip
        self.ok = self.done & (self.got.outcome == Outcome.OK)
        self.old_lrs = [self.was[f"lr{n}"] for n in range(config.lrs)]
        self.new_lrs = [self.now[f"lr{n}"] for n in range(config.lrs)]
        self.which = self.fixed(m, range(config.lrs), "which")
        self.assume(m, self.which < config.lrs)
        self.lr, self.new_lr = self.pick(m, self.old_lrs, "lr"), self.pick(m, self.new_lrs, "new_lr")
        self.intid = Signal(config.id_bits, name="intid")
        m.d.comb += self.intid.eq(self.asked.value)
        self._rules(m)

    def _rules(self, m: Module) -> None:
        """Claim."""
        raise NotImplementedError

    def pick(self, m: Module, lrs, name: str):
        """Return the list register that the solver has picked."""
        picked = Signal(layout_of("ICH_LR0_EL2"), name=name)
        m.d.comb += picked.eq(Array(Value.cast(lr) for lr in lrs)[self.which])
        return picked

    def at(self, name: str, write: bool) -> Value:
        """Return whether the access was one of the guest's to a register, and executed."""
        encoding = lookup(name).encoding
        return self.ok & (self.asked.el == 1) & (self.asked.encoding == encoding) & (
            self.asked.write == int(write))  # fmt: skip

    def at_el2(self, name: str, write: bool = False) -> Value:
        """Return whether the access was one of the hypervisor's to a register, and executed."""
        encoding = lookup(name).encoding
        return self.ok & (self.asked.el == 2) & (self.asked.encoding == encoding) & (
            self.asked.write == int(write))  # fmt: skip

    def same(self, *names: str) -> Value:
        """Return whether the access left parts of storage as they were; all parts without names."""
        parts = names or [name for name, _ in Storage(self.config)]
        return Cat(Value.cast(self.was[name]) == Value.cast(self.now[name]) for name in parts).all()

    def words(self, storage, group: int) -> Value:
        """Return a group's active priorities."""
        return Cat(storage[f"ap{group}r{n}"] for n in range(self.config.apr_words))

    def running(self, m: Module, storage, name: str):
        """Return (something is active, its lowest level as one-hot, as a priority) (REG-11)."""
        active = Signal(len(self.words(storage, 0)), name=f"{name}_active")
        m.d.comb += active.eq(self.words(storage, 0) | self.words(storage, 1))
        lowest = Signal(len(active), name=f"{name}_lowest")
        m.d.comb += lowest.eq(active & ~(active - 1))
        priority = Signal(8, name=f"{name}_priority")
        for n in range(len(active)):
            with m.If(lowest[n]):
                m.d.comb += priority.eq(n << (8 - self.config.pre_bits))
        return active.any(), lowest, priority

    def mask(self, m: Module, storage, group, name: str) -> Value:
        """Return the group-priority mask of a group (SIG-5)."""
        vmcr, mask = storage.vmcr, Signal(8, name=f"{name}_mask")
        dropped = Signal(4, name=f"{name}_dropped")
        m.d.comb += dropped.eq(Mux(group & ~vmcr.VCBPR, vmcr.VBPR1, vmcr.VBPR0 + 1))
        m.d.comb += mask.eq(~((Const(1, 9) << dropped) - 1))
        return mask

    def candidate(self, storage, lr) -> Value:
        """Return whether a list register is pending and enabled (SEL-1, SEL-2)."""
        return (lr.State == 1) & Mux(lr.Group, storage.vmcr.VENG1, storage.vmcr.VENG0)

    def selected(self, m: Module, storage, lrs, lr, name: str):
        """Return (the picked list register is selected, it can be signalled, there is none at all)."""
        ahead = [
            self.candidate(storage, other) & (
                (other.Priority < lr.Priority) | ((other.Priority == lr.Priority) & (n < self.which)))
            for n, other in enumerate(lrs)
        ]  # fmt: skip
        is_it = Signal(name=f"{name}_selected")
        m.d.comb += is_it.eq(self.candidate(storage, lr) & (lr.Priority != 0xFF) & ~any_of(ahead))
        active, _, running = self.running(m, storage, name)
        mask = self.mask(m, storage, lr.Group, name)
        can = Signal(name=f"{name}_can")
        m.d.comb += can.eq(
            storage.hcr.En & (lr.Priority < storage.vmcr.VPMR)
            & (~active | ((lr.Priority & mask) < (running & mask)))
        )  # fmt: skip
        return is_it, can, ~any_of(self.candidate(storage, one) & (one.Priority != 0xFF) for one in lrs)

    def is_special(self, intid) -> Value:
        """Return whether an INTID is one of 1020 to 1023."""
        return (intid >= SPECIAL) & (intid <= NONE)
