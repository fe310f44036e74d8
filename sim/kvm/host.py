"""The host: what KVM knows of the hardware, decided at boot, and the physical interrupts (spec section 15).

Nothing here touches the virtual CPU interface; the world switch does that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from sim.kvm.regs import HCR

if TYPE_CHECKING:
    from sim.kvm.irq import VgicIrq
    from sim.kvm.profile import Profile

__all__ = [
    "Host",
    "HotplugHangError",
    "PhysicalIrqs",
    "can_trap_icv_dir_el1",
    "kvm_compute_ich_hcr_trap_bits",
]


class HotplugHangError(RuntimeError):
    """A CPU that called the removed HVC stub of a protected host never comes back (section 15.5)."""


@dataclass
class PhysicalIrqs:
    """The physical distributor as far as the vgic touches it, by physical INTID.

    ``line``: input levels; ``active``: active states; ``pending``: what the vgic set; ``deactivated``: every
    deactivation made by software (ICC_DIR_EL1 from the hypervisor), in order. A machine may subclass it.
    """

    line: dict[int, bool] = field(default_factory=dict)
    active: dict[int, bool] = field(default_factory=dict)
    pending: dict[int, bool] = field(default_factory=dict)
    deactivated: list[int] = field(default_factory=list)

    def vgic_v2_deactivate_phys(self, intid: int) -> None:
        """Deactivate a physical interrupt on a GICv2 host: GICC_DIR, whose mapping KVM must have (m02)."""
        self.vgic_v3_deactivate_phys(intid)

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
    """The machine a kernel runs on.

    Parameters
    ----------
    config : GicConfig or GicV2Config
        The virtual CPU interface; ``config.vtr`` is what the kernel reads at boot.
    vhe : bool
        The kernel runs at EL2 and does the world switch itself; False: nVHE, hyp does it.
    hyp : bool
        EL2 is available at all.
    gicv3_cpuif : bool
        The CPU advertises a GICv3 CPU interface.
    apple : bool
        An Apple M1 or M2: GICv3-like without saying so; SEIS is broken there, and mapped interrupts are
        resampled by software.
    gicv5 : bool
        A GICv5 host in legacy mode.
    cavium_30115 : bool
        The erratum that needs both groups trapped.
    protected : bool
        pKVM.
    group0_trap, group1_trap, common_trap : bool
        ``kvm-arm.vgic_v3_*_trap`` on the kernel command line.
    other_cpus_tds : tuple of bool
        ICH_VTR_EL2.TDS of the CPUs beside the boot CPU, where they differ from it.
    """

    config: GicConfig | GicV2Config = field(default_factory=GicConfig)
    vhe: bool = True
    hyp: bool = True
    gicv3_cpuif: bool = True
    apple: bool = False
    gicv5: bool = False
    cavium_30115: bool = False
    protected: bool = False
    group0_trap: bool = False
    group1_trap: bool = False
    common_trap: bool = False
    other_cpus_tds: tuple[bool, ...] = ()
    irqs: PhysicalIrqs = field(default_factory=PhysicalIrqs)

    #: ``last_lr_irq``, one for each physical CPU (section 22.15).
    last_lr_irq: dict[int, VgicIrq | None] = field(default_factory=dict, init=False)
    booted: bool = field(default=False, init=False)
    #: ICV_DIR_EL1 can be trapped alone (ARM64_HAS_ICH_HCR_EL2_TDIR).
    has_tdir: bool = field(default=True, init=False)
    #: Constant bits of every ICH_HCR_EL2 value that is written.
    trap_bits: int = field(default=0, init=False)
    #: The static key ``vgic_v3_cpuif_trap``: hyp emulates trapped CPU-interface registers.
    cpuif_trap: bool = field(default=False, init=False)

    @property
    def nr_lr(self) -> int:
        """Number of list registers KVM uses; it reads ListRegs as four bits, on GICv2 as six."""
        return (self.config.vtr & (0x3F if self.gicv2 else 0xF)) + 1

    @property
    def gicv2(self) -> bool:
        """The host has a GICv2 (``kvm_vgic_global_state.type``)."""
        return isinstance(self.config, GicV2Config)

    @property
    def trap_options(self) -> int:
        """ICH_HCR_EL2 bits the command line asks for, as it stands now."""
        return (
            (HCR.TALL0 if self.group0_trap else 0)
            | (HCR.TALL1 if self.group1_trap else 0)
            | (HCR.TC if self.common_trap else 0)
        )

    def boot(self, profile: Profile) -> None:
        """Probe the GIC, once: the capability, the constant trap bits, the static key."""
        if self.booted:
            return
        self.booted = True
        if self.gicv2:  # nothing can be trapped, DIR is left out of the guest's memory map
            self.has_tdir = False
            return
        cpus = (self.config.tds, *(self.other_cpus_tds if profile.early_cap else ()))
        self.has_tdir = all(can_trap_icv_dir_el1(self, profile, tds) for tds in cpus)
        self.trap_bits = kvm_compute_ich_hcr_trap_bits(self)
        key_set = not self.gicv5 or profile.gicv5_cpuif_traps
        self.cpuif_trap = bool(self.trap_bits) and key_set

    def hotplug(self, profile: Profile) -> bool:
        """Bring a CPU up after boot and return the capability as it is then.

        Raises
        ------
        HotplugHangError
            In protected mode without ``hotplug_answer``: the HVC stub that tells TDS is gone.
        """
        if self.protected and not profile.hotplug_answer:
            raise HotplugHangError("CPU hot-plug under pKVM: the HVC stub does not exist any more")
        return self.has_tdir


def can_trap_icv_dir_el1(host: Host, profile: Profile, tds: bool) -> bool:
    """Return whether a CPU with ``tds`` can trap ICV_DIR_EL1 alone (section 15.2, scenario A31)."""
    if not profile.detect_tdir:
        return True
    gicv3_like = host.gicv3_cpuif or (host.apple and profile.detect_all_hosts)
    if host.gicv5 and profile.gicv5_tdir:
        return True
    return gicv3_like and host.hyp and tds


def kvm_compute_ich_hcr_trap_bits(host: Host) -> int:
    """Return the constant trap bits (section 15.1)."""
    bits = host.trap_options
    if host.cavium_30115:
        bits |= HCR.TALL0 | HCR.TALL1
    if host.apple and host.vhe and host.config.seis:
        bits |= HCR.TALL0 | HCR.TALL1 | HCR.TDIR
    if not host.has_tdir:
        bits |= HCR.TC
    return bits
