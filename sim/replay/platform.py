"""What surrounds the virtual CPU interface in a recording: the PE's registers and the physical interrupts."""

from __future__ import annotations

from sim.port import Lines, PeContext
from sim.trace import PeRegister

__all__ = ["Pe", "PhysicalInterrupts"]

_HCR_IMO, _HCR_FMO = 1 << 4, 1 << 3
_ISR_I, _ISR_F = 1 << 7, 1 << 6
#: HCR_EL2 as every sequence finds it: RW, IMO and FMO.
_HCR_RESET = 1 << 31 | _HCR_IMO | _HCR_FMO


class Pe:
    """The part of a PE that decides where an EL1 access goes and which interrupts EL1 sees."""

    def __init__(self) -> None:
        self.hcr = _HCR_RESET
        self.context = PeContext()

    def write(self, register: PeRegister, value: int) -> None:
        """Write HCR_EL2; ISR_EL1 is read-only."""
        if register is PeRegister.HCR_EL2:
            self.hcr = value
            self.context = PeContext(imo=bool(value & _HCR_IMO), fmo=bool(value & _HCR_FMO))

    def read(self, register: PeRegister, lines: Lines) -> int:
        """Read HCR_EL2, or ISR_EL1: ``lines`` of the virtual CPU interface, no physical interrupt."""
        if register is PeRegister.HCR_EL2:
            return self.hcr
        virq, vfiq = self.seen(lines)
        return (_ISR_I if virq else 0) | (_ISR_F if vfiq else 0)

    def seen(self, lines: Lines) -> tuple[bool, bool]:
        """Return (virq, vfiq) as EL1 sees them: masked by IMO and FMO (SIG-9)."""
        return lines.virq and self.context.imo, lines.vfiq and self.context.fmo


class PhysicalInterrupts:
    """Active bits of the physical INTIDs 0..95, three words."""

    def __init__(self) -> None:
        self._active = 0

    def activate(self, intid: int) -> None:
        """Make ``intid`` active, as the distributor was told to."""
        if intid < 96:
            self._active |= 1 << intid

    def deactivate(self, intids: list[int]) -> None:
        """Take deactivation requests of the virtual CPU interface (HW-1)."""
        for intid in intids:
            self._active &= ~(1 << intid)

    def copy_from(self, other: PhysicalInterrupts) -> None:
        """Take over the state of ``other``."""
        self._active = other._active

    @property
    def words(self) -> tuple[int, int, int]:
        """Active bits of INTIDs 0..31, 32..63 and 64..95."""
        return (
            self._active & 0xFFFF_FFFF,
            self._active >> 32 & 0xFFFF_FFFF,
            self._active >> 64 & 0xFFFF_FFFF,
        )
