"""Registers of the golden model: storage, reset, write filters and computed status (REG-*, MNT-*)."""

from __future__ import annotations

from hw.config import GicConfig
from sim.deviations import STRICT, Deviations
from sim.golden import bits
from sim.golden.bits import (
    HCR_EN,
    HCR_EOICOUNT,
    HCR_LRENPIE,
    HCR_NPIE,
    HCR_UIE,
    LR_EOI,
    LR_HW,
    LR_STATE_LSB,
    MISR_EOI,
    MISR_LRENP,
    MISR_NP,
    MISR_U,
)
from sim.port import State

__all__ = ["Storage"]


class Storage:
    """All storage of one virtual CPU interface, with the registers that are plain views of it.

    Parameters
    ----------
    config : GicConfig
        The build.
    deviations : Deviations
        Switches that make the model leave the architecture; none by default.

    Attributes
    ----------
    effects : set of str
        Report names of the deviations whose code took another course than the architecture's, given the
        state they found, since the last access began (see :meth:`sim.golden.Golden.access`). The set is
        reused: copy it to keep it.
    lr, hcr : raw ICH_LR<n>_EL2 and ICH_HCR_EL2.
    ap0, ap1 : the active-priority words of a group as one integer, word n at bit 32n.
    pmr, bpr0, bpr1, cbpr, eoimode, veng0, veng1 : fields of ICH_VMCR_EL2, the one storage of REG-5.
    deactivated : physical INTIDs of HW-1, not yet taken.
    """

    def __init__(self, config: GicConfig, deviations: Deviations = STRICT) -> None:
        self.config = config
        self.deviations = deviations
        self.effects: set[str] = set()
        self._strict_lr_mask = bits.LR.stored_mask(config)
        self._lr_mask = self._strict_lr_mask
        if deviations.d7_lr_keeps_reserved:
            self._lr_mask |= 0x7 << 56 | 0x7 << 45 | bits.LR_VINTID_MASK
        self._strict_hcr_mask = bits.HCR.stored_mask(config)
        self._hcr_mask = self._strict_hcr_mask
        if deviations.d9_hcr_fields:
            self._hcr_mask = self._hcr_mask & ~(bits.HCR_VSGIEOICOUNT | bits.HCR_DVIM) | bits.HCR_TSEI
        self._vmcr_pmr_mask = 0xFF if deviations.d1_vmcr_keeps_pmr else config.pri_mask
        self._pri_shift = 8 - config.pre_bits
        self._ctlr = bits.CTLR.reset_value(config)
        self._id_mask = config.id_mask
        self.clear()

    def clear(self) -> None:
        """Take the reset values of REG-13."""
        self.effects.clear()
        self.deactivated: list[int] = []
        self.lr = [bits.LR.reset_value(self.config)] * self.config.lrs
        self.ap0 = self.ap1 = 0
        self.hcr = bits.HCR.reset_value(self.config)
        self.write_vmcr(bits.VMCR.reset_value(self.config))

    @property
    def stored(self) -> tuple:
        """All that the model stores, for comparison with another."""
        return (
            self.hcr, self.lr, self.ap0, self.ap1, self.pmr, self.bpr0, self.bpr1, self.cbpr, self.eoimode,
            self.veng0, self.veng1, self.deactivated,
        )  # fmt: skip

    # -- ICH_HCR_EL2, ICH_VMCR_EL2, ICH_LR<n>_EL2 -----------------------------------------------------

    def write_hcr(self, value: int) -> None:
        """Store the implemented bits, EOIcount included (REG-10)."""
        self.hcr = value & self._hcr_mask
        if self.hcr != value & self._strict_hcr_mask:
            self.effects.add("D9")

    def read_hcr(self) -> int:
        """Return what is stored (REG-10)."""
        return self.hcr

    def write_vmcr(self, value: int) -> None:
        """Set all of the guest's control fields; binary points never below their minimum (REG-2..5)."""
        config = self.config
        self.pmr = value >> bits.VMCR_VPMR_LSB & self._vmcr_pmr_mask
        if self.pmr & ~config.pri_mask:
            self.effects.add("D1")
        self.bpr0 = max(value >> bits.VMCR_VBPR0_LSB & 7, config.min_bpr0)
        self.bpr1 = max(value >> bits.VMCR_VBPR1_LSB & 7, config.min_bpr1)
        self.cbpr = bool(value & bits.VMCR_VCBPR)
        self.eoimode = bool(value & bits.VMCR_VEOIM)
        self.veng0 = bool(value & bits.VMCR_VENG0)
        self.veng1 = bool(value & bits.VMCR_VENG1)

    def read_vmcr(self) -> int:
        """Compose ICH_VMCR_EL2; VFIQEn reads 1 and VAckCtl 0 (REG-3)."""
        return (
            self.pmr << bits.VMCR_VPMR_LSB
            | self.bpr0 << bits.VMCR_VBPR0_LSB
            | self.bpr1 << bits.VMCR_VBPR1_LSB
            | (bits.VMCR_VEOIM if self.eoimode else 0)
            | (bits.VMCR_VCBPR if self.cbpr else 0)
            | bits.VMCR_VFIQEN
            | (bits.VMCR_VENG1 if self.veng1 else 0)
            | (bits.VMCR_VENG0 if self.veng0 else 0)
        )

    def write_lr(self, n: int, value: int) -> None:
        """Store every implemented field of LR n; nothing is validated (REG-7)."""
        stored = value & self._lr_mask
        self.lr[n] = stored
        if stored & ~self._strict_lr_mask:
            self.effects.add("D7")

    def read_lr(self, n: int) -> int:
        """Return LR n (REG-7)."""
        return self.lr[n]

    # -- active priorities -----------------------------------------------------------------------------

    def read_apr(self, group: int, n: int) -> int:
        """Return word n of a group's active priorities, for the ICH and the ICV name alike (REG-9)."""
        return (self.ap1 if group else self.ap0) >> 32 * n & 0xFFFF_FFFF

    def write_apr(self, group: int, n: int, value: int) -> None:
        """Replace word n of a group's active priorities, unfiltered (REG-9)."""
        word = (value & 0xFFFF_FFFF) << 32 * n
        keep = ~(0xFFFF_FFFF << 32 * n)
        if group:
            self.ap1 = self.ap1 & keep | word
        else:
            self.ap0 = self.ap0 & keep | word

    def running_priority(self) -> int:
        """ICV_RPR_EL1: the most urgent active level of both groups, 0xFF when idle (REG-11)."""
        active = self.ap0 | self.ap1
        return (active & -active).bit_length() - 1 << self._pri_shift if active else 0xFF

    # -- ICV views of the VMCR fields ------------------------------------------------------------------

    def write_pmr(self, value: int) -> None:
        """ICV_PMR_EL1: unimplemented low bits are RAZ/WI (REG-4)."""
        self.pmr = value & self.config.pri_mask

    def read_pmr(self) -> int:
        """ICV_PMR_EL1 is VPMR (REG-5)."""
        return self.pmr

    def _binary_point(self, value: int, minimum: int) -> int:
        """Filter an ICV_BPR operand: three bits, never below the minimum (REG-2)."""
        strict = max(value & 7, minimum)
        if self.deviations.d4_bpr_clamped_first:
            stored = max(value, minimum) & 7
            if stored != strict:
                self.effects.add("D4")
            return stored
        return strict

    def write_bpr0(self, value: int) -> None:
        """ICV_BPR0_EL1 (REG-2)."""
        self.bpr0 = self._binary_point(value, self.config.min_bpr0)

    def read_bpr0(self) -> int:
        """ICV_BPR0_EL1 is VBPR0 (REG-5)."""
        return self.bpr0

    def write_bpr1(self, value: int) -> None:
        """ICV_BPR1_EL1; ignored while CBPR is 1 (REG-6)."""
        if not self.cbpr:
            self.bpr1 = self._binary_point(value, self.config.min_bpr1)

    def read_bpr1(self) -> int:
        """ICV_BPR1_EL1; while CBPR is 1 it reads BPR0 + 1, at most 7 (REG-6)."""
        return min(self.bpr0 + 1, 7) if self.cbpr else self.bpr1

    def write_ctlr(self, value: int) -> None:
        """ICV_CTLR_EL1: only EOImode and CBPR can be written (REG-12)."""
        self.eoimode = bool(value & bits.CTLR_EOIMODE)
        self.cbpr = bool(value & bits.CTLR_CBPR)

    def read_ctlr(self) -> int:
        """ICV_CTLR_EL1: the build's constants and the two writable bits (REG-12)."""
        return (
            self._ctlr
            | (bits.CTLR_EOIMODE if self.eoimode else 0)
            | (bits.CTLR_CBPR if self.cbpr else 0)
        )  # fmt: skip

    def write_igrpen0(self, value: int) -> None:
        """ICV_IGRPEN0_EL1 is VENG0 (REG-5)."""
        self.veng0 = bool(value & 1)

    def read_igrpen0(self) -> int:
        """ICV_IGRPEN0_EL1 is VENG0 (REG-5)."""
        return int(self.veng0)

    def write_igrpen1(self, value: int) -> None:
        """ICV_IGRPEN1_EL1 is VENG1 (REG-5)."""
        self.veng1 = bool(value & 1)

    def read_igrpen1(self) -> int:
        """ICV_IGRPEN1_EL1 is VENG1 (REG-5)."""
        return int(self.veng1)

    # -- computed status -------------------------------------------------------------------------------

    def read_vtr(self) -> int:
        """ICH_VTR_EL2: constant (REG-1)."""
        return self.config.vtr

    def read_eisr(self) -> int:
        """ICH_EISR_EL2: empty LRs without HW whose EOI bit is set (MNT-1, HW-5)."""
        status = 0
        for n, lr in enumerate(self.lr):
            if not lr >> LR_STATE_LSB and not lr & LR_HW and lr & LR_EOI:
                status |= 1 << n
        return status

    def read_elrsr(self) -> int:
        """ICH_ELRSR_EL2: empty LRs that are not in EISR (MNT-2)."""
        status = 0
        for n, lr in enumerate(self.lr):
            if not lr >> LR_STATE_LSB and (lr & LR_HW or not lr & LR_EOI):
                status |= 1 << n
        return status

    def read_misr(self) -> int:
        """ICH_MISR_EL2: a function of the present state, En not among it (MNT-3..8)."""
        hcr = self.hcr
        misr = MISR_EOI if self.read_eisr() else 0
        if hcr & HCR_UIE and sum(1 for lr in self.lr if lr >> LR_STATE_LSB) <= 1:
            misr |= MISR_U
        if hcr & HCR_LRENPIE and hcr & HCR_EOICOUNT:
            misr |= MISR_LRENP
        if self.deviations.late_maintenance:
            misr = self._late(misr)
        # MNT-5: an entry that is pending and active does not count as pending.
        if hcr & HCR_NPIE and not any(lr >> LR_STATE_LSB == 1 for lr in self.lr):
            misr |= MISR_NP
        return misr | self._group_status(hcr)

    def _late(self, misr: int) -> int:
        """Take back what a machine with late maintenance interrupts does not report."""
        late = misr & ~MISR_U
        if self.hcr & HCR_EOICOUNT == bits.HCR_EOICOUNT_ONE:
            late &= ~MISR_LRENP
        if late != misr:
            self.effects.add("LATE")
        return late

    def _group_status(self, hcr: int) -> int:
        """MISR bits of the group enables (MNT-7)."""
        misr = 0
        if hcr & bits.HCR_VGRP0EIE and self.veng0:
            misr |= bits.MISR_VGRP0E
        if hcr & bits.HCR_VGRP0DIE:
            disabled = not self.veng0
            if self.deviations.d3_vgrp0d_tests_veng1 and self.veng0 != self.veng1:
                self.effects.add("D3")
                disabled = not self.veng1
            misr |= bits.MISR_VGRP0D if disabled else 0
        if hcr & bits.HCR_VGRP1EIE and self.veng1:
            misr |= bits.MISR_VGRP1E
        if hcr & bits.HCR_VGRP1DIE and not self.veng1:
            misr |= bits.MISR_VGRP1D
        return misr

    def maintenance(self) -> bool:
        """Level of the maintenance interrupt: En gates the pin, not the status (MNT-3)."""
        return bool(self.hcr & HCR_EN and self.read_misr())

    def state(self) -> State:
        """Return all software-visible storage and status, as ICH reads would give it."""
        words = range(self.config.apr_words)
        return State(
            hcr=self.hcr,
            vmcr=self.read_vmcr(),
            ap0r=[self.ap0 >> 32 * n & 0xFFFF_FFFF for n in words],
            ap1r=[self.ap1 >> 32 * n & 0xFFFF_FFFF for n in words],
            lr=list(self.lr),
            misr=self.read_misr(),
            eisr=self.read_eisr(),
            elrsr=self.read_elrsr(),
        )
