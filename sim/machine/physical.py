"""Physical interrupts behind mapped virtual ones, and the host that takes them.

A device (a timer, say) drives a level. The host takes the interrupt when it is high and not active, leaves it
active, and injects the mapped virtual interrupt; deactivation, by a HW list register or by software,
lets it fire again if the line is still high. This is KVM's forwarding of a physical interrupt to a guest.

Here the states are in memory, for hardware that has the virtual side alone;
:mod:`sim.machine.distributor` keeps them in a real distributor.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.kvm.host import PhysicalIrqs
from sim.kvm.inject import kvm_vgic_inject_irq, kvm_vgic_map_is_active, kvm_vgic_map_phys_irq
from sim.kvm.irq import VGIC_NR_PRIVATE_IRQS, IrqOps
from sim.kvm.vm import Vcpu, Vm

__all__ = ["Mapping", "PhysicalInterrupts"]


@dataclass(frozen=True)
class Mapping:
    """A physical interrupt that belongs to a guest: its virtual INTID, and the vCPU that owns it."""

    vintid: int
    vcpu: Vcpu


class PhysicalInterrupts(PhysicalIrqs):
    """The physical distributor with the host's interrupt handler.

    Attributes
    ----------
    mappings : dict
        Physical INTID to :class:`Mapping`.
    taken : list of int
        Physical interrupts the host has taken, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mappings: dict[int, Mapping] = {}
        self.taken: list[int] = []

    def map(self, vcpu: Vcpu, hwintid: int, vintid: int, ops: IrqOps | None = None) -> None:
        """Map a physical interrupt to a virtual one of ``vcpu``; ``ops`` as its driver gives them."""
        self.mappings[hwintid] = Mapping(vintid, vcpu)
        kvm_vgic_map_phys_irq(vcpu, hwintid, vintid, ops)

    def set_line(self, intid: int, level: bool) -> None:
        """Set the level of a physical line; the host takes it at :meth:`take_due`."""
        self.line[intid] = level

    def moved(self, vcpu: Vcpu) -> None:
        """Note that a vCPU was loaded on the CPU that ``vcpu.cpu`` names; in memory there are no CPUs."""

    def kvm_timer_vcpu_load_gic(self, vm: Vm, vcpu: Vcpu) -> None:
        """Bring a vCPU's mapped PPIs up to date when it is scheduled in, as KVM does for its timers.

        The line is sampled again, and the physical interrupt left active if it is high or the virtual one
        is active. While the vCPU was out nobody would have heard of a falling edge.
        """
        for hwintid, mapping in self.mappings.items():
            if mapping.vcpu is not vcpu or mapping.vintid >= VGIC_NR_PRIVATE_IRQS:
                continue
            level = self.level(hwintid)
            kvm_vgic_inject_irq(vm, vcpu, mapping.vintid, level)
            self.set_active(hwintid, level or kvm_vgic_map_is_active(vcpu, mapping.vintid))

    def deactivated_by_hardware(self, intid: int) -> None:
        """Follow a deactivation request of a HW list register (HW-1)."""
        self.active[intid] = False

    async def carry_out(self) -> None:
        """Make the hardware do what was asked of it; in memory it is done already."""

    @property
    def due(self) -> list[int]:
        """Mapped physical interrupts the host would take now."""
        return [n for n in self.mappings if self.line.get(n) and not self.active.get(n)]

    async def take_due(self, vm: Vm) -> list[int]:
        """Let the host take what is due: it becomes active and is injected. Return the INTIDs.

        The physical interrupt itself ends the guest's run on that CPU, whether the injection kicks or not.
        """
        due = self.due
        for intid in due:
            self.active[intid] = True
            self.forward(vm, intid)
        return due

    def forward(self, vm: Vm, intid: int) -> None:
        """Inject the virtual interrupt of a physical one that the host has taken."""
        mapping = self.mappings[intid]
        self.taken.append(intid)
        kvm_vgic_inject_irq(vm, mapping.vcpu, mapping.vintid, True)
        mapping.vcpu.kicked = True
