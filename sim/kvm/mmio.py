"""Register handlers that distributor and redistributor share (kernel: vgic-mmio.c; spec section 14).

A handler gets the vCPU whose registers are meant, the byte offset within the frame, and the length of the
access. One bit, two bits or a byte of a register stand for one interrupt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from sim.kvm.ap_list import vgic_move_irq, vgic_queue_irq_unlock
from sim.kvm.irq import (
    VGIC_NR_PRIVATE_IRQS,
    Config,
    VgicIrq,
    irq_is_pending,
    vgic_irq_is_mapped_level,
    vgic_is_v2_sgi,
)
from sim.kvm.lr import vgic_get_phys_line_level, vgic_get_vcpu_irq
from sim.kvm.regs import VMCR
from sim.kvm.requests import kvm_make_request_wait, kvm_vcpu_kick
from sim.kvm.route import vgic_v3_update_tdir
from sim.kvm.vm import Request, Vcpu

__all__ = [
    "BITS_PER_IRQ_REGISTERS",
    "Region",
    "irq_registers",
    "vgic_find_mmio_region",
    "vgic_mmio_read_active",
    "vgic_mmio_read_raz",
    "vgic_mmio_write_cactive",
    "vgic_mmio_write_sactive",
    "vgic_mmio_write_wi",
]

Read = Callable[[Vcpu, int, int], int]
Write = Callable[[Vcpu, int, int, int], None]

#: Guest priorities keep their five upper bits (VGIC_PRI_BITS).
_PRIORITY_MASK = 0xF8


class Region(NamedTuple):
    """A run of registers: ``sizes`` are the access widths that reach it, in bytes; others are RAZ/WI.

    ``halts``: vCPUs must be stopped around an access (``vgic_access_active_prepare``).
    """

    offset: int
    length: int
    sizes: tuple[int, ...]
    read: Read
    write: Write
    halts: bool = False


def vgic_find_mmio_region(regions: tuple[Region, ...], offset: int, length: int) -> Region | None:
    """Return the region of a well-formed access, or None: then it reads as zero and ignores writes."""
    for region in regions:
        if region.offset <= offset < region.offset + region.length:
            return region if length in region.sizes and offset % length == 0 else None
    return None


def vgic_mmio_read_raz(vcpu: Vcpu, offset: int, length: int) -> int:
    """Read as zero."""
    return 0


def vgic_mmio_write_wi(vcpu: Vcpu, offset: int, length: int, value: int) -> None:
    """Ignore a write."""


def _irqs(vcpu: Vcpu, offset: int, length: int, bits: int) -> Iterator[tuple[int, VgicIrq]]:
    """Yield (bit position, interrupt) for each interrupt of an access to ``bits``-wide fields."""
    first = (offset & (1024 * bits // 8 - 1)) * 8 // bits
    for n in range(length * 8 // bits):
        irq = vgic_get_vcpu_irq(vcpu, first + n)
        if irq is not None:
            yield n * bits, irq


def _gather(field: Callable[[VgicIrq], int], bits: int = 1) -> Read:
    """Make a read handler that collects ``field`` of each interrupt."""

    def read(vcpu: Vcpu, offset: int, length: int) -> int:
        value = 0
        for shift, irq in _irqs(vcpu, offset, length, bits):
            value |= field(irq) << shift
        return value

    return read


def _for_set_bits(action: Callable[[VgicIrq], None]) -> Write:
    """Make a write handler that acts on each interrupt whose bit is one."""

    def write(vcpu: Vcpu, offset: int, length: int, value: int) -> None:
        for shift, irq in _irqs(vcpu, offset, length, 1):
            if value >> shift & 1:
                action(irq)
        vgic_v3_update_tdir(vcpu.vm)

    return write


def _kick_lister(irq: VgicIrq) -> None:
    """Make the vCPU that lists a rewritten interrupt look again (cure ``kick_after_rewrite``)."""
    if irq.vm.profile.kick_after_rewrite and irq.vcpu is not None:
        kvm_vcpu_kick(irq.vcpu)


def _senable(irq: VgicIrq) -> None:
    if vgic_irq_is_mapped_level(irq):
        was_high = irq.line_level
        irq.line_level = vgic_get_phys_line_level(irq)
        if not irq.active and was_high and not irq.line_level:
            irq.vm.host.irqs.set_active(irq.hwintid, False)
    irq.enabled = True
    vgic_queue_irq_unlock(irq.vm, irq)


def _cenable(irq: VgicIrq) -> None:
    irq.enabled = False
    if irq.vm.profile.wait_when_disabling and irq.on_lr:
        kvm_make_request_wait(Request.IRQ_PENDING, irq.vcpu)


def _spending(irq: VgicIrq) -> None:
    if vgic_is_v2_sgi(irq):  # a GICv2 guest says which source: SPENDSGIR
        return
    irq.pending_latch = True
    if irq.hw:
        irq.vm.host.irqs.set_active(irq.hwintid, True)
    vgic_queue_irq_unlock(irq.vm, irq)


def _cpending(irq: VgicIrq) -> None:
    if vgic_is_v2_sgi(irq):
        return
    irq.pending_latch = False
    if irq.on_lr and irq.vm.profile.unpend_in_lr:
        irq.unpended = True
        kvm_vcpu_kick(irq.vcpu)
    if irq.hw:
        # The guest must not mask the physical interrupt by setting and clearing the pending state.
        irq.vm.host.irqs.set_pending(irq.hwintid, False)
        if not irq.active:
            irq.vm.host.irqs.set_active(irq.hwintid, False)


def _change_active(irq: VgicIrq, active: bool) -> None:
    if not active and not _handler_runs(irq):
        irq.acked = None
    irq.active = active
    if irq.hw:
        irq.vm.host.irqs.set_active(irq.hwintid, active)
    if active:
        vgic_queue_irq_unlock(irq.vm, irq)
    elif irq.vm.profile.move_on_route:
        vgic_move_irq(irq)


def _handler_runs(irq: VgicIrq) -> bool:
    """Return whether the EOI of what ICACTIVER ends is still to come (cure ``walk_by_priority``).

    In EOImode 1 there is nothing to remember: an EOI is not counted, and ICACTIVER stands for DIR.
    """
    if not irq.vm.profile.walk_by_priority or irq.vcpu is None:
        return False
    return not irq.vcpu.cpu_if.vgic_vmcr & VMCR.VEOIM


def _pending(irq: VgicIrq) -> int:
    return vgic_get_phys_line_level(irq) if vgic_irq_is_mapped_level(irq) else irq_is_pending(irq)


#: ISACTIVER and ICACTIVER reads; the vCPUs are stopped, so memory is current.
vgic_mmio_read_active: Read = _gather(lambda irq: irq.active)
#: ISACTIVER write.
vgic_mmio_write_sactive: Write = _for_set_bits(lambda irq: _change_active(irq, True))
#: ICACTIVER write; it notifies no resampler and leaves active_spis alone (section 14).
vgic_mmio_write_cactive: Write = _for_set_bits(lambda irq: _change_active(irq, False))


def vgic_mmio_write_group(vcpu: Vcpu, offset: int, length: int, value: int) -> None:
    """IGROUPR: every interrupt of the register is looked at for queueing again."""
    for shift, irq in _irqs(vcpu, offset, length, 1):
        changed = irq.group != value >> shift & 1
        irq.group = value >> shift & 1
        vgic_queue_irq_unlock(irq.vm, irq)
        if changed:
            _kick_lister(irq)


def vgic_mmio_write_priority(vcpu: Vcpu, offset: int, length: int, value: int) -> None:
    """IPRIORITYR: takes effect at the next flush; nothing is queued or kicked."""
    for shift, irq in _irqs(vcpu, offset, length, 8):
        changed = irq.priority != value >> shift & _PRIORITY_MASK
        irq.priority = value >> shift & _PRIORITY_MASK
        if changed:
            _kick_lister(irq)


def vgic_mmio_write_config(vcpu: Vcpu, offset: int, length: int, value: int) -> None:
    """ICFGR of SPIs; SGIs and PPIs keep their trigger type."""
    for shift, irq in _irqs(vcpu, offset, length, 2):
        if irq.intid >= VGIC_NR_PRIVATE_IRQS:
            irq.config = Config.EDGE if value >> shift & 2 else Config.LEVEL


#: name, offset in either frame, bits an interrupt, access sizes, read, write, halts.
BITS_PER_IRQ_REGISTERS: tuple[tuple[str, int, int, tuple[int, ...], Read, Write, bool], ...] = (
    ("IGROUPR", 0x080, 1, (4,), _gather(lambda irq: irq.group), vgic_mmio_write_group, False),
    ("ISENABLER", 0x100, 1, (4,), _gather(lambda irq: irq.enabled), _for_set_bits(_senable), False),
    ("ICENABLER", 0x180, 1, (4,), _gather(lambda irq: irq.enabled), _for_set_bits(_cenable), False),
    ("ISPENDR", 0x200, 1, (4,), _gather(_pending), _for_set_bits(_spending), False),
    ("ICPENDR", 0x280, 1, (4,), _gather(_pending), _for_set_bits(_cpending), False),
    ("ISACTIVER", 0x300, 1, (4,), vgic_mmio_read_active, vgic_mmio_write_sactive, True),
    ("ICACTIVER", 0x380, 1, (4,), vgic_mmio_read_active, vgic_mmio_write_cactive, True),
    ("IPRIORITYR", 0x400, 8, (1, 4), _gather(lambda irq: irq.priority, 8), vgic_mmio_write_priority, False),
    (
        "ICFGR",
        0xC00,
        2,
        (4,),
        _gather(lambda irq: 0 if irq.config is Config.LEVEL else 2, 2),
        vgic_mmio_write_config,
        False,
    ),
)


def irq_registers(base: int, private: bool) -> list[Region]:
    """Return the regions of the registers above.

    Parameters
    ----------
    base : int
        Offset of the frame they live in.
    private : bool
        INTIDs 0..31 (redistributor); False: the shared ones, whose first 32 are RAZ/WI.
    """
    regions = []
    for _, offset, bits, sizes, read, write, halts in BITS_PER_IRQ_REGISTERS:
        first = VGIC_NR_PRIVATE_IRQS * bits // 8
        if private:
            regions.append(Region(base + offset, first, sizes, read, write, halts))
        else:
            regions.append(Region(base + offset, first, sizes, vgic_mmio_read_raz, vgic_mmio_write_wi))
            length = 1024 * bits // 8 - first
            regions.append(Region(base + offset + first, length, sizes, read, write, halts))
    return regions
