"""A value that is equal whenever the machine will behave the same: how loops are recognised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.kvm.irq import VgicIrq
from sim.kvm.vm import Vm
from sim.machine.hardware import hardware_state
from sim.port import State

if TYPE_CHECKING:
    from sim.machine.machine import Machine

__all__ = ["fingerprint", "freeze", "vgic_fingerprint"]


def freeze(state: State) -> tuple:
    """Return the storage of a virtual CPU interface as a hashable value."""
    return state.hcr, state.vmcr, tuple(state.ap0r), tuple(state.ap1r), tuple(state.lr)


def _irq(irq: VgicIrq) -> tuple:
    target = irq.target_vcpu.vcpu_id if irq.target_vcpu else -1
    return (
        irq.intid, irq.pending_latch, irq.line_level, irq.active, irq.on_lr, irq.enabled, irq.priority,
        irq.group, target, irq.source, irq.active_source,
    )  # fmt: skip


def _idle(irq: VgicIrq) -> bool:
    return not (irq.pending_latch or irq.line_level or irq.active or irq.vcpu)


def vgic_fingerprint(vm: Vm) -> tuple:
    """Return everything of a VM's vgic that matters for what happens next.

    Counters that only ever grow are left out; active_spis counts as zero or not.
    """
    per_vcpu = []
    for vcpu in vm.vcpus:
        shadow = vcpu.cpu_if
        private = tuple(_irq(irq) for irq in vcpu.private_irqs if not _idle(irq))
        order = tuple(irq.intid for irq in vcpu.ap_list)
        requests = tuple(sorted(request.value for request in vcpu.requests))
        per_vcpu.append((shadow.vgic_vmcr, order, private, requests, vcpu.kicked))
    shared = tuple(_irq(irq) for irq in (*vm.dist.spis, *vm.dist.lpis.values()) if not _idle(irq))
    return tuple(per_vcpu), shared, vm.dist.enabled, bool(vm.dist.active_spis)


async def fingerprint(machine: Machine) -> tuple:
    """Return the fingerprint of a whole machine: vgic, physical interrupts, timers, hardware, guests."""
    runners = []
    for runner in machine.runners:
        hardware = freeze(await hardware_state(machine.port(runner))) if runner.cpu is not None else None
        guest = runner.guest.snapshot() if runner.guest is not None else None
        runners.append((runner.place, hardware, guest, *machine.waiting(runner)))
    physical = machine.physical
    lines = tuple(sorted(n for n, level in physical.line.items() if level))
    active = tuple(sorted(n for n, active in physical.active.items() if active))
    timers = tuple(timer.snapshot() for timer in machine.timers)
    return vgic_fingerprint(machine.vm), tuple(runners), lines, active, timers
