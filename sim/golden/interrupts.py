"""Interrupt behaviour of the golden model: selection, signalling, acknowledge, completion.

Rules SEL-*, SIG-*, IAR-*, HPP-*, EOI-*, DIR-* and HW-* of spec sections 2.2 to 2.8; without NMI and
without directly injected candidates.
"""

from __future__ import annotations

from sim.golden.bits import (
    HCR_EN,
    HCR_EOICOUNT,
    HCR_EOICOUNT_ONE,
    HCR_NOT_EOICOUNT,
    HCR_VSGIEOICOUNT,
    LPI_FIRST,
    LR_ACTIVE,
    LR_GROUP,
    LR_HW,
    LR_PENDING,
    LR_PINTID_LSB,
    LR_PINTID_MASK,
    LR_PRIORITY_LSB,
    LR_STATE_LSB,
    LR_VINTID_MASK,
    NONE,
    SPECIAL_FIRST,
)
from sim.golden.storage import Storage
from sim.port import Lines

__all__ = ["Interrupts"]


class Interrupts(Storage):
    """The interrupt state machine over :class:`Storage`."""

    def group_mask(self, group: int) -> int:
        """Mask that takes a priority of ``group`` to its group priority (SIG-5)."""
        if group and not self.cbpr:
            return 0xFF << self.bpr1 & 0xFF
        return 0xFF << self.bpr0 + 1 & 0xFF

    def select(self) -> int:
        """Return the index of the most urgent pending LR of an enabled group, or -1 (SEL-1..6, SEL-8)."""
        best, urgent, veng0, veng1 = -1, 0xFF, self.veng0, self.veng1
        for n, lr in enumerate(self.lr):
            if lr >> LR_STATE_LSB == 1 and (veng1 if lr & LR_GROUP else veng0):
                priority = lr >> LR_PRIORITY_LSB & 0xFF
                if priority < urgent:
                    best, urgent = n, priority
        return best

    def can_signal(self, lr: int) -> bool:
        """Whether the selected entry, a raw LR value, may interrupt the guest now (SIG-1..5)."""
        priority = lr >> LR_PRIORITY_LSB & 0xFF
        if not self.hcr & HCR_EN or priority >= self.pmr:
            return False
        if not (self.ap0 or self.ap1):
            return True
        mask = self.group_mask(lr & LR_GROUP)
        return priority & mask < self.running_priority() & mask

    def lines(self) -> Lines:
        """Return the level outputs (SIG-6..8, MNT-3)."""
        best = self.select()
        if best < 0 or not self.can_signal(self.lr[best]):
            return Lines(False, False, self.maintenance())
        group1 = bool(self.lr[best] & LR_GROUP)
        return Lines(group1, not group1, self.maintenance())

    def read_hppir(self, group: int) -> int:
        """ICV_HPPIR<group>_EL1: the selected INTID, whether or not it can be signalled (HPP-1, HPP-2)."""
        best = self.select()
        if best < 0 or bool(self.lr[best] & LR_GROUP) != group:
            return NONE
        return self.lr[best] & LR_VINTID_MASK

    def read_iar(self, group: int) -> int:
        """ICV_IAR<group>_EL1: acknowledge, or 1023 and no effect (IAR-1..7)."""
        best = self.select()
        if best < 0:
            return NONE
        lr = self.lr[best]
        if bool(lr & LR_GROUP) != group or not self.can_signal(lr):
            return NONE
        vintid = lr & LR_VINTID_MASK
        if SPECIAL_FIRST <= vintid <= NONE:
            self.lr[best] = lr ^ LR_PENDING  # IAR-6
            return vintid
        self.lr[best] = lr ^ (LR_PENDING | LR_ACTIVE)
        level = (lr >> LR_PRIORITY_LSB & self.group_mask(group)) >> self._pri_shift
        if group:
            self.ap1 |= 1 << level
        else:
            self.ap0 |= 1 << level
        return vintid

    def find_active(self, vintid: int) -> int:
        """Return the lowest LR index that holds ``vintid`` active, or -1 (EOI-4)."""
        for n, lr in enumerate(self.lr):
            if lr & LR_ACTIVE and lr & LR_VINTID_MASK == vintid:
                return n
        return -1

    def write_eoir(self, group: int, value: int) -> None:
        """ICV_EOIR<group>_EL1: priority drop, then deactivation or EOIcount (EOI-1..13)."""
        vintid = value & self._id_mask
        active = self.ap0 | self.ap1
        if SPECIAL_FIRST <= vintid <= NONE or not active:
            return  # EOI-1, EOI-8
        level_bit = active & -active
        if self.ap0 & level_bit:
            self.ap0 ^= level_bit
        else:
            self.ap1 ^= level_bit
        index = self.find_active(vintid)
        if index < 0:
            if vintid < LPI_FIRST:
                self._count_eoir(vintid)
            return
        lr = self.lr[index]
        level = level_bit.bit_length() - 1 << self._pri_shift
        if bool(lr & LR_GROUP) != group or lr >> LR_PRIORITY_LSB & self.group_mask(group) != level:
            return  # EOI-10
        if not self.eoimode or vintid >= LPI_FIRST:
            self.deactivate(index)

    def _count_eoir(self, vintid: int) -> None:
        """Count an EOIR that matched no LR, in EOImode 0 (EOI-7)."""
        if self.eoimode and not self.config.eoicnt_mode1:
            if not self.deviations.d2_count_in_mode1:
                return
            self.effects.add("D2")
        self.count(vintid)

    def write_dir(self, value: int) -> None:
        """ICV_DIR_EL1: deactivate in any order, or EOIcount (DIR-1..4)."""
        vintid = value & self._id_mask
        if not self.eoimode or SPECIAL_FIRST <= vintid <= NONE or vintid >= LPI_FIRST:
            return
        if self.deviations.d6_dir_ignores_range and vintid > NONE:
            self.effects.add("D6")
            return
        index = self.find_active(vintid)
        if index < 0:
            self.count(vintid)
        else:
            self.deactivate(index)

    def count(self, vintid: int) -> None:
        """Add one to EOIcount, which wraps (EOI-11), unless SGIs are exempt (EOI-12)."""
        if vintid < 16 and self.hcr & HCR_VSGIEOICOUNT:
            return
        self.hcr = self.hcr & HCR_NOT_EOICOUNT | self.hcr + HCR_EOICOUNT_ONE & HCR_EOICOUNT

    def deactivate(self, index: int) -> None:
        """Clear Active of an LR and request the physical deactivation of an HW entry (EOI-6, HW-1, HW-3)."""
        lr = self.lr[index]
        self.lr[index] = lr & ~LR_ACTIVE
        if not lr & LR_HW:
            return
        pintid = lr >> LR_PINTID_LSB & LR_PINTID_MASK
        if self.deviations.d8_pintid_10_bits and pintid > NONE:
            pintid &= 0x3FF
            if pintid < SPECIAL_FIRST:
                self.effects.add("D8")
        if pintid < SPECIAL_FIRST:
            self.deactivated.append(pintid)

    def take_deactivations(self) -> list[int]:
        """Return and forget the physical INTIDs deactivated so far, in order (HW-1, HW-2)."""
        taken, self.deactivated = self.deactivated, []
        return taken
