"""GICv3 distributor as the guest reaches it (kernel: vgic-mmio-v3.c)."""

from __future__ import annotations

from sim.kvm.ap_list import vgic_kick_vcpus, vgic_move_irq, vgic_queue_all
from sim.kvm.irq import VGIC_NR_PRIVATE_IRQS
from sim.kvm.lr import vgic_get_irq
from sim.kvm.mmio import Region, irq_registers, vgic_mmio_read_raz, vgic_mmio_write_wi
from sim.kvm.requests import kvm_make_request_wait
from sim.kvm.route import vgic_v3_update_tdir
from sim.kvm.vm import Request, Vcpu, Vm

__all__ = ["GICD_REGIONS", "GICD_SIZE", "extract_bytes", "kvm_mpidr_to_vcpu", "vgic_iidr"]

GICD_SIZE = 0x10000
_ENABLE_G1 = 1 << 1
_ARE = 1 << 4
_DS = 1 << 6
_PIDR2 = 0x3B


def extract_bytes(value: int, offset: int, length: int) -> int:
    """Return the part of a 64-bit register that an access at ``offset`` of ``length`` bytes sees."""
    return value >> (offset & 7) * 8 & ((1 << length * 8) - 1)


def vgic_iidr(vm: Vm) -> int:
    """Return GICD_IIDR and GICR_IIDR: product 'K', KVM's revision, implementer Arm."""
    return 0x4B << 24 | vm.dist.implementation_rev << 12 | 0x43B


def kvm_mpidr_to_vcpu(vm: Vm, mpidr: int) -> Vcpu | None:
    """Return the vCPU with this affinity, or None."""
    return next((vcpu for vcpu in vm.vcpus if vcpu.mpidr == mpidr & 0xFFFFFF), None)


def vgic_mmio_read_v3_misc(vcpu: Vcpu, offset: int, length: int) -> int:
    """GICD_CTLR, TYPER, IIDR."""
    dist = vcpu.vm.dist
    if offset & 0xC == 0:
        return _ARE | _DS | (_ENABLE_G1 if dist.enabled else 0)
    if offset & 0xC == 4:
        lines = (dist.nr_spis + VGIC_NR_PRIVATE_IRQS) // 32 - 1
        id_bits = 16 if dist.has_its else 10
        return lines | (1 << 17 if dist.has_its else 0) | (id_bits - 1) << 19
    return vgic_iidr(vcpu.vm)


def vgic_mmio_write_v3_misc(vcpu: Vcpu, offset: int, length: int, value: int) -> None:
    """GICD_CTLR: group 1 stands for the whole distributor; enabling kicks vCPUs that list something."""
    if offset & 0xC:
        return
    dist = vcpu.vm.dist
    was_enabled = dist.enabled
    dist.enabled = bool(value & _ENABLE_G1)
    if dist.enabled and not was_enabled:
        if vcpu.vm.profile.requeue_on_enable:
            vgic_queue_all(vcpu.vm)
        vgic_kick_vcpus(vcpu.vm)
    elif was_enabled and not dist.enabled and vcpu.vm.profile.wait_when_disabling:
        for other in vcpu.vm.vcpus:
            kvm_make_request_wait(Request.IRQ_PENDING, other)


def vgic_mmio_read_irouter(vcpu: Vcpu, offset: int, length: int) -> int:
    """GICD_IROUTER."""
    irq = vgic_get_irq(vcpu.vm, (offset & 0x1FFF) // 8)
    return extract_bytes(irq.mpidr, offset, length) if irq is not None else 0


def vgic_mmio_write_irouter(vcpu: Vcpu, offset: int, length: int, value: int) -> None:
    """GICD_IROUTER: a new target, used at the next queueing or prune; Affinity 3 does not exist."""
    irq = vgic_get_irq(vcpu.vm, (offset & 0x1FFF) // 8)
    if irq is None or offset & 4:
        return
    irq.mpidr = value & 0xFFFFFF
    irq.target_vcpu = kvm_mpidr_to_vcpu(vcpu.vm, irq.mpidr)
    vgic_v3_update_tdir(vcpu.vm)
    if vcpu.vm.profile.move_on_route:
        vgic_move_irq(irq)


def vgic_mmio_read_v3_idregs(vcpu: Vcpu, offset: int, length: int) -> int:
    """Identification registers: PIDR2 says GICv3."""
    return _PIDR2 if offset & 0xFFFF == 0xFFE8 else 0


#: The distributor's frame.
GICD_REGIONS: tuple[Region, ...] = (
    Region(0x0000, 16, (4,), vgic_mmio_read_v3_misc, vgic_mmio_write_v3_misc),
    *irq_registers(0, private=False),
    Region(0x6000, 0x100, (4, 8), vgic_mmio_read_raz, vgic_mmio_write_wi),
    Region(0x6100, 0x1F00, (4, 8), vgic_mmio_read_irouter, vgic_mmio_write_irouter),
    Region(0xFFD0, 48, (4,), vgic_mmio_read_v3_idregs, vgic_mmio_write_wi),
)
