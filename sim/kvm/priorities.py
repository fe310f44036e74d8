"""Active priorities as the hypervisor can read them: ICH_AP0R<n>_EL2, ICH_AP1R<n>_EL2 (cures of 22.6, 22.11).

A priority's level is its group priority: what the binary point of its group leaves of it.
"""

from __future__ import annotations

from hw.registers import BY_NAME
from sim.kvm.regs import VMCR
from sim.kvm.vm import Vcpu

__all__ = ["IDLE", "active_levels", "vgic_v3_level", "vgic_v3_preempts"]

#: Running priority when nothing is active.
IDLE = 0xFF
_BPR = tuple(BY_NAME["ICH_VMCR_EL2"].field(f"VBPR{group}") for group in (0, 1))


def vgic_v3_level(vcpu: Vcpu, priority: int, group: int) -> int:
    """Return the level of a priority in a group, under the binary points of the shadow VMCR."""
    config = vcpu.vm.host.config
    return priority & config.pri_mask & _mask(vcpu, group)


def _mask(vcpu: Vcpu, group: int) -> int:
    vmcr = vcpu.cpu_if.vgic_vmcr
    if group and not vmcr & VMCR.VCBPR:
        return 0xFF << _BPR[1].get(vmcr) & 0xFF
    return 0xFF << (_BPR[0].get(vmcr) + 1) & 0xFF


def active_levels(words: list[int], pre_bits: int) -> set[int]:
    """Return the levels whose bits are set in the active-priority words of one group."""
    return {
        (32 * n + bit) << (8 - pre_bits)
        for n, word in enumerate(words)
        for bit in range(32)
        if word >> bit & 1
    }


def vgic_v3_preempts(vcpu: Vcpu, priority: int, group: int) -> bool:
    """Return whether a priority would preempt what is active, by the shadow's active priorities (SIG-4)."""
    cpu_if, pre_bits = vcpu.cpu_if, vcpu.vm.host.config.pre_bits
    words = [ap0 | ap1 for ap0, ap1 in zip(cpu_if.vgic_ap0r, cpu_if.vgic_ap1r, strict=True)]
    running = min(active_levels(words, pre_bits), default=IDLE)
    if running == IDLE:
        return True
    return vgic_v3_level(vcpu, priority, group) < running & _mask(vcpu, group)
