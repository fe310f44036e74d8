"""A small world for machine tests: a machine on golden with SPIs, PPIs and programs."""

from sim.engines.golden import GoldenPort
from sim.guest.interpreter import ProgramGuest
from sim.guest.language import Where, parse_instruction, parse_program
from sim.guest.operation import Kind
from sim.guest.program import Program
from sim.kvm.inject import kvm_vgic_inject_irq
from sim.kvm.profile import PROFILES, Profile
from sim.machine.latency import SLOW, Latency
from sim.machine.machine import Machine
from sim.port import run
from sim.scenario.build import build_vm
from sim.scenario.model import Interrupt, MachineSpec


class World:
    """A machine with synchronous helpers; ``irqs`` maps INTID to priority, PPIs are level."""

    def __init__(
        self, irqs, lrs=4, vcpus=1, pcpus=None, profile="7.3", mi=0, kick=0, level=(), hw=(), **spec
    ):
        base = MachineSpec(vcpus=vcpus, **spec)
        config = base.config.__class__(lrs=lrs)
        self.spec = MachineSpec(config=config, vcpus=vcpus, **spec)
        interrupts = [
            Interrupt(n, priority, 16 <= n < 32 or n in level, hw=n if n in hw else None)
            for n, priority in irqs.items()
        ]
        profile = profile if isinstance(profile, Profile) else PROFILES[profile]
        self.vm = build_vm(self.spec, interrupts, profile)
        ports = [GoldenPort(config) for _ in range(pcpus or vcpus)]
        latencies = [SLOW if n < 0 else Latency(n) for n in (mi, kick)]
        self.machine = Machine(ports, self.vm, *latencies)
        self.runners = self.machine.runners

    def enter(self, *numbers):
        """Let vCPUs enter, all by default."""
        for number in numbers or range(len(self.runners)):
            run(self.machine.enter(self.runners[number]))
        run(self.machine.settle())

    def inject(self, intid, level=True, vcpu=0):
        """Pulse an edge interrupt, or set a level one's line."""
        kvm_vgic_inject_irq(self.vm, self.vm.vcpus[vcpu] if intid < 32 else None, intid, level)
        self.machine.stimulate()
        run(self.machine.settle())

    def physical(self, intid, level):
        """Set a physical line."""
        self.machine.physical.set_line(intid, level)
        self.machine.stimulate()
        run(self.machine.settle())

    def do(self, text, vcpu=0):
        """Execute one instruction and return the value read."""
        guest = ProgramGuest(Program("one", tuple(parse_instruction(text, Where("test", 1)))), vcpu)
        last = 0
        while (operation := guest.next(False, False)).kind is not Kind.HALT:
            value, fault = run(self.machine.operate(self.runners[vcpu], operation))
            guest.complete(operation, value, fault)
            last = value
        assert not guest.failures, guest.failures
        return last

    def program(self, text, vcpu=0):
        """Give a vCPU a program."""
        self.runners[vcpu].guest = ProgramGuest(parse_program(text, "test"), vcpu, "test")

    def exits(self, vcpu=0):
        """Return a vCPU's exits as text."""
        return [str(one) for one in self.runners[vcpu].exits]
