"""GICv3 redistributors, and the guest's MMIO accesses as a whole (kernel: vgic-mmio-v3.c)."""

from __future__ import annotations

from typing import NamedTuple

from sim.kvm.irq import VGIC_NR_PRIVATE_IRQS, VgicModel
from sim.kvm.lpi import vgic_disable_lpis, vgic_enable_lpis
from sim.kvm.mmio import Region, irq_registers, vgic_find_mmio_region, vgic_mmio_read_raz, vgic_mmio_write_wi
from sim.kvm.mmio_dist import GICD_REGIONS, GICD_SIZE, extract_bytes, vgic_iidr, vgic_mmio_read_v3_idregs
from sim.kvm.mmio_v2 import GICD_V2_REGIONS, GICD_V2_SIZE
from sim.kvm.vm import Vcpu

__all__ = [
    "GICR_REGIONS",
    "GICR_STRIDE",
    "dispatch_mmio_read",
    "dispatch_mmio_write",
    "vgic_access_active_prepare",
]

GICR_STRIDE = 0x20000
_SGI_FRAME = 0x10000
_ENABLE_LPIS = 1 << 0
_CES = 1 << 1
_IR = 1 << 2
_TYPER_PLPIS = 1 << 0
_TYPER_LAST = 1 << 4


def vgic_mmio_read_v3r_ctlr(vcpu: Vcpu, offset: int, length: int) -> int:
    """GICR_CTLR: EnableLPIs can be cleared, INVLPI and INVALL exist."""
    return (_ENABLE_LPIS if vcpu.lpis_enabled else 0) | _CES | _IR


def vgic_mmio_write_v3r_ctlr(vcpu: Vcpu, offset: int, length: int, value: int) -> None:
    """GICR_CTLR.EnableLPIs; only with an ITS."""
    if not vcpu.vm.dist.has_its:
        return
    if value & _ENABLE_LPIS and not vcpu.lpis_enabled:
        vgic_enable_lpis(vcpu)
    elif not value & _ENABLE_LPIS and vcpu.lpis_enabled:
        vgic_disable_lpis(vcpu)


def vgic_mmio_read_v3r_typer(vcpu: Vcpu, offset: int, length: int) -> int:
    """GICR_TYPER: affinity, number, and whether it is the last one."""
    vm = vcpu.vm
    value = vcpu.mpidr << 32 | (vcpu.vcpu_id & 0xFFFF) << 8
    if vm.dist.has_its:
        value |= _TYPER_PLPIS
    if vcpu is vm.vcpus[-1]:
        value |= _TYPER_LAST
    return extract_bytes(value, offset, length)


def vgic_mmio_read_v3r_iidr(vcpu: Vcpu, offset: int, length: int) -> int:
    """GICR_IIDR."""
    return vgic_iidr(vcpu.vm)


#: The two frames of one redistributor.
GICR_REGIONS: tuple[Region, ...] = (
    Region(0x0000, 4, (4,), vgic_mmio_read_v3r_ctlr, vgic_mmio_write_v3r_ctlr),
    Region(0x0004, 4, (4,), vgic_mmio_read_v3r_iidr, vgic_mmio_write_wi),
    Region(0x0008, 8, (4, 8), vgic_mmio_read_v3r_typer, vgic_mmio_write_wi),
    Region(0x0010, 8, (4,), vgic_mmio_read_raz, vgic_mmio_write_wi),
    Region(0xFFD0, 48, (4,), vgic_mmio_read_v3_idregs, vgic_mmio_write_wi),
    *irq_registers(_SGI_FRAME, private=True),
)


class _Place(NamedTuple):
    """Where an address leads: the vCPU meant, the offset in its frame, and the region or None."""

    vcpu: Vcpu
    offset: int
    region: Region | None


def _decode(vcpu: Vcpu, address: int, length: int) -> _Place | None:
    """Find what an address means; None if it is neither distributor nor redistributor."""
    dist = vcpu.vm.dist
    offset = address - dist.vgic_dist_base
    if vcpu.vm.vgic_model is VgicModel.V2:
        if not 0 <= offset < GICD_V2_SIZE:
            return None
        return _Place(vcpu, offset, vgic_find_mmio_region(GICD_V2_REGIONS, offset, length))
    if 0 <= offset < GICD_SIZE:
        return _Place(vcpu, offset, vgic_find_mmio_region(GICD_REGIONS, offset, length))
    number, offset = divmod(address - dist.vgic_redist_base, GICR_STRIDE)
    if 0 <= number < len(vcpu.vm.vcpus):
        owner = vcpu.vm.vcpus[number]
        return _Place(owner, offset, vgic_find_mmio_region(GICR_REGIONS, offset, length))
    return None


def vgic_access_active_prepare(vcpu: Vcpu, address: int, length: int) -> bool:
    """Return whether every vCPU must be stopped and synced before an access (section 14).

    True for ISACTIVER and ICACTIVER, reads too: a GICv3 guest may reach another vCPU's private interrupts.
    A GICv2 guest may not, so there only SPIs need it. With stopvm GICR_CTLR, which may take LPIs off lists,
    needs it as well.
    """
    place = _decode(vcpu, address, length)
    if place is None or place.region is None:
        return False
    if place.region.write is vgic_mmio_write_v3r_ctlr:
        return vcpu.vm.profile.stop_vm_for_lpis
    if not place.region.halts:
        return False
    private = place.region.length == VGIC_NR_PRIVATE_IRQS // 8
    return not (private and vcpu.vm.vgic_model is VgicModel.V2)


def dispatch_mmio_read(vcpu: Vcpu, address: int, length: int) -> int | None:
    """Answer a guest read of ``length`` bytes; None if the address is not the GIC's."""
    place = _decode(vcpu, address, length)
    if place is None:
        return None
    return place.region.read(place.vcpu, place.offset, length) if place.region is not None else 0


def dispatch_mmio_write(vcpu: Vcpu, address: int, length: int, value: int) -> bool:
    """Carry out a guest write; False if the address is not the GIC's."""
    place = _decode(vcpu, address, length)
    if place is None:
        return False
    if place.region is not None:
        place.region.write(place.vcpu, place.offset, length, value)
    return True
