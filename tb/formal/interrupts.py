"""Signalling, acknowledge, completion and maintenance of the whole interface, each rule by itself."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value

from tb.formal.access import LPI, NONE, SPECIAL, AccessSpec, any_of

__all__ = ["Acknowledge", "Completion", "Conservation", "MaintenanceLine", "PriorityDrop", "Signalling"]


class Signalling(AccessSpec):
    """SIG-1..8: each line, settled, is what the selected list register asks for."""

    def _rules(self, m: Module) -> None:
        lrs = [self.now[f"lr{n}"] for n in range(self.config.lrs)]
        selected, can, none = self.selected(m, self.now, lrs, self.new_lr, "now")
        cpu, group = self.cpu, self.new_lr.Group
        calm = cpu.settled
        self.claim(m, ~(calm & selected) | (cpu.virq == (can & group)), "vIRQ iff it can be signalled")
        self.claim(m, ~(calm & selected) | (cpu.vfiq == (can & ~group)), "vFIQ iff it can be signalled")
        self.claim(m, ~(calm & none) | ~(cpu.virq | cpu.vfiq), "no line without a candidate")
        self.claim(m, ~(cpu.virq & cpu.vfiq), "never two lines at once")
        before = self.past(m, Cat(cpu.virq, cpu.vfiq, cpu.maintenance), "lines")
        moved = before != Cat(cpu.virq, cpu.vfiq, cpu.maintenance)
        self.claim(m, ~moved | cpu.settled | (self.flight != 0), "lines move once, when they are settled")


class Acknowledge(AccessSpec):
    """IAR-1..7, HPP-1, HPP-2."""

    def _rules(self, m: Module) -> None:
        self.claim(m, self.background(m)["the winner follows storage"], "the winner follows storage")
        selected, can, none = self.selected(m, self.was, self.old_lrs, self.lr, "was")
        lr, new = self.lr, self.new_lr
        value = self.got.value
        special = self.is_special(lr.vINTID)
        for group in range(2):
            reads, peeks = self.at(f"ICC_IAR{group}_EL1", False), self.at(f"ICC_HPPIR{group}_EL1", False)
            given = selected & can & (lr.Group == group)
            withheld = none | (selected & ~(can & (lr.Group == group)))
            self.claim(m, ~(reads & given) | (value == lr.vINTID), f"IAR{group} returns its INTID")
            state = Mux(special, 0, 2)
            self.claim(m, ~(reads & given) | (new.State == state), f"IAR{group} makes it active")
            rest = (Value.cast(lr) ^ Value.cast(new))[:62] == 0
            self.claim(m, ~(reads & given) | rest, f"IAR{group} changes only its state")
            untouched = Cat(
                (Value.cast(old) == Value.cast(self.now[f"lr{n}"])) | (n == self.which)
                for n, old in enumerate(self.old_lrs)
            ).all()
            self.claim(
                m, ~(reads & given) | (untouched & self.same("hcr", "vmcr")), f"IAR{group} changes no other"
            )
            level = Signal(8, name=f"level{group}")
            mask = self.mask(m, self.was, lr.Group, f"level{group}")
            m.d.comb += level.eq((lr.Priority & mask) >> (8 - self.config.pre_bits))
            bit = Mux(special, 0, 1 << level)
            right = (self.words(self.now, group) == (self.words(self.was, group) | bit)) & (
                self.words(self.now, 1 - group) == self.words(self.was, 1 - group))  # fmt: skip
            self.claim(m, ~(reads & given) | right, f"IAR{group} sets exactly its active priority")
            self.claim(m, ~(reads & withheld) | (value == NONE), f"else IAR{group} returns 1023")
            self.claim(m, ~(reads & withheld) | self.same(), f"else IAR{group} changes nothing")

            self.claim(m, ~peeks | self.same(), f"HPPIR{group} changes nothing")
            shown = Mux(lr.Group == group, lr.vINTID, NONE)
            self.claim(m, ~(peeks & selected) | (value == shown), f"HPPIR{group} shows the selected one")
            self.claim(m, ~(peeks & none) | (value == NONE), f"HPPIR{group} shows 1023 if none is")
        quiet = self.ok & ~self.at("ICC_IAR0_EL1", False) & ~self.at("ICC_IAR1_EL1", False)
        acknowledged = any_of(
            (old.State == 1) & (self.now[f"lr{n}"].State == 2) for n, old in enumerate(self.old_lrs)
        )
        el1 = self.asked.el == 1
        self.claim(m, ~(quiet & el1 & acknowledged), "nothing else of the guest's acknowledges")


class PriorityDrop(AccessSpec):
    """EOI-1..3, EOI-8, about one active-priority bit that the solver picks; DIR leaves all of them."""

    def _rules(self, m: Module) -> None:
        active, lowest, _ = self.running(m, self.was, "was")
        levels = 1 << self.config.pre_bits
        level, group = self.fixed(m, range(levels), "level"), self.fixed(m, 1, "group")
        old = Array([self.words(self.was, 0), self.words(self.was, 1)])[group].bit_select(level, 1)
        new = Array([self.words(self.now, 0), self.words(self.now, 1)])[group].bit_select(level, 1)
        in_group0 = self.words(self.was, 0).bit_select(level, 1)
        first = lowest.bit_select(level, 1) & (in_group0 != group)
        for n in range(2):
            ends = self.at(f"ICC_EOIR{n}_EL1", True)
            void = self.is_special(self.intid) | ~active
            dropped = ends & ~void & first
            self.claim(m, ~dropped | (old & ~new), f"EOIR{n} clears the lowest bit, Group 0 first")
            self.claim(m, ~(ends & ~(~void & first)) | (old == new), f"EOIR{n} clears no other bit")
            self.claim(m, ~(ends & void) | self.same(), f"a void EOIR{n} changes nothing")
        self.claim(m, ~self.at("ICC_DIR_EL1", True) | (old == new), "DIR drops nothing")


class _Completing(AccessSpec):
    """What an EOIR or DIR should do."""

    def _rules(self, m: Module) -> None:
        self.eoir = [self.at(f"ICC_EOIR{n}_EL1", True) for n in range(2)]
        self.dir = self.at("ICC_DIR_EL1", True)
        self.completes = self.eoir[0] | self.eoir[1] | self.dir
        holds = [lr.State[1] & (lr.vINTID == self.intid) for lr in self.old_lrs]
        self.held_by_one = any_of(holds)
        before = any_of(one & (n < self.which) for n, one in enumerate(holds))
        #: The list register that the solver picked is the lowest that holds the INTID active.
        self.match = self.lr.State[1] & (self.lr.vINTID == self.intid) & ~before
        active, _, running = self.running(m, self.was, "was")
        special, self.lpi = self.is_special(self.intid), self.intid >= LPI
        mode1 = self.was.vmcr.VEOIM
        lr = self.lr
        right = [
            (lr.Group == n) & ((lr.Priority & self.mask(m, self.was, n, f"eoir{n}")) == running)
            for n in range(2)
        ]
        exempt = self.was.hcr.vSGIEOICount & (self.intid < 16)
        belongs = (self.eoir[0] & right[0]) | (self.eoir[1] & right[1])
        ends = (self.eoir[0] | self.eoir[1]) & ~special & active
        deactivates = self.dir & mode1 & ~special & ~self.lpi
        self.shall_deactivate, self.shall_count = Signal(name="shall_deactivate"), Signal(name="shall_count")
        m.d.comb += [
            self.shall_deactivate.eq(
                self.match & ((ends & belongs & (~mode1 | self.lpi)) | deactivates)
            ),
            self.shall_count.eq(
                ~self.held_by_one & ~exempt
                & ((ends & ~self.lpi & (~mode1 | int(self.config.eoicnt_mode1))) | deactivates)
            ),
        ]  # fmt: skip
        self.changed = Cat(
            Value.cast(old) != Value.cast(new) for old, new in zip(self.old_lrs, self.new_lrs, strict=True)
        )
        self._claims(m)

    def _claims(self, m: Module) -> None:
        raise NotImplementedError


class Completion(_Completing):
    """EOI-4..6, EOI-9, EOI-10, DIR-1, DIR-2, DIR-4: at most the Active bit of one list register changes."""

    def _claims(self, m: Module) -> None:
        mine = self.completes & self.changed.bit_select(self.which, 1)
        lr, new = Value.cast(self.lr), Value.cast(self.new_lr)
        self.claim(m, ~self.completes | ((self.changed & (self.changed - 1)) == 0), "at most one changes")
        self.claim(m, ~mine | ((lr ^ new) == 1 << 63), "only its Active bit")
        self.claim(m, ~mine | lr[63], "which was set")
        self.claim(m, ~mine | self.shall_deactivate, "only where the rules say so")
        self.claim(m, ~self.shall_deactivate | mine, "and always where they say so")
        self.claim(m, ~self.completes | self.same("vmcr"), "the guest's controls stay")


class Conservation(_Completing):
    """EOI-7, EOI-11, EOI-12, DIR-3, HW-1..3: nothing is lost and nothing counted twice."""

    def _claims(self, m: Module) -> None:
        was, now = self.was.hcr, self.now.hcr
        deactivated = self.changed != 0
        counted = now.EOIcount == (was.EOIcount + 1)[:5]
        rest = (Value.cast(was) ^ Value.cast(now))[:27] == 0
        self.claim(
            m,
            ~self.completes | (Value.cast(was) == Value.cast(now)) | (counted & rest),
            "EOIcount moves by one",
        )
        self.claim(m, ~(self.completes & deactivated & counted), "never deactivated and counted")
        self.claim(m, ~self.completes | (counted == self.shall_count), "counted iff the rules say so")
        el1 = self.ok & (self.asked.el == 1)
        self.claim(m, ~(el1 & ~self.completes) | self.same("hcr"), "nothing else of the guest's counts")

        # One request for each list register that is deactivated with a physical interrupt, and no other.
        request = self.cpu.deactivate
        before = self.past(m, request.valid, "request_valid")
        rises = request.valid & ~before
        physical = self.lr.HW & (self.lr.pINTID < SPECIAL)
        owed = self.shall_deactivate & physical
        self.claim(
            m, ~owed | (rises & (request.payload.pintid == self.lr.pINTID)), "HW is deactivated physically"
        )
        none = self.done & ~(self.completes & deactivated)
        self.claim(m, ~none | ~request.valid, "without a deactivation there is no request")
        self.claim(m, ~(self.shall_deactivate & ~physical) | ~request.valid, "nor without HW")
        self.claim(m, ~rises | self.done, "a request comes only of an access")
        taken = self.past(m, request.valid & request.ready, "request_taken")
        kept = self.past(m, request.payload, "request_payload") == Value.cast(request.payload)
        self.claim(m, ~(before & ~taken) | (request.valid & kept), "a request stands until it is taken")
        self.claim(m, ~taken | ~request.valid, "and is there once")


class MaintenanceLine(AccessSpec):
    """MNT-1..9: status registers and line are functions of storage."""

    def _rules(self, m: Module) -> None:
        hcr, vmcr, cpu = self.now.hcr, self.now.vmcr, self.cpu
        lrs = [self.now[f"lr{n}"] for n in range(self.config.lrs)]
        eisr = Cat((lr.State == 0) & ~lr.HW & lr.pINTID[9] for lr in lrs)
        elrsr = Cat((lr.State == 0) & (lr.HW | ~lr.pINTID[9]) for lr in lrs)
        used = Cat(lr.State != 0 for lr in lrs)
        several = (used & (used - 1)) != 0
        misr = Cat(
            eisr.any(), hcr.UIE & ~several, hcr.LRENPIE & (hcr.EOIcount != 0),
            hcr.NPIE & ~any_of(lr.State == 1 for lr in lrs), hcr.VGrp0EIE & vmcr.VENG0,
            hcr.VGrp0DIE & ~vmcr.VENG0, hcr.VGrp1EIE & vmcr.VENG1, hcr.VGrp1DIE & ~vmcr.VENG1,
        )  # fmt: skip
        self.claim(m, ~cpu.settled | (cpu.maintenance == (hcr.En & misr.any())), "the line is exact")
        self.claim(m, (cpu.observe.eisr & cpu.observe.elrsr) == 0, "EISR and ELRSR are disjoint")
        for name, value in (("MISR", misr), ("EISR", eisr), ("ELRSR", elrsr)):
            shown = Signal(32, name=f"shown_{name.lower()}")
            m.d.sync += shown.eq(value)
            read = self.at_el2(f"ICH_{name}_EL2")
            self.claim(m, ~read | (self.got.value == shown), f"{name} reads as it is")
            self.claim(m, ~read | self.same(), f"a read of {name} changes nothing")
