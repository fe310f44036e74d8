"""Operand values that find bugs: INTIDs that look alike, priorities that tie, registers full of garbage."""

from __future__ import annotations

from hw.config import GicConfig
from hw.registers import LRState, lookup
from sim.port import State
from sim.stimulus.choices import Choices, preempting_level

__all__ = ["FIRST_LPI", "LR", "Values"]

LR = {field.name: field for field in lookup("ICH_LR0_EL2").fields}
_HCR = {field.name: field for field in lookup("ICH_HCR_EL2").fields}
_VMCR = {field.name: field for field in lookup("ICH_VMCR_EL2").fields}
#: Bit 41 of a list register whose HW is 0 asks for a maintenance interrupt (MNT-1).
_LR_EOI = 1 << 41
_MI_ENABLES = ("UIE", "LRENPIE", "NPIE", "VGrp0EIE", "VGrp0DIE", "VGrp1EIE", "VGrp1DIE")
_TRAPS = ("TC", "TALL0", "TALL1", "TDIR")
FIRST_LPI = 8192


class Values:
    """Operand values for one configuration.

    A few INTIDs and priorities are *hot*: used again and again, so that they meet. :meth:`refresh` takes
    others.

    Parameters
    ----------
    config : GicConfig
        Decides what exists and which values are extreme.
    choices : Choices
        Source of all decisions; it may be replaced between two calls.
    """

    def __init__(self, config: GicConfig, choices: Choices):
        self.config = config
        self.choices = choices
        top = config.id_mask
        # 33 and 40 come back with every kind of high part, beyond the implemented bits too.
        self._intids = (
            33, 40, 34, 41, 0, 15, 16, 31, 27, 1019,
            FIRST_LPI, FIRST_LPI + 1, FIRST_LPI + 33, FIRST_LPI + 40,
            1020, 1021, 1022, 1023, 1024, 1024 + 33, FIRST_LPI - 1,
            0x8000 + 33, top, top - 1, 1 << config.id_bits | 33, 0x100_0000 | 40,
        )  # fmt: skip
        self._step = 1 << (8 - config.pri_bits)
        self.hot_intids: tuple[int, ...] = (33, 40, 34, FIRST_LPI + 33)
        self.hot_priorities: tuple[int, ...] = (0x80, 0x80, 0x40, 0x80 + self._step)

    def refresh(self) -> None:
        """Choose other hot INTIDs and priorities."""
        lpi = FIRST_LPI + self.choices.among((0, 1, 33, 40))
        self.hot_intids = (*(self.choices.among(self._intids) for _ in range(3)), lpi)
        near = self.choices.below(256)
        self.hot_priorities = (near, near, near ^ self._step, self.choices.below(256))

    def intid(self) -> int:
        """Return an INTID, most often a hot one."""
        kind = self.choices.below(16)
        if kind < 11:
            return self.choices.among(self.hot_intids)
        if kind < 15:
            return self.choices.among(self._intids)
        if self.choices.one_in(3):
            return self.choices.below(1 << 24)
        # One bit away from one that matters: whoever compares has to look at every bit.
        return self.choices.among((1020, *self.hot_intids)) ^ 1 << self.choices.below(24)

    def priority(self) -> int:
        """Return an 8-bit priority, most often a hot one."""
        kind = self.choices.below(8)
        if kind < 6:
            return self.choices.among(self.hot_priorities)
        return self.choices.among((0x00, 0xFF, 0xF8)) if kind == 6 else self.choices.below(256)

    def garbage(self) -> int:
        """Return 64 random bits, sometimes all ones."""
        return (1 << 64) - 1 if self.choices.one_in(8) else self.choices.below(1 << 64)

    def dirty(self, value: int, width: int) -> int:
        """Return ``value``, now and then with garbage above ``width`` bits, where a register ends."""
        return value | self.garbage() >> width << width if self.choices.one_in(8) else value

    def list_register(self, state: LRState) -> int:
        """Compose an LR in the given state."""
        pick = self.choices.below(12)
        value = LR["State"].put(0, state)
        value = LR["vINTID"].put(value, self.intid())
        value = LR["Priority"].put(value, self.priority())
        value = LR["Group"].put(value, 0 if self.choices.one_in(3) else 1)
        if pick > 8:
            # HW with a physical INTID that may be special, beyond the distributor's, or equal to the vINTID.
            physical = self.choices.among((40, 33, 16, 15, 1019, 1020, 1023, 1024, 8191))
            return LR["HW"].put(LR["pINTID"].put(value, physical), 1)
        if pick == 8:
            return LR["pINTID"].put(value, self.choices.below(1 << 13))
        return value | _LR_EOI if pick > 5 else value

    def hcr(self, traps: bool) -> int:
        """Compose an ICH_HCR_EL2 that is enabled, with some maintenance causes and perhaps some traps."""
        value = 1
        for name in _MI_ENABLES:
            if self.choices.one_in(3):
                value |= _HCR[name].mask
        for name in _TRAPS:
            if traps and self.choices.one_in(2):
                value |= _HCR[name].mask
        if self.choices.one_in(4):
            value |= _HCR["vSGIEOICount"].mask
        return _HCR["EOIcount"].put(value, self.choices.among((0, 0, 31, 1, 30)))

    def vmcr(self) -> int:
        """Compose an ICH_VMCR_EL2, both groups and every priority passing most of the time."""
        choices = self.choices
        value = _VMCR["VPMR"].put(0, 0xFF if choices.below(4) < 3 else self.priority())
        value = _VMCR["VENG0"].put(value, not choices.one_in(5))
        value = _VMCR["VENG1"].put(value, not choices.one_in(5))
        value = _VMCR["VEOIM"].put(value, choices.below(2))
        value = _VMCR["VCBPR"].put(value, choices.one_in(2))
        value = _VMCR["VBPR0"].put(value, 0 if choices.below(2) else choices.below(8))
        return _VMCR["VBPR1"].put(value, 0 if choices.below(2) else choices.below(8))

    def level_bit(self, priority: int) -> int:
        """Return the position of a priority in the active-priority words (IAR-4), binary point aside."""
        return (priority & 0xFF) >> (8 - self.config.pre_bits)

    @staticmethod
    def running_level(state: State) -> int | None:
        """Return the most urgent active level, or None."""
        for word, (word0, word1) in enumerate(zip(state.ap0r, state.ap1r, strict=True)):
            both = word0 | word1
            if both:
                return word * 32 + (both & -both).bit_length() - 1
        return None

    def masked(self, state: State, lr: int) -> bool:
        """Return whether active priorities keep a pending LR back (SIG-4), binary points aside."""
        running = self.running_level(state)
        return running is not None and self.level_bit(LR["Priority"].get(lr)) >= running

    def running_lr(self, state: State) -> int | None:
        """Return the LR that holds the interrupt the guest would complete next, or None."""
        active = [n for n, lr in enumerate(state.lr) if lr >> 63]
        if not active:
            return None
        running = self.running_level(state)
        for n in active:
            if self.level_bit(LR["Priority"].get(state.lr[n])) == running:
                return n
        return self.choices.among(active)

    def preempting_level(self, running: int | None) -> int:
        """Return a level that preempts: any, or one near, so that many nest; when idle, a low one."""
        return preempting_level(self.choices, running, 1 << self.config.pre_bits)

    def reconstructed(self, state: State, group: int, word: int) -> int:
        """Return the active-priority word that the active LRs of a group would have set."""
        value = 0
        for lr in state.lr:
            if lr >> 63 and LR["Group"].get(lr) == group:
                position = self.level_bit(LR["Priority"].get(lr))
                if position >> 5 == word:
                    value |= 1 << (position & 31)
        return value
