"""Whose DIR must trap, by where SPIs are routed (cure ``tdir_by_route``; spec sections 12.4, 22.3, 22.5).

A vCPU must trap DIR while an SPI may be active on another one: one that is enabled and routed there, or on
a list there. That changes only when somebody writes the distributor, which is slow anyway; so the write can
wait until every vCPU traps that has to. No count has to be right and nothing is
broadcast when an SPI comes.
"""

from __future__ import annotations

from sim.kvm.requests import kvm_make_request_wait
from sim.kvm.vm import Request, Vcpu, Vm

__all__ = ["vgic_v3_needs_tdir", "vgic_v3_update_tdir"]


def vgic_v3_needs_tdir(vcpu: Vcpu) -> bool:
    """Return whether an SPI may be active on another vCPU.

    What is remembered errs only towards True: between two updates an SPI leaves lists, or moves to
    where it is routed.
    """
    dist = vcpu.vm.dist
    if dist.tdir_vcpus is None:
        dist.tdir_vcpus = _vcpus_that_trap(vcpu.vm)
    return vcpu.vcpu_id in dist.tdir_vcpus


def vgic_v3_update_tdir(vm: Vm) -> None:
    """Decide again after a write to the distributor; wait for every vCPU that begins to trap.

    ISENABLER, IROUTER and ISACTIVER can let an SPI become active somewhere else than before.
    """
    if not vm.profile.tdir_by_route or len(vm.vcpus) == 1:
        return
    before = vm.dist.tdir_vcpus
    vm.dist.tdir_vcpus = _vcpus_that_trap(vm)
    if before is None:
        before = frozenset()
    for number in sorted(vm.dist.tdir_vcpus - before):
        kvm_make_request_wait(Request.IRQ_PENDING, vm.vcpus[number])


def _vcpus_that_trap(vm: Vm) -> frozenset[int]:
    """Return the numbers of the vCPUs that have an SPI elsewhere."""
    everyone = range(len(vm.vcpus))
    if len(vm.vcpus) == 1:
        return frozenset()
    homes: set[int] = set()
    for irq in vm.dist.spis:
        if not irq.enabled and irq.vcpu is None:
            continue
        places = {place.vcpu_id for place in (irq.target_vcpu, irq.vcpu) if place is not None}
        homes |= places
        if len(homes) > 1:
            return frozenset(everyone)
    return frozenset(everyone) - homes if homes else frozenset()
