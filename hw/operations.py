"""What the side-effect accesses do: acknowledge, end of interrupt, deactivate (spec 2.4-2.8).

Combinational from settled pipeline results to a set of :class:`Effects` that the next cycle commits.
"""

from amaranth.hdl import Module, Mux, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.active_priorities import Running
from hw.config import GicConfig
from hw.decode import Target
from hw.layouts import layout_of
from hw.lookup import Found
from hw.registers import lookup

__all__ = ["SPURIOUS", "Effects", "Operations", "Winner"]

#: INTID returned when there is nothing to acknowledge (IAR-2).
SPURIOUS = 1023
#: First special INTID; the last is :data:`SPURIOUS`.
SPECIAL = 1020
#: First LPI.
FIRST_LPI = 8192
#: First INTID that is not an SGI.
FIRST_PPI = 16


def _is_special(intid):
    """Return whether an INTID is one of 1020 to 1023, which share all but their lowest two bits."""
    return intid[2:] == SPECIAL >> 2


class Winner(data.StructLayout):
    """The selected list register, settled together with the lines (SIG-8).

    ``where`` is its list register as one-hot, ``level`` the active-priority bit an acknowledge sets
    (IAR-4), ``signalled`` that it can be signalled now (SIG-1..7), ``cpuid`` the requesting PE of a GICv2
    SGI.
    """

    def __init__(self, config: GicConfig):
        super().__init__({
            "valid": 1,
            "signalled": 1,
            "group": 1,
            "where": config.lrs,
            "vintid": config.id_bits,
            "cpuid": 3,
            "level": unsigned(config.pre_bits),
        })  # fmt: skip


class Effects(data.StructLayout):
    """State changes of one access.

    ``acknowledge`` and ``discard`` change the winner; ``set`` records its level. ``drop`` clears the
    running priority. ``deactivate`` changes the list register found, with a physical request if
    ``physical``. ``count`` adds one to EOIcount.
    """

    def __init__(self):
        super().__init__({
            "acknowledge": 1,
            "discard": 1,
            "set": 1,
            "drop": 1,
            "deactivate": 1,
            "physical": 1,
            "count": 1,
        })  # fmt: skip


class Operations(wiring.Component):
    """Decide the effects and the INTID result of an access.

    Parameters
    ----------
    config : GicConfig
        Priority, preemption and INTID bits; ``eoicnt_mode1``.

    Members
    -------
    target : In(Target)
        Register accessed; ``execute`` says that the access is not trapped or UNDEFINED.
    intid : In(24)
        Operand of EOIR and DIR, cut to the implemented bits.
    winner, running, found : In
        Results of selection, running priority and lookup.
    mask0, mask1 : In(8)
        Group-priority masks.
    hcr, vmcr : In
        Control words.
    effects : Out(Effects)
        Combinational.
    result : Out(24)
        INTID that IAR or HPPIR returns.
    """

    def __init__(self, config: GicConfig):
        self._config = config
        super().__init__({
            "execute": In(1),
            "target": In(Target),
            "intid": In(24),
            "winner": In(Winner(config)),
            "running": In(Running(config)),
            "found": In(Found(config)),
            "mask0": In(8),
            "mask1": In(8),
            "hcr": In(layout_of("ICH_HCR_EL2")),
            "vmcr": In(layout_of("ICH_VMCR_EL2")),
            "effects": Out(Effects()),
            "result": Out(24),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.result.eq(SPURIOUS)
        with m.Switch(self.target):
            for group in range(2):
                with m.Case(Target[f"IAR{group}"]):
                    self._acknowledge(m, group)
                with m.Case(Target[f"HPPIR{group}"]):
                    with m.If(self.winner.valid & self._serves(self.winner, group)):
                        m.d.comb += self.result.eq(self._identity())
                    self._withheld(m, group, self.winner.valid)
                with m.Case(Target[f"EOIR{group}"]):
                    self._end_of_interrupt(m, group)
            with m.Case(Target.DIR):
                self._deactivate(m)
        return m

    def _serves(self, interrupt, group):
        """Return whether the registers of ``group`` handle an interrupt."""
        return interrupt.group == group

    def _identity(self):
        """Return what an acknowledge of the winner reads."""
        return self.winner.vintid

    def _withheld(self, m, group, offered):
        """Answer for a winner that is ``offered`` but not served; SPURIOUS stands already."""

    def _level_mask(self, group):
        """Return the mask that made the level of the interrupt found, if EOIR of ``group`` serves it."""
        return self.mask1 if group else self.mask0

    def _acknowledge(self, m, group):
        effects, winner = self.effects, self.winner
        special = _is_special(winner.vintid)
        with m.If(winner.signalled & self._serves(winner, group)):
            m.d.comb += [
                self.result.eq(self._identity()),
                effects.acknowledge.eq(self.execute & ~special),
                effects.set.eq(self.execute & ~special),
                effects.discard.eq(self.execute & special),  # IAR-6
            ]
        self._withheld(m, group, winner.signalled)

    def _end_of_interrupt(self, m, group):
        effects, found = self.effects, self.found
        dropped = self.running.level << (8 - self._config.pre_bits)
        belongs = self._serves(found, group) & ((found.priority & self._level_mask(group)) == dropped)
        is_lpi = self.intid >= FIRST_LPI
        # EOI-1, EOI-8: a special INTID, or nothing active, makes the write void.
        with m.If(self.execute & ~_is_special(self.intid) & self.running.active):
            m.d.comb += effects.drop.eq(1)
            with m.If(found.hit):
                finished = belongs & (~self.vmcr.VEOIM | is_lpi)
                m.d.comb += effects.deactivate.eq(finished)
            with m.Elif(~is_lpi):
                m.d.comb += effects.count.eq(self._counts_end() & self._counted())
        self._physical(m)

    def _counts_end(self):
        """Return whether an end of interrupt may count in the current EOImode (EOI-7)."""
        return ~self.vmcr.VEOIM | int(self._config.eoicnt_mode1)

    def _deactivate(self, m):
        effects = self.effects
        is_lpi = self.intid >= FIRST_LPI
        # DIR-1, DIR-4.
        with m.If(self.execute & self.vmcr.VEOIM & ~_is_special(self.intid) & ~is_lpi):
            m.d.comb += [
                effects.deactivate.eq(self.found.hit),
                effects.count.eq(~self.found.hit & self._counted()),
            ]
        self._physical(m)

    def _physical(self, m):
        """Take the physical interrupt of a HW list register along, if that can be one (HW-1, HW-3)."""
        physical = self.found.hw & self._physical_exists()
        m.d.comb += self.effects.physical.eq(self.effects.deactivate & physical)

    def _physical_exists(self):
        """Return whether the physical INTID of the list register found may be deactivated (HW-3)."""
        return self.found.pintid < SPECIAL

    def _counted(self):
        """EOI-12: with vSGIEOICount, SGIs do not count."""
        if not lookup("ICH_HCR_EL2").field("vSGIEOICount").implemented(self._config):
            return 1
        return Mux(self.hcr.vSGIEOICount, self.intid >= FIRST_PPI, 1)
