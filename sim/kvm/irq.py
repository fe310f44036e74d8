"""One interrupt (``struct vgic_irq``) and its predicates (spec section 3.1)."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.kvm.vm import Vcpu, Vm

__all__ = [
    "VGIC_MAX_PRIVATE",
    "VGIC_MIN_LPI",
    "VGIC_NR_PRIVATE_IRQS",
    "VGIC_NR_SGIS",
    "Config",
    "IrqOps",
    "VgicIrq",
    "VgicModel",
    "irq_is_pending",
    "vgic_irq_get_lr_count",
    "vgic_irq_is_mapped_level",
    "vgic_irq_is_multi_sgi",
    "vgic_irq_needs_resampling",
    "vgic_is_v2_sgi",
]

VGIC_NR_SGIS = 16
VGIC_NR_PRIVATE_IRQS = 32
VGIC_MAX_PRIVATE = VGIC_NR_PRIVATE_IRQS - 1
VGIC_MIN_LPI = 8192


class Config(enum.IntEnum):
    """Trigger type; the kernel's zeroed structures start as edge."""

    EDGE = 0
    LEVEL = 1


class VgicModel(enum.IntEnum):
    """What the guest has: ``vgic_model``, KVM_DEV_TYPE_ARM_VGIC_V2 or _V3."""

    V2 = 2
    V3 = 3


@dataclass
class IrqOps:
    """Optional hooks of a mapped interrupt (``struct irq_ops``).

    ``get_input_level(intid)`` returns the physical line; ``sw_resample`` is VGIC_IRQ_SW_RESAMPLE;
    ``queue_irq_unlock(vm, irq)`` replaces queueing.
    """

    get_input_level: Callable[[int], bool] | None = None
    sw_resample: bool = False
    queue_irq_unlock: Callable[[Vm, VgicIrq], bool] | None = None


@dataclass(slots=True, eq=False)
class VgicIrq:
    """A virtual interrupt. Private ones (INTID 0..31) exist once for each vCPU.

    Parameters
    ----------
    intid : int
        0-15 SGI, 16-31 PPI, 32..1019 SPI, 8192.. LPI.
    vm : Vm
        The VM it belongs to.
    vcpu : Vcpu or None
        Owner of the ap_list it is queued on; None while on none.
    target_vcpu : Vcpu or None
        Where a newly pending instance goes.
    priority : int, 0..0xF8
        Lower is more urgent; guest writes keep the top five bits.
    pending_latch, line_level : bool
        Latched pending state (edge, software) and the level of the input.
    on_lr : bool
        In a list register since the last flush.
    hw, hwintid : bool, int
        Mapped to the physical interrupt ``hwintid``.
    source : int, 8 bits
        SGI of a GICv2 guest: vCPUs whose request is pending.
    active_source : int, 0..7
        SGI of a GICv2 guest: the vCPU whose request is active.
    targets : int, 8 bits
        ITARGETSR of a GICv2 guest's SPI; ``target_vcpu`` is the lowest of them.
    refcount : int
        References to an LPI beside its mapping.
    acked : tuple of int or None
        Priority and group it was acknowledged with, until it is deactivated; beyond an ICACTIVER until its
        end is seen (cure ``walk_by_priority``). None: it was not acknowledged.
    latch_on_lr, unpended : bool
        The latch of a level interrupt is in its LR (cure ``soft_pending_kept``); ICPENDR was written
        meanwhile (cure ``unpend_in_lr``).
    """

    intid: int
    vm: Vm
    target_vcpu: Vcpu | None = None
    vcpu: Vcpu | None = None
    priority: int = 0
    group: int = 1
    config: Config = Config.EDGE
    enabled: bool = False
    active: bool = False
    pending_latch: bool = False
    line_level: bool = False
    on_lr: bool = False
    hw: bool = False
    hwintid: int = 0
    source: int = 0
    active_source: int = 0
    targets: int = 0
    mpidr: int = 0
    ops: IrqOps | None = None
    owner: object | None = None
    refcount: int = 0
    freed: bool = False
    acked: tuple[int, int] | None = None
    latch_on_lr: bool = False
    unpended: bool = False

    def __repr__(self) -> str:
        bits = (
            ("pending_latch", "latch"), ("line_level", "line"), ("active", "active"), ("on_lr", "on_lr"),
            ("hw", "hw"), ("freed", "freed"),
        )  # fmt: skip
        flags = " ".join(text for name, text in bits if getattr(self, name))
        owner = f" on vCPU{self.vcpu.vcpu_id}" if self.vcpu else ""
        return f"<irq {self.intid} {self.priority:02x} {self.config.name}{' ' * bool(flags)}{flags}{owner}>"


def irq_is_pending(irq: VgicIrq) -> bool:
    """Return whether the interrupt is pending: its latch, or for a level one its line."""
    return irq.pending_latch or (irq.config is Config.LEVEL and irq.line_level)


def vgic_irq_is_mapped_level(irq: VgicIrq) -> bool:
    """Return whether it is a level interrupt backed by a physical one."""
    return irq.hw and irq.config is Config.LEVEL


def vgic_is_v2_sgi(irq: VgicIrq) -> bool:
    """Return whether it is an SGI of a GICv2 guest, which knows its source."""
    return irq.intid < VGIC_NR_SGIS and irq.vm.vgic_model is VgicModel.V2


def vgic_irq_get_lr_count(irq: VgicIrq) -> int:
    """Return how many LRs the legacy algorithm counts for it: an SGI needs one for each source."""
    if irq.intid < VGIC_NR_SGIS and irq.source:
        return irq.source.bit_count() + irq.active
    return int(irq_is_pending(irq) or irq.active)


def vgic_irq_is_multi_sgi(irq: VgicIrq) -> bool:
    """Return whether one LR cannot hold all that is wanted of an SGI (GICv2 guests)."""
    return vgic_irq_get_lr_count(irq) > 1


def vgic_irq_needs_resampling(irq: VgicIrq) -> bool:
    """Return whether the physical active state must be cleared by software (VGIC_IRQ_SW_RESAMPLE)."""
    return irq.ops is not None and irq.ops.sw_resample
