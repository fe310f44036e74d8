"""A refinement world that an exploration steps through: quiet or not, strict or only asking for progress."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sim.engines.golden import golden_port
from sim.explore.memento import Plan
from sim.guest.operation import Operation
from sim.ideal import NONE
from sim.kvm.irq import VgicIrq
from sim.machine.latency import IMMEDIATE, SLOW
from sim.machine.runner import Place, Runner
from sim.machine.view import deserved
from sim.refinement.divergence import Divergence
from sim.refinement.setup import Setup
from sim.refinement.world import World
from sim.scenario.build import pes_needed
from sim.scenario.model import MachineSpec

__all__ = ["ExploredWorld", "SmallSetup", "make_world", "plan_of"]

#: SPIs of an explored machine: as few as a distributor can have.
_SPIS = 32


@dataclass(frozen=True)
class SmallSetup(Setup):
    """A machine small enough to explore.

    Parameters
    ----------
    late : bool
        A maintenance interrupt comes only when the exploration says so: at any moment after its line rose.
    progress : bool
        Nothing is asked of the order in which interrupts are presented, as right for an algorithm that
        does not claim one: only that nothing is lost, comes twice or waits for ever.
    """

    late: bool = False
    progress: bool = False

    @property
    def spec(self) -> MachineSpec:
        """The machine of a scenario; with ``late`` its maintenance interrupt is slow."""
        spec = replace(super().spec, spis=_SPIS)
        return replace(spec, mi=SLOW, kick=IMMEDIATE) if self.late else spec


class ExploredWorld(World):
    """A machine and an ideal GIC whose maintenance interrupts may be late at will.

    Attributes
    ----------
    performed : list of (int, Operation, int) or None
        Guest operations as they happen, with vCPU and value read; None: nobody wants to know.
    """

    setup: SmallSetup
    performed: list[tuple[int, Operation, int]] | None = None

    def irqs(self) -> list[VgicIrq]:
        """Return the hypervisor's interrupts that the setup has."""
        return [self.vgic_irq(one.intid, vcpu) for one, vcpu in self.instances()]

    def quiet(self) -> bool:
        """Return whether no exit is under way: everything a guest sees must be right."""
        return all(
            runner.mi_since is None and not runner.vcpu.kicked
            for runner in self.runners
            if runner.place is Place.GUEST
        )

    async def operate(self, vcpu: int, operation: Operation) -> int:
        """Execute a guest operation, and note it if somebody wants to know."""
        value = await super().operate(vcpu, operation)
        if self.performed is not None:
            self.performed.append((vcpu, operation, value))
        return value

    def _tolerant(self) -> bool:
        return self.setup.progress or not self.quiet()

    async def _compare_interface(self, runner: Runner) -> None:
        await self._compare_running_priority(runner)
        difference = None if self._tolerant() else await self._difference(runner)
        if difference is not None and not self._late_edge(difference):
            raise difference

    def _late_edge(self, difference: Divergence) -> bool:
        maybe = {irq.intid for irq in self._maybe(difference.vcpu)}
        return bool(maybe & difference.presented)

    async def due(self) -> frozenset[int]:
        """Return the vCPUs that run and are owed an interrupt.

        The ideal GIC signals it to them for certain, and the machine itself remembers it: what it has lost is
        another fault.
        """
        owed = await deserved(self.machine)
        return frozenset(
            runner.number
            for runner in self.runners
            if runner.place is Place.GUEST and owed.get(runner.number) and self.ideal.awake(runner.number)
        )

    async def signalled(self) -> frozenset[int]:
        """Return the vCPUs in their guests whose machine signals an interrupt."""
        found = set()
        for runner in self.runners:
            if runner.place is Place.GUEST:
                lines = await self.machine.port(runner).lines()
                if lines.virq or lines.vfiq:
                    found.add(runner.number)
        return frozenset(found)

    async def presented(self, vcpu: int) -> tuple[int, int]:
        """Return HPPIR0 and HPPIR1 as a vCPU in its guest would read them."""
        if self.runners[vcpu].place is not Place.GUEST:
            return NONE, NONE
        return await self._peek(vcpu, "HPPIR0"), await self._peek(vcpu, "HPPIR1")


def make_world(setup: SmallSetup, log: int = 0) -> ExploredWorld:
    """Return a world on golden; nothing has entered yet."""
    ports = [golden_port(setup.spec.config) for _ in range(pes_needed(setup.spec))]
    return ExploredWorld(setup, ports, log)


def plan_of(world: ExploredWorld) -> Plan:
    """Return what has to be remembered of a world: interrupts that the setup has not stay as they are."""
    mine = {id(irq) for irq in world.irqs()}
    vm, ideal = world.vm, world.ideal
    lists = [vm.dist.spis, *(vcpu.private_irqs for vcpu in vm.vcpus)]
    others = [irq for one in lists for irq in one if id(irq) not in mine]
    used = {id(ideal.irq(one.intid, vcpu)) for one, vcpu in world.instances()}
    unused = [irq for one in ideal.private for irq in one.values() if id(irq) not in used]
    tables = [
        value
        for port in world.ports
        for value in vars(port.golden).values()
        if isinstance(value, (dict, list)) and value is not port.golden.lr and len(value) > 16
    ]
    fixed = [vm.profile, vm.host.config, *lists, *others, ideal.private, *unused, *tables]
    roots = [world, *world.irqs(), *(ideal.irq(one.intid, vcpu) for one, vcpu in world.instances())]
    return Plan(roots, fixed)
