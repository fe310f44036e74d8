"""What the hypervisor does about an exit that the guest asked for: traps, MMIO, WFI."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sim.guest.gicv2_view import cpu_interface_register, distributor_access
from sim.guest.memory_map import name_at
from sim.guest.operation import Operation
from sim.hyp_cpuif import vgic_v3_perform_cpuif_access
from sim.kvm.ap_list import kvm_vgic_vcpu_pending_irq
from sim.kvm.arm import kvm_arm_halt_guest, kvm_arm_resume_guest
from sim.kvm.deactivate import CactiveWrite
from sim.kvm.irq import VgicModel
from sim.kvm.mmio import vgic_mmio_write_cactive
from sim.kvm.mmio_redist import dispatch_mmio_read, dispatch_mmio_write, vgic_access_active_prepare
from sim.kvm.sysreg import access_gic_dir, access_gic_sgi
from sim.kvm.vm import Vcpu
from sim.machine import gicv
from sim.machine.runner import Place, Runner
from sim.port import ESR_UNDEF

if TYPE_CHECKING:
    from sim.machine.machine import Machine

__all__ = ["access", "gicv2_sysreg", "mmio", "trapped", "wfi"]


async def trapped(machine: Machine, runner: Runner, operation: Operation) -> tuple[int, int]:
    """Handle a trapped system register: in hyp if it can, else after a full exit."""
    port, vcpu, register = machine.port(runner), runner.vcpu, operation.register
    emulated = await vgic_v3_perform_cpuif_access(port, vcpu, register.name, operation.write, operation.value)
    if emulated.handled:
        runner.emulated += 1
        machine.note_operation(runner, operation, emulated.value)
        return emulated.value, ESR_UNDEF if emulated.undef else 0
    if operation.write:
        machine.note_operation(runner, operation, 0)
    is_sgi = register.name.endswith(("SGI1R_EL1", "SGI0R_EL1"))
    await machine.exit(runner, frozenset({"SGI" if is_sgi else "TRAP"}), register.name)
    fault = 0
    if not machine.vm.irqchip_in_kernel or not operation.write:
        fault = ESR_UNDEF
    elif is_sgi:
        access_gic_sgi(vcpu, register.name, operation.value)
    elif register.name == "ICC_DIR_EL1" and machine.vm.policy is not None:
        machine.vm.policy.trapped_dir(vcpu, operation.value)
    elif register.name == "ICC_DIR_EL1":
        rest = access_gic_dir(vcpu, operation.value)
        if rest is not None:
            await _cactive(machine, runner, rest, lambda: access_gic_dir(vcpu, operation.value))
    else:
        fault = ESR_UNDEF
    await machine.host()
    await machine.enter(runner)
    return 0, fault


async def _cactive(machine: Machine, runner: Runner, rest: CactiveWrite, again: Callable[[], object]) -> None:
    """Finish a deactivation of an interrupt in another vCPU's LRs: stop everybody, clear, go on.

    With the cure ``dir_after_stop`` the DIR is done ``again`` instead: the interrupt is in no LR any more.
    """
    stopped = await _halt(machine, runner)
    if machine.vm.profile.dir_after_stop:
        again()
        await machine.host()
    else:
        vgic_mmio_write_cactive(runner.vcpu, rest.offset, 4, rest.value)
    await _resume(machine, stopped)


async def gicv2_sysreg(machine: Machine, runner: Runner, operation: Operation) -> int:
    """Do what a system-register operation means for a GICv2 guest."""
    return await gicv.sysreg(machine, runner, operation, mmio, _cactive)


async def mmio(machine: Machine, runner: Runner, operation: Operation) -> int:
    """Handle a distributor or redistributor access; other addresses read zero.

    A GICv2 guest has its CPU interface in memory, too; it needs no exit.
    """
    if machine.vm.vgic_model is VgicModel.V2:
        register = cpu_interface_register(operation.address)
        if register is not None:
            return await gicv.register_access(machine, runner, operation, register, _cactive)
        operation = distributor_access(operation, runner.number)
    machine.note_operation(runner, operation, 0)
    await machine.exit(runner, frozenset({"MMIO"}), name_at(operation.address))
    stopped: list[Runner] | None = None
    if vgic_access_active_prepare(runner.vcpu, operation.address, operation.size):
        stopped = await _halt(machine, runner)
    value = access(operation, runner.vcpu)
    if stopped is not None:
        await _resume(machine, stopped)
    await _wait_for_exits(machine)
    await machine.host()
    await machine.enter(runner)
    return value


async def _wait_for_exits(machine: Machine) -> None:
    """Make the vCPUs somebody waits for leave their guests and enter again (``kvm_make_request_wait``)."""
    for other in machine.runners:
        awaited, other.vcpu.awaited = other.vcpu.awaited, False
        if awaited and other.place is Place.GUEST:
            await machine.exit(other, frozenset({"KICK"}), "awaited")
            await machine.enter(other)


def access(operation: Operation, vcpu: Vcpu) -> int:
    """Perform an MMIO access on the vgic's memory, as a guest's or a user's handler does."""
    if vcpu.vm.vgic_model is VgicModel.V2:
        operation = distributor_access(operation, vcpu.vcpu_id)
    if operation.write:
        dispatch_mmio_write(vcpu, operation.address, operation.size, operation.value)
        return 0
    return dispatch_mmio_read(vcpu, operation.address, operation.size) or 0


async def _halt(machine: Machine, runner: Runner) -> list[Runner]:
    """Stop every other vCPU: those in their guest exit and are synced. Return them."""
    kvm_arm_halt_guest(machine.vm)
    stopped = [r for r in machine.runners if r is not runner and r.place is Place.GUEST]
    for other in stopped:
        await machine.exit(other, frozenset({"KICK"}), "stopped")
    return stopped


async def _resume(machine: Machine, stopped: list[Runner]) -> None:
    kvm_arm_resume_guest(machine.vm)
    for other in stopped:
        await machine.enter(other)


async def wfi(machine: Machine, runner: Runner, operation: Operation) -> None:
    """WFI with an interrupt signalled does nothing; else it traps, and the vCPU may block."""
    machine.note_operation(runner, operation, 0)
    lines = await machine.port(runner).lines()
    if lines.virq or lines.vfiq:
        return
    await machine.exit(runner, frozenset({"WFI"}))
    await machine.put(runner)
    runner.vcpu.kicked = False
    if kvm_vgic_vcpu_pending_irq(runner.vcpu):
        runner.scheduled_out = False
        await machine.enter(runner)
    else:
        runner.place = Place.ASLEEP
        for observer in machine.observers:
            observer.entering(machine, runner)
