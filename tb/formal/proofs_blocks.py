"""Proofs of single blocks."""

from __future__ import annotations

from hw.config import GicConfig
from tb.formal.blocks import ActiveSpec, LookupSpec, MaintenanceSpec, SelectionSpec
from tb.formal.bugs import Bug
from tb.formal.proof import Proof

__all__ = ["BLOCKS"]

_ROUND, _ELABORATE = "hw.selection:Selection._round", "hw.selection:Selection.elaborate"
_MAINTENANCE = "hw.maintenance:Maintenance.elaborate"
_ACTIVE = "hw.active_priorities:ActivePriorities"

BLOCKS: tuple[Proof, ...] = (
    Proof(
        "selection",
        "Of 16 list registers the selected one is pending, enabled, of minimal priority and the lowest of"
        " equals; if any is pending and enabled, one is selected.",
        "SEL-1..5, SEL-8", SelectionSpec, GicConfig(lrs=16), 8, fast=True,
        bugs=(
            Bug("the higher list register wins a tie", _ROUND, "right.priority < left.priority",
                "right.priority <= left.priority"),
            Bug("pending and active is a candidate", _ELABORATE, "(lr.State == LRState.PENDING)",
                "lr.State.as_value()[0]"),
            Bug("group enables swapped", _ELABORATE, "(lr.Group & self.enable1) | (~lr.Group & self.enable0)",
                "(lr.Group & self.enable0) | (~lr.Group & self.enable1)"),
            Bug("an empty left side beats the right one", _ROUND, "(~left.valid | (right", "((right"),
        ),
    ),
    Proof(
        "selection-8-bits",
        "The same of 7 list registers with 8 priority bits, of which 0xFF is never selected.",
        "SEL-3, SEL-6", SelectionSpec, GicConfig(lrs=7, pri_bits=8), 8,
        bugs=(Bug("priority 0xFF is selected", _ELABORATE, "lr.Priority != 0xFF", "lr.Priority != 0x1FF"),),
    ),
    Proof(
        "maintenance",
        "Of 16 list registers EISR, ELRSR and every bit of MISR are exact; EISR and ELRSR are disjoint.",
        "MNT-1..8", MaintenanceSpec, GicConfig(lrs=16), 4, fast=True,
        bugs=(
            Bug("EISR looks at HW entries", _MAINTENANCE, "~lr.HW & lr.pINTID[_EOI_BIT]",
                "lr.pINTID[_EOI_BIT]"),
            Bug("pending and active counts as pending", _MAINTENANCE, "lr.State == LRState.PENDING for",
                "lr.State.as_value()[0] for"),
            Bug("underflow only when all are empty", "hw.maintenance:_more",
                "left_two | right_two | (left_some & right_some)", "left_some | right_some"),
            Bug("VGrp0D tests VENG1", _MAINTENANCE, "hcr.VGrp0DIE & ~vmcr.VENG0",
                "hcr.VGrp0DIE & ~vmcr.VENG1"),
        ),
    ),
    Proof(
        "lookup",
        "Of 16 list registers the lowest that is active and has the INTID is found, and none if there is"
        " none; its fields are told.",
        "EOI-4, DIR-2", LookupSpec, GicConfig(lrs=16), 6, fast=True,
        bugs=(
            Bug("a pending list register matches", "hw.lookup:Lookup.elaborate",
                "lr.State.as_value()[1]", "lr.State.as_value().any()"),
            Bug("the highest match is taken", "hw.lookup:_lowest_set", "~bits[:n].any() if n else bit",
                "~bits[n + 1 :].any()"),
            Bug("only 15 INTID bits are compared", "hw.lookup:Lookup.elaborate",
                "lr.vINTID[: self._config.id_bits] == self.intid",
                "lr.vINTID[:15] == self.intid[:15]"),
        ),
    ),
    Proof(
        "active-priorities",
        "Of 128 levels in both groups the running priority is the lowest set bit, Group 0 first; an"
        " acknowledge sets its bit, a drop clears exactly the running one, a write replaces one word,"
        " nothing else changes.",
        "IAR-4, EOI-3, REG-9, REG-11", ActiveSpec, GicConfig(pri_bits=7, pre_bits=7), 6, fast=True,
        bugs=(
            Bug("a drop clears the bit in both groups", f"{_ACTIVE}.elaborate",
                "self.running.group0 if group == 0 else ~self.running.group0", "1"),
            Bug("on a tie Group 1 is dropped first", f"{_ACTIVE}._find_running", "index0 <= index1",
                "index0 < index1"),
            Bug("the higher word counts first", f"{_ACTIVE}._find_running",
                "reversed(list(enumerate(found)))", "list(enumerate(found))"),
            Bug("a level is set in every word", f"{_ACTIVE}._one_hot", "enable & (level[5:] == word)",
                "enable"),
        ),
    ),
)  # fmt: skip
