"""The host side: what KVM knows of the hardware (``kvm_vgic_global_state``) and the physical interrupts.

Nothing here touches the virtual CPU interface; the world switch does that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hw.config import GicConfig

if TYPE_CHECKING:
    from sim.kvm.irq import VgicIrq

__all__ = ["Host", "PhysicalIrqs"]


@dataclass
class PhysicalIrqs:
    """The physical distributor as far as the vgic touches it, by physical INTID.

    ``line``: input levels; ``active``: active states; ``deactivated``: every deactivation made by software
    (ICC_DIR_EL1 from the hypervisor), in order. A machine may subclass it to route the effects.
    """

    line: dict[int, bool] = field(default_factory=dict)
    active: dict[int, bool] = field(default_factory=dict)
    pending: dict[int, bool] = field(default_factory=dict)
    deactivated: list[int] = field(default_factory=list)

    def vgic_v3_deactivate_phys(self, intid: int) -> None:
        """Deactivate a physical interrupt by software: ICC_DIR_EL1, or GIC CDDI on a GICv5 host."""
        self.deactivated.append(intid)
        self.active[intid] = False

    def level(self, intid: int) -> bool:
        """Return the input level (``vgic_get_phys_line_level``)."""
        return self.line.get(intid, False)

    def set_active(self, intid: int, active: bool) -> None:
        """Set or clear the active state (``vgic_irq_set_phys_active``)."""
        self.active[intid] = active

    def set_pending(self, intid: int, pending: bool) -> None:
        """Set or clear the pending state (``vgic_irq_set_phys_pending``)."""
        self.pending[intid] = pending


@dataclass
class Host:
    """What KVM knows of the machine it runs on.

    Parameters
    ----------
    config : GicConfig
        The virtual CPU interface; ``config.vtr`` is what the kernel read at boot.
    vhe : bool
        The kernel runs at EL2 and does the world switch itself; False: nVHE, hyp does it.
    trap_bits : int
        Constant ICH_HCR_EL2 bits OR-ed in at every entry (``kvm_compute_ich_hcr_trap_bits``, section 15.1).
    sw_resample : bool
        No physical deactivation through HW list registers (Apple): VGIC_IRQ_SW_RESAMPLE.
    gicv5 : bool
        GICv5 host in legacy mode: physical deactivation is ``GIC CDDI``.
    """

    config: GicConfig = field(default_factory=GicConfig)
    vhe: bool = True
    trap_bits: int = 0
    sw_resample: bool = False
    gicv5: bool = False
    irqs: PhysicalIrqs = field(default_factory=PhysicalIrqs)
    #: ``last_lr_irq``, one for each physical CPU (section 22.15).
    last_lr_irq: dict[int, VgicIrq | None] = field(default_factory=dict)

    @property
    def nr_lr(self) -> int:
        """Number of list registers KVM uses; it reads ListRegs as four bits."""
        return (self.config.vtr & 0xF) + 1

    @property
    def has_tdir(self) -> bool:
        """Whether ICV_DIR_EL1 can be trapped alone (ARM64_HAS_ICH_HCR_EL2_TDIR)."""
        return self.config.tds
