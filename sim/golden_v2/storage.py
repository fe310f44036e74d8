"""Registers of the GICv2 golden model: storage, reset, write filters and computed status.

Rules REG-* and MNT-* where section 2.12 of the spec does not say otherwise.
"""

from __future__ import annotations

from hw.config_v2 import GicV2Config
from sim.golden_v2 import bits
from sim.golden_v2.bits import LR_EOI_BIT, LR_HW, LR_STATE
from sim.port import State

__all__ = ["StorageV2"]


class StorageV2:
    """All storage of one GICv2 virtual CPU interface, with the registers that are plain views of it.

    Parameters
    ----------
    config : GicV2Config
        The build.

    Attributes
    ----------
    lr, hcr, apr, ctlr : raw GICH_LR<n>, GICH_HCR, GICH_APR and GICV_CTLR.
    pmr, bpr, abpr : the other fields of GICH_VMCR, the one storage of REG-5.
    deactivated : physical INTIDs of HW-1, not yet taken.
    """

    def __init__(self, config: GicV2Config) -> None:
        self.config = config
        self._lr_mask = bits.LR.stored_mask(config)
        self._hcr_mask = bits.HCR.stored_mask(config)
        self._pri_shift = 8 - config.pre_bits
        self.clear()

    def clear(self) -> None:
        """Take the reset values of REG-13."""
        self.deactivated: list[int] = []
        self.lr = [bits.LR.reset_value(self.config)] * self.config.lrs
        self.apr = 0
        self.hcr = bits.HCR.reset_value(self.config)
        self.write_vmcr(bits.VMCR.reset_value(self.config))

    @property
    def stored(self) -> tuple:
        """All that the model stores, for comparison with another."""
        return self.hcr, self.lr, self.apr, self.ctlr, self.pmr, self.bpr, self.abpr, self.deactivated

    # -- GICH_HCR, GICH_VMCR, GICH_LR<n>, GICH_APR -----------------------------------------------------

    def write_hcr(self, value: int) -> None:
        """Store the implemented bits, EOICount included (REG-10)."""
        self.hcr = value & self._hcr_mask

    def read_hcr(self) -> int:
        """Return what is stored (REG-10)."""
        return self.hcr

    def read_vtr(self) -> int:
        """GICH_VTR: constant (REG-1)."""
        return self.config.vtr

    def write_vmcr(self, value: int) -> None:
        """Set all of the guest's control fields; binary points never below their minimum (REG-2, REG-5)."""
        config = self.config
        shift = bits.VMCR_PRIMASK_LSB - self._pri_shift
        self.pmr = (value & bits.VMCR_PRIMASK) >> shift
        self.bpr = max(value >> bits.VMCR_BP_LSB & 7, config.min_bpr0)
        self.abpr = max(value >> bits.VMCR_ABP_LSB & 7, config.min_bpr1)
        self.ctlr = value & bits.CTLR_ALL

    def read_vmcr(self) -> int:
        """Compose GICH_VMCR (REG-5)."""
        return (
            self.pmr << bits.VMCR_PRIMASK_LSB - self._pri_shift
            | self.bpr << bits.VMCR_BP_LSB
            | self.abpr << bits.VMCR_ABP_LSB
            | self.ctlr
        )

    def write_lr(self, n: int, value: int) -> None:
        """Store every implemented field of LR n; nothing is validated (REG-7)."""
        self.lr[n] = value & self._lr_mask

    def read_lr(self, n: int) -> int:
        """Return LR n (REG-7)."""
        return self.lr[n]

    def write_apr(self, value: int) -> None:
        """Replace the active priorities of both groups, unfiltered (REG-9, V2-1)."""
        self.apr = value & 0xFFFF_FFFF

    def read_apr(self) -> int:
        """GICH_APR and GICV_APR0 (REG-9, V2-1)."""
        return self.apr

    # -- GICV views ------------------------------------------------------------------------------------

    def running_priority(self) -> int:
        """GICV_RPR: the most urgent active level, 0xFF when idle (REG-11)."""
        return (self.apr & -self.apr).bit_length() - 1 << self._pri_shift if self.apr else 0xFF

    def write_ctlr(self, value: int) -> None:
        """GICV_CTLR is the low half of GICH_VMCR (REG-5)."""
        self.ctlr = value & bits.CTLR_ALL

    def read_ctlr(self) -> int:
        """GICV_CTLR (REG-5)."""
        return self.ctlr

    def write_pmr(self, value: int) -> None:
        """GICV_PMR: unimplemented low bits are RAZ/WI (REG-4)."""
        self.pmr = value & self.config.pri_mask

    def read_pmr(self) -> int:
        """GICV_PMR is VMPriMask (REG-5)."""
        return self.pmr

    def write_bpr(self, value: int) -> None:
        """GICV_BPR: three bits, never below the minimum (REG-2)."""
        self.bpr = max(value & 7, self.config.min_bpr0)

    def read_bpr(self) -> int:
        """GICV_BPR is VMBP (REG-5)."""
        return self.bpr

    def write_abpr(self, value: int) -> None:
        """GICV_ABPR; ignored while CBPR is 1 (REG-2, REG-6)."""
        if not self.ctlr & bits.CTLR_CBPR:
            self.abpr = max(value & 7, self.config.min_bpr1)

    def read_abpr(self) -> int:
        """GICV_ABPR is VMABP; while CBPR is 1 it reads BPR + 1, at most 7 (REG-6)."""
        return min(self.bpr + 1, 7) if self.ctlr & bits.CTLR_CBPR else self.abpr

    def read_iidr(self) -> int:
        """GICV_IIDR: constant."""
        return bits.IIDR.reset_value(self.config)

    # -- computed status -------------------------------------------------------------------------------

    def eisr(self) -> int:
        """GICH_EISR1:EISR0, 64 bits: empty LRs without HW whose EOI bit is set (MNT-1, HW-5)."""
        status = 0
        for n, lr in enumerate(self.lr):
            if not lr & (LR_STATE | LR_HW) and lr & LR_EOI_BIT:
                status |= 1 << n
        return status

    def elrsr(self) -> int:
        """GICH_ELRSR1:ELRSR0, 64 bits: empty LRs that are not in EISR (MNT-2)."""
        status = 0
        for n, lr in enumerate(self.lr):
            if not lr & LR_STATE and (lr & LR_HW or not lr & LR_EOI_BIT):
                status |= 1 << n
        return status

    def read_eisr(self, word: int) -> int:
        """GICH_EISR<word> (V2-9)."""
        return self.eisr() >> 32 * word & 0xFFFF_FFFF

    def read_elrsr(self, word: int) -> int:
        """GICH_ELRSR<word> (V2-9)."""
        return self.elrsr() >> 32 * word & 0xFFFF_FFFF

    def read_misr(self) -> int:
        """GICH_MISR: a function of the present state, En not among it (MNT-3..8)."""
        hcr = self.hcr
        misr = bits.MISR_EOI if self.eisr() else 0
        if hcr & bits.HCR_UIE and sum(1 for lr in self.lr if lr & LR_STATE) <= 1:
            misr |= bits.MISR_U
        if hcr & bits.HCR_LRENPIE and hcr & bits.HCR_EOICOUNT:
            misr |= bits.MISR_LRENP
        # MNT-5: an entry that is pending and active does not count as pending.
        if hcr & bits.HCR_NPIE and not any(lr & LR_STATE == bits.LR_PENDING for lr in self.lr):
            misr |= bits.MISR_NP
        return misr | self._group_status(hcr)

    def _group_status(self, hcr: int) -> int:
        """MISR bits of the group enables (MNT-7)."""
        misr = 0
        if hcr & bits.HCR_VGRP0EIE and self.ctlr & bits.CTLR_GRP0:
            misr |= bits.MISR_VGRP0E
        if hcr & bits.HCR_VGRP0DIE and not self.ctlr & bits.CTLR_GRP0:
            misr |= bits.MISR_VGRP0D
        if hcr & bits.HCR_VGRP1EIE and self.ctlr & bits.CTLR_GRP1:
            misr |= bits.MISR_VGRP1E
        if hcr & bits.HCR_VGRP1DIE and not self.ctlr & bits.CTLR_GRP1:
            misr |= bits.MISR_VGRP1D
        return misr

    def maintenance(self) -> bool:
        """Level of the maintenance interrupt: En gates the pin, not the status (MNT-3)."""
        return bool(self.hcr & bits.HCR_EN and self.read_misr())

    def state(self) -> State:
        """Return all software-visible storage and status, as GICH reads would give it."""
        return State(
            hcr=self.hcr,
            vmcr=self.read_vmcr(),
            ap0r=[self.apr],
            lr=list(self.lr),
            misr=self.read_misr(),
            eisr=self.eisr(),
            elrsr=self.elrsr(),
        )
