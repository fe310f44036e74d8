"""LPIs as far as the ap_list is concerned: mapping, injection, moving, disabling (kernel: vgic-its.c).

There is no ITS command queue and no table in memory: a caller maps, configures and moves LPIs directly.
"""

from __future__ import annotations

from sim.kvm.ap_list import vgic_put_irq, vgic_queue_irq_unlock
from sim.kvm.irq import VGIC_MIN_LPI, VgicIrq
from sim.kvm.vm import Vcpu, Vm

__all__ = [
    "update_affinity",
    "update_lpi_config",
    "vgic_add_lpi",
    "vgic_disable_lpis",
    "vgic_enable_lpis",
    "vgic_flush_pending_lpis",
    "vgic_its_cmd_handle_movall",
    "vgic_its_free_ite",
    "vgic_its_trigger_msi",
]


def vgic_add_lpi(vcpu: Vcpu, intid: int, priority: int = 0xA0, enabled: bool = True) -> VgicIrq:
    """Map an LPI to a vCPU; the mapping holds the first reference.

    Raises
    ------
    ValueError
        When the INTID is no LPI or is mapped already.
    """
    if intid < VGIC_MIN_LPI or intid in vcpu.vm.dist.lpis:
        raise ValueError(f"LPI {intid} is below {VGIC_MIN_LPI} or mapped already")
    irq = VgicIrq(intid, vcpu.vm, target_vcpu=vcpu, priority=priority, enabled=enabled, refcount=1)
    vcpu.vm.dist.lpis[intid] = irq
    vcpu.vm.dist.has_its = True
    return irq


def vgic_its_trigger_msi(vm: Vm, intid: int) -> bool:
    """Make an LPI pending; False where the kernel refuses: not mapped, or LPIs disabled at its target."""
    irq = vm.dist.lpis.get(intid)
    if irq is None or irq.target_vcpu is None or not irq.target_vcpu.lpis_enabled:
        return False
    irq.pending_latch = True
    vgic_queue_irq_unlock(vm, irq)
    return True


def update_lpi_config(irq: VgicIrq, priority: int, enabled: bool) -> None:
    """Take a new priority and enable bit from the property table (INV)."""
    irq.priority = priority & 0xFC
    irq.enabled = enabled
    vgic_queue_irq_unlock(irq.vm, irq)


def update_affinity(irq: VgicIrq, vcpu: Vcpu) -> None:
    """Give an LPI a new target (MOVI); the list it is on is left to the next prune."""
    irq.target_vcpu = vcpu


def vgic_its_cmd_handle_movall(vm: Vm, source: Vcpu, target: Vcpu) -> None:
    """MOVALL: move the LPIs of one redistributor to another (switch ``movall_source``: only those)."""
    if source is target:
        return
    for irq in tuple(vm.dist.lpis.values()):
        if irq.target_vcpu is source or not vm.profile.movall_source:
            update_affinity(irq, target)


def vgic_its_free_ite(vm: Vm, intid: int) -> None:
    """Unmap an LPI (DISCARD): the mapping's reference goes."""
    vgic_put_irq(vm.dist.lpis[intid])


def vgic_enable_lpis(vcpu: Vcpu) -> None:
    """GICR_CTLR.EnableLPIs set; pending ones of the table would be read here."""
    vcpu.lpis_enabled = True


def vgic_disable_lpis(vcpu: Vcpu) -> None:
    """GICR_CTLR.EnableLPIs cleared, by any vCPU, while this one may be running (section 21.9)."""
    vcpu.lpis_enabled = False
    vgic_flush_pending_lpis(vcpu)


def vgic_flush_pending_lpis(vcpu: Vcpu) -> None:
    """Take every LPI off a vCPU's list."""
    for irq in [irq for irq in vcpu.ap_list if irq.intid >= VGIC_MIN_LPI]:
        vcpu.ap_list.remove(irq)
        irq.vcpu = None
        if vcpu.vm.profile.inject_needs_init:  # came with the same set of changes
            irq.pending_latch = False
        vgic_put_irq(irq)
