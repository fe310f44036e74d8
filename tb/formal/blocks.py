"""Single blocks of the gateware, with nothing around them: every input is free in every cycle."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value

from hw import active_priorities, lookup, maintenance, selection
from hw.active_priorities import ActivePriorities
from hw.config import GicConfig
from hw.lookup import Lookup
from hw.maintenance import Maintenance
from hw.selection import Selection
from tb.formal.reference import layout_of
from tb.formal.spec import Spec

__all__ = ["ActiveSpec", "LookupSpec", "MaintenanceSpec", "SelectionSpec"]


class _BlockSpec(Spec):
    """A block that shows what its inputs were a fixed number of cycles ago."""

    def __init__(self, config: GicConfig):
        super().__init__()
        self.config = config

    def list_registers(self, m: Module, block) -> list[Signal]:
        """Let the solver choose the list registers; show them to the block."""
        free = []
        for n, port in enumerate(block.lr):
            lr = self.free(layout_of("ICH_LR0_EL2"), f"lr{n}")
            m.d.comb += Value.cast(port).eq(lr)
            free.append(lr)
        return free

    def delayed(self, m: Module, value, cycles: int, name: str):
        """Return a value as it was some cycles ago, and whether there were so many."""
        shape, known = value.shape(), Signal(range(cycles + 1), name=f"{name}_known")
        with m.If(known != cycles):
            m.d.sync += known.eq(known + 1)
        for n in range(cycles):
            held = Signal(shape, name=f"{name}_{n + 1}")
            m.d.sync += held.eq(value)
            value = held
        return value, known == cycles

    def steady(self, m: Module, values, cycles: int):
        """Return whether values stand since some cycles at least."""
        now = Cat(Value.cast(value) for value in values)
        before, age = Signal(len(now), name="steady_before"), Signal(range(cycles + 1), name="steady_age")
        same = Signal(name="steady_same")
        m.d.sync += before.eq(now)
        m.d.comb += same.eq(before == now)
        m.d.sync += age.eq(Mux(~same, 1, Mux(age == cycles, cycles, age + 1)))
        return same & (age == cycles)


class SelectionSpec(_BlockSpec):
    """SEL-1..6 and SEL-8, about one list register that the solver picks."""

    def _describe(self, m: Module) -> None:
        config = self.config
        block = Selection(config)
        m.submodules.block = block
        lrs, age = self.list_registers(m, block), selection.depth(config)
        enables = self.free(2, "enables")
        m.d.comb += [block.enable0.eq(enables[0]), block.enable1.eq(enables[1])]
        past = [self.delayed(m, lr, age, f"lr{n}")[0] for n, lr in enumerate(lrs)]
        enabled, known = self.delayed(m, enables, age, "enables")

        which = self.fixed(m, range(config.lrs), "which")
        self.assume(m, which < config.lrs)
        lr = Signal(layout_of("ICH_LR0_EL2"), name="lr")
        m.d.comb += lr.eq(Array(Value.cast(one) for one in past)[which])
        priority = lr.Priority & config.pri_mask
        candidate = (lr.State == 1) & enabled.bit_select(lr.Group, 1) & (priority != 0xFF)
        best = block.best
        chosen = Signal(8, name="chosen")
        m.d.comb += chosen.eq(best.priority << (8 - config.pri_bits))

        self.claim(m, ~(known & candidate) | best.valid, "if any candidate exists one is selected")
        beaten = (chosen < priority) | ((chosen == priority) & (best.index <= which))
        self.claim(m, ~(known & candidate) | beaten, "minimal, lowest index among equals")
        mine = known & best.valid & (best.index == which)
        self.claim(m, ~mine | candidate, "the selected one is pending and enabled")
        same = (chosen == priority) & (best.group == lr.Group)
        self.claim(m, ~mine | same, "its priority and group are told")
        self.claim(m, ~best.valid | ~known | (best.index < config.lrs), "it exists")


class MaintenanceSpec(_BlockSpec):
    """MNT-1..8."""

    def _describe(self, m: Module) -> None:
        config = self.config
        block = Maintenance(config)
        m.submodules.block = block
        lrs = self.list_registers(m, block)
        hcr = self.free(layout_of("ICH_HCR_EL2"), "hcr")
        vmcr = self.free(layout_of("ICH_VMCR_EL2"), "vmcr")
        m.d.comb += [Value.cast(block.hcr).eq(hcr), Value.cast(block.vmcr).eq(vmcr)]

        which = self.fixed(m, range(16), "which")
        exists = which < config.lrs
        lr = Signal(layout_of("ICH_LR0_EL2"), name="lr")
        m.d.comb += lr.eq(Array([*(Value.cast(one) for one in lrs), *[0] * (16 - config.lrs)])[which])
        empty = exists & (lr.State == 0)
        eisr, elrsr = block.eisr.bit_select(which, 1), block.elrsr.bit_select(which, 1)
        self.claim(m, eisr == (empty & ~lr.HW & lr.pINTID[9]), "EISR exact")
        self.claim(m, elrsr == (empty & (lr.HW | ~lr.pINTID[9])), "ELRSR exact")
        self.claim(m, (block.eisr & block.elrsr) == 0, "EISR and ELRSR disjoint")

        age = maintenance.latency(config)
        past, known = [], 1
        for n, lr in enumerate(lrs):
            one, known = self.delayed(m, lr, age, f"lr{n}")
            past.append(one)
        used = Signal(range(config.lrs + 1), name="used")
        m.d.comb += used.eq(sum((one.State != 0 for one in past[1:]), past[0].State != 0))
        eoi = Cat((one.State == 0) & ~one.HW & one.pINTID[9] for one in past)
        pending = Cat(one.State == 1 for one in past)
        expected = {
            "EOI": eoi != 0, "U": hcr.UIE & (used <= 1), "LRENP": hcr.LRENPIE & (hcr.EOIcount != 0),
            "NP": hcr.NPIE & (pending == 0),
            "VGrp0E": hcr.VGrp0EIE & vmcr.VENG0, "VGrp0D": hcr.VGrp0DIE & ~vmcr.VENG0,
            "VGrp1E": hcr.VGrp1EIE & vmcr.VENG1, "VGrp1D": hcr.VGrp1DIE & ~vmcr.VENG1,
        }  # fmt: skip
        for name, value in expected.items():
            self.claim(m, ~known | (block.misr[name] == value), f"MISR.{name} exact")


class LookupSpec(_BlockSpec):
    """EOI-4, DIR-2: the lowest active list register with the INTID, about one that the solver picks."""

    def _describe(self, m: Module) -> None:
        config = self.config
        block = Lookup(config)
        m.submodules.block = block
        lrs, intid = self.list_registers(m, block), self.free(24, "intid")
        self.assume(m, intid <= config.id_mask)
        m.d.comb += block.intid.eq(intid)
        steady = self.steady(m, [*lrs, intid], lookup.latency(config))

        which = self.fixed(m, range(config.lrs), "which")
        self.assume(m, which < config.lrs)
        lr = Signal(layout_of("ICH_LR0_EL2"), name="lr")
        m.d.comb += lr.eq(Array(Value.cast(one) for one in lrs)[which])
        matches = lr.State[1] & ((lr.vINTID & config.id_mask) == intid)
        found = block.found
        here = found.where.bit_select(which, 1)
        before = (1 << which) - 1
        self.claim(m, ~(steady & matches) | found.hit, "an active list register with the INTID is found")
        self.claim(m, ~(steady & here) | (matches & found.hit), "what is found is active and has the INTID")
        lower = (found.where & before) != 0
        self.claim(m, ~(steady & matches) | here | lower, "or one before it")
        self.claim(m, ~(steady & here) | (found.where == (1 << which)), "and only one")
        self.claim(m, ~steady | (found.hit == (found.where != 0)), "a hit is somewhere")
        told = (found.priority == lr.Priority) & (found.group == lr.Group) & (found.hw == lr.HW) & (
            found.pintid == lr.pINTID)  # fmt: skip
        self.claim(m, ~(steady & here) | told, "its fields are told")


class ActiveSpec(_BlockSpec):
    """IAR-4, EOI-3, REG-9, REG-11: about one bit that the solver picks."""

    def _describe(self, m: Module) -> None:
        config = self.config
        levels = 1 << config.pre_bits
        block = ActivePriorities(config)
        m.submodules.block = block
        write, index, data = self.free(2, "write"), self.free(2, "index"), self.free(32, "data")
        setting, group, level = self.free(1, "set"), self.free(1, "set_group"), self.free(
            range(levels), "set_level")  # fmt: skip
        drop = self.free(1, "drop")
        m.d.comb += [
            block.write.eq(write), block.write_index.eq(index), block.write_data.eq(data),
            block.set.eq(setting), block.set_group.eq(group), block.set_level.eq(level), block.drop.eq(drop),
        ]  # fmt: skip
        words = [Cat(block.word0), Cat(block.word1)]
        steady = self.steady(m, words, active_priorities.LATENCY + 1)
        self.assume(m, (write == 0) | ~(setting | drop))
        self.assume(m, ~(setting & drop))
        self.assume(m, ~drop | (steady & block.running.active))

        # One bit, of one group.
        its_group, its_level = self.fixed(m, 1, "its_group"), self.fixed(m, range(levels), "its_level")
        bit = Signal(name="bit")
        m.d.comb += bit.eq(Array(words)[its_group].bit_select(its_level, 1))
        running = block.running
        older = self.past(m, Cat(bit, setting), "bit")
        was, was_set = older[0], older[1]
        past_level = self.past(m, Cat(group, level), "level")
        past_write = self.past(m, Cat(write, index, data), "write")
        past_drop = self.past(m, Cat(drop, running.level, running.group0), "drop")
        began = self.past(m, 1, "began")
        set_here = was_set & (past_level == Cat(its_group, its_level))
        wrote, where, what = past_write[:2], past_write[2:4], past_write[4:]
        written = wrote.bit_select(its_group, 1) & (where == its_level[5:])
        dropped_here = past_drop[0] & (past_drop[1:-1] == its_level) & (past_drop[-1] == ~its_group)
        expected = Mux(written, what.bit_select(its_level[:5], 1), (was | set_here) & ~dropped_here)
        self.claim(m, ~began | (bit == expected), "only the bit that is set, dropped or written changes")

        ahead = (running.level < its_level) | ((running.level == its_level) & (running.group0 | its_group))
        self.claim(m, ~(steady & bit) | (running.active & ahead), "the lowest bit counts, Group 0 first")
        it = steady & running.active & (running.level == its_level) & (running.group0 == ~its_group)
        self.claim(m, ~it | bit, "what is dropped is set")
