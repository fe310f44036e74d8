"""What a hypervisor's list-register algorithm is to the machine: the base class of policies.

A policy decides three things: what to make of an exit (:meth:`Policy.leave`), what goes into the list
registers and which maintenance interrupts are asked for at the next entry (:meth:`Policy.enter`), and, if it
traps ICV_DIR_EL1, what a trapped write does (:meth:`Policy.deactivate`). All of it is plain synchronous
Python on memory.

The rest is common to all policies: the emulated distributor, routing and injection are those of the profile
``fixed``, so that what a run shows is the algorithm's. Interrupts that are pending or active are on
``vcpu.ap_list`` of the vCPU that has to handle them, in the order in which they came; idle ones leave it by
themselves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from sim.kvm.ap_list import vgic_prune_ap_list
from sim.kvm.irq import VgicIrq, irq_is_pending
from sim.kvm.lr import vgic_get_vcpu_irq, vgic_v3_sample_line
from sim.kvm.profile import CURES, PROFILES, Profile
from sim.kvm.regs import HCR, VMCR
from sim.kvm.requests import kvm_vcpu_kick
from sim.kvm.vm import Vcpu, Vm
from sim.policy.registers import Exit, ListRegisters
from sim.port import CpuPort

__all__ = ["Policy", "policy_profile"]

#: What belongs to KVM's own algorithm; a policy has its own, and KVM's invariants about it do not hold.
_ALGORITHM = (
    "maintenance", "pending_first", "undeliverable_last", "eoicount_walk", "v2_eoicount_walk",
    "hcr_every_entry",
    "v2_hcr_every_entry", "track_on_lr", "tdir_on_overflow", "track_spis", "walk_from_tail",
    "last_lr_reference",
    "dir_other_lr", "group_maintenance", "tdir_by_route", "dir_after_stop", "v2_dir_trapped", "v2_dir_device",
)  # fmt: skip


def policy_profile(name: str, policy: str) -> Profile:
    """Return the profile a policy runs with: the distributor of ``fixed``, and no algorithm of KVM.

    Parameters
    ----------
    name : str
        What reports call it.
    policy : str
        A built-in policy's name, or the path of a file.
    """
    switches = dict.fromkeys(CURES, True) | dict.fromkeys(_ALGORITHM, False)
    return replace(PROFILES["fixed"], name=name, policy=policy, **switches)


class Policy:
    """A hypervisor's list-register algorithm, for one virtual machine.

    Parameters
    ----------
    vm : Vm
        The virtual machine; ``vm.vcpus`` are its vCPUs.

    Attributes
    ----------
    title : str
        One line for reports.
    untrapped_dir : str
        What refinement calls it when a DIR of another vCPU's interrupt is not trapped, and lost.
    marks : dict
        What :meth:`mark` was told, by name, and not :meth:`unmark` since.
    marked : set of str
        Every name ever marked.
    """

    title: ClassVar[str] = ""
    untrapped_dir: ClassVar[str] = "untrapped DIR"

    def __init__(self, vm: Vm):
        self.vm = vm
        self.marks: dict[str, set[tuple[Vcpu, VgicIrq | None]]] = {}
        self.marked: set[str] = set()
        self._lrs = {vcpu: ListRegisters(vcpu) for vcpu in vm.vcpus}

    # -- to be written ---------------------------------------------------------------------------------

    def leave(self, vcpu: Vcpu, lrs: ListRegisters, exit: Exit) -> None:
        """Make something of an exit, after the list registers have been read back. By default nothing."""

    def enter(self, vcpu: Vcpu, lrs: ListRegisters) -> int:
        """Put interrupts into list registers; return the bits of ICH_HCR_EL2 to set beside En.

        ``sim.kvm.regs.HCR`` has them: ``HCR.UIE | HCR.NPIE``.
        """
        raise NotImplementedError(f"{type(self).__name__} has no enter()")

    def deactivate(self, vcpu: Vcpu, irq: VgicIrq, lrs: ListRegisters) -> None:
        """Carry out a trapped write of ICV_DIR_EL1 for ``irq``; only with HCR.TDIR does one come here.

        By default its active state ends, and the vCPU that has it is told if there is more to take.
        """
        if not irq.active:
            return
        lrs.deactivate(irq)
        if irq.vcpu is not None and irq.vcpu is not vcpu:
            kvm_vcpu_kick(irq.vcpu)

    # -- to be used ------------------------------------------------------------------------------------

    def wanted(self, vcpu: Vcpu) -> list[VgicIrq]:
        """Return what the vCPU has to handle, in order of arrival: active, or enabled and pending."""
        return [irq for irq in vcpu.ap_list if irq.active or self.pending(irq)]

    def pending(self, irq: VgicIrq) -> bool:
        """Return whether an interrupt waits to be acknowledged: enabled and pending, active or not."""
        return irq.enabled and irq_is_pending(irq) and self.vm.dist.enabled

    def mark(self, name: str, vcpu: Vcpu, irq: VgicIrq | None = None) -> None:
        """Note that a known weakness is at work, so that refinement can call what follows by its name."""
        self.marks.setdefault(name, set()).add((vcpu, irq))
        self.marked.add(name)

    def unmark(self, name: str, vcpu: Vcpu) -> None:
        """Forget the marks of one name on a vCPU: it does well again."""
        self.marks[name] = {one for one in self.marks.get(name, ()) if one[0] is not vcpu}

    def group_enabled(self, vcpu: Vcpu, irq: VgicIrq) -> bool:
        """Return whether the guest had the interrupt's group on at its last exit.

        ``HCR.VGrp0EIE``, ``VGrp0DIE``, ``VGrp1EIE`` and ``VGrp1DIE`` ask for an exit when that changes.
        """
        return bool(vcpu.cpu_if.vgic_vmcr & (VMCR.VENG1 if irq.group else VMCR.VENG0))

    # -- called by the world switch --------------------------------------------------------------------

    async def entering(self, port: CpuPort, vcpu: Vcpu) -> None:
        """Do what comes before the guest runs."""
        lrs = self._lrs[vcpu]
        lrs.drop_strangers()
        for irq in vcpu.ap_list if vcpu.vm.profile.sample_at_flush else ():
            vgic_v3_sample_line(irq)
        hcr = self.enter(vcpu, lrs)
        await lrs.write_out(port, HCR.En | hcr)

    async def left(self, port: CpuPort, vcpu: Vcpu) -> None:
        """Do what comes after the guest has run."""
        lrs = self._lrs[vcpu]
        self.leave(vcpu, lrs, await lrs.read_back(port))
        vgic_prune_ap_list(vcpu)
        lrs.drop_strangers()

    async def put(self, port: CpuPort, vcpu: Vcpu) -> None:
        """Take a vCPU off its CPU."""
        await self._lrs[vcpu].clear(port)

    def trapped_dir(self, vcpu: Vcpu, value: int) -> None:
        """Carry out a trapped write of ICV_DIR_EL1 in EOImode 1; other numbers do nothing."""
        irq = vgic_get_vcpu_irq(vcpu, value)
        if irq is not None and vcpu.cpu_if.vgic_vmcr & VMCR.VEOIM:
            self.deactivate(vcpu, irq, self._lrs[vcpu])
