"""Injection of interrupts by devices, the timer and the VMM (spec section 4.1)."""

from __future__ import annotations

import errno

from sim.kvm.ap_list import vgic_queue_irq_unlock
from sim.kvm.irq import VGIC_NR_PRIVATE_IRQS, Config, IrqOps, VgicIrq
from sim.kvm.lr import vgic_get_irq, vgic_get_vcpu_irq
from sim.kvm.vm import Vcpu, Vm

__all__ = [
    "kvm_vgic_inject_irq",
    "kvm_vgic_map_is_active",
    "kvm_vgic_map_phys_irq",
    "kvm_vgic_unmap_phys_irq",
    "vgic_validate_injection",
]


def vgic_validate_injection(irq: VgicIrq, level: bool, owner: object | None) -> bool:
    """Return whether an injection means anything: a changed level line, or a rising edge, by its owner."""
    if irq.owner is not owner:
        return False
    return irq.line_level != level if irq.config is Config.LEVEL else level


def kvm_vgic_inject_irq(
    vm: Vm, vcpu: Vcpu | None, intid: int, level: bool, owner: object | None = None
) -> int:
    """Inject an interrupt.

    Parameters
    ----------
    vm : Vm
        The VM.
    vcpu : Vcpu or None
        The vCPU of a private interrupt.
    intid : int
        0..31 with a vCPU, or an SPI.
    level : bool
        New level of the line; an edge interrupt is latched on True.
    owner : object or None
        The in-kernel device that injects.

    Returns
    -------
    int
        0, or a negative errno as in the kernel.
    """
    if not vm.dist.initialized:
        return 0 if vm.profile.inject_needs_init else -errno.EBUSY
    if intid < VGIC_NR_PRIVATE_IRQS:
        irq = vgic_get_vcpu_irq(vcpu, intid) if vcpu is not None else None
    else:
        irq = vgic_get_irq(vm, intid)
    if irq is None:
        return -errno.EINVAL
    if not vgic_validate_injection(irq, level, owner):
        return 0
    if irq.config is Config.LEVEL:
        irq.line_level = level
    else:
        irq.pending_latch = True
    vgic_queue_irq_unlock(vm, irq)
    return 0


def kvm_vgic_map_phys_irq(vcpu: Vcpu, hwintid: int, vintid: int, ops: IrqOps | None = None) -> None:
    """Tie a virtual interrupt to physical INTID ``hwintid``; its LRs get HW=1."""
    irq = _mapped(vcpu, vintid)
    irq.hw, irq.hwintid, irq.ops = True, hwintid, ops


def kvm_vgic_unmap_phys_irq(vcpu: Vcpu, vintid: int) -> None:
    """Undo ``kvm_vgic_map_phys_irq``."""
    irq = _mapped(vcpu, vintid)
    irq.hw, irq.hwintid, irq.ops = False, 0, None


def kvm_vgic_map_is_active(vcpu: Vcpu, vintid: int) -> bool:
    """Return whether a mapped interrupt is active in memory."""
    return _mapped(vcpu, vintid).active


def _mapped(vcpu: Vcpu, vintid: int) -> VgicIrq:
    irq = vgic_get_vcpu_irq(vcpu, vintid)
    if irq is None:
        raise ValueError(f"vCPU{vcpu.vcpu_id} has no interrupt {vintid}")
    return irq
