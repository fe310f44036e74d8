"""What the guest's level can see and change: aliases of storage, isolation, the port."""

from __future__ import annotations

from amaranth.hdl import Cat, Fragment, Module, Mux, Signal, Value

from hw.core import interval, latency, settling
from hw.interface import VirtualCpuInterface
from hw.registers import BY_ENCODING, Space, lookup
from tb.formal.access import AccessSpec, any_of
from tb.formal.core import CoreSpec
from tb.formal.reference import Reference, Storage

__all__ = ["Aliases", "Isolation", "NonInterference", "Port"]

#: ICV register -> field of VMCR that is its storage (REG-5).
_FIELDS = {"PMR": "VPMR", "BPR0": "VBPR0", "BPR1": "VBPR1", "IGRPEN0": "VENG0", "IGRPEN1": "VENG1"}


class Aliases(AccessSpec):
    """REG-2, REG-4..6, REG-9, REG-12: a guest's register and its ICH field are one storage."""

    def _rules(self, m: Module) -> None:
        config, was, now = self.config, self.was, self.now
        value = self.asked.value
        least = {"BPR0": config.min_bpr0, "BPR1": config.min_bpr1}
        for name, field in _FIELDS.items():
            width = len(Value.cast(now.vmcr[field]))
            reads, writes = (self.at(f"ICC_{name}_EL1", write) for write in (False, True))
            stored = value[:width] & (config.pri_mask if name == "PMR" else (1 << width) - 1)
            if name in least:
                stored = Mux(stored < least[name], least[name], stored)
            shown = was.vmcr[field]
            if name == "BPR1":
                stored = Mux(was.vmcr.VCBPR, was.vmcr.VBPR1, stored)
                shown = Mux(was.vmcr.VCBPR, Mux(was.vmcr.VBPR0 == 7, 7, was.vmcr.VBPR0 + 1), shown)
            self.claim(m, ~writes | (now.vmcr[field] == stored), f"a write of {name} reaches {field}")
            self.claim(m, ~writes | self._others_same(field), f"a write of {name} changes nothing else")
            self.claim(m, ~reads | (self.got.value == shown), f"{name} reads {field}")
        writes = self.at("ICC_CTLR_EL1", True)
        self.claim(m, ~writes | (Cat(now.vmcr.VCBPR, now.vmcr.VEOIM) == value[:2]), "CTLR reaches VMCR")
        self.claim(m, ~writes | self._others_same("VCBPR", "VEOIM"), "a write of CTLR changes nothing else")
        reads = self.at("ICC_CTLR_EL1", False)
        self.claim(m, ~reads | (self.got.value[:2] == Cat(was.vmcr.VCBPR, was.vmcr.VEOIM)), "CTLR reads VMCR")
        constant = lookup("ICV_CTLR_EL1").reset_value(config)
        self.claim(m, ~reads | (self.got.value[2:] == constant >> 2), "and constants")
        for group in range(2):
            for n in range(config.apr_words):
                word = f"ap{group}r{n}"
                ways = [(self.at, f"ICC_AP{group}R{n}_EL1"), (self.at_el2, f"ICH_AP{group}R{n}_EL2")]
                reads = any_of(at(name, False) for at, name in ways)
                writes = any_of(at(name, True) for at, name in ways)
                self.claim(m, ~reads | (self.got.value == was[word]), f"{word} reads the same on both ways")
                self.claim(m, ~writes | (now[word] == value[:32]), f"{word} is written on both ways")
                rest = [name for name, _ in Storage(config) if name != word]
                self.claim(m, ~writes | self.same(*rest), f"a write of {word} changes nothing else")

    def _others_same(self, *fields: str) -> Value:
        """Return whether nothing but some fields of VMCR has changed."""
        mask = sum(lookup("ICH_VMCR_EL2").field(name).mask for name in fields)
        vmcr = ((Value.cast(self.was.vmcr) ^ Value.cast(self.now.vmcr)) & (0xFFFF_FFFF ^ mask)) == 0
        return vmcr & self.same(*(name for name, _ in Storage(self.config) if name != "vmcr"))


class Isolation(AccessSpec):
    """TRP-5, TRP-8, REG-5: what does not execute changes nothing; the guest changes only what is its own."""

    def _rules(self, m: Module) -> None:
        config, asked, got, ok = self.config, self.asked, self.got, self.ok
        request = self.cpu.deactivate
        faulted = self.done & ~ok
        self.claim(m, ~faulted | self.same(), "a trapped or undefined access changes nothing")
        self.claim(m, ~faulted | (got.value == 0), "and returns no state")
        self.claim(m, ~faulted | ~request.valid, "and deactivates nothing")
        self.claim(m, ~ok | (got.esr == 0), "an executed access has no syndrome")
        self.claim(m, ~(ok & asked.write) | (got.value == 0), "a write returns nothing")
        ich = any_of(asked.encoding == r.encoding for r in BY_ENCODING.values() if r.space is Space.ICH)
        self.claim(m, ~(ok & ich) | (asked.el == 2), "ICH registers execute at EL2 only")
        self.claim(m, ~ok | (asked.el == 1) | (asked.el == 2), "nothing executes at EL0 or EL3")
        known = any_of(asked.encoding == r.encoding for r in BY_ENCODING.values() if r.exists(config))
        self.claim(m, ~ok | known, "an unknown encoding does not execute")
        for n in range(config.lrs, 16):
            missing = self.done & (asked.encoding == lookup(f"ICH_LR{n}_EL2").encoding)
            self.claim(m, ~missing | ~ok, f"LR{n} is not there")

        self.claim(m, self.background(m)["the winner follows storage"], "the winner follows storage")
        guest = ok & (asked.el == 1)
        hcr, vmcr = (Value.cast(self.was[n]) ^ Value.cast(self.now[n]) for n in ("hcr", "vmcr"))
        self.claim(m, ~guest | (hcr[:27] == 0), "a guest changes nothing of HCR but EOIcount")
        self.claim(m, ~guest | (vmcr[2:4] == 0), "nor VMCR.FIQEn, AckCtl")
        lrs = (Value.cast(old) ^ Value.cast(new) for old, new in zip(self.old_lrs, self.new_lrs, strict=True))
        self.claim(m, ~guest | ~any_of(lr[:62].any() for lr in lrs), "nor of a list register but its state")
        valid = any_of(
            (o.State == 0) & (n.State != 0) for o, n in zip(self.old_lrs, self.new_lrs, strict=True)
        )
        self.claim(m, ~guest | ~valid, "nor fills a list register")
        moving = any_of(
            [self.at(f"ICC_{name}{g}_EL1", name == "EOIR") for name in ("IAR", "EOIR") for g in range(2)]
            + [self.at("ICC_DIR_EL1", True)]
        )
        lr_names = [f"lr{n}" for n in range(config.lrs)]
        self.claim(m, ~(guest & ~moving) | self.same("hcr", *lr_names), "only IAR, EOIR and DIR move them")
        reads = guest & ~asked.write & ~moving
        self.claim(m, ~reads | self.same(), "other reads change nothing")


class NonInterference(CoreSpec):
    """Two interfaces that agree on what the ICV rules let a guest see, and on nothing else.

    That is: VMCR, active priorities, traps and En, and of pending list registers state, group, priority and
    vINTID. A guest's access gets the same answer from both, and so does every later one.
    """

    def _describe(self, m: Module) -> None:
        super()._describe(m)
        config = self.config
        for holds in self.structure().values():
            self.assume(m, holds)
        for what, holds in self.background(m).items():
            self.claim(m, holds, what)
        twin = _Twin(config)
        twin.attach(m, self)
        asked, answer = self.held, self.cpu.response.payload
        guest = self.answered & (asked.el == 1)
        alike = self._visible(self.now, twin.now)
        other = twin.cpu.response.payload
        self.claim(
            m, ~(guest & alike) | (Value.cast(answer) == Value.cast(other)), "the guest sees no difference"
        )
        lines = Cat(self.cpu.virq, self.cpu.vfiq) == Cat(twin.cpu.virq, twin.cpu.vfiq)
        self.claim(m, ~(self.cpu.settled & alike) | lines, "nor do its lines")
        self.claim(m, self.cpu.response.valid == twin.cpu.response.valid, "nor does time")

    def _visible(self, one, two) -> Value:
        config = self.config
        shown = [Value.cast(one.vmcr) == Value.cast(two.vmcr)]
        shown += [one.hcr[name] == two.hcr[name] for name in ("En", "TC", "TALL0", "TALL1", "TDIR")]
        for group in range(2):
            for n in range(config.apr_words):
                shown.append(one[f"ap{group}r{n}"] == two[f"ap{group}r{n}"])
        for n in range(config.lrs):
            a, b = one[f"lr{n}"], two[f"lr{n}"]
            same = Cat(a[name] == b[name] for name in ("State", "Group", "Priority", "vINTID")).all()
            shown.append(((a.State != 1) & (b.State != 1)) | same)
        return Cat(*shown).all()


class _Twin(CoreSpec):
    """A second interface with the same requests."""

    _MustUse__silence = True  # Part of another specification; never elaborated by itself.

    def attach(self, m: Module, first: CoreSpec) -> None:
        """Put it into a module beside the first."""
        self.inputs = first.inputs
        config = self.config
        self.dut = VirtualCpuInterface(config)
        m.submodules.twin = Fragment.get(self.dut, None)
        self.cpu = cpu = self.dut.cpu
        m.d.comb += [
            cpu.request.valid.eq(first.taken), cpu.request.payload.eq(first.cpu.request.payload),
            cpu.deactivate.ready.eq(1),
        ]  # fmt: skip
        self.now = Signal(Storage(config), name="twin_now")
        m.d.comb += [self.now[name].eq(cpu.observe[name]) for name, _ in Storage(config)]
        self.flight, self.held, self.since, self.full = first.flight, first.held, first.since, first.full
        m.submodules.twin_reference = self._reference = Reference(config)
        m.d.comb += [self._reference.state.eq(self.now), self._reference.request.eq(self.held)]
        for holds in self.structure().values():
            first.assume(m, holds)
        for what, holds in self.background(m).items():
            first.claim(m, holds, f"of the second one: {what}")


class Port(CoreSpec):
    """The port never locks up: whoever takes deactivations has an answer in time."""

    def _describe(self, m: Module) -> None:
        super()._describe(m)
        for holds in self.structure().values():
            self.assume(m, holds)
        cpu, request = self.cpu, self.cpu.request
        deactivate = cpu.deactivate
        in_flight = self.flight != 0
        self.claim(
            m, request.ready == (~in_flight & ~deactivate.valid), "ready unless busy or a deactivation waits"
        )
        self.claim(m, cpu.response.valid == self.answered, "an answer to each access, in time, and no other")
        limit = interval(self.config) + 1
        waited = Signal(range(limit + 2), name="waited")
        held_up = deactivate.valid & ~deactivate.ready
        with m.If(~request.valid | request.ready):
            m.d.sync += waited.eq(0)
        with m.Elif(~held_up & (waited <= limit)):
            m.d.sync += waited.eq(waited + 1)
        self.claim(m, ~in_flight | (waited < self.flight), "a request waits for the access in flight")
        self.claim(m, ~deactivate.valid | (waited <= latency(self.config)), "and for its deactivation, only")
        self.claim(m, waited < limit, "a request is taken within one interval")
        unanswered = Signal(range(latency(self.config) + 2), name="unanswered")
        with m.If(self.taken):
            m.d.sync += unanswered.eq(1)
        with m.Elif(cpu.response.valid | (unanswered == 0)):
            m.d.sync += unanswered.eq(0)
        with m.Else():
            m.d.sync += unanswered.eq(unanswered + 1)
        self.claim(m, unanswered <= latency(self.config), "and answered after its latency")
        self.claim(m, (unanswered == self.flight), "one at a time")
        idle = Signal(range(settling(self.config) + 3), name="idle")
        with m.If(in_flight):
            m.d.sync += idle.eq(0)
        with m.Elif(idle != settling(self.config) + 2):
            m.d.sync += idle.eq(idle + 1)
        calm = (self.since == self.full) & ~in_flight
        self.claim(m, cpu.settled == calm, "settled tells that the lines stand")
        self.claim(m, in_flight | (idle < settling(self.config)) | cpu.settled, "and comes in time")
