"""The rules of the virtual CPU interface as one combinational step, for proofs of the gateware.

Written from the rules (spec sections 1.2-1.7, 2.1-2.9 and 3.1), one after the other, without a thought for
speed or area. It shares the register table and the parameters with the gateware, nothing else.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.config import GicConfig
from hw.port import Outcome, Request, Response
from hw.registers import BY_ENCODING, Redirect, Register, Space, Trap, lookup

__all__ = ["Deactivated", "Reference", "Status", "Storage"]

#: ESR_ELx: EC 0 and EC 0x18, both with IL.
_ESR_UNDEF, _ESR_SYSREG = 1 << 25, 0x18 << 26 | 1 << 25
_NONE, _SPECIAL, _LPI = 1023, 1020, 8192


def layout_of(name: str) -> data.FlexibleLayout:
    """Return the layout of a register with plain numbers in its fields."""
    register = lookup(name)
    fields = {field.name: data.Field(field.width, field.lsb) for field in register.fields}
    return data.FlexibleLayout(register.width, fields)


class Storage(data.StructLayout):
    """All that the interface stores, as ICH_* reads return it."""

    def __init__(self, config: GicConfig):
        words = {f"ap{group}r{n}": 32 for group in range(2) for n in range(config.apr_words)}
        lrs = {f"lr{n}": layout_of("ICH_LR0_EL2") for n in range(config.lrs)}
        control = {"hcr": layout_of("ICH_HCR_EL2"), "vmcr": layout_of("ICH_VMCR_EL2")}
        super().__init__({**control, **words, **lrs})


class Status(data.Struct):
    """What follows from storage: status registers, lines and the selected list register.

    ``selected``: there is one, ``signalled``: it can be signalled; ``index``, ``group``, ``level``: of it.
    """

    misr: 8
    eisr: 16
    elrsr: 16
    virq: 1
    vfiq: 1
    maintenance: 1
    selected: 1
    signalled: 1
    index: 4
    group: 1
    vintid: 24
    level: 8


class Deactivated(data.Struct):
    """A physical deactivation request (HW-1)."""

    valid: 1
    pintid: 13


def _is_special(intid: Value) -> Value:
    return (intid >= _SPECIAL) & (intid <= _NONE)


class Reference(wiring.Component):
    """What one access answers and makes of storage.

    Parameters
    ----------
    config : GicConfig
        Of the interface.

    Members
    -------
    state : In(Storage)
        Before the access.
    request : In(Request)
        The access.
    after : Out(Storage)
        After it.
    response : Out(Response)
        Its answer.
    physical : Out(Deactivated)
        What it deactivates physically.
    status : Out(Status)
        Of ``state``.
    """

    def __init__(self, config: GicConfig):
        self._config = config
        super().__init__({
            "state": In(Storage(config)),
            "request": In(Request),
            "after": Out(Storage(config)),
            "response": Out(Response),
            "physical": Out(Deactivated),
            "status": Out(Status),
        })  # fmt: skip

    def elaborate(self, platform):
        """Make the step."""
        m = Module()
        self._lrs = [self.state[f"lr{n}"] for n in range(self._config.lrs)]
        self._new_lrs = [self.after[f"lr{n}"] for n in range(self._config.lrs)]
        self._priorities(m)
        self._select(m)
        self._maintain(m)
        self._outcome(m)
        m.d.comb += self.after.eq(self.state)
        with m.If(self.response.outcome == Outcome.OK):
            self._execute(m)
        return m

    # -- what follows from storage ---------------------------------------------------------------------

    def _words(self, group: int) -> Value:
        return Cat(self.state[f"ap{group}r{n}"] for n in range(self._config.apr_words))

    def _priorities(self, m):
        """Find the most urgent active level, whose it is, and the group-priority masks."""
        words = [self._words(0), self._words(1)]
        self._active, self._level, self._group0 = Signal(), Signal(8), Signal()
        self._lowest = Signal(len(words[0]))
        for n in reversed(range(len(words[0]))):  # REG-11: the lowest bit counts, so it comes last.
            with m.If(words[0][n] | words[1][n]):
                m.d.comb += [
                    self._active.eq(1), self._level.eq(n << (8 - self._config.pre_bits)),
                    self._group0.eq(words[0][n]), self._lowest.eq(1 << n),
                ]  # fmt: skip
        vmcr = self.state.vmcr
        mask0, mask1 = Signal(8), Signal(8)
        m.d.comb += [  # SIG-5
            mask0.eq(0xFF << (vmcr.VBPR0 + 1)),
            mask1.eq(Mux(vmcr.VCBPR, mask0, 0xFF << vmcr.VBPR1)),
        ]
        self._masks = mask0, mask1

    def _select(self, m):
        """SEL-1..6, SIG-1..7."""
        status, vmcr = self.status, self.state.vmcr
        urgent, cut = Const(0xFF, 8), Signal(8)
        for n, lr in enumerate(self._lrs):
            better = Signal(name=f"better{n}")
            enabled = Mux(lr.Group, vmcr.VENG1, vmcr.VENG0)
            m.d.comb += better.eq((lr.State == 1) & enabled & (lr.Priority < urgent))
            with m.If(better):
                m.d.comb += [
                    status.selected.eq(1), status.index.eq(n), status.group.eq(lr.Group),
                    status.vintid.eq(lr.vINTID),
                ]  # fmt: skip
            urgent = Mux(better, lr.Priority, urgent)
        mask = Mux(status.group, self._masks[1], self._masks[0])
        m.d.comb += [
            cut.eq(urgent & mask),
            status.level.eq(cut >> (8 - self._config.pre_bits)),
            status.signalled.eq(
                status.selected & self.state.hcr.En & (urgent < vmcr.VPMR)
                & (~self._active | (cut < (self._level & mask)))
            ),
            status.virq.eq(status.signalled & status.group),
            status.vfiq.eq(status.signalled & ~status.group),
        ]  # fmt: skip

    def _maintain(self, m):
        """MNT-1..8."""
        hcr, vmcr, status = self.state.hcr, self.state.vmcr, self.status
        used = Const(0)
        for n, lr in enumerate(self._lrs):
            wants = ~lr.HW & lr.pINTID[9]
            m.d.comb += status.eisr[n].eq((lr.State == 0) & wants)
            m.d.comb += status.elrsr[n].eq((lr.State == 0) & ~wants)
            used = used + (lr.State != 0)
        pending = Cat(lr.State == 1 for lr in self._lrs)
        m.d.comb += [
            status.misr.eq(Cat(
                status.eisr != 0, hcr.UIE & (used <= 1), hcr.LRENPIE & (hcr.EOIcount != 0),
                hcr.NPIE & (pending == 0), hcr.VGrp0EIE & vmcr.VENG0, hcr.VGrp0DIE & ~vmcr.VENG0,
                hcr.VGrp1EIE & vmcr.VENG1, hcr.VGrp1DIE & ~vmcr.VENG1,
            )),
            status.maintenance.eq(hcr.En & (status.misr != 0)),
        ]  # fmt: skip

    # -- whether an access executes --------------------------------------------------------------------

    def _outcome(self, m):
        """TRP-1..10 for every register; UNDEFINED where nothing else is said."""
        request, response = self.request, self.response
        m.d.comb += response.outcome.eq(Outcome.UNDEF)
        with m.Switch(request.encoding):
            for register in BY_ENCODING.values():
                if register.exists(self._config):
                    with m.Case(register.encoding):
                        allowed = Mux(request.write, register.writable, register.readable)
                        with m.If(allowed & (request.el == 2)):
                            m.d.comb += response.outcome.eq(self._at_el2(register))
                        with m.If(allowed & (request.el == 1)):
                            m.d.comb += response.outcome.eq(self._at_el1(register))
        at = request.encoding
        op0, op1, crn, crm, op2 = at[14:16], at[11:14], at[7:11], at[3:7], at[0:3]
        syndrome = Signal(25)
        m.d.comb += syndrome.eq(Cat(~request.write, crm, request.rt, crn, op1, op2, op0))
        with m.Switch(response.outcome):
            with m.Case(Outcome.UNDEF):
                m.d.comb += response.esr.eq(_ESR_UNDEF)
            with m.Case(Outcome.TRAP_EL1, Outcome.TRAP_EL2):
                m.d.comb += response.esr.eq(_ESR_SYSREG | syndrome)

    def _at_el2(self, register: Register):
        context = self.request.context
        if register.name in ("ICC_SRE_EL1", "ICC_SRE_EL2"):
            return Outcome.OK
        executed = Outcome.OK if register.space is Space.ICH else Outcome.UNDEF
        return Mux(context.sre_el2, executed, Outcome.TRAP_EL2)

    def _at_el1(self, register: Register):
        context, hcr = self.request.context, self.state.hcr
        if register.min_el == 2:
            return Mux(context.nv, Outcome.TRAP_EL2, Outcome.UNDEF)
        if register.name == "ICC_SRE_EL1":
            return Outcome.OK
        either = context.imo | context.fmo
        trapped = {
            Trap.NONE: Const(0), Trap.COMMON: hcr.TC, Trap.GROUP0: hcr.TALL0, Trap.GROUP1: hcr.TALL1,
            Trap.DIR: hcr.TC | hcr.TDIR, Trap.SGI: hcr.TC | either,
        }[register.trap]  # fmt: skip
        if "IGRPEN" in register.name:
            trapped = trapped | Mux(self.request.write, context.hfgwtr_igrpen, context.hfgrtr_igrpen)
        virtual = {
            Redirect.NONE: Const(0), Redirect.FMO: context.fmo, Redirect.IMO: context.imo,
            Redirect.EITHER: either,
        }[register.redirect]  # fmt: skip
        executed = Mux(virtual, Outcome.OK, Outcome.UNDEF)
        return Mux(context.sre_el1, Mux(trapped, Outcome.TRAP_EL2, executed), Outcome.TRAP_EL1)

    # -- what it does ----------------------------------------------------------------------------------

    def _execute(self, m):
        request = self.request
        with m.Switch(request.encoding):
            for register in BY_ENCODING.values():
                if register.exists(self._config):
                    stem = register.name.split("_")[1]
                    with m.Case(register.encoding):
                        if register.readable:
                            with m.If(~request.write):
                                self._read(m, register, stem)
                        if register.writable:
                            with m.If(request.write):
                                self._write(m, register, stem, request.value)

    def _read(self, m, register: Register, stem: str):
        vmcr, status, value = self.state.vmcr, self.status, self.response.value
        if stem.startswith("IAR"):
            self._acknowledge(m, int(stem[3]))
        elif stem.startswith("HPPIR"):
            serves = status.selected & (status.group == int(stem[5]))
            m.d.comb += value.eq(Mux(serves, status.vintid, _NONE))
        elif stem.lower() in ("misr", "eisr", "elrsr"):
            m.d.comb += value.eq(status[stem.lower()])
        elif stem in ("HCR", "VMCR") or stem[:2] in ("LR", "AP"):
            m.d.comb += value.eq(self.state[stem.lower()])
        elif stem == "RPR":
            m.d.comb += value.eq(Mux(self._active, self._level, 0xFF))
        elif stem == "BPR1":
            shared = Mux(vmcr.VBPR0 == 7, 7, vmcr.VBPR0 + 1)
            m.d.comb += value.eq(Mux(vmcr.VCBPR, shared, vmcr.VBPR1))
        elif stem == "CTLR":
            layout = Signal(layout_of("ICV_CTLR_EL1"), name="ctlr")
            m.d.comb += [
                layout.eq(lookup("ICV_CTLR_EL1").reset_value(self._config)),
                layout.CBPR.eq(vmcr.VCBPR), layout.EOImode.eq(vmcr.VEOIM), value.eq(layout),
            ]  # fmt: skip
        elif stem in ("PMR", "BPR0", "IGRPEN0", "IGRPEN1"):
            field = {"PMR": "VPMR", "BPR0": "VBPR0", "IGRPEN0": "VENG0", "IGRPEN1": "VENG1"}[stem]
            m.d.comb += value.eq(vmcr[field])
        else:  # VTR and SRE are constant.
            m.d.comb += value.eq(register.reset_value(self._config))

    def _write(self, m, register: Register, stem: str, value: Value):
        config, after = self._config, self.after
        vmcr = after.vmcr
        if stem.startswith("EOIR"):
            self._end(m, int(stem[4]), value[: config.id_bits])
        elif stem == "DIR":
            self._deactivate(m, value[: config.id_bits])
        elif stem == "HCR" or stem[:2] in ("LR", "AP"):
            m.d.comb += after[stem.lower()].eq(value & register.stored_mask(config))
        elif stem == "VMCR":
            written = layout_of("ICH_VMCR_EL2")(value[:32])
            for name in ("VENG0", "VENG1", "VCBPR", "VEOIM"):
                m.d.comb += vmcr[name].eq(written[name])
            self._store_pmr(m, written.VPMR)
            self._store_point(m, "VBPR0", written.VBPR0, config.min_bpr0)
            self._store_point(m, "VBPR1", written.VBPR1, config.min_bpr1)
        elif stem == "PMR":
            self._store_pmr(m, value[:8])
        elif stem == "BPR0":
            self._store_point(m, "VBPR0", value[:3], config.min_bpr0)
        elif stem == "BPR1":
            with m.If(~self.state.vmcr.VCBPR):
                self._store_point(m, "VBPR1", value[:3], config.min_bpr1)
        elif stem == "CTLR":
            m.d.comb += [vmcr.VCBPR.eq(value[0]), vmcr.VEOIM.eq(value[1])]
        elif stem in ("IGRPEN0", "IGRPEN1"):
            m.d.comb += vmcr[f"VENG{stem[-1]}"].eq(value[0])

    def _store_pmr(self, m, value: Value):
        """REG-4."""
        m.d.comb += self.after.vmcr.VPMR.eq(value & self._config.pri_mask)

    def _store_point(self, m, field: str, value: Value, minimum: int):
        """REG-2."""
        m.d.comb += self.after.vmcr[field].eq(Mux(value < minimum, minimum, value))

    def _acknowledge(self, m, group: int):
        """IAR-1..7."""
        status, value = self.status, self.response.value
        m.d.comb += value.eq(_NONE)
        with m.If(status.signalled & (status.group == group)):
            m.d.comb += value.eq(status.vintid)
            special = _is_special(status.vintid)
            for n, lr in enumerate(self._new_lrs):
                with m.If(status.index == n):
                    m.d.comb += lr.State.eq(Mux(special, 0, 2))
            with m.If(~special):
                words = self._words(group) | (1 << status.level)
                self._store_words(m, group, words)

    def _store_words(self, m, group: int, words: Value):
        for n in range(self._config.apr_words):
            m.d.comb += self.after[f"ap{group}r{n}"].eq(words[32 * n : 32 * n + 32])

    def _holder(self, m, intid: Value, label: str):
        """EOI-4: return (there is one, the list register) that holds ``intid`` active, as one-hot."""
        where = Signal(self._config.lrs, name=f"where_{label}")
        found = Const(0)
        for n, lr in enumerate(self._lrs):
            matches = lr.State[1] & (lr.vINTID == intid)
            m.d.comb += where[n].eq(matches & ~found)
            found = found | matches
        return found, where

    def _end(self, m, group: int, intid: Value):
        """EOI-1..13."""
        with m.If(~_is_special(intid) & self._active):
            for which in range(2):
                mine = self._group0 if which == 0 else ~self._group0
                with m.If(mine):
                    self._store_words(m, which, self._words(which) & ~self._lowest)
            found, where = self._holder(m, intid, f"eoir{group}")
            lpi, mode1 = intid >= _LPI, self.state.vmcr.VEOIM
            for n, lr in enumerate(self._lrs):
                right = (lr.Group == group) & ((lr.Priority & self._masks[group]) == self._level)
                with m.If(where[n] & right & (~mode1 | lpi)):
                    self._clear_active(m, n)
            with m.If(~found & ~lpi & (~mode1 | int(self._config.eoicnt_mode1))):
                self._count(m, intid)

    def _deactivate(self, m, intid: Value):
        """DIR-1..4."""
        with m.If(self.state.vmcr.VEOIM & ~_is_special(intid) & (intid < _LPI)):
            found, where = self._holder(m, intid, "dir")
            for n in range(self._config.lrs):
                with m.If(where[n]):
                    self._clear_active(m, n)
            with m.If(~found):
                self._count(m, intid)

    def _clear_active(self, m, n: int):
        """EOI-6, HW-1, HW-3."""
        lr = self._lrs[n]
        m.d.comb += [
            self._new_lrs[n].State.eq(Mux(lr.State == 3, 1, 0)),
            self.physical.valid.eq(lr.HW & (lr.pINTID < _SPECIAL)),
            self.physical.pintid.eq(lr.pINTID),
        ]

    def _count(self, m, intid: Value):
        """EOI-7, EOI-11, EOI-12."""
        exempt = self.state.hcr.vSGIEOICount & (intid < 16)
        with m.If(~exempt):
            m.d.comb += self.after.hcr.EOIcount.eq(self.state.hcr.EOIcount + 1)
