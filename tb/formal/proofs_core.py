"""Proofs of the whole virtual CPU interface, under any sequence of accesses."""

from __future__ import annotations

from hw.config import GicConfig
from tb.formal.bugs import Bug
from tb.formal.core import Equivalence, Pipeline
from tb.formal.interrupts import (
    Acknowledge,
    Completion,
    Conservation,
    MaintenanceLine,
    PriorityDrop,
    Signalling,
)
from tb.formal.isolation import Aliases, Isolation, NonInterference, Port
from tb.formal.proof import Proof

__all__ = ["CORE"]

_SMALL = GicConfig(lrs=2)
_WIDE = GicConfig(lrs=2, pri_bits=7, pre_bits=6, id_bits=24, tds=False, seis=True, nv4=False, dvim=True)
_END, _DEACTIVATE = "hw.operations:Operations._end_of_interrupt", "hw.operations:Operations._deactivate"
_CORE, _MAINTENANCE = "hw.core:VirtualCore", "hw.maintenance:Maintenance.elaborate"
#: What most proofs of the interface assume of its pipeline.
_USES = ("pipeline",)

CORE: tuple[Proof, ...] = (
    Proof(
        "pipeline",
        "Stages follow the access in flight, the winner and the lines follow storage once settled,"
        " storage keeps to implemented bits: what the other proofs of the interface may assume.",
        "REG-2..4, REG-7, SIG-8", Pipeline, _SMALL, 10, fast=True,
        bugs=(
            Bug("the lines are taken one cycle early", f"{_CORE}._background", "m.If(remaining == 1)",
                "m.If(remaining == 2)"),
            Bug("a binary point below its minimum is stored", "hw.control:Control._from_vmcr",
                "at_least(written.VBPR0, config.min_bpr0)", "written.VBPR0"),
            Bug("a request is taken while a deactivation waits", f"{_CORE}._take",
                "~stage.any() & ~cpu.deactivate.valid", "~stage.any()"),
            Bug("unimplemented bits of PMR are stored", "hw.control:Control.elaborate",
                "vmcr.VPMR.eq(data & config.pri_mask)", "vmcr.VPMR.eq(data)"),
        ),
    ),
    Proof(
        "equivalence-2",
        "With 2 list registers every response, every change of storage, every physical deactivation and"
        " the lines are those of the rules, written once more as one combinational step.",
        "all of 2.1-2.9, TRP-1..9", Equivalence, _SMALL, 10, fast=True,
        bugs=(
            Bug("an EOIR of the wrong group deactivates", _END, "self._serves(found, group) & (", "("),
            Bug("a special INTID is not ignored by DIR", _DEACTIVATE, "~_is_special(self.intid) & ", ""),
            Bug("EOIcount saturates", "hw.control:Control.elaborate", "count.eq(count + 1)",
                "count.eq(count + (count != 31))"),
            Bug("TALL0 does not trap", "hw.decode:TrapUnit._trapped", "hcr.TALL0", "0"),
        ),
    ),
    Proof(
        "equivalence-wide",
        "The same with 7 priority, 6 preemption bits, 24 INTID bits, without TDIR, with SEIS, GICv4,"
        " DVIM.",
        "all of 2.1-2.9, TRP-1..9, EOI-12", Equivalence, _WIDE, 10,
        bugs=(
            Bug("vSGIEOICount exempts PPIs, too", "hw.operations:Operations._counted",
                "self.intid >= FIRST_PPI", "self.intid >= 2 * FIRST_PPI"),
        ),
    ),
    Proof(
        "equivalence-4", "The same as equivalence-2 with 4 list registers.", "all of 2.1-2.9, TRP-1..9",
        Equivalence, GicConfig(lrs=4), 10,
        bugs=(
            Bug("an acknowledge changes every list register", f"{_CORE}._commit",
                "lr.acknowledge.eq(effects.acknowledge & winner.where[n])",
                "lr.acknowledge.eq(effects.acknowledge)"),
        ),
    ),
    Proof(
        "signalling",
        "Once settled, vIRQ or vFIQ is high iff the selected list register can be signalled: En, priority"
        " above PMR and preempting; never both; lines move once an access.",
        "SIG-1..8, SEL-1..5", Signalling, _SMALL, 8, uses=_USES,
        bugs=(
            Bug("a priority equal to PMR passes", f"{_CORE}._background", "priority < vmcr.VPMR",
                "priority <= vmcr.VPMR"),
            Bug("En does not gate the lines", f"{_CORE}._background", "best.valid & hcr.En &",
                "best.valid &"),
            Bug("Group 0's mask serves both groups", "hw.binary_point:group_masks",
                "Mux(vmcr.VCBPR, mask0, own1)", "mask0"),
        ),
    ),
    Proof(
        "acknowledge",
        "IAR returns and makes active exactly the list register that is signalled in its group, changing"
        " only its state and setting exactly its active priority; else it returns 1023 and changes"
        " nothing. HPPIR shows the selected one and changes nothing.",
        "IAR-1..7, HPP-1, HPP-2", Acknowledge, _SMALL, 8, uses=_USES,
        bugs=(
            Bug("IAR0 serves Group 1, too", "hw.operations:Operations._acknowledge",
                "winner.signalled & self._serves(winner, group)", "winner.signalled"),
            Bug("the active priority is not masked", f"{_CORE}._background",
                "winner.level.eq((priority & mask) >>", "winner.level.eq(priority >>"),
            Bug("a special INTID sets a priority", "hw.operations:Operations._acknowledge",
                "effects.set.eq(self.execute & ~special)", "effects.set.eq(self.execute)"),
            Bug("HPPIR is gated by the signal", "hw.operations:Operations.elaborate",
                "m.If(self.winner.valid & self._serves", "m.If(self.winner.signalled & self._serves"),
        ),
    ),
    Proof(
        "priority-drop",
        "EOIR of either group clears exactly the lowest active priority, Group 0 first; a special INTID"
        " or an idle interface makes it void; DIR drops nothing.",
        "EOI-1..3, EOI-8", PriorityDrop, _SMALL, 8, uses=_USES,
        bugs=(
            Bug("a special INTID drops", _END, "~_is_special(self.intid) & self.running.active",
                "self.running.active"),
            Bug("EOIR does not drop in EOImode 1", _END, "effects.drop.eq(1)",
                "effects.drop.eq(~self.vmcr.VEOIM)"),
        ),
    ),
    Proof(
        "completion",
        "EOIR and DIR change at most one list register, the lowest that holds the INTID active, only its"
        " Active bit, exactly when group, priority, EOImode and INTID ask for it.",
        "EOI-4..6, EOI-9, EOI-10, DIR-1, DIR-2, DIR-4", Completion, _SMALL, 8, uses=_USES,
        bugs=(
            Bug("a priority mismatch deactivates", _END,
                " & ((found.priority & self._level_mask(group)) == dropped)", ""),
            Bug("an LPI is kept in EOImode 1", _END, "(~self.vmcr.VEOIM | is_lpi)", "~self.vmcr.VEOIM"),
            Bug("DIR works in EOImode 0", _DEACTIVATE, "self.execute & self.vmcr.VEOIM &", "self.execute &"),
            Bug("deactivation clears Pending, too", "hw.list_register:ListRegister.elaborate",
                "state.as_value()[1].eq(0)", "state.eq(LRState.INVALID)"),
        ),
    ),
    Proof(
        "conservation",
        "Every EOIR and DIR ends in exactly one of: a list register deactivated, EOIcount + 1, nothing,"
        " as the rules say. Every physical request is of one deactivated list register with HW=1, and the"
        " reverse; it is there once and stands until it is taken.",
        "EOI-7, EOI-11, EOI-12, DIR-3, HW-1..3", Conservation, _SMALL, 8, uses=_USES,
        bugs=(
            Bug("an unmatched EOIR counts in EOImode 1", "hw.operations:Operations._counts_end",
                "~self.vmcr.VEOIM | int(self._config.eoicnt_mode1)", "1"),
            Bug("an absent LPI counts", _END, "with m.Elif(~is_lpi)", "with m.Else()"),
            Bug("special physical INTIDs are requested", "hw.operations:Operations._physical_exists",
                "self.found.pintid < SPECIAL", "1"),
            Bug("a request is forgotten after a cycle", f"{_CORE}._commit", "with m.Elif(request.ready)",
                "with m.Else()"),
            Bug("an acknowledge of HW is physical, too", f"{_CORE}._commit", "with m.If(effects.physical)",
                "with m.If(effects.physical | (effects.acknowledge & found.hw))"),
        ),
    ),
    Proof(
        "maintenance-line",
        "Once settled the maintenance line is En and any cause, from storage alone; MISR, EISR and ELRSR"
        " read as they are and their reads change nothing.",
        "MNT-1..9", MaintenanceLine, _SMALL, 8, uses=_USES,
        bugs=(
            Bug("En does not gate the line", f"{_CORE}._background", "hcr.En & maint.misr.as_value().any()",
                "maint.misr.as_value().any()"),
            Bug("EOIcount 16 and more raises nothing", _MAINTENANCE, "hcr.EOIcount.any()",
                "hcr.EOIcount[:4].any()"),
        ),
    ),
    Proof(
        "aliases",
        "PMR, BPR, CTLR, IGRPEN and the active priorities are the storage of VMCR and ICH_APxRn: each is"
        " read and written on both ways, with minimums and CBPR as the rules say, and nothing else"
        " changes.",
        "REG-2, REG-4..6, REG-9, REG-12", Aliases, _SMALL, 8, uses=_USES,
        bugs=(
            Bug("BPR1 is written while CBPR is set", "hw.control:Control.elaborate", "m.If(~vmcr.VCBPR)",
                "m.If(1)"),
            Bug("a write of IGRPEN1 enables Group 0, too", "hw.control:Control.elaborate",
                "m.d.sync += vmcr.VENG1.eq(data[0])",
                "m.d.sync += [vmcr.VENG1.eq(data[0]), vmcr.VENG0.eq(data[0])]"),
            Bug("AP1R writes reach Group 0, too", f"{_CORE}._decide",
                "Cat(target == Target.AP0R, target == Target.AP1R)",
                "Cat((target == Target.AP0R) | (target == Target.AP1R), target == Target.AP1R)"),
        ),
    ),
    Proof(
        "isolation",
        "A trapped or undefined access changes nothing, returns no state and deactivates nothing; ICH"
        " registers execute at EL2 only; a guest changes nothing of ICH storage but list-register states,"
        " EOIcount and its own controls, and only by the accesses that may.",
        "TRP-5, TRP-8, REG-5, REG-8", Isolation, _SMALL, 8, uses=_USES,
        bugs=(
            Bug("a trapped write reaches the controls", f"{_CORE}._decide", "executes & checked.write",
                "self._stage[_decide_stage(self.config)] & checked.write"),
            Bug("EL1 reaches ICH registers under NV", "hw.decode:TrapUnit._at_el1",
                "Mux(context.nv, Outcome.TRAP_EL2,", "Mux(context.nv, Outcome.OK,"),
            Bug("a trapped read returns its value", f"{_CORE}._decide",
                "Mux(executes & ~checked.write, read, 0)", "Mux(~checked.write, read, 0)"),
        ),
    ),
    Proof(
        "non-interference",
        "Two interfaces that differ only in what a guest must not see (maintenance enables, EOIcount, HW,"
        " pINTID, list registers that are not pending) answer each access of the guest alike and raise"
        " the same lines.",
        "IAR-1, HPP-1, REG-5, TRP-2, TRP-3", NonInterference, _SMALL, 8, uses=_USES,
        bugs=(
            Bug("CTLR shows UIE in a reserved bit", "hw.interface:VirtualCpuInterface._readable",
                "constant_ctlr | vmcr.VEOIM << 1", "constant_ctlr | control.hcr.UIE << 2 | vmcr.VEOIM << 1"),
            Bug("a trapped access tells of EOIcount in its syndrome", "hw.decode:TrapUnit._iss",
                "self.request.rt << 5", "(self.request.rt ^ self.hcr.EOIcount) << 5"),
        ),
    ),
    Proof(
        "port",
        "The port never locks up: with deactivations taken, a request is taken within an interval and"
        " answered exactly once after its latency; settled tells when lines stand, and comes in time.",
        "SIG-8, port contract", Port, _SMALL, 8, uses=_USES,
        bugs=(
            Bug("a deactivation that was taken stays", f"{_CORE}._commit", "with m.Elif(request.ready)",
                "with m.Elif(request.ready & self._stage.any())"),
            Bug("settled a cycle early", f"{_CORE}._background", "(remaining == 0)", "(remaining <= 1)"),
            Bug("every answer twice", f"{_CORE}._decide",
                "response.valid.eq(self._stage[_decide_stage(self.config)])",
                "response.valid.eq(self._stage[_decide_stage(self.config) :].any())"),
        ),
    ),
)  # fmt: skip
