"""The world switch of a GICv2 host: the only code that reads and writes GICH (spec sections 3.2, 9.2, 17).

Called by :mod:`sim.world_switch`, which see. The order of the accesses is from reading; there is no
recording of a kernel on GICv2:

==================  ======================================================================================
step                accesses, in order
==================  ======================================================================================
load                w VMCR, w APR
put                 r VMCR if it is not read at every exit, r APR
entry, from 6.19    w HCR, w LR0 .. LR<used-1>
exit, from 6.19     r VMCR; if any LR is used: r ELRSR0, and ELRSR1 if more than 32 are; for each used LR:
                    r LR unless ELRSR says it is empty, w LR 0; then [r HCR if LRENPIE was set], w HCR 0
entry, up to 6.18   only with used LRs: w HCR, w LRs
exit, up to 6.18    only with used LRs: r ELRSR, LRs as above, w HCR 0
==================  ======================================================================================
"""

from __future__ import annotations

from hw.mmio import MmioRegister
from hw.mmio_map import MMIO_BY_NAME as BY_NAME
from sim.kvm.regs import HCR
from sim.kvm.regs_v2 import GICH_LR_STATE
from sim.kvm.vm import Vcpu
from sim.port import CpuPort, read, write

__all__ = ["vgic_v2_load", "vgic_v2_put", "vgic_v2_restore_state", "vgic_v2_save_state"]

GICH_HCR: MmioRegister = BY_NAME["GICH_HCR"]
GICH_VMCR: MmioRegister = BY_NAME["GICH_VMCR"]
GICH_APR: MmioRegister = BY_NAME["GICH_APR"]
GICH_ELRSR: tuple[MmioRegister, ...] = (BY_NAME["GICH_ELRSR0"], BY_NAME["GICH_ELRSR1"])
GICH_LR: tuple[MmioRegister, ...] = tuple(BY_NAME[f"GICH_LR{n}"] for n in range(64))


async def vgic_v2_load(port: CpuPort, vcpu: Vcpu) -> None:
    """Bring VMCR and the active priorities in."""
    await write(port, 2, GICH_VMCR, vcpu.cpu_if.vgic_vmcr)
    await write(port, 2, GICH_APR, vcpu.cpu_if.vgic_apr)


async def vgic_v2_put(port: CpuPort, vcpu: Vcpu) -> None:
    """Take VMCR (unless every exit does) and the active priorities out."""
    if not vcpu.vm.profile.eager_vmcr:
        vcpu.cpu_if.vgic_vmcr = await read(port, 2, GICH_VMCR)
    vcpu.cpu_if.vgic_apr = await read(port, 2, GICH_APR)


async def vgic_v2_restore_state(port: CpuPort, vcpu: Vcpu) -> None:
    """Write HCR, then the used LRs."""
    cpu_if = vcpu.cpu_if
    if not cpu_if.used_lrs and not vcpu.vm.profile.v2_hcr_every_entry:
        return
    await write(port, 2, GICH_HCR, cpu_if.vgic_hcr)
    for n in range(cpu_if.used_lrs):
        await write(port, 2, GICH_LR[n], cpu_if.vgic_lr[n])


async def vgic_v2_save_state(port: CpuPort, vcpu: Vcpu) -> None:
    """Read VMCR, the used LRs and EOIcount back and leave the interface disabled."""
    profile, cpu_if = vcpu.vm.profile, vcpu.cpu_if
    if profile.eager_vmcr:
        cpu_if.vgic_vmcr = await read(port, 2, GICH_VMCR)
    if cpu_if.used_lrs:
        await _save_lrs(port, vcpu)
    elif not profile.v2_hcr_every_entry:
        return
    if profile.v2_preserve_eoicount and cpu_if.vgic_hcr & HCR.LRENPIE:
        hcr = await read(port, 2, GICH_HCR)
        cpu_if.vgic_hcr = cpu_if.vgic_hcr & ~HCR.EOIcount | hcr & HCR.EOIcount
    await write(port, 2, GICH_HCR, 0)


async def _save_lrs(port: CpuPort, vcpu: Vcpu) -> None:
    cpu_if = vcpu.cpu_if
    elrsr = await read(port, 2, GICH_ELRSR[0])
    if cpu_if.used_lrs > 32:
        elrsr |= await read(port, 2, GICH_ELRSR[1]) << 32
    for n in range(cpu_if.used_lrs):
        if elrsr >> n & 1:
            cpu_if.vgic_lr[n] &= ~GICH_LR_STATE
        else:
            cpu_if.vgic_lr[n] = await read(port, 2, GICH_LR[n])
        await write(port, 2, GICH_LR[n], 0)
