"""What a guest has acknowledged, ended and deactivated, as far as the hypervisor must get it right.

Only what the architecture is clear about is followed: interrupts ended in reverse order of acknowledge, by
their own group, or deactivated after their drop. Whatever else a guest does stops the tracking.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hw.registers import BY_NAME
from sim.guest.memory_map import GICD_BASE, GICR_BASE, GICR_STRIDE
from sim.guest.operation import Kind, Operation
from sim.kvm.irq import VGIC_MIN_LPI, VgicIrq, VgicModel
from sim.kvm.lr import VIRTUAL_ID, vgic_get_vcpu_irq
from sim.kvm.vm import Vcpu

__all__ = ["Acknowledged"]

_VMCR = {field.name: field for field in BY_NAME["ICH_VMCR_EL2"].fields}
_FIRST_SPECIAL = 1020
_ACTIVE_REGISTERS = range(0x300, 0x400)
_SGI_FRAME = 0x1_0000


@dataclass(frozen=True)
class _Taken:
    """An acknowledged interrupt, with its priority and group at that moment.

    ``number`` is what IAR gave: with GICv2 an SGI's has its source CPU in it.
    """

    number: int
    irq: VgicIrq
    priority: int
    group: int


@dataclass(frozen=True)
class _Deactivated:
    """An interrupt that DIR was written for, and the hole it falls into if that was not trapped."""

    irq: VgicIrq
    hole: str | None


@dataclass
class Acknowledged:
    """The interrupts one vCPU's guest is handling.

    ``vmcr``: its ICH_VMCR_EL2, for EOImode and the group enables.
    """

    vcpu: Vcpu
    vmcr: int = 0
    stack: list[_Taken] = field(default_factory=list)
    dropped: list[_Taken] = field(default_factory=list)
    ended: list[_Taken] = field(default_factory=list)
    deactivated: list[_Deactivated] = field(default_factory=list)

    @property
    def eoimode(self) -> int:
        """EOImode in force."""
        return _VMCR["VEOIM"].get(self.vmcr)

    def follow(self, operation: Operation, value: int, everyone: Iterable[Acknowledged]) -> None:
        """Take a guest operation; ``everyone`` are the trackers of all vCPUs, for shared interrupts."""
        if operation.kind is Kind.MMIO:
            if operation.write and _offset(operation.address) in _ACTIVE_REGISTERS:
                for one in everyone:
                    one.forget()
            return
        if operation.kind is not Kind.SYSREG:
            return
        name = operation.register.name
        if name.startswith("ICC_IAR"):
            if not _FIRST_SPECIAL <= value < 1024:
                self._acknowledge(value)
        elif name.startswith("ICC_EOIR"):
            self._end(operation.value, int(name[8]))
        elif name == "ICC_DIR_EL1" and self.eoimode:
            self._deactivate(operation.value, everyone)
        elif name == "ICC_CTLR_EL1" and operation.write:
            self.vmcr = _VMCR["VEOIM"].put(self.vmcr, operation.value >> 1 & 1)
        elif name.startswith("ICC_AP") and operation.write:
            self.forget()
        elif name.startswith("ICC_IGRPEN") and operation.write:
            self.vmcr = _VMCR[f"VENG{name[10]}"].put(self.vmcr, operation.value & 1)

    def forget(self) -> None:
        """Stop tracking what is in flight."""
        self.stack.clear()
        self.dropped.clear()
        self.ended.clear()
        self.deactivated.clear()

    def _irq(self, number: int) -> VgicIrq | None:
        v2 = self.vcpu.vm.vgic_model is VgicModel.V2
        return vgic_get_vcpu_irq(self.vcpu, number & VIRTUAL_ID if v2 else number)

    def _acknowledge(self, number: int) -> None:
        irq = self._irq(number)
        if irq is None:
            return
        self.ended = [one for one in self.ended if one.irq is not irq]
        self.deactivated = [one for one in self.deactivated if one.irq is not irq]
        self.stack.append(_Taken(number, irq, irq.priority, irq.group))

    def _end(self, intid: int, group: int) -> None:
        if _FIRST_SPECIAL <= intid < 1024:
            return
        top = self.stack.pop() if self.stack else None
        if top is None or top.number != intid or top.group != group:
            self.forget()
        elif self.eoimode:
            self.dropped.append(top)
        elif intid < VGIC_MIN_LPI:
            self.ended.append(top)

    def _deactivate(self, intid: int, everyone: Iterable[Acknowledged]) -> None:
        irq = self._irq(intid)
        for one in everyone:
            taken = next((t for t in one.dropped if t.irq is irq and t.number == intid), None)
            if taken is not None:
                one.dropped.remove(taken)
                self.deactivated.append(_Deactivated(irq, _dir_hole(self.vcpu, irq)))

    def _disturbed(self) -> bool:
        """Return whether the order of the list can differ from the order of acknowledge (section 22.6)."""
        return any(
            taken.irq.priority != taken.priority or taken.irq.group != taken.group
            or not _VMCR[f"VENG{taken.group}"].get(self.vmcr)
            for taken in (*self.stack, *self.ended)
        )  # fmt: skip

    def judge_ended(self) -> list[tuple[str, str | None]]:
        """Return what is wrong with ended interrupts after this vCPU's sync, each with its hole."""
        hole = "22.6" if self._disturbed() else None
        problems = [
            (f"{taken.irq.intid} was ended and is still active", hole)
            for taken in self.ended
            if taken.irq.active
        ]
        problems += [
            (f"{taken.irq.intid} is not active any more, but was not ended", hole)
            for taken in self.stack
            if not taken.irq.active and taken.irq.intid < VGIC_MIN_LPI
        ]
        if problems:
            self.forget()
        self.ended.clear()
        return problems

    def judge_deactivated(self) -> list[tuple[str, str | None]]:
        """Return what is wrong once a DIR has been executed or its trap handled."""
        problems = [
            (f"{one.irq.intid} was deactivated by DIR and is still active", one.hole)
            for one in self.deactivated
            if one.irq.active
        ]
        self.deactivated.clear()
        return problems


def _dir_hole(vcpu: Vcpu, irq: VgicIrq) -> str | None:
    """Return why the DIR of another vCPU's interrupt may not trap.

    22.5: no SPI is counted any more. R6 (found by refinement): the kick of the first SPI is still under way.
    """
    if irq.vcpu is vcpu:
        return None
    return "R6" if vcpu.kicked else None if irq.vm.dist.active_spis else "22.5"


def _offset(address: int) -> int:
    """Return the offset of a distributor or SGI-frame register."""
    if address >= GICR_BASE:
        return (address - GICR_BASE) % GICR_STRIDE - _SGI_FRAME
    return address - GICD_BASE
