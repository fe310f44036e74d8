"""An ideal GIC that follows a scenario: what the guest should see, whatever the hypervisor does."""

from __future__ import annotations

from hw.registers import BY_NAME
from sim.guest import memory_map
from sim.guest.operation import Kind, Operation
from sim.ideal import FIRST_LPI, NONE, IdealGic, IdealIrq
from sim.kvm.irq import VGIC_NR_PRIVATE_IRQS, VGIC_NR_SGIS, Config
from sim.kvm.lr import vgic_get_vcpu_irq
from sim.machine.machine import Machine
from sim.machine.runner import Runner
from sim.machine.view import known_irqs

__all__ = ["Shadow"]

_VMCR = {field.name: field for field in BY_NAME["ICH_VMCR_EL2"].fields}
_SPECIAL = range(1020, 1024)
#: ICC_SGI<n>R_EL1.IRM, and where its INTID is.
_IRM, _SGI_INTID = 40, 24


class Shadow:
    """The ideal GIC beside a machine. Changes reach every vCPU at once.

    Configuration (priorities, enables, routes, masks) is taken over from the machine, where a guest's writes
    take effect as they should; pending and active states are the ideal's own.

    Parameters
    ----------
    machine : Machine
        What it follows; a GICv3 guest's.
    intids : list of int
        The interrupts of the scenario.
    """

    def __init__(self, machine: Machine, intids: list[int]):
        self.machine = machine
        self.intids = sorted({*range(VGIC_NR_SGIS), *intids})
        self.gic = IdealGic(machine.ports[0].config, len(machine.runners))
        self.gic.running = set()
        self.configure()

    def instances(self, vcpu: int) -> list[IdealIrq]:
        """Return the scenario's interrupts as a vCPU names them."""
        return [self.gic.irq(intid, vcpu) for intid in self.intids]

    def configure(self) -> None:
        """Take over what guests and monitor have programmed, and the lines that devices drive."""
        vm = self.machine.vm
        self.gic.enabled = vm.dist.enabled
        for vcpu in vm.vcpus:
            for intid in self.intids:
                if intid >= VGIC_NR_PRIVATE_IRQS and vcpu.vcpu_id:
                    continue
                irq = vgic_get_vcpu_irq(vcpu, intid)
                if irq is None:  # an LPI that was unmapped
                    self.gic.irq(intid).enabled = False
                    continue
                ideal = self.gic.irq(intid, vcpu.vcpu_id)
                ideal.priority, ideal.group, ideal.enabled = irq.priority, irq.group, irq.enabled
                ideal.level = irq.config is Config.LEVEL
                ideal.target = irq.target_vcpu.vcpu_id if irq.target_vcpu is not None else vcpu.vcpu_id
                if irq.hw:
                    ideal.line = self.machine.physical.level(irq.hwintid)
                elif ideal.level and intid not in self.machine.resampled:
                    ideal.line = irq.line_level

    def program(self, runner: Runner, vmcr: int) -> None:
        """Take over a vCPU's CPU interface settings."""
        interface = self.gic.interfaces[runner.number]
        value = {name: field.get(vmcr) for name, field in _VMCR.items()}
        interface.pmr, interface.bpr0, interface.bpr1 = value["VPMR"], value["VBPR0"], value["VBPR1"]
        interface.cbpr, interface.eoimode = bool(value["VCBPR"]), value["VEOIM"]
        interface.enables = [bool(value["VENG0"]), bool(value["VENG1"])]

    # -- devices ---------------------------------------------------------------------------------------

    def pulse(self, intid: int, vcpu: int) -> None:
        """Take an edge or a message; of a level interrupt it is a rise of the line."""
        irq = self.gic.irq(intid, vcpu)
        if irq.level:
            irq.line = True
        else:
            irq.latch = True

    def line(self, intid: int, level: bool, vcpu: int) -> None:
        """Take a change of a line; a rise of an edge-triggered one is an edge."""
        if level:
            self.pulse(intid, vcpu)
        elif self.gic.irq(intid, vcpu).level:
            self.gic.set_line(intid, False, vcpu)

    # -- the guest -------------------------------------------------------------------------------------

    def allowed(self, vcpu: int, operation: Operation) -> set[int] | None:
        """Return what an IAR or HPPIR may give now, None for other operations."""
        if operation.kind is not Kind.SYSREG or operation.write:
            return None
        name = operation.register.name
        if name.startswith("ICC_IAR"):
            return self.gic.acknowledge_allowed(vcpu, _group(name))
        if name.startswith("ICC_HPPIR"):
            return self.gic.highest_pending_allowed(vcpu, _group(name))
        return None

    def follow(self, vcpu: int, operation: Operation, value: int) -> None:
        """Take a guest operation; an acknowledge takes what the guest was given."""
        if operation.kind is Kind.MMIO:
            self.access(vcpu, operation)
            return
        if operation.kind is not Kind.SYSREG:
            return
        name = operation.register.name
        if name.startswith("ICC_IAR"):
            if value not in _SPECIAL:
                self.gic.acknowledge(vcpu, value, _group(name), -1)
        elif name.startswith("ICC_EOIR"):
            self._watch_end(vcpu, operation.value & 0xFF_FFFF, _group(name))
        elif name == "ICC_DIR_EL1":
            self._watch_end(vcpu, operation.value & 0xFF_FFFF, None)
        elif name.startswith(("ICC_SGI", "ICC_ASGI")):
            targets = -1 if operation.value >> _IRM & 1 else operation.value & 0xFFFF
            group = 0 if name == "ICC_SGI0R_EL1" else 1
            self.gic.software_interrupt(operation.value >> _SGI_INTID & 15, vcpu, targets, group)
        elif name.startswith("ICC_AP") and operation.write:
            self._set_active_priorities(vcpu, int(name[6]), int(name[8]), operation.value)

    def _set_active_priorities(self, vcpu: int, group: int, word: int, value: int) -> None:
        """Take a write of ICC_AP<group>R<word>_EL1: which levels count as running."""
        shift = 8 - self.gic.config.pre_bits
        levels = self.gic.interfaces[vcpu].active[group]
        mine = [32 * word + bit << shift for bit in range(32)]
        levels.difference_update(mine)
        levels.update(level for bit, level in enumerate(mine) if value >> bit & 1)

    def _watch_end(self, vcpu: int, intid: int, group: int | None) -> None:
        """Take an EOIR or (no group) DIR; a device that resamples lowers its line when told of the end."""
        known = intid in self.intids and intid not in _SPECIAL
        was = known and self.gic.irq(intid, vcpu).active
        if group is None:
            self.gic.deactivate(vcpu, intid)
        else:
            self.gic.end(vcpu, group, intid)
        if was and not self.gic.irq(intid, vcpu).active and intid in self.machine.resampled:
            self.gic.irq(intid, vcpu).line = False

    def access(self, vcpu: int, operation: Operation) -> None:
        """Take a write of a pending or active bit; the rest of the distributor is configuration."""
        if not operation.write:
            return
        self.intids = sorted({*self.intids, *(irq.intid for irq in known_irqs(self.machine.vm))})
        for name in ("ISPENDR", "ICPENDR", "ISACTIVER", "ICACTIVER"):
            for intid in _written(name, vcpu, operation):
                number = _owner(operation.address) if intid < VGIC_NR_PRIVATE_IRQS else 0
                self._set(name, self.gic.irq(intid, number))

    def _set(self, name: str, irq: IdealIrq) -> None:
        if name == "ISPENDR":
            irq.latch = True
        elif name == "ICPENDR":
            irq.latch = False
        elif name == "ICACTIVER":
            self.gic.deactivated(irq)
        elif not irq.active:
            irq.active, irq.owner, irq.taken = True, irq.target, None

    # -- what it shows ---------------------------------------------------------------------------------

    def signalled(self, vcpu: int) -> set[int]:
        """Return the interrupts of which one is signalled to a vCPU now; with NONE if none may be."""
        best = self.gic.best(vcpu)
        taken = {offer.irq.intid for offer in best if self.gic.can_signal(vcpu, offer)}
        return taken | ({NONE} if len(taken) < len(best) or not best else set())

    def waiting(self, vcpu: int) -> list[IdealIrq]:
        """Return what is pending for a vCPU, most urgent first."""
        return sorted(
            (irq for irq in self.instances(vcpu) if irq.pending and irq.target == vcpu),
            key=lambda irq: (irq.priority, irq.intid),
        )

    def handled(self, vcpu: int) -> list[IdealIrq]:
        """Return what is active on a vCPU, most urgent first."""
        active = [irq for irq in self.instances(vcpu) if irq.active and irq.intid < FIRST_LPI]
        mine = [irq for irq in active if (irq.owner if irq.intid >= 32 else vcpu) == vcpu]
        return sorted(mine, key=lambda irq: ((irq.taken or (irq.priority, 0))[0], irq.intid))


def _group(name: str) -> int:
    return int(name.removesuffix("_EL1")[-1])


def _owner(address: int) -> int:
    """Return the vCPU whose redistributor an address is in."""
    return (address - memory_map.GICR_BASE) // memory_map.GICR_STRIDE


def _written(name: str, vcpu: int, operation: Operation) -> list[int]:
    """Return the INTIDs whose bits of a register a write has set."""
    if operation.address >= memory_map.GICR_BASE:
        first, words = memory_map.bit_word(name, 0)[0], 1
        base = memory_map.GICR_BASE + _owner(operation.address) * memory_map.GICR_STRIDE + first.offset
        start = 0
    else:
        base = memory_map.bit_word(name, 32)[0].address(vcpu)
        start, words = 32, 31
    offset = operation.address - base
    if not 0 <= offset < 4 * words:
        return []
    bits = range(8 * operation.size)
    return [start + 8 * offset + bit for bit in bits if operation.value >> bit & 1]
