"""A finding of refinement told as a scenario file, whose last lines are the fault itself.

The file passes where the fault is (a broken invariant fails it, with what was broken), on every engine.
"""

from __future__ import annotations

from sim.engines.golden import golden_port
from sim.guest.operation import Operation
from sim.kvm.ap_list import VgicCorruptionError
from sim.machine.runner import Place
from sim.policy.names import hypervisor_named
from sim.port import run
from sim.refinement.acting import act
from sim.refinement.divergence import Divergence
from sim.refinement.finishing import finish
from sim.refinement.run import Finding
from sim.refinement.setup import Setup
from sim.refinement.telling import Story, asleep, instruction, interrupt, name_of, of
from sim.refinement.world import World
from sim.scenario.build import pes_needed
from sim.scenario.snapshots import IrqMemory, describe

__all__ = ["retell"]

#: What polls for an interrupt, for a guest that sleeps although one is due.
_POLLING = "again:\n    IAR r0\n    CMP r0, 1023\n    BEQ again\n    HALT\nend"


class _ToldWorld(World):
    """A world that tells what devices and guests do as the steps of a scenario."""

    def __init__(self, setup: Setup):
        super().__init__(setup, [golden_port(setup.spec.config) for _ in range(pes_needed(setup.spec))])
        self.story = Story(self)

    async def start(self) -> None:
        await super().start()
        self._tell("ENTER all")

    async def wake(self, vcpu: int) -> None:
        await super().wake(vcpu)
        self._tell(f"ENTER {vcpu}")

    async def ready(self, vcpu: int) -> bool:
        enters = self.runners[vcpu].place is Place.OUT and not self.runners[vcpu].stuck
        able = await super().ready(vcpu)
        if enters:
            self._tell(f"ENTER {vcpu}")
        return able

    async def pulse(self, intid: int) -> None:
        await super().pulse(intid)
        self._tell(f"inj {intid}")

    async def set_line(self, intid: int, vcpu: int, level: bool) -> None:
        await super().set_line(intid, vcpu, level)
        if self.vgic_irq(intid, vcpu).hw:
            self._tell(f"phys {intid} line={int(level)}")
        else:
            self._tell(f"line {intid} = {int(level)}", vcpu if intid < 32 else None)

    async def operate(self, vcpu: int, operation: Operation) -> int:
        value = await super().operate(vcpu, operation)
        self._tell(instruction(operation, value, asleep(self, vcpu)), vcpu)
        return value

    def _tell(self, line: str, vcpu: int | None = None) -> None:
        self.story.say(line, vcpu)
        self.story.mention()


def retell(finding: Finding, name: str) -> str:
    """Return the scenario file of a finding; a policy's file has to stand beside it."""
    return run(_retell(finding, name))


async def _retell(finding: Finding, name: str) -> str:
    setup = finding.setup
    world = _ToldWorld(setup)
    guest: list[str] = []
    try:
        await world.start()
        for action in finding.actions:
            await act(world, action)
        await finish(world)
    except VgicCorruptionError:
        world.story.say("V: corruption")
    except Divergence as error:
        world.story.say(f"# The ideal GIC differs: {error.text}.")
        world.story.lines += await _symptom(world, error)
        if error.kind == "asleep":
            guest = ["", f"guest {error.vcpu}", _POLLING]
    spec = setup.spec
    machine = [
        f"lrs {spec.config.lrs}",
        f"vcpus {spec.vcpus}",
        f"eoimode {spec.eoimode}",
        "group0 on",
        "fiq on",
    ]
    machine += [f"pcpus {spec.pcpus}"] * bool(spec.pcpus)
    machine += [f"mi {setup.latency}", f"kick {setup.latency}"] * bool(setup.latency)
    machine += [f"{switch} yes" for switch, on in spec.host if on]
    lines = [
        f"scenario {name}: {finding.text}",
        f"origin found by refinement, seed {finding.seed}",
        f"machine {', '.join(machine)}",
        *(interrupt(one) for one in setup.interrupts),
        *guest,
        "",
        f"steps {hypervisor_named(setup.profile).name}:",
        *(f"    {line}" for line in world.story.lines),
    ]
    return "\n".join(lines) + "\n"


async def _symptom(world: World, error: Divergence) -> list[str]:
    """Return what holds only where the fault is; of a value just read its line says so already."""
    vcpu = error.vcpu
    who = f"vCPU{vcpu}: " if vcpu else ""
    if error.kind == "storm":
        return ["V: storm"]
    if error.kind == "asleep":
        return ["RUN", "V: lost"]
    if error.kind == "rpr":
        return [f"{who}RPR -> {await world._running_priority(vcpu):x}"]
    if error.kind in ("hppir", "lines", "starved") and world.runnable(vcpu):
        lines = await world.machine.port(world.runners[vcpu]).lines()
        shown = [f"H{of(vcpu)}: vIRQ {int(lines.virq)}, vFIQ {int(lines.vfiq)}"]
        if world.setup.latency:  # reading takes time
            return shown
        values = [await world._peek(vcpu, f"HPPIR{group}") for group in (0, 1)]
        return shown + [f"{who}HPPIR{group} -> {name_of(value)}" for group, value in enumerate(values)]
    if error.kind == "final":
        exits = [f"vCPU{r.number}: EXIT" if r.number else "EXIT" for r in world.runners]
        irqs = [world.vgic_irq(intid, vcpu) for intid in sorted(error.intids)]
        return [*exits, f"S{of(vcpu)}: {', '.join(f'{i.intid} {describe(IrqMemory.of(i))}' for i in irqs)}"]
    return []
