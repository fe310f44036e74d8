"""What the side-effect accesses of GICv2 do, where GICv3 does otherwise (V2-2, V2-3, V2-5)."""

from amaranth.hdl import Cat, Mux

from hw.operations import SPECIAL, Operations

__all__ = ["OTHER_GROUP", "OperationsV2"]

#: INTID returned by GICV_IAR and GICV_HPPIR for a Group 1 interrupt that AckCtl keeps from them (V2-2).
OTHER_GROUP = 1022
#: First INTID that a HW list register may deactivate (HW-3).
_FIRST_PHYSICAL = 16


class OperationsV2(Operations):
    """Effects and INTID result of a GICV access.

    "Group 0" registers are GICV_IAR, GICV_EOIR and GICV_HPPIR, which AckCtl opens to Group 1; "Group 1"
    registers are the aliased ones, GICV_AIAR, GICV_AEOIR and GICV_AHPPIR.
    """

    def _serves(self, interrupt, group):
        return interrupt.group if group else ~interrupt.group | self.vmcr.VAckCtl

    def _identity(self):
        return Cat(self.winner.vintid, self.winner.cpuid)

    def _withheld(self, m, group, offered):
        if group == 0:
            with m.If(offered & ~self._serves(self.winner, group)):
                m.d.comb += self.result.eq(OTHER_GROUP)

    def _level_mask(self, group):
        return self.mask1 if group else Mux(self.found.group, self.mask1, self.mask0)

    def _counts_end(self):
        return ~self.vmcr.VEOIM  # V2-5

    def _counted(self):
        return 1

    def _physical_exists(self):
        pintid = self.found.pintid
        return (pintid >= _FIRST_PHYSICAL) & (pintid < SPECIAL)
