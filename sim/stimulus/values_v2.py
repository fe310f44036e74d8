"""Operand values for GICv2 that find bugs; the ideas are those of :mod:`sim.stimulus.values`."""

from __future__ import annotations

from hw.config_v2 import GicV2Config
from hw.mmio_map import lookup_mmio
from hw.registers import LRState
from hw.registers_v2 import LR_CPUID, LR_EOI
from sim.port import State
from sim.stimulus.choices import Choices, preempting_level

__all__ = ["CTLR", "LR", "ValuesV2", "valid"]

LR = {field.name: field for field in lookup_mmio("GICH_LR0").fields}
CTLR = {field.name: field for field in lookup_mmio("GICV_CTLR").fields}
_HCR = {field.name: field for field in lookup_mmio("GICH_HCR").fields}
_VMCR = {field.name: field for field in lookup_mmio("GICH_VMCR").fields}
_MI_ENABLES = ("UIE", "LRENPIE", "NPIE", "VGrp0EIE", "VGrp0DIE", "VGrp1EIE", "VGrp1DIE")
_ACTIVE = LR["State"].put(0, LRState.ACTIVE)
#: INTIDs: SGIs, PPIs, SPIs, the last ordinary ones and the special ones.
_INTIDS = (33, 40, 34, 41, 0, 3, 15, 16, 31, 27, 1019, 1018, 512, 1020, 1021, 1022, 1023)
#: Physical INTIDs: SGIs and special ones must not be deactivated (HW-3).
_PHYSICAL = (40, 33, 16, 15, 0, 31, 1019, 1020, 1023, 512)


def valid(lr: int) -> bool:
    """Whether an LR is active, perhaps pending too."""
    return bool(lr & _ACTIVE)


class ValuesV2:
    """Operand values for one GICv2 configuration; a few INTIDs and priorities are *hot*.

    Parameters
    ----------
    config : GicV2Config
        The build.
    choices : Choices
        Source of all decisions; it may be replaced between two calls.
    """

    def __init__(self, config: GicV2Config, choices: Choices):
        self.config = config
        self.choices = choices
        self.hot_intids: tuple[int, ...] = (33, 40, 34, 3)
        self.hot_priorities: tuple[int, ...] = (0x80, 0x80, 0x40, 0x88)

    def refresh(self) -> None:
        """Choose other hot INTIDs and priorities."""
        self.hot_intids = (*(self.choices.among(_INTIDS) for _ in range(3)), self.choices.below(16))
        near = self.choices.below(256)
        self.hot_priorities = (near, near, near ^ 8, self.choices.below(256))

    def intid(self) -> int:
        """Return an INTID, most often a hot one, now and then with a CPUID (V2-3)."""
        kind = self.choices.below(16)
        if kind < 11:
            value = self.choices.among(self.hot_intids)
        elif kind < 14:
            value = self.choices.among(_INTIDS)
        else:
            value = self.choices.below(1024)
        return LR_CPUID.put(value, self.choices.below(8)) if self.choices.one_in(6) else value

    def priority(self) -> int:
        """Return an 8-bit priority, most often a hot one."""
        kind = self.choices.below(8)
        if kind < 6:
            return self.choices.among(self.hot_priorities)
        return self.choices.among((0x00, 0xFF, 0xF8)) if kind == 6 else self.choices.below(256)

    def garbage(self) -> int:
        """Return 32 random bits, sometimes all ones."""
        return 0xFFFF_FFFF if self.choices.one_in(8) else self.choices.below(1 << 32)

    def dirty(self, value: int, width: int) -> int:
        """Return ``value``, now and then with garbage above ``width`` bits, where a field ends."""
        return value | self.garbage() >> width << width if self.choices.one_in(8) else value

    def list_register(self, state: LRState) -> int:
        """Compose an LR in the given state."""
        pick = self.choices.below(12)
        value = LR["State"].put(0, state)
        value = LR["VirtualID"].put(value, self.intid())
        value = LR["Priority"].put(value, self.priority() >> 3)
        value = LR["Grp1"].put(value, self.choices.below(2))
        if pick > 8:
            return LR["HW"].put(LR["PhysicalID"].put(value, self.choices.among(_PHYSICAL)), 1)
        if pick == 8:
            return LR["PhysicalID"].put(value, self.choices.below(1 << 10))
        if pick > 3:
            value = LR_CPUID.put(value, self.choices.below(8))
        return value | LR_EOI.mask if pick > 5 else value

    def hcr(self) -> int:
        """Compose a GICH_HCR that is enabled, with some maintenance causes."""
        value = _HCR["En"].mask
        for name in _MI_ENABLES:
            if self.choices.one_in(3):
                value |= _HCR[name].mask
        return _HCR["EOICount"].put(value, self.choices.among((0, 0, 31, 1, 30)))

    def vmcr(self) -> int:
        """Compose a GICH_VMCR, both groups and every priority passing most of the time."""
        choices = self.choices
        value = _VMCR["VMPriMask"].put(0, 0x1F if choices.below(4) < 3 else self.priority() >> 3)
        value = _VMCR["VMGrp0En"].put(value, not choices.one_in(5))
        value = _VMCR["VMGrp1En"].put(value, not choices.one_in(5))
        for name, odds in (("VEM", 2), ("VMCBPR", 2), ("VMAckCtl", 2), ("VMFIQEn", 2)):
            value = _VMCR[name].put(value, choices.one_in(odds))
        value = _VMCR["VMBP"].put(value, 0 if choices.below(2) else choices.below(8))
        return _VMCR["VMABP"].put(value, 0 if choices.below(2) else choices.below(8))

    @staticmethod
    def running_level(state: State) -> int | None:
        """Return the most urgent active level, None when idle."""
        apr = state.ap0r[0]
        return (apr & -apr).bit_length() - 1 if apr else None

    def preempting_level(self, running: int | None) -> int:
        """Return a level that preempts: any, or one near, so that many nest; when idle, a low one."""
        return preempting_level(self.choices, running, 1 << self.config.pre_bits)

    def running_lr(self, state: State) -> int | None:
        """Return the LR that holds the interrupt the guest would complete next, or None."""
        active = [n for n, lr in enumerate(state.lr) if valid(lr)]
        if not active:
            return None
        level = self.running_level(state)
        for n in active:
            if LR["Priority"].get(state.lr[n]) == level:
                return n
        return self.choices.among(active)

    def reconstructed(self, state: State) -> int:
        """Return the active priorities that the active LRs would have set."""
        value = 0
        for lr in state.lr:
            if valid(lr):
                value |= 1 << LR["Priority"].get(lr)
        return value
