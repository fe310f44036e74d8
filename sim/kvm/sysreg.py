"""Trapped system registers that the kernel emulates after a full exit (kernel: sys_regs.c)."""

from __future__ import annotations

from hw.registers import BY_NAME
from sim.kvm.ap_list import vgic_queue_irq_unlock
from sim.kvm.deactivate import CactiveWrite, vgic_v3_deactivate
from sim.kvm.vm import Vcpu

__all__ = ["access_gic_dir", "access_gic_sgi", "vgic_v3_dispatch_sgi"]

_SGI1R = {field.name: field for field in BY_NAME["ICC_SGI1R_EL1"].fields}


def vgic_v3_dispatch_sgi(vcpu: Vcpu, value: int, allow_group1: bool) -> None:
    """Send an SGI as an ICC_SGI*R_EL1 value says.

    An SGI of the other group is not made pending: group 0 ones can always be sent, group 1 ones only
    with ``allow_group1``.
    """
    get = {name: field.get(value) for name, field in _SGI1R.items()}
    cluster = get["Aff3"] << 24 | get["Aff2"] << 16 | get["Aff1"] << 8
    for target in vcpu.vm.vcpus:
        if get["IRM"]:
            if target is vcpu:
                continue
        else:
            level0 = target.mpidr & 0xFF
            if cluster != target.mpidr & ~0xFF or level0 >> 4 != get["RS"]:
                continue
            if not get["TargetList"] >> (level0 & 0xF) & 1:
                continue
        irq = target.private_irqs[get["INTID"]]
        if irq.group and not allow_group1:
            continue
        irq.pending_latch = True
        vgic_queue_irq_unlock(vcpu.vm, irq)


def access_gic_sgi(vcpu: Vcpu, register: str, value: int) -> None:
    """Carry out a trapped write of ICC_SGI1R_EL1, ICC_ASGI1R_EL1 or ICC_SGI0R_EL1."""
    vgic_v3_dispatch_sgi(vcpu, value, allow_group1=register == "ICC_SGI1R_EL1")


def access_gic_dir(vcpu: Vcpu, value: int) -> CactiveWrite | None:
    """Carry out a trapped write of ICV_DIR_EL1 that hyp did not handle."""
    return vgic_v3_deactivate(vcpu, value)
