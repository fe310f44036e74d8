"""Invariants I1 to I14 of the run loop, checked at every entry and exit (spec section 19).

Each holds for the profiles whose patches it rests on; :data:`NEEDS` says which switches those are. Where
section 22 knows an exception, a violation carries its name and is not an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hw.registers import BY_NAME, LRState
from sim.guest.operation import Operation
from sim.kvm.ap_list import vgic_target_oracle
from sim.kvm.irq import VGIC_MIN_LPI, VgicIrq, VgicModel, irq_is_pending
from sim.kvm.regs import hcr_eoicount
from sim.kvm.vm import Vcpu, Vm
from sim.machine.acknowledged import Acknowledged
from sim.machine.machine import Machine
from sim.machine.observer import Observer
from sim.machine.runner import Exit, Runner
from sim.notation import format_lrs, misr_names
from sim.port import State

__all__ = ["NEEDS", "TEXTS", "Broken", "Invariants"]

_LR = {field.name: field for field in BY_NAME["ICH_LR0_EL2"].fields}
_HCR = {field.name: field for field in BY_NAME["ICH_HCR_EL2"].fields}
_VMCR = {field.name: field for field in BY_NAME["ICH_VMCR_EL2"].fields}
_SORTED = (
    "maintenance",
    "pending_first",
    "undeliverable_last",
    "hcr_every_entry",
    "always_compute",
    "eager_vmcr",
)

#: Invariant -> what it says.
TEXTS: dict[str, str] = {
    "I1": "an interrupt is on at most one list",
    "I2": "nothing is on_lr after a sync",
    "I3": "on_lr and the list registers agree",
    "I4": "the most urgent pending interrupt is in a list register",
    "I5": "active ones let it in",
    "I6": "no maintenance condition holds at entry",
    "I7": "the walk deactivates as many as EOIcount says",
    "I8": "what was ended is idle, nothing else",
    "I9": "what DIR was written for is idle",
    "I10": "physical active states follow",
    "I11": "LPIs are never active in memory",
    "I12": "the guest can always make progress",
    "I13": "DIR traps when something is active outside",
    "I14": "EOIcount is 0 at entry",
}
#: Invariant -> the switches without which it need not hold.
NEEDS: dict[str, tuple[str, ...]] = {
    "I1": (),
    "I2": ("track_on_lr",),
    "I3": ("track_on_lr",),
    "I4": _SORTED,
    "I5": _SORTED,
    "I6": (*_SORTED, "group_maintenance", "lpi_drop_active"),
    "I7": ("eoicount_walk", "preserve_eoicount", "v2_eoicount_walk", "v2_preserve_eoicount",
           "v2_fold_primitive"),
    "I8": (*_SORTED, "eoicount_walk", "preserve_eoicount", "walk_from_tail", "count_eligible_sgis",
           "v2_eoicount_walk", "v2_preserve_eoicount", "v2_fold_primitive"),
    "I9": (*_SORTED, "dir_deactivation", "tdir_on_overflow", "track_spis", "dir_other_lr", "dir_owner",
           "icactiver_offset", "dir_cpuid", "v2_dir_device", "v2_dir_trapped", "v2_fold_primitive"),
    "I10": ("eoicount_walk", "dir_deactivation", "v2_eoicount_walk", "v2_dir_device", "v2_gicc_va"),
    "I11": ("lpi_drop_active",),
    "I12": _SORTED,
    "I13": ("tdir_on_overflow",),
    "I14": ("hcr_every_entry", "v2_hcr_every_entry"),
}  # fmt: skip


@dataclass(frozen=True)
class Broken:
    """An invariant that did not hold; ``hole`` names the known exception of section 22, if it is one."""

    name: str
    text: str
    hole: str | None = None


@dataclass
class Invariants(Observer):
    """Checks everything, always.

    Attributes
    ----------
    broken : list of Broken
        What did not hold, each text once.
    trackers : dict of int to Acknowledged
        What each vCPU's guest is handling.
    """

    broken: list[Broken] = field(default_factory=list)
    _outside: dict[int, list[VgicIrq]] = field(default_factory=dict)
    _eligible: dict[int, list[VgicIrq]] = field(default_factory=dict)
    _walked: int = 0
    trackers: dict[int, Acknowledged] = field(default_factory=dict)

    def _report(self, vm: Vm, name: str, vcpu: Vcpu, text: str, hole: str | None = None) -> None:
        if all(getattr(vm.profile, switch) for switch in NEEDS[name]):
            one = Broken(name, f"vCPU{vcpu.vcpu_id}: {text}", hole)
            if one not in self.broken:
                self.broken.append(one)

    def _tracker(self, runner: Runner) -> Acknowledged:
        return self.trackers.setdefault(runner.number, Acknowledged(runner.vcpu))

    # -- at entry --------------------------------------------------------------------------------------

    def entered(self, machine: Machine, runner: Runner, hardware: State) -> None:
        """Check I1, I3 to I6, I11, I13 and I14."""
        vcpu, vm = runner.vcpu, machine.vm
        self._lists(vm)
        resident = [irq for irq in vcpu.ap_list if irq.on_lr]
        if len(resident) != vcpu.cpu_if.used_lrs:
            self._report(vm, "I3", vcpu, f"{len(resident)} on_lr, {vcpu.cpu_if.used_lrs} LRs used")
        strangers = [irq for irq in resident if irq not in self._eligible.get(runner.number, resident)]
        if strangers:
            self._report(vm, "I3", vcpu, f"{_numbers(strangers)} in an LR, but not this vCPU's to take")
        self._presented(vm, vcpu, hardware)
        if hardware.misr:
            self._report(vm, "I6", vcpu, f"{' '.join(misr_names(hardware.misr))} at entry", _hole(vm, vcpu))
        outside = [
            irq for irq in (*vcpu.ap_list, *vcpu.overflow_ap_list)
            if irq.active and not irq.on_lr and vgic_target_oracle(irq) is vcpu
        ]  # fmt: skip
        self._outside[runner.number] = outside
        trapped = machine.gicv2_guest or _HCR["TDIR"].get(hardware.hcr) or _HCR["TC"].get(hardware.hcr)
        if outside and not trapped:
            self._report(vm, "I13", vcpu, f"{_numbers(outside)} active outside the LRs, DIR does not trap")
        if hcr_eoicount(hardware.hcr):
            self._report(vm, "I14", vcpu, f"EOIcount {hcr_eoicount(hardware.hcr)} at entry")
        self._tracker(runner).vmcr = hardware.vmcr

    def _presented(self, vm: Vm, vcpu: Vcpu, hardware: State) -> None:
        """Check that the most urgent pending interrupt is in an LR (I4), and that actives let it in (I5)."""
        states = [_LR["State"].get(lr) for lr in hardware.lr]
        waiting = [
            irq for irq in vcpu.ap_list
            if not irq.active and (irq.on_lr or vgic_target_oracle(irq) is vcpu)
            and _VMCR[f"VENG{irq.group}"].get(hardware.vmcr)
        ]  # fmt: skip
        if not waiting:
            return
        best = min(irq.priority for irq in waiting) & vm.host.config.pri_mask
        held = [
            _LR["Priority"].get(lr)
            for lr, state in zip(hardware.lr, states, strict=True)
            if state == LRState.PENDING and _VMCR[f"VENG{_LR['Group'].get(lr)}"].get(hardware.vmcr)
        ]
        if best not in held:
            text = (
                f"{_numbers(waiting)} pending, LRs {format_lrs(hardware.lr, vm.vgic_model is VgicModel.V2)}"
            )
            self._report(vm, "I4", vcpu, text)
            if all(state & LRState.ACTIVE for state in states):
                self._report(vm, "I5", vcpu, text)

    # -- at exit ---------------------------------------------------------------------------------------

    def synced(self, machine: Machine, runner: Runner, one: Exit, hardware: State) -> None:
        """Check I1, I2, I7, I8, I10 and I11."""
        vcpu, vm = runner.vcpu, machine.vm
        self._lists(vm)
        resident = [irq for irq in vcpu.ap_list if irq.on_lr]
        if resident:
            self._report(vm, "I2", vcpu, f"{_numbers(resident)} still on_lr after sync")
        walked = machine.vm.walked[self._walked :]
        self._walked = len(machine.vm.walked)
        counted = hcr_eoicount(vcpu.cpu_if.vgic_hcr)
        left = [irq for irq in self._outside.pop(runner.number, []) if irq.active]
        right = len(walked) == min(counted, len(left) + len(walked))
        if vm.profile.walk_by_priority:  # what was ended may have been inactive before
            right = len(walked) <= counted
        if vm.profile.walk_from_tail and not right:
            text = f"EOIcount {counted}, {len(walked)} deactivated, {_numbers(left)} left"
            self._report(vm, "I7", vcpu, text)
        tracker = self._tracker(runner)
        for text, hole in tracker.judge_ended():
            self._report(vm, "I8", vcpu, text, hole)
        if one.detail not in ("ICC_DIR_EL1", "GICV_DIR"):  # its handler comes only now: see entering
            for text, hole in tracker.judge_deactivated():
                self._report(vm, "I9", vcpu, text, hole)
        self._physical(machine, vcpu)

    def entering(self, machine: Machine, runner: Runner) -> None:
        """Check I9 for a DIR that has just been handled; note who is eligible, for I3."""
        vcpu = runner.vcpu
        for text, hole in self._tracker(runner).judge_deactivated():
            self._report(machine.vm, "I9", vcpu, text, hole)
        self._eligible[runner.number] = [irq for irq in vcpu.ap_list if vgic_target_oracle(irq) is vcpu]

    def stuck(self, machine: Machine, runner: Runner) -> None:
        """Check I12: the guest can always make progress."""
        loop = "; ".join(runner.stuck)
        self._report(machine.vm, "I12", runner.vcpu, f"exit storm: {loop}", _hole(machine.vm, runner.vcpu))

    def operated(self, machine: Machine, runner: Runner, operation: Operation, value: int) -> None:
        """Follow acknowledges, ends and deactivations."""
        self._tracker(runner).follow(operation, value, self.trackers.values())

    # -- always ----------------------------------------------------------------------------------------

    def _lists(self, vm: Vm) -> None:
        """Check I1, and I11 for what is listed."""
        seen: dict[VgicIrq, Vcpu] = {}
        for vcpu in vm.vcpus:
            for irq in (*vcpu.ap_list, *vcpu.overflow_ap_list):
                if irq in seen or irq.vcpu is not vcpu:
                    self._report(vm, "I1", vcpu, f"{irq.intid} is listed twice or owned by another vCPU")
                seen[irq] = vcpu
                if irq.intid >= VGIC_MIN_LPI and irq.active:
                    self._report(vm, "I11", vcpu, f"LPI {irq.intid} is active in memory")

    def _physical(self, machine: Machine, vcpu: Vcpu) -> None:
        """Check I10: a mapped interrupt's physical state follows the virtual one."""
        for hwintid, mapping in machine.physical.mappings.items():
            if mapping.vcpu is not vcpu:
                continue
            irq = next((irq for irq in vcpu.ap_list if irq.hw and irq.hwintid == hwintid), None)
            active = machine.physical.active.get(hwintid, False)
            if irq is None and active and not machine.physical.line.get(hwintid):
                unlisted = _mapped(vcpu, mapping.vintid)
                if unlisted is not None and not irq_is_pending(unlisted) and not unlisted.active:
                    self._report(
                        machine.vm, "I10", vcpu, f"{mapping.vintid} is idle, physical {hwintid} active"
                    )
            elif irq is not None and irq.active and not active:
                self._report(machine.vm, "I10", vcpu, f"{irq.intid} is active, physical {hwintid} is not")


def _mapped(vcpu: Vcpu, vintid: int) -> VgicIrq | None:
    if vintid < len(vcpu.private_irqs):
        return vcpu.private_irqs[vintid]
    return vcpu.vm.dist.spis[vintid - len(vcpu.private_irqs)]


def _hole(vm: Vm, vcpu: Vcpu) -> str | None:
    """Return which hole of section 22 makes a maintenance condition true at entry."""
    if vm.host.nr_lr == 1:
        return "22.1"
    disabled = [
        irq for irq in (*vcpu.ap_list, *vcpu.overflow_ap_list)
        if not _VMCR[f"VENG{irq.group}"].get(vcpu.cpu_if.vgic_vmcr) and not irq.active and irq.enabled
    ]  # fmt: skip
    return "22.2" if disabled else None


def _numbers(irqs: list[VgicIrq]) -> str:
    return " ".join(str(irq.intid) for irq in irqs) or "none"
