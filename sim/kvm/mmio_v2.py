"""GICv2 distributor as the guest reaches it (kernel: vgic-mmio-v2.c).

SGIs and PPIs are banked here: the first registers of each kind are the accessing vCPU's own.
"""

from __future__ import annotations

import enum

from sim.kvm.ap_list import vgic_kick_vcpus, vgic_queue_irq_unlock
from sim.kvm.irq import VGIC_NR_PRIVATE_IRQS, VGIC_NR_SGIS
from sim.kvm.lr import vgic_get_irq
from sim.kvm.mmio import (
    Region,
    irq_registers,
    vgic_mmio_read_raz,
    vgic_mmio_write_sactive,
    vgic_mmio_write_wi,
)
from sim.kvm.vm import Vcpu

__all__ = ["GICD_SGIR", "GICD_V2_REGIONS", "GICD_V2_SIZE", "SgirFilter", "sgir_value"]

GICD_V2_SIZE = 0x1000
GICD_SGIR = 0xF00
_ENABLE = 1 << 0
_ITARGETSR = 0x800
_CPENDSGIR, _SPENDSGIR = 0xF10, 0xF20
#: GICD_SGIR fields: filter [25:24], target list [23:16], INTID [3:0].
_FILTER_SHIFT, _LIST_SHIFT = 24, 16


class SgirFilter(enum.IntEnum):
    """GICD_SGIR.TargetListFilter."""

    LIST = 0
    OTHERS = 1
    SELF = 2


def sgir_value(intid: int, which: SgirFilter, targets: int = 0) -> int:
    """Return the GICD_SGIR operand that sends SGI ``intid``; ``targets`` is a mask of vCPUs."""
    return which << _FILTER_SHIFT | (targets & 0xFF) << _LIST_SHIFT | intid & 0xF


def vgic_mmio_read_v2_misc(vcpu: Vcpu, offset: int, length: int) -> int:
    """GICD_CTLR, TYPER, IIDR."""
    vm = vcpu.vm
    if offset & 0xC == 0:
        return _ENABLE if vm.dist.enabled else 0
    if offset & 0xC == 4:
        lines = (vm.dist.nr_spis + VGIC_NR_PRIVATE_IRQS) // 32 - 1
        return lines | (len(vm.vcpus) - 1) << 5
    return 0x4B << 24 | vm.dist.implementation_rev << 12 | 0x43B


def vgic_mmio_write_v2_misc(vcpu: Vcpu, offset: int, length: int, value: int) -> None:
    """GICD_CTLR: one enable; setting it kicks vCPUs that list something."""
    if offset & 0xC:
        return
    dist = vcpu.vm.dist
    was_enabled = dist.enabled
    dist.enabled = bool(value & _ENABLE)
    if dist.enabled and not was_enabled:
        vgic_kick_vcpus(vcpu.vm)


def vgic_mmio_write_sgir(vcpu: Vcpu, offset: int, length: int, value: int) -> None:
    """GICD_SGIR: make an SGI pending with this vCPU as one more source."""
    vm = vcpu.vm
    intid, which = value & 0xF, value >> _FILTER_SHIFT & 3
    if which == SgirFilter.LIST:
        targets = value >> _LIST_SHIFT & 0xFF
    elif which == SgirFilter.OTHERS:
        targets = ((1 << len(vm.vcpus)) - 1) & ~(1 << vcpu.vcpu_id)
    elif which == SgirFilter.SELF:
        targets = 1 << vcpu.vcpu_id
    else:  # reserved
        return
    for target in vm.vcpus:
        if not targets >> target.vcpu_id & 1:
            continue
        irq = target.private_irqs[intid]
        irq.pending_latch = True
        irq.source |= 1 << vcpu.vcpu_id
        vgic_queue_irq_unlock(vm, irq)


def vgic_mmio_read_target(vcpu: Vcpu, offset: int, length: int) -> int:
    """GICD_ITARGETSR of SPIs."""
    value = 0
    for n in range(length):
        irq = vgic_get_irq(vcpu.vm, offset - _ITARGETSR + n)
        value |= (irq.targets if irq is not None else 0) << 8 * n
    return value


def vgic_mmio_read_own_target(vcpu: Vcpu, offset: int, length: int) -> int:
    """GICD_ITARGETSR of SGIs and PPIs: the accessing vCPU, which finds out its number that way."""
    return sum(1 << vcpu.vcpu_id + 8 * n for n in range(length))


def vgic_mmio_write_target(vcpu: Vcpu, offset: int, length: int, value: int) -> None:
    """GICD_ITARGETSR: the lowest target gets the interrupt, from the next queueing or prune on."""
    vm = vcpu.vm
    existing = (1 << len(vm.vcpus)) - 1
    for n in range(length):
        irq = vgic_get_irq(vm, offset - _ITARGETSR + n)
        if irq is None:
            continue
        irq.targets = value >> 8 * n & existing
        target = (irq.targets & -irq.targets).bit_length() - 1 if irq.targets else 0
        irq.target_vcpu = vm.vcpus[target]


def vgic_mmio_read_sgipend(vcpu: Vcpu, offset: int, length: int) -> int:
    """GICD_CPENDSGIR and SPENDSGIR: the pending sources of an SGI, a byte each."""
    return sum(vcpu.private_irqs[(offset & 0xF) + n].source << 8 * n for n in range(length))


def vgic_mmio_write_sgipendc(vcpu: Vcpu, offset: int, length: int, value: int) -> None:
    """GICD_CPENDSGIR: withdraw requests of some sources."""
    for n in range(length):
        irq = vcpu.private_irqs[(offset & 0xF) + n]
        irq.source &= ~(value >> 8 * n & 0xFF)
        if not irq.source:
            irq.pending_latch = False


def vgic_mmio_write_sgipends(vcpu: Vcpu, offset: int, length: int, value: int) -> None:
    """GICD_SPENDSGIR: add requests of some sources."""
    for n in range(length):
        irq = vcpu.private_irqs[(offset & 0xF) + n]
        irq.source |= value >> 8 * n & 0xFF
        if irq.source:
            irq.pending_latch = True
            vgic_queue_irq_unlock(vcpu.vm, irq)


def vgic_mmio_write_v2_sactive(vcpu: Vcpu, offset: int, length: int, value: int) -> None:
    """GICD_ISACTIVER<0>: the source of an SGI made active is the accessing vCPU; no better one is known."""
    for intid in range(VGIC_NR_SGIS):
        if value >> intid & 1:
            vcpu.private_irqs[intid].active_source = vcpu.vcpu_id
    vgic_mmio_write_sactive(vcpu, offset, length, value)


def _banked() -> list[Region]:
    return [
        region._replace(write=vgic_mmio_write_v2_sactive)
        if region.write is vgic_mmio_write_sactive
        else region
        for region in irq_registers(0, private=True)
    ]


#: The distributor's frame.
GICD_V2_REGIONS: tuple[Region, ...] = (
    Region(0x000, 12, (4,), vgic_mmio_read_v2_misc, vgic_mmio_write_v2_misc),
    *_banked(),
    *(region for region in irq_registers(0, private=False) if region.read is not vgic_mmio_read_raz),
    Region(_ITARGETSR, 32, (1, 4), vgic_mmio_read_own_target, vgic_mmio_write_wi),
    Region(_ITARGETSR + 32, 992, (1, 4), vgic_mmio_read_target, vgic_mmio_write_target),
    Region(GICD_SGIR, 4, (4,), vgic_mmio_read_raz, vgic_mmio_write_sgir),
    Region(_CPENDSGIR, 16, (1, 4), vgic_mmio_read_sgipend, vgic_mmio_write_sgipendc),
    Region(_SPENDSGIR, 16, (1, 4), vgic_mmio_read_sgipend, vgic_mmio_write_sgipends),
)
