"""The world switch: the only code that reads and writes ICH_* (spec sections 3.2, 9, 18).

A GICv2 host's is in :mod:`sim.world_switch_v2`.

Everything between two runs of the guest is memory (:mod:`sim.kvm`); these coroutines carry the shadow to the
registers and back, through one :class:`sim.port.CpuPort`, in exactly the kernel's order. The order is known
from recorded kernels and is a result in itself:

==================  =========================================================================================
step                accesses, in order
==================  =========================================================================================
load                w VMCR, [r VTR], w AP0R<n>.., w AP1R<n>.. (highest word first), {w HCR}
put                 [r VTR], r AP0R<n>.., r AP1R<n>.., then r VMCR if it is not read at every exit
                    (6.1: r VMCR first), {w HCR 0}
entry, from 6.19    w HCR, w LR0 .. LR<used-1>
exit, from 6.19     if any LR is used: r ELRSR; for each used LR: r LR unless ELRSR says it is empty, w LR 0;
                    then r VMCR, [r HCR if LRENPIE was set], w HCR 0, r MISR
entry, up to 6.18   only with used LRs: w HCR, w LRs
exit, up to 6.18    only with used LRs: r ELRSR, w HCR with En clear, then r LR / w LR 0 as above
==================  =========================================================================================

``[r VTR]`` is there up to 6.19 (switch ``vtr_cached``); ``{w HCR}``, En and the trap bits, where registers
are emulated in hyp (``Host.cpuif_trap``). An nVHE host does the same in hyp, around each run of the guest;
only, a request which aborts the entry leaves no trace in the registers at all, and ``{w HCR}`` moves to the
entry and the exit (this last point is from reading; no recording has it).
"""

from __future__ import annotations

from hw.registers import BY_NAME, Register
from sim.kvm.ap_list import ApListSummary
from sim.kvm.flush_sync import kvm_vgic_flush_hwstate, kvm_vgic_sync_hwstate
from sim.kvm.irq import VgicModel
from sim.kvm.regs import HCR, LR_STATE
from sim.kvm.vm import Vcpu
from sim.port import CpuPort, read, touch, write
from sim.world_switch_v2 import (
    GICH_VMCR,
    vgic_v2_load,
    vgic_v2_put,
    vgic_v2_restore_state,
    vgic_v2_save_state,
)

__all__ = [
    "flush_hwstate",
    "kvm_vgic_load",
    "kvm_vgic_put",
    "spurious_maintenance",
    "sync_hwstate",
    "sync_hwstate_aborted",
    "vgic_restore_state",
    "vgic_save_state",
]

ICH_HCR: Register = BY_NAME["ICH_HCR_EL2"]
ICH_VTR: Register = BY_NAME["ICH_VTR_EL2"]
ICH_MISR: Register = BY_NAME["ICH_MISR_EL2"]
ICH_ELRSR: Register = BY_NAME["ICH_ELRSR_EL2"]
ICH_VMCR: Register = BY_NAME["ICH_VMCR_EL2"]
ICH_LR: tuple[Register, ...] = tuple(BY_NAME[f"ICH_LR{n}_EL2"] for n in range(16))
ICH_AP0R: tuple[Register, ...] = tuple(BY_NAME[f"ICH_AP0R{n}_EL2"] for n in range(4))
ICH_AP1R: tuple[Register, ...] = tuple(BY_NAME[f"ICH_AP1R{n}_EL2"] for n in range(4))


async def kvm_vgic_load(port: CpuPort, vcpu: Vcpu) -> None:
    """Bring VMCR and the active priorities in when the vCPU is scheduled on this CPU (``vgic_v3_load``).

    For a GICv2 guest VMCR waits for SRE to be off, in ``vgic_v3_activate_traps``: before, VFIQEn reads as 1.
    """
    if vcpu.vm.host.gicv2:
        await vgic_v2_load(port, vcpu)
        return
    profile, cpu_if = vcpu.vm.profile, vcpu.cpu_if
    if vcpu.vm.vgic_model is not VgicModel.V2:
        await write(port, 2, ICH_VMCR, cpu_if.vgic_vmcr)
    if not profile.vtr_cached:
        await read(port, 2, ICH_VTR)
    for registers, shadow in ((ICH_AP0R, cpu_if.vgic_ap0r), (ICH_AP1R, cpu_if.vgic_ap1r)):
        for n in reversed(range(port.config.apr_words)):
            await write(port, 2, registers[n], shadow[n])
    if vcpu.vm.host.vhe:
        await vgic_v3_activate_traps(port, vcpu)


async def kvm_vgic_put(port: CpuPort, vcpu: Vcpu) -> None:
    """Take VMCR (unless every exit does) and the active priorities out (``vgic_v3_put``)."""
    if vcpu.vm.policy is not None:
        await vcpu.vm.policy.put(port, vcpu)
    if vcpu.vm.host.gicv2:
        await vgic_v2_put(port, vcpu)
        return
    profile, cpu_if = vcpu.vm.profile, vcpu.cpu_if
    save_vmcr = not profile.eager_vmcr
    if save_vmcr and profile.vmcr_before_aprs:
        cpu_if.vgic_vmcr = await read(port, 2, ICH_VMCR)
    if not profile.vtr_cached:
        await read(port, 2, ICH_VTR)
    await read_active_priorities(port, vcpu)
    if save_vmcr and not profile.vmcr_before_aprs:
        cpu_if.vgic_vmcr = await read(port, 2, ICH_VMCR)
    if vcpu.vm.host.vhe:
        await vgic_v3_deactivate_traps(port, vcpu)


async def read_active_priorities(port: CpuPort, vcpu: Vcpu) -> None:
    """Read the active priorities to the shadow: at put, and for the cure of 22.6 with EOIcount not 0."""
    cpu_if = vcpu.cpu_if
    for registers, shadow in ((ICH_AP0R, cpu_if.vgic_ap0r), (ICH_AP1R, cpu_if.vgic_ap1r)):
        for n in reversed(range(port.config.apr_words)):
            shadow[n] = await read(port, 2, registers[n])


async def vgic_v3_activate_traps(port: CpuPort, vcpu: Vcpu) -> None:
    """Make the trap bits take effect before the first entry, where hyp emulates registers."""
    vm = vcpu.vm
    if vm.vgic_model is VgicModel.V2:
        await write(port, 2, ICH_VMCR, vcpu.cpu_if.vgic_vmcr)
    if vm.host.cpuif_trap:
        constant = vm.profile.constant_traps
        await write(port, 2, ICH_HCR, HCR.En | vm.host.trap_bits if constant else vcpu.cpu_if.vgic_hcr)


async def vgic_v3_deactivate_traps(port: CpuPort, vcpu: Vcpu) -> None:
    """Undo ``vgic_v3_activate_traps``."""
    if vcpu.vm.host.cpuif_trap:
        await write(port, 2, ICH_HCR, 0)


async def vgic_restore_state(port: CpuPort, vcpu: Vcpu) -> None:
    """Write HCR with the constant trap bits, then the used LRs (``__vgic_v3_restore_state``).

    HCR goes first, so with UIE or NPIE set the maintenance line is high while the LRs are written.
    """
    vm, cpu_if = vcpu.vm, vcpu.cpu_if
    if vm.host.gicv2:
        await vgic_v2_restore_state(port, vcpu)
        return
    if not vm.host.vhe:
        await vgic_v3_activate_traps(port, vcpu)
    if not cpu_if.used_lrs and not vm.profile.hcr_every_entry:
        return
    traps = vm.host.trap_bits if vm.profile.constant_traps else 0
    await write(port, 2, ICH_HCR, cpu_if.vgic_hcr | traps)
    for n in range(cpu_if.used_lrs):
        await write(port, 2, ICH_LR[n], cpu_if.vgic_lr[n])


async def vgic_save_state(port: CpuPort, vcpu: Vcpu) -> None:
    """Read the used LRs, VMCR and EOIcount back and leave the interface disabled (``__vgic_v3_save_state``).

    HCR becomes 0, not just En: a stale TDIR would trap the host's own deactivations (section 21.6). MISR is
    read because, where HCR is only memory to the level below, nothing else would tell it (m36).
    """
    if vcpu.vm.host.gicv2:
        await vgic_v2_save_state(port, vcpu)
        return
    profile, cpu_if = vcpu.vm.profile, vcpu.cpu_if
    cleared = 0 if profile.hcr_zero_on_exit else cpu_if.vgic_hcr & ~HCR.En
    if cpu_if.used_lrs:
        elrsr = await read(port, 2, ICH_ELRSR)
        if not profile.hcr_every_entry:
            await write(port, 2, ICH_HCR, cleared)
        for n in range(cpu_if.used_lrs):
            if elrsr >> n & 1:
                cpu_if.vgic_lr[n] &= ~LR_STATE
            else:
                cpu_if.vgic_lr[n] = await read(port, 2, ICH_LR[n])
            await write(port, 2, ICH_LR[n], 0)
    if profile.eager_vmcr:
        cpu_if.vgic_vmcr = await read(port, 2, ICH_VMCR)
    if profile.hcr_every_entry:
        if profile.preserve_eoicount and cpu_if.vgic_hcr & HCR.LRENPIE:
            hcr = await read(port, 2, ICH_HCR)
            cpu_if.vgic_hcr = cpu_if.vgic_hcr & ~HCR.EOIcount | hcr & HCR.EOIcount
            if profile.walk_by_priority and hcr & HCR.EOIcount:
                await read_active_priorities(port, vcpu)
        await write(port, 2, ICH_HCR, cleared)
    if profile.misr_read_back:
        await touch(port, 2, ICH_MISR)
    if not vcpu.vm.host.vhe:
        await vgic_v3_deactivate_traps(port, vcpu)


async def flush_hwstate(port: CpuPort, vcpu: Vcpu, als: ApListSummary | None = None) -> None:
    """Compute the entry's state and write it out: everything ``kvm_vgic_flush_hwstate`` does on VHE."""
    if vcpu.vm.policy is not None:
        await vcpu.vm.policy.entering(port, vcpu)
    elif kvm_vgic_flush_hwstate(vcpu, als):
        await vgic_restore_state(port, vcpu)


async def sync_hwstate(port: CpuPort, vcpu: Vcpu) -> None:
    """Read the exit's state back, fold it and prune: everything ``kvm_vgic_sync_hwstate`` does on VHE."""
    profile = vcpu.vm.profile
    if vcpu.vm.policy is not None:
        vcpu.cpu_if.vgic_vmcr = await read(port, 2, GICH_VMCR if vcpu.vm.host.gicv2 else ICH_VMCR)
        await vcpu.vm.policy.left(port, vcpu)
        return
    if profile.always_compute or vcpu.ap_list or vcpu.overflow_ap_list:
        await vgic_save_state(port, vcpu)
    kvm_vgic_sync_hwstate(vcpu)


async def sync_hwstate_aborted(port: CpuPort, vcpu: Vcpu) -> None:
    """Sync after an entry that a request aborted, between flush and guest (sections 5, 9.3).

    VHE saves what it has just restored. On nVHE hyp never ran: the fold works on the flush's own values.
    """
    if vcpu.vm.host.vhe or vcpu.vm.host.gicv2 or vcpu.vm.policy is not None:
        await sync_hwstate(port, vcpu)
    else:
        kvm_vgic_sync_hwstate(vcpu)


async def spurious_maintenance(port: CpuPort, report: bool = True) -> int | None:
    """Handle a maintenance interrupt that no vCPU owns, as the Apple interrupt controller does (m03).

    En is cleared either way.

    Parameters
    ----------
    port : CpuPort
        The CPU that took it.
    report : bool
        The profile's ``mi_report``.

    Returns
    -------
    int or None
        ICH_MISR_EL2 for the report; None without ``report``.
    """
    misr = await read(port, 2, ICH_MISR) if report else None
    hcr = await read(port, 2, ICH_HCR)
    await write(port, 2, ICH_HCR, hcr & ~HCR.En)
    return misr
