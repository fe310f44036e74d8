"""The GICv2 golden model with switches: what QEMU does differently, and which switch an effect is due to.

The rules are overridden here, never changed in :mod:`sim.golden_v2.interrupts`, so the strict model does
not know of them. Which switches took effect in an access is found by repeating it without them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from hw.config_v2 import GicV2Config
from hw.mmio import MmioRegister
from sim.deviations_v2 import STRICT_V2, DeviationsV2
from sim.golden_v2 import bits
from sim.golden_v2.bits import LR_ACTIVE, LR_GROUP, LR_STATE, LR_VIRTUALID, NONE
from sim.golden_v2.core import GoldenV2
from sim.port import Access, Lines, MmioAccess, MmioResponse, Response

__all__ = ["DeviatingV2", "make_golden_v2"]

#: Attributes that hold storage, the list registers aside.
_STORAGE = ("hcr", "apr", "ctlr", "pmr", "bpr", "abpr", "ghost_lr")


def make_golden_v2(config: GicV2Config, deviations: DeviationsV2 = STRICT_V2) -> GoldenV2:
    """Return the strict model, or the deviating one if a switch is on."""
    return GoldenV2(config) if deviations == STRICT_V2 else DeviatingV2(config, deviations)


class _Rules(GoldenV2):
    """The overridden rules; each is the strict one while its switch is off."""

    def __init__(self, config: GicV2Config, deviations: DeviationsV2) -> None:
        self.deviations = deviations
        super().__init__(config)

    def clear(self) -> None:
        """Take the reset values, the ghost's included (W5)."""
        super().clear()
        self.ghost_lr = 0

    def executors(
        self, register: MmioRegister
    ) -> tuple[Callable[[], int] | None, Callable[[int], None] | None]:
        """Return (read, write): the alias registers may be missing (W1), an LR too many be there (W5)."""
        if self.deviations.w1_no_aliases and register.name in ("GICV_AIAR", "GICV_AEOIR", "GICV_AHPPIR"):
            return None, None
        if self.deviations.w5_ghost_lr and register.name == f"GICH_LR{self.config.lrs}":
            return lambda: self.ghost_lr, self._write_ghost
        return super().executors(register)

    def _write_ghost(self, value: int) -> None:
        self.ghost_lr = value & self._lr_mask

    def write_abpr(self, value: int) -> None:
        """GICV_ABPR with another minimum (W3), or heedless of CBPR (W9)."""
        if self.ctlr & bits.CTLR_CBPR and not self.deviations.w9_abpr_ignores_cbpr:
            return
        minimum = 1 if self.deviations.w3_abpr_minimum_1 else self.config.min_bpr1
        self.abpr = max(value & 7, minimum)

    def read_abpr(self) -> int:
        """GICV_ABPR, perhaps heedless of CBPR (W9)."""
        return self.abpr if self.deviations.w9_abpr_ignores_cbpr else super().read_abpr()

    # -- selection and signalling ----------------------------------------------------------------------

    def _enabled(self, lr: int) -> bool:
        return bool(self.ctlr & (bits.CTLR_GRP1 if lr & LR_GROUP else bits.CTLR_GRP0))

    def select(self) -> int:
        """Return the selected LR or -1; a disabled group may take part while another is enabled (W4)."""
        ctlr = self.ctlr
        if self.deviations.w4_disabled_groups_selected and ctlr & (bits.CTLR_GRP0 | bits.CTLR_GRP1):
            self.ctlr |= bits.CTLR_GRP0 | bits.CTLR_GRP1
        best = super().select()
        self.ctlr = ctlr
        return best

    def preempts(self, lr: int) -> bool:
        """Whether an entry is above the running priority, perhaps without masks (W10)."""
        if self.deviations.w10_preemption_unmasked:
            return self.priority(lr) < self.running_priority() if self.apr else True
        return super().preempts(lr)

    def lines(self) -> Lines:
        """Return the level outputs; an entry of a disabled group drives none (W4)."""
        best = self.select()
        if best >= 0 and not self._enabled(self.lr[best]):
            return Lines(False, False, self.maintenance())
        return super().lines()

    # -- acknowledge -----------------------------------------------------------------------------------

    def _entry_of(self, intid: int) -> int:
        """Return the lowest LR index that holds ``intid`` and is not invalid; there is one (W12)."""
        return next(n for n, lr in enumerate(self.lr) if lr & LR_STATE and lr & LR_VIRTUALID == intid)

    def _stands_for(self, index: int) -> int:
        """Return the LR that is looked at instead of the selected one (W12)."""
        if index < 0 or not self.deviations.w12_entry_found_by_intid:
            return index
        return self._entry_of(self.lr[index] & LR_VIRTUALID)

    def _passes(self, index: int) -> bool:
        """Whether En, the enables and the priority mask let the selected entry through (W8)."""
        return bool(self.hcr & bits.HCR_EN) and self.priority(self.lr[index]) < self.pmr

    def _special(self, index: int) -> bool:
        return self.deviations.w13_special_intids_stay and (
            self.lr[index] & LR_VIRTUALID >= bits.SPECIAL_FIRST
        )

    def _group1_only(self, index: int) -> bool:
        return bool(self.lr[index] & LR_GROUP and not self.ctlr & bits.CTLR_ACKCTL)

    def read_hppir(self) -> int:
        """GICV_HPPIR (W2, W8, W12, W13)."""
        best = self.select()
        if best < 0 or (self.deviations.w8_hppir_is_masked and not self._passes(best)):
            return NONE
        if self._special(best):
            return self.lr[best] & LR_VIRTUALID
        entry = self._stands_for(best)
        if self._group1_only(entry):
            return bits.GROUP1_PENDING
        identifier = self.identifier(self.lr[entry])
        return identifier & LR_VIRTUALID if self.deviations.w2_hppir_without_cpuid else identifier

    def read_iar(self) -> int:
        """GICV_IAR (W11, W12, W13, W14)."""
        best = self.select()
        if best < 0 or not self._passes(best):
            return NONE
        if self._special(best):
            return self.lr[best] & LR_VIRTUALID
        entry = self._stands_for(best)
        before = self.deviations.w11_group1_before_running
        if before and self._group1_only(entry):
            return bits.GROUP1_PENDING
        if not self.preempts(self.lr[entry]):
            return NONE
        return bits.GROUP1_PENDING if self._group1_only(entry) else self.acknowledge(entry)

    def acknowledge(self, index: int) -> int:
        """Make an entry active and return its identifier (W12, W14)."""
        lr = self.lr[index]
        identifier = super().acknowledge(index)
        if self.deviations.w12_entry_found_by_intid and lr & LR_VIRTUALID < bits.SPECIAL_FIRST:
            self.lr[index] = lr & ~LR_STATE | LR_ACTIVE
        if self.deviations.w14_cpuid_of_sgis:
            intid = lr & LR_VIRTUALID
            return intid | (lr & bits.LR_CPUID_BITS if intid < bits.SGIS else 0)
        return identifier

    # -- completion ------------------------------------------------------------------------------------

    def complete(self, value: int, group0: bool, group1: bool) -> None:
        """EOIR (W6, W7)."""
        if self.deviations.w6_eoir_checks_nothing:
            self._complete_unchecked(value)
            return
        if self.deviations.w7_eoir_without_priority and not self.apr:
            self._complete_unchecked(value)
            return
        super().complete(value, group0, group1)

    def _complete_unchecked(self, value: int) -> None:
        """Drop, then deactivate whatever entry holds the INTID (W6), or count what dropped."""
        intid = value & bits.INTID_MASK
        if intid >= bits.SPECIAL_FIRST:
            return
        dropped = bool(self.apr)
        if not dropped and not self.deviations.w7_eoir_without_priority:
            return
        self.apr &= self.apr - 1 if dropped else 0
        if self.ctlr & bits.CTLR_EOIMODE:
            return
        index = self.find_active(intid)
        if index >= 0:
            self.deactivate(index)
        elif dropped:
            self.count()

    def deactivate(self, index: int) -> None:
        """Clear Active, perhaps of another LR with the same INTID (W12)."""
        if self.deviations.w12_entry_found_by_intid:
            index = self._entry_of(self.lr[index] & LR_VIRTUALID)
        super().deactivate(index)


class DeviatingV2(_Rules):
    """The GICv2 golden model with switches on.

    Parameters
    ----------
    config : GicV2Config
        The build.
    deviations : DeviationsV2
        The switches.

    Attributes
    ----------
    effects : frozenset of str
        Report names of the switches without which the last access would have had another answer, or left
        another state or other lines.
    """

    def __init__(self, config: GicV2Config, deviations: DeviationsV2) -> None:
        super().__init__(config, deviations)
        self._twins: dict[DeviationsV2, _Rules] = {}

    def clear(self) -> None:
        """Take the reset values and forget effects."""
        super().clear()
        self.effects = frozenset()

    def access(self, access: Access) -> Response:
        """Execute an access, and find out which switches took effect."""
        before, earlier = self._storage(), self.deactivated
        self.deactivated = []
        response = super().access(access)
        outcome = (response, self.stored, self.lines())
        self.deactivated = earlier + self.deactivated
        self.effects = frozenset()
        if self._outcome(STRICT_V2, before, access) != outcome:
            self.effects = self._due_to(before, access, outcome)
        return response

    def mmio(self, access: MmioAccess) -> MmioResponse:
        """Execute one access on the bus; a bad one has no effects."""
        self.effects = frozenset()
        return super().mmio(access)

    def _storage(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _STORAGE} | {"lr": list(self.lr)}

    def _outcome(self, deviations: DeviationsV2, before: dict[str, Any], access: Access) -> tuple:
        """Return what the access gives with other switches, from the same storage."""
        model = self._twins.get(deviations)
        if model is None:
            model = self._twins[deviations] = _Rules(self.config, deviations)
        vars(model).update(before)
        model.lr, model.deactivated = list(before["lr"]), []
        response = model.access(access)
        return response, model.stored, model.lines()

    def _due_to(self, before: dict[str, Any], access: Access, outcome: tuple) -> frozenset[str]:
        """Return the switches without any of which the outcome would be another.

        Where two do the same and so none is needed, those that would do it alone.
        """
        on = [f.name for f in fields(self.deviations) if getattr(self.deviations, f.name)]
        strict = self._outcome(STRICT_V2, before, access)
        needed, able = [], []
        for name in on:
            if self._outcome(replace(self.deviations, **{name: False}), before, access) != outcome:
                needed.append(name)
            if self._outcome(replace(STRICT_V2, **{name: True}), before, access) != strict:
                able.append(name)
        return frozenset(map(self.deviations.name_of, needed or able or on))
