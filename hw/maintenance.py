"""Maintenance: EISR, ELRSR, MISR and the level line (MNT-1..9)."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.config import GicConfig
from hw.layouts import LRState, layout_of
from hw.registers import MISR_BITS

__all__ = ["LATENCY", "Maintenance"]

#: Cycles from a change of a list register to ``misr``; HCR and VMCR act combinationally.
LATENCY = 1

#: pINTID bit that is ICH_LR<n>_EL2.EOI when HW is 0 (bit 41 of the register).
_EOI_BIT = 9


class Maintenance(wiring.Component):
    """Compute the maintenance status, a pure function of storage with no latch of causes (MNT-3).

    Parameters
    ----------
    config : GicConfig
        Number of list registers.

    Members
    -------
    lr : In(layout of ICH_LR<n>_EL2).array(lrs)
        The list registers.
    hcr, vmcr : In
        Enables, EOIcount and group enables.
    eisr, elrsr : Out(16)
        Combinational; disjoint.
    misr : Out(layout of ICH_MISR_EL2)
        :data:`LATENCY` cycles after the list registers.
    """

    def __init__(self, config: GicConfig):
        super().__init__({
            "lr": In(layout_of("ICH_LR0_EL2")).array(config.lrs),
            "hcr": In(layout_of("ICH_HCR_EL2")),
            "vmcr": In(layout_of("ICH_VMCR_EL2")),
            "eisr": Out(16),
            "elrsr": Out(16),
            "misr": Out(layout_of("ICH_MISR_EL2")),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        hcr, vmcr = self.hcr, self.vmcr
        for n, lr in enumerate(self.lr):
            empty = lr.State == LRState.INVALID
            wants_eoi = ~lr.HW & lr.pINTID[_EOI_BIT]
            m.d.comb += [
                self.eisr[n].eq(empty & wants_eoi),
                self.elrsr[n].eq(empty & ~wants_eoi),
            ]
        # Reset values are those of empty list registers, so that the line is right from the start.
        any_eoi = Signal()
        any_pending = Signal()
        underflow = Signal(init=1)
        _, two = _some_and_two([lr.State != LRState.INVALID for lr in self.lr])
        m.d.sync += [
            any_eoi.eq(self.eisr.any()),
            any_pending.eq(Cat(lr.State == LRState.PENDING for lr in self.lr).any()),
            underflow.eq(~two),
        ]
        causes = {
            "EOI": any_eoi,
            "U": hcr.UIE & underflow,
            "LRENP": hcr.LRENPIE & hcr.EOIcount.any(),
            "NP": hcr.NPIE & ~any_pending,
            "VGrp0E": hcr.VGrp0EIE & vmcr.VENG0,
            "VGrp0D": hcr.VGrp0DIE & ~vmcr.VENG0,
            "VGrp1E": hcr.VGrp1EIE & vmcr.VENG1,
            "VGrp1D": hcr.VGrp1DIE & ~vmcr.VENG1,
        }
        for name in MISR_BITS:
            m.d.comb += self.misr[name].eq(causes[name])
        return m


def _some_and_two(bits):
    """Return (at least one is set, at least two are set) as a tree."""
    if len(bits) == 1:
        return bits[0], 0
    half = len(bits) // 2
    left_some, left_two = _some_and_two(bits[:half])
    right_some, right_two = _some_and_two(bits[half:])
    return left_some | right_some, left_two | right_two | (left_some & right_some)
