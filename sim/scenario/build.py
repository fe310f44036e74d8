"""Making the machine a scenario describes."""

from __future__ import annotations

from collections.abc import Sequence

from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from hw.registers import BY_NAME
from sim.guest.aarch64_image import Memory
from sim.guest.interpreter import ProgramGuest
from sim.guest.operation import Guest
from sim.guest.program import Program
from sim.kvm.hcr import vcpu_set_ich_hcr
from sim.kvm.host import Host
from sim.kvm.irq import VGIC_MIN_LPI, VGIC_NR_PRIVATE_IRQS, Config, IrqOps, VgicIrq, VgicModel
from sim.kvm.lpi import vgic_add_lpi
from sim.kvm.lr import vgic_get_vcpu_irq
from sim.kvm.profile import Profile
from sim.kvm.vm import Vm
from sim.machine.events import EventLog
from sim.machine.machine import Machine
from sim.machine.physical import PhysicalInterrupts
from sim.machine.timer import Timer
from sim.policy.names import attach_policy
from sim.port import CpuPort
from sim.scenario.model import Interrupt, MachineSpec, Scenario, Steps

__all__ = ["build_machine", "build_vm", "initial_vmcr", "need_time", "pes_needed", "physical_side"]

_VMCR = {field.name: field for field in BY_NAME["ICH_VMCR_EL2"].fields}


def initial_vmcr(spec: MachineSpec) -> int:
    """Return ICH_VMCR_EL2 as the guest has left it before the first step."""
    config = spec.config
    values = {
        "VPMR": spec.pmr, "VBPR0": config.min_bpr0, "VBPR1": config.min_bpr1, "VEOIM": spec.eoimode,
        "VENG0": int(spec.group0), "VENG1": int(spec.group1), "VFIQEn": int(spec.fiq),
    }  # fmt: skip
    vmcr = 0
    for name, value in values.items():
        vmcr = _VMCR[name].put(vmcr, value)
    return vmcr


def pes_needed(spec: MachineSpec) -> int:
    """Return the number of physical CPUs, one for each vCPU unless said otherwise."""
    return spec.pcpus or spec.vcpus


def physical_side(spec: MachineSpec, interrupts: Sequence[Interrupt]) -> PhysicalConfig:
    """Return the distributor a scenario needs where the machine has a whole GIC: its mapped SPIs exist."""
    last = max((one.hw for one in interrupts if one.hw is not None), default=0)
    return PhysicalConfig(spis=max(last // 32 * 32, 32), are=not isinstance(spec.config, GicV2Config))


def build_vm(
    spec: MachineSpec,
    interrupts: Sequence[Interrupt],
    profile: Profile,
    irqs: PhysicalInterrupts | None = None,
) -> Vm:
    """Return a VM whose distributor and CPU interfaces are configured as a scenario says.

    ``irqs``: the physical interrupts; None: in memory.
    """
    host = Host(config=spec.config, irqs=irqs or PhysicalInterrupts(), **dict(spec.host))
    model = VgicModel.V2 if spec.gicv2_guest else VgicModel.V3
    vm = Vm(host, profile, spec.vcpus, spec.spis, irqchip_in_kernel=spec.vgic, vgic_model=model)
    attach_policy(vm)
    vm.dist.enabled = True
    for vcpu in vm.vcpus:
        vcpu.cpu_if.vgic_vmcr = initial_vmcr(spec)
        if not spec.vgic:
            vcpu_set_ich_hcr(vcpu)
    for one in interrupts:
        if one.intid < VGIC_NR_PRIVATE_IRQS:
            for vcpu in vm.vcpus:
                _configure(vm, vcpu.private_irqs[one.intid], one)
        elif one.intid >= VGIC_MIN_LPI:
            vm.vcpus[one.vcpu].lpis_enabled = True
            vgic_add_lpi(vm.vcpus[one.vcpu], one.intid, one.priority, one.enabled)
        else:
            irq = vgic_get_vcpu_irq(vm.vcpus[0], one.intid)
            irq.target_vcpu = vm.vcpus[one.vcpu]
            irq.mpidr = irq.target_vcpu.mpidr
            irq.targets = 1 << one.vcpu
            _configure(vm, irq, one)
    return vm


def _configure(vm: Vm, irq: VgicIrq, one: Interrupt) -> None:
    irq.priority, irq.group, irq.enabled = one.priority, one.group, one.enabled
    irq.config = Config.LEVEL if one.level else Config.EDGE
    if one.hw is not None:
        ops = IrqOps(sw_resample=True) if vm.host.apple else None
        vm.host.irqs.map(vm.vcpus[one.vcpu], one.hw, one.intid, ops)


def build_machine(
    scenario: Scenario,
    spec: MachineSpec,
    profile: Profile,
    ports: Sequence[CpuPort],
    irqs: PhysicalInterrupts | None = None,
) -> Machine:
    """Return the machine of a scenario, with its guest programs loaded and nothing entered yet."""
    vm = build_vm(spec, scenario.interrupts, profile, irqs)
    machine = Machine(ports, vm, spec.mi, spec.kick, EventLog())
    for one in scenario.interrupts:
        if one.timer is not None:
            machine.add_timer(Timer(vm.vcpus[one.vcpu], one.hw, one.intid, one.timer))
    machine.resampled = {one.intid for one in scenario.interrupts if one.resample}
    # A guest engine executes system registers; what a GICv2 guest does goes to it access by access.
    engines = len(ports) >= spec.vcpus and not spec.gicv2_guest
    for number, guest in _guests(scenario, ports, engines).items():
        machine.runners[number].guest = guest
    return machine


def _guests(scenario: Scenario, ports: Sequence[CpuPort], engines: bool) -> dict[int, Guest]:
    """Return the guests of a scenario by vCPU; those that run the same machine code share its memory.

    With ``engines`` a vCPU has a CPU of its own, and where that has a guest engine, it executes the program.
    """
    guests: dict[int, Guest] = {}
    memories: dict[int, Memory] = {}
    for number, program in scenario.guests.items():
        if isinstance(program, Program):
            engine = getattr(ports[number], "guest", None) if engines else None
            guests[number] = (engine or ProgramGuest)(program, number, scenario.file)
            continue
        from sim.guest.aarch64_cpu import Aarch64Guest  # takes long to import; most scenarios have none

        if id(program) not in memories:
            memories[id(program)] = Memory(program)
        guests[number] = Aarch64Guest(memories[id(program)], number)
    return guests


def need_time(scenario: Scenario, steps: Steps, spec: MachineSpec, ports: Sequence[CpuPort]) -> None:
    """Refuse a latency in cycles on an engine without time.

    Raises
    ------
    InputError
        One line that names the steps and the engines to choose from.
    """
    if (spec.mi.cycles or spec.kick.cycles) and ports[0].now() is None:
        place = f"{scenario.file}:{steps.where.line}"
        raise InputError(
            f"{place}: a latency in cycles needs an engine that tells the time: --engine verilator or icarus"
        )
