"""The golden physical CPU interface: ICC registers of one Security state without EL3.

Rules PHY-1..14 of :mod:`hw.distributor_rules`; the groups' storage and arithmetic serve the GICC face
(:mod:`sim.golden_physical.gicc`) too.
"""

from __future__ import annotations

from hw.config_physical import PhysicalConfig
from hw.registers import lookup
from sim.golden_physical.distributor import Distributor, Offer

__all__ = ["NONE", "PhysicalInterface"]

#: INTID of "no interrupt".
NONE = 1023
_CTLR = lookup("ICC_CTLR_EL1")
_CBPR, _EOIMODE = (_CTLR.field(name).mask for name in ("CBPR", "EOImode"))
_SGIR = lookup("ICC_SGI1R_EL1")
_TARGETS, _SGI_INTID, _IRM = (_SGIR.field(name) for name in ("TargetList", "INTID", "IRM"))
_AFFINITY = tuple(_SGIR.field(name) for name in ("Aff1", "Aff2", "Aff3", "RS"))


class PhysicalInterface:
    """One PE's physical CPU interface.

    Parameters
    ----------
    physical : PhysicalConfig
        The build.
    distributor : Distributor
        What offers interrupts and takes Activate, Deactivate and SGIs.
    pe : int
        Number of this PE.
    """

    def __init__(self, physical: PhysicalConfig, distributor: Distributor, pe: int) -> None:
        self.physical = physical
        self.distributor = distributor
        self.pe = pe
        self._shift = 8 - physical.pre_bits
        self.clear()

    def clear(self) -> None:
        """Take the reset values (PHY-14)."""
        self.pmr = 0
        self.bpr0, self.stored_bpr1 = self.physical.min_bpr0, self.physical.min_bpr1
        self.cbpr = self.eoimode = False
        self.ap = [0, 0]
        self.set_enable(0, False)
        self.set_enable(1, False)

    # -- signalling ------------------------------------------------------------------------------------

    def set_enable(self, group: int, enable: bool) -> None:
        """Store a group enable where the distributor sees it (DIST-11)."""
        self.distributor.redistributors[self.pe].igrpen[group] = enable

    def enable(self, group: int) -> int:
        """Return a group enable."""
        return int(self.distributor.redistributors[self.pe].igrpen[group])

    def offer(self) -> Offer | None:
        """Return what the distributor offers."""
        return self.distributor.offer(self.pe)

    def group_mask(self, group: int) -> int:
        """Mask that takes a priority of ``group`` to its group priority (PHY-1)."""
        if group and not self.cbpr:
            return 0xFF << self.stored_bpr1 & 0xFF
        return 0xFF << self.bpr0 + 1 & 0xFF

    def running_priority(self) -> int:
        """RPR (PHY-13)."""
        active = self.ap[0] | self.ap[1]
        return (active & -active).bit_length() - 1 << self._shift if active else 0xFF

    def signalled(self) -> Offer | None:
        """Return the offered interrupt if it interrupts the PE now (PHY-1)."""
        offer = self.offer()
        if offer is None or offer.priority >= self.pmr:
            return None
        mask = self.group_mask(offer.group)
        if any(self.ap) and offer.priority & mask >= self.running_priority() & mask:
            return None
        return offer

    def lines(self) -> tuple[bool, bool]:
        """Return IRQ and FIQ (PHY-2)."""
        offer = self.signalled()
        return (False, False) if offer is None else (offer.group == 1, offer.group == 0)

    # -- acknowledge and completion --------------------------------------------------------------------

    def acknowledge(self, offer: Offer) -> None:
        """Make a signalled interrupt the running one (PHY-4)."""
        self.ap[offer.group] |= 1 << ((offer.priority & self.group_mask(offer.group)) >> self._shift)
        self.distributor.activate(offer.intid, self.pe)

    def read_iar(self, group: int) -> int:
        """ICC_IAR<group>_EL1 (PHY-3)."""
        offer = self.signalled()
        if offer is None or offer.group != group:
            return NONE
        self.acknowledge(offer)
        return offer.intid

    def read_hppir(self, group: int) -> int:
        """ICC_HPPIR<group>_EL1 (PHY-3)."""
        offer = self.offer()
        return NONE if offer is None or offer.group != group else offer.intid

    def running_group(self) -> int | None:
        """Group of the most urgent active bit, Group 0 on a tie; None when idle (PHY-5)."""
        lowest = [word & -word for word in self.ap]
        if not any(lowest):
            return None
        return 0 if lowest[0] and (not lowest[1] or lowest[0] <= lowest[1]) else 1

    def end(self, group: int, intid: int) -> None:
        """Drop the running priority of ``group`` and deactivate with EOImode 0 (PHY-5)."""
        if intid >= self.physical.intids or self.running_group() != group:
            return
        self.ap[group] &= self.ap[group] - 1
        if not self.eoimode:
            self.distributor.deactivate(intid, self.pe)

    def write_eoir(self, group: int, value: int) -> None:
        """ICC_EOIR<group>_EL1 (PHY-5)."""
        self.end(group, value & self.physical.id_mask)

    def deactivate(self, intid: int) -> None:
        """Deactivate out of order, in EOImode 1 alone (PHY-6)."""
        if self.eoimode:
            self.distributor.deactivate(intid, self.pe)

    def write_dir(self, value: int) -> None:
        """ICC_DIR_EL1 (PHY-6)."""
        self.deactivate(value & self.physical.id_mask)

    def write_sgi(self, group: int, value: int) -> None:
        """ICC_SGI<group>R_EL1 (PHY-10, DIST-21, DIST-22)."""
        pes = range(self.distributor.pes)
        if _IRM.get(value):
            targets = [pe for pe in pes if pe != self.pe]
        elif any(field.get(value) for field in _AFFINITY):
            targets = []
        else:
            targets = [pe for pe in pes if _TARGETS.get(value) >> pe & 1]
        self.distributor.generate_sgi(_SGI_INTID.get(value), group, targets)

    # -- controls --------------------------------------------------------------------------------------

    def write_pmr(self, value: int) -> None:
        """PMR: the implemented bits (PHY-13)."""
        self.pmr = value & self.physical.pri_mask

    def write_bpr0(self, value: int) -> None:
        """BPR0, never below its minimum (PHY-8)."""
        self.bpr0 = max(value & 7, self.physical.min_bpr0)

    def write_bpr1(self, value: int) -> None:
        """BPR1, ignored while CBPR is 1 (PHY-8)."""
        if not self.cbpr:
            self.stored_bpr1 = max(value & 7, self.physical.min_bpr1)

    @property
    def bpr1(self) -> int:
        """BPR1 as it reads (PHY-8)."""
        return min(self.bpr0 + 1, 7) if self.cbpr else self.stored_bpr1

    def write_ctlr(self, value: int) -> None:
        """ICC_CTLR_EL1 (PHY-13)."""
        self.cbpr, self.eoimode = bool(value & _CBPR), bool(value & _EOIMODE)

    def read_ctlr(self) -> int:
        """ICC_CTLR_EL1 (PHY-13)."""
        constant = _CTLR.reset_value(self.physical)
        return constant | (_CBPR if self.cbpr else 0) | (_EOIMODE if self.eoimode else 0)

    def read_apr(self, group: int, n: int) -> int:
        """Return word n of a group's active priorities (PHY-9)."""
        return self.ap[group] >> 32 * n & 0xFFFF_FFFF

    def write_apr(self, group: int, n: int, value: int) -> None:
        """Replace word n of a group's active priorities (PHY-9, PHY-12)."""
        exists = (1 << self.physical.levels) - 1
        word = 0xFFFF_FFFF << 32 * n
        self.ap[group] = (self.ap[group] & ~word | (value & 0xFFFF_FFFF) << 32 * n) & exists
