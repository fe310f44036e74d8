"""Maintenance: EISR, ELRSR, MISR and the level line (MNT-1..9)."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.config import GicConfig
from hw.layouts import LRState, layout_of
from hw.registers import MISR_BITS

__all__ = ["LATENCY", "Maintenance", "latency"]

#: Cycles from a change of a list register to ``misr`` with up to :data:`_BLOCK` of them.
LATENCY = 1
#: List registers that one cycle can count at full speed.
_BLOCK = 16
#: pINTID bit that is ICH_LR<n>_EL2.EOI when HW is 0 (bit 41 of the register).
_EOI_BIT = 9


def latency(config: GicConfig) -> int:
    """Return the cycles from a change of a list register to ``misr``; HCR and VMCR act combinationally."""
    return LATENCY if config.lrs <= _BLOCK else LATENCY + 1


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
    eisr, elrsr : Out(16), Out(64) with more than 16 list registers
        Combinational; disjoint.
    misr : Out(layout of ICH_MISR_EL2)
        :func:`latency` cycles after the list registers.
    """

    def __init__(self, config: GicConfig):
        width = 16 if config.lrs <= 16 else 64
        super().__init__({
            "lr": In(layout_of("ICH_LR0_EL2")).array(config.lrs),
            "hcr": In(layout_of("ICH_HCR_EL2")),
            "vmcr": In(layout_of("ICH_VMCR_EL2")),
            "eisr": Out(width),
            "elrsr": Out(width),
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
        valid = [lr.State != LRState.INVALID for lr in self.lr]
        pending = [lr.State == LRState.PENDING for lr in self.lr]
        # Reset values are those of empty list registers, so that the line is right from the start.
        any_eoi = Signal()
        any_pending = Signal()
        underflow = Signal(init=1)
        counts = [_some_and_two(valid)]
        eoi, waiting = self.eisr, Cat(pending)
        if len(self.lr) > _BLOCK:
            counts = [self._held(m, *_some_and_two(block)) for block in _blocks(valid)]
            eoi = self._any_in_blocks(m, self.eisr[: len(self.lr)])
            waiting = self._any_in_blocks(m, Cat(pending))
        _, two = _more(counts)
        m.d.sync += [any_eoi.eq(eoi.any()), any_pending.eq(waiting.any()), underflow.eq(~two)]
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

    @staticmethod
    def _held(m, some, two):
        """Return both, one cycle later."""
        held = Signal(2)
        m.d.sync += held.eq(Cat(some, two))
        return held[0], held[1]

    @staticmethod
    def _any_in_blocks(m, bits):
        """Return whether any bit of each block is set, one cycle later."""
        blocks = _blocks(bits)
        held = Signal(len(blocks))
        m.d.sync += held.eq(Cat(Cat(block).any() for block in blocks))
        return held


def _blocks(bits):
    """Return a sequence in parts of :data:`_BLOCK`."""
    return [bits[first : first + _BLOCK] for first in range(0, len(bits), _BLOCK)]


def _some_and_two(bits):
    """Return (at least one is set, at least two are set)."""
    return _more([(bit, 0) for bit in bits])


def _more(counts):
    """Return the pair of :func:`_some_and_two` for parts counted already, as a tree."""
    if len(counts) == 1:
        return counts[0]
    half = len(counts) // 2
    left_some, left_two = _more(counts[:half])
    right_some, right_two = _more(counts[half:])
    return left_some | right_some, left_two | right_two | (left_some & right_some)
