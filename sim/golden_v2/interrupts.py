"""Interrupt behaviour of the GICv2 golden model: selection, signalling, acknowledge, completion.

Rules SEL-*, SIG-*, IAR-*, HPP-*, EOI-*, DIR-* and HW-* as far as V2-1 to V2-9 do not change them. Both
groups are completed through EOIR when AckCtl is 1; with AckCtl 0 a Group 1 entry is not EOIR's, and a
Group 0 entry is never AEOIR's (V2-2, EOI-10).
"""

from __future__ import annotations

from sim.golden_v2.bits import (
    CTLR_ACKCTL,
    CTLR_CBPR,
    CTLR_EOIMODE,
    CTLR_FIQEN,
    CTLR_GRP0,
    CTLR_GRP1,
    GROUP1_PENDING,
    HCR_EN,
    HCR_EOICOUNT,
    HCR_EOICOUNT_ONE,
    HCR_NOT_EOICOUNT,
    INTID_MASK,
    LR_ACTIVE,
    LR_CPUID_BITS,
    LR_GROUP,
    LR_HW,
    LR_PENDING,
    LR_PHYSICALID,
    LR_PHYSICALID_LSB,
    LR_PRIORITY,
    LR_PRIORITY_LSB,
    LR_STATE,
    LR_VIRTUALID,
    NONE,
    SGIS,
    SPECIAL_FIRST,
)
from sim.golden_v2.storage import StorageV2
from sim.port import Lines

__all__ = ["InterruptsV2"]


class InterruptsV2(StorageV2):
    """The interrupt state machine over :class:`StorageV2`."""

    def priority(self, lr: int) -> int:
        """Return the 8-bit priority of a raw LR value."""
        return (lr & LR_PRIORITY) >> LR_PRIORITY_LSB << self._pri_shift

    def group_mask(self, group: int) -> int:
        """Mask that takes a priority of a group (0 or not) to its group priority (SIG-5)."""
        if group and not self.ctlr & CTLR_CBPR:
            return 0xFF << self.abpr & 0xFF
        return 0xFF << self.bpr + 1 & 0xFF

    def select(self) -> int:
        """Return the index of the most urgent pending LR of an enabled group, or -1 (SEL-1..5, SEL-8)."""
        best, urgent, ctlr = -1, LR_PRIORITY + 1, self.ctlr
        for n, lr in enumerate(self.lr):
            if lr & LR_STATE == LR_PENDING and ctlr & (CTLR_GRP1 if lr & LR_GROUP else CTLR_GRP0):
                priority = lr & LR_PRIORITY
                if priority < urgent:
                    best, urgent = n, priority
        return best

    def can_signal(self, lr: int) -> bool:
        """Whether the selected entry, a raw LR value, may interrupt the guest now (SIG-1..5)."""
        return bool(self.hcr & HCR_EN) and self.priority(lr) < self.pmr and self.preempts(lr)

    def preempts(self, lr: int) -> bool:
        """Whether the entry's group priority is above the running one (SIG-3..5)."""
        if not self.apr:
            return True
        mask = self.group_mask(lr & LR_GROUP)
        return self.priority(lr) & mask < self.running_priority() & mask

    def lines(self) -> Lines:
        """Return the level outputs: Group 0 is vFIQ only with FIQEn (SIG-6..8, V2-4, MNT-3)."""
        best = self.select()
        if best < 0 or not self.can_signal(self.lr[best]):
            return Lines(False, False, self.maintenance())
        fiq = not self.lr[best] & LR_GROUP and bool(self.ctlr & CTLR_FIQEN)
        return Lines(not fiq, fiq, self.maintenance())

    @staticmethod
    def identifier(lr: int) -> int:
        """Return INTID and CPUID of an entry: the CPUID of an HW one is 0 (V2-3)."""
        return lr & LR_VIRTUALID | (0 if lr & LR_HW else lr & LR_CPUID_BITS)

    # -- HPPIR, AHPPIR, IAR, AIAR ----------------------------------------------------------------------

    def read_hppir(self) -> int:
        """GICV_HPPIR: the selected entry, whether or not it can be signalled (HPP-1, HPP-2, V2-2)."""
        best = self.select()
        if best < 0:
            return NONE
        lr = self.lr[best]
        if lr & LR_GROUP and not self.ctlr & CTLR_ACKCTL:
            return GROUP1_PENDING
        return self.identifier(lr)

    def read_ahppir(self) -> int:
        """GICV_AHPPIR: the selected entry if it is of Group 1 (HPP-1, HPP-2, V2-2)."""
        best = self.select()
        return self.identifier(self.lr[best]) if best >= 0 and self.lr[best] & LR_GROUP else NONE

    def read_iar(self) -> int:
        """GICV_IAR: acknowledge; 1022 for a Group 1 entry without AckCtl, else 1023 (IAR-1..7, V2-2)."""
        best = self.select()
        if best < 0 or not self.can_signal(self.lr[best]):
            return NONE
        if self.lr[best] & LR_GROUP and not self.ctlr & CTLR_ACKCTL:
            return GROUP1_PENDING
        return self.acknowledge(best)

    def read_aiar(self) -> int:
        """GICV_AIAR: acknowledge an entry of Group 1 (IAR-1..7, V2-2)."""
        best = self.select()
        if best < 0 or not self.lr[best] & LR_GROUP or not self.can_signal(self.lr[best]):
            return NONE
        return self.acknowledge(best)

    def acknowledge(self, index: int) -> int:
        """Make an entry active, note its priority, and return its identifier (IAR-3, IAR-4, IAR-6)."""
        lr = self.lr[index]
        if lr & LR_VIRTUALID >= SPECIAL_FIRST:
            self.lr[index] = lr ^ LR_PENDING  # IAR-6
        else:
            self.lr[index] = lr ^ (LR_PENDING | LR_ACTIVE)
            level = self.priority(lr) & self.group_mask(lr & LR_GROUP)
            self.apr |= 1 << (level >> self._pri_shift)
        return self.identifier(lr)

    # -- EOIR, AEOIR, DIR ------------------------------------------------------------------------------

    def find_active(self, intid: int) -> int:
        """Return the lowest LR index that holds ``intid`` active, or -1; no CPUID (EOI-4, V2-3)."""
        for n, lr in enumerate(self.lr):
            if lr & LR_ACTIVE and lr & LR_VIRTUALID == intid:
                return n
        return -1

    def write_eoir(self, value: int) -> None:
        """GICV_EOIR: completes Group 0, with AckCtl Group 1 too (V2-2)."""
        self.complete(value, group0=True, group1=bool(self.ctlr & CTLR_ACKCTL))

    def write_aeoir(self, value: int) -> None:
        """GICV_AEOIR: completes Group 1 (V2-2)."""
        self.complete(value, group0=False, group1=True)

    def complete(self, value: int, group0: bool, group1: bool) -> None:
        """Drop the priority, then deactivate or count (EOI-1..11, V2-1, V2-5)."""
        intid = value & INTID_MASK
        if intid >= SPECIAL_FIRST or not self.apr:
            return  # EOI-1, EOI-8
        level_bit = self.apr & -self.apr
        self.apr ^= level_bit
        index = self.find_active(intid)
        if index < 0:
            if not self.ctlr & CTLR_EOIMODE:
                self.count()
            return
        lr = self.lr[index]
        level = level_bit.bit_length() - 1 << self._pri_shift
        mine = group1 if lr & LR_GROUP else group0
        if not mine or self.priority(lr) & self.group_mask(lr & LR_GROUP) != level:
            return  # EOI-10
        if not self.ctlr & CTLR_EOIMODE:
            self.deactivate(index)

    def write_dir(self, value: int) -> None:
        """GICV_DIR: deactivate in any order, or EOICount (DIR-1..4, V2-5)."""
        intid = value & INTID_MASK
        if not self.ctlr & CTLR_EOIMODE or intid >= SPECIAL_FIRST:
            return
        index = self.find_active(intid)
        if index < 0:
            self.count()
        else:
            self.deactivate(index)

    def count(self) -> None:
        """Add one to EOICount, which wraps (EOI-11)."""
        self.hcr = self.hcr & HCR_NOT_EOICOUNT | self.hcr + HCR_EOICOUNT_ONE & HCR_EOICOUNT

    def deactivate(self, index: int) -> None:
        """Clear Active of an LR and request the physical deactivation of an HW entry (EOI-6, HW-1, HW-3)."""
        lr = self.lr[index]
        self.lr[index] = lr & ~LR_ACTIVE
        if lr & LR_HW:
            physical = (lr & LR_PHYSICALID) >> LR_PHYSICALID_LSB
            if SGIS <= physical < SPECIAL_FIRST:
                self.deactivated.append(physical)

    def take_deactivations(self) -> list[int]:
        """Return and forget the physical INTIDs deactivated so far, in order (HW-1, HW-2)."""
        taken, self.deactivated = self.deactivated, []
        return taken
