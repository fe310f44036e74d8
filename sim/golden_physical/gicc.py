"""The golden GICC frame: the GICv2 face of the physical CPU interface (GICC-1..7)."""

from __future__ import annotations

from hw.config_physical import PhysicalConfig
from hw.mmio import MmioRegister
from hw.mmio_map import lookup_mmio
from sim.golden_physical.distributor import SGIS, Distributor, Offer
from sim.golden_physical.interface import NONE, PhysicalInterface

__all__ = ["Gicc"]

#: INTID of "a Group 1 interrupt, and AckCtl is 0" (GICC-2).
GROUP1_HIDDEN = 1022
_INTID_BITS = 10
_CTLR = lookup_mmio("GICC_CTLR")
_ENABLE0, _ENABLE1, _ACKCTL, _FIQEN, _CBPR, _EOIMODE = (
    _CTLR.field(name).mask for name in ("EnableGrp0", "EnableGrp1", "AckCtl", "FIQEn", "CBPR", "EOImode")
)


class Gicc(PhysicalInterface):
    """One PE's memory-mapped physical CPU interface.

    Parameters
    ----------
    physical, distributor, pe
        As of :class:`PhysicalInterface`.
    """

    def __init__(self, physical: PhysicalConfig, distributor: Distributor, pe: int) -> None:
        super().__init__(physical, distributor, pe)
        self.ackctl = self.fiqen = False

    def clear(self) -> None:
        """Take the reset values (PHY-14)."""
        super().clear()
        self.ackctl = self.fiqen = False

    def lines(self) -> tuple[bool, bool]:
        """Return IRQ and FIQ (GICC-5)."""
        irq, fiq = super().lines()
        return (irq, fiq) if self.fiqen else (irq or fiq, False)

    @staticmethod
    def _with_source(offer: Offer) -> int:
        return offer.intid | (offer.source << _INTID_BITS if offer.intid < SGIS else 0)

    def acknowledge_any(self) -> int:
        """GICC_IAR (GICC-2)."""
        offer = self.signalled()
        if offer is None:
            return NONE
        if offer.group and not self.ackctl:
            return GROUP1_HIDDEN
        self.acknowledge(offer)
        return self._with_source(offer)

    def acknowledge_group1(self) -> int:
        """GICC_AIAR (GICC-3)."""
        offer = self.signalled()
        if offer is None or not offer.group:
            return NONE
        self.acknowledge(offer)
        return self._with_source(offer)

    def highest_any(self) -> int:
        """GICC_HPPIR (GICC-2)."""
        offer = self.offer()
        if offer is None:
            return NONE
        return GROUP1_HIDDEN if offer.group and not self.ackctl else self._with_source(offer)

    def highest_group1(self) -> int:
        """GICC_AHPPIR (GICC-3)."""
        offer = self.offer()
        return NONE if offer is None or not offer.group else self._with_source(offer)

    def end_any(self, value: int) -> None:
        """GICC_EOIR (GICC-4)."""
        group = self.running_group() if self.ackctl else 0
        if group is not None:
            self.end(group, value & NONE)

    def end_group1(self, value: int) -> None:
        """GICC_AEOIR (GICC-4)."""
        self.end(1, value & NONE)

    def deactivate_any(self, value: int) -> None:
        """GICC_DIR (GICC-7)."""
        self.deactivate(value & NONE)

    # -- registers -------------------------------------------------------------------------------------

    def read_ctlr(self) -> int:
        """GICC_CTLR (GICC-1)."""
        bits = (
            (_ENABLE0, self.enable(0)),
            (_ENABLE1, self.enable(1)),
            (_ACKCTL, self.ackctl),
            (_FIQEN, self.fiqen),
            (_CBPR, self.cbpr),
            (_EOIMODE, self.eoimode),
        )
        return sum(mask for mask, value in bits if value)

    def write_ctlr(self, value: int) -> None:
        """GICC_CTLR (GICC-1)."""
        self.set_enable(0, bool(value & _ENABLE0))
        self.set_enable(1, bool(value & _ENABLE1))
        self.ackctl, self.fiqen = bool(value & _ACKCTL), bool(value & _FIQEN)
        self.cbpr, self.eoimode = bool(value & _CBPR), bool(value & _EOIMODE)

    def read(self, register: MmioRegister) -> int:
        """Read a GICC register; 0 if it is write-only or not in this build (DIST-31, DIST-32)."""
        stem = register.name.removeprefix("GICC_")
        if "APR" in stem:
            group = int(stem.startswith("NS"))
            return self.read_apr(group, register.index) if register.exists(self.physical) else 0
        if stem == "IIDR":
            return register.reset_value(self.physical)
        reader = {
            "CTLR": self.read_ctlr,
            "PMR": lambda: self.pmr,
            "BPR": lambda: self.bpr0,
            "ABPR": lambda: self.bpr1,
            "RPR": self.running_priority,
            "IAR": self.acknowledge_any,
            "AIAR": self.acknowledge_group1,
            "HPPIR": self.highest_any,
            "AHPPIR": self.highest_group1,
        }.get(stem)
        return reader() if reader else 0

    def write(self, register: MmioRegister, value: int) -> None:
        """Write a GICC register; ignored if it is read-only or not in this build (DIST-31, DIST-32)."""
        stem = register.name.removeprefix("GICC_")
        if "APR" in stem:
            if register.exists(self.physical):
                self.write_apr(int(stem.startswith("NS")), register.index, value)
            return
        writer = {
            "CTLR": self.write_ctlr,
            "PMR": self.write_pmr,
            "BPR": self.write_bpr0,
            "ABPR": self.write_bpr1,
            "EOIR": self.end_any,
            "AEOIR": self.end_group1,
            "DIR": self.deactivate_any,
        }.get(stem)
        if writer:
            writer(value)
