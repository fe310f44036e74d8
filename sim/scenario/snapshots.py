"""What the hypervisor believes, kept at the moments that expectations speak of."""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.kvm.irq import VgicIrq, irq_is_pending
from sim.kvm.lr import vgic_get_vcpu_irq
from sim.kvm.regs import hcr_eoicount
from sim.kvm.vm import Vcpu, Vm
from sim.machine.machine import Machine
from sim.machine.observer import Observer
from sim.machine.runner import Exit, Runner
from sim.port import State

__all__ = ["Entry", "IrqMemory", "Memory", "Recorder", "describe"]


@dataclass(frozen=True)
class IrqMemory:
    """One interrupt in the hypervisor's memory."""

    active: bool
    pending: bool
    latch: bool
    line: bool
    on_lr: bool
    enabled: bool
    owner: int | None

    @classmethod
    def of(cls, irq: VgicIrq) -> IrqMemory:
        """Take an interrupt's state."""
        owner = irq.vcpu.vcpu_id if irq.vcpu else None
        return cls(
            irq.active, irq_is_pending(irq), irq.pending_latch, irq.line_level, irq.on_lr, irq.enabled, owner
        )


def describe(irq: IrqMemory) -> str:
    """Return an interrupt's state in the words of the scenario format."""
    if irq.active:
        return "active+pending" if irq.pending else "active"
    return "pending" if irq.pending else "idle"


@dataclass
class Memory:
    """The VM's memory at one moment, as one vCPU names interrupts; ``deactivated`` by the last walk."""

    irqs: dict[int, IrqMemory]
    ap_list: list[int]
    active_spis: int
    deactivated: list[int]

    @classmethod
    def of(cls, vm: Vm, vcpu: Vcpu, intids: list[int], deactivated: list[int]) -> Memory:
        """Take the memory of a VM."""
        irqs = {n: vgic_get_vcpu_irq(vcpu, n) for n in intids}
        return cls(
            {n: IrqMemory.of(irq) for n, irq in irqs.items() if irq is not None},
            [irq.intid for irq in (*vcpu.ap_list, *vcpu.overflow_ap_list)],
            vm.dist.active_spis,
            deactivated,
        )


@dataclass(frozen=True)
class Entry:
    """An entry: list registers as the hardware holds them, and the HCR word; ``v2``: of a GICv2 guest."""

    lrs: list[int]
    hcr: int
    v2: bool = False


@dataclass
class Recorder(Observer):
    """Keeps the last entry, the memory after the last flush and after the last sync, for each vCPU."""

    intids: list[int]
    entries: dict[int, Entry] = field(default_factory=dict)
    flushed: dict[int, Memory] = field(default_factory=dict)
    synced_memory: dict[int, Memory] = field(default_factory=dict)
    #: HCR bits set at some entry, for each vCPU; and the highest EOIcount an exit found.
    hcr_seen: dict[int, int] = field(default_factory=dict)
    eoicount: dict[int, int] = field(default_factory=dict)
    _walked: int = 0
    _last_walk: dict[int, list[int]] = field(default_factory=dict)

    def synced(self, machine: Machine, runner: Runner, one: Exit, hardware: State) -> None:
        """Note what this sync's walk deactivated."""
        self._last_walk[runner.number] = machine.vm.walked[self._walked :]
        self._walked = len(machine.vm.walked)
        highest = max(self.eoicount.get(runner.number, 0), hcr_eoicount(hardware.hcr))
        self.eoicount[runner.number] = highest

    def entering(self, machine: Machine, runner: Runner) -> None:
        """Keep the memory after sync and handler."""
        walked = self._last_walk.get(runner.number, [])
        memory = Memory.of(machine.vm, runner.vcpu, self.intids, walked)
        self.synced_memory[runner.number] = memory

    def entered(self, machine: Machine, runner: Runner, hardware: State) -> None:
        """Keep the entry and the memory after its flush."""
        vm = machine.vm
        traps = vm.host.trap_bits if vm.profile.constant_traps else 0
        hcr = runner.vcpu.cpu_if.vgic_hcr | traps
        self.entries[runner.number] = Entry(list(hardware.lr), hcr, machine.gicv2_guest)
        self.hcr_seen[runner.number] = self.hcr_seen.get(runner.number, 0) | hcr
        self.flushed[runner.number] = Memory.of(vm, runner.vcpu, self.intids, [])
