"""Interrupts as they really are at this moment: memory, with what running vCPUs hold in their hardware."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hw.registers import BY_NAME, LRState
from sim.kvm.irq import VgicIrq, VgicModel, irq_is_pending
from sim.kvm.lr import VIRTUAL_ID
from sim.kvm.vm import Vcpu, Vm
from sim.machine.hardware import hardware_state
from sim.machine.runner import Place
from sim.port import State

if TYPE_CHECKING:
    from sim.machine.machine import Machine

__all__ = ["Now", "deserved", "interrupts", "known_irqs", "running_priority"]

_LR = {field.name: field for field in BY_NAME["ICH_LR0_EL2"].fields}
_VMCR = {field.name: field for field in BY_NAME["ICH_VMCR_EL2"].fields}


@dataclass(frozen=True)
class Now:
    """One interrupt's state, hardware included."""

    irq: VgicIrq
    pending: bool
    active: bool


def known_irqs(vm: Vm) -> list[VgicIrq]:
    """Return every interrupt of a VM that is not untouched."""
    private = [irq for vcpu in vm.vcpus for irq in vcpu.private_irqs]
    return [
        irq for irq in (*private, *vm.dist.spis, *vm.dist.lpis.values())
        if irq.enabled or irq.active or irq.vcpu or irq.pending_latch or irq.line_level
    ]  # fmt: skip


async def interrupts(machine: Machine) -> list[Now]:
    """Return the true state of every known interrupt: an LR of a running vCPU goes before memory."""
    held: dict[VgicIrq, int] = {}
    for runner in machine.runners:
        if runner.place is Place.GUEST:
            _collect(held, runner.vcpu, await hardware_state(machine.port(runner)))
    result = []
    for irq in known_irqs(machine.vm):
        pending, active = irq_is_pending(irq), irq.active
        if irq in held:
            state = held[irq]
            active = bool(state & LRState.ACTIVE)
            pending = bool(state & LRState.PENDING) or pending
        result.append(Now(irq, pending, active))
    return result


def _collect(held: dict[VgicIrq, int], vcpu: Vcpu, hardware: State) -> None:
    for lr in hardware.lr[: vcpu.cpu_if.used_lrs]:
        intid = _LR["vINTID"].get(lr)
        if vcpu.vm.vgic_model is VgicModel.V2:
            intid &= VIRTUAL_ID
        irq = next((irq for irq in vcpu.ap_list if irq.intid == intid), None)
        if irq is not None:
            held[irq] = _LR["State"].get(lr)


def running_priority(hardware: State, pre_bits: int) -> int:
    """Return the running priority of an interface, 0xFF when idle (REG-11)."""
    active = 0
    for n, (ap0, ap1) in enumerate(zip(hardware.ap0r, hardware.ap1r, strict=True)):
        active |= (ap0 | ap1) << 32 * n
    return ((active & -active).bit_length() - 1) << (8 - pre_bits) if active else 0xFF


async def deserved(machine: Machine) -> dict[int, list[int]]:
    """Return the INTIDs an ideal GIC would be signalling now, by vCPU.

    They are pending, enabled, not active, of an enabled group, and urgent enough to pass the mask and
    preempt.
    """
    result: dict[int, list[int]] = {}
    states = await interrupts(machine)
    if not machine.vm.dist.enabled:
        return result
    for runner in machine.runners:
        if runner.place is Place.HALTED:
            continue
        vcpu, running = runner.vcpu, 0xFF
        vmcr = vcpu.cpu_if.vgic_vmcr
        if runner.cpu is not None:
            hardware = await hardware_state(machine.port(runner))
            vmcr = hardware.vmcr
            running = running_priority(hardware, machine.port(runner).config.pre_bits)
        limit = min(running, _VMCR["VPMR"].get(vmcr))
        due = [
            now.irq.intid
            for now in states
            if now.irq.target_vcpu is vcpu and now.irq.enabled and now.pending and not now.active
            and _VMCR[f"VENG{now.irq.group}"].get(vmcr) and now.irq.priority < limit
        ]  # fmt: skip
        if due:
            result[runner.number] = due
    return result
