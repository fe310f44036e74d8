"""A trace told as a scenario file, whose expectations are the fault itself.

The file passes where the fault is: played on the gateware it shows that the fault is the hypervisor's, not
the model's.
"""

from __future__ import annotations

from sim.explore.scope import Scope
from sim.explore.search import DRAIN, Found, perform
from sim.explore.world import ExploredWorld, make_world
from sim.kvm.ap_list import VgicCorruptionError
from sim.port import run
from sim.refinement.actions import Action, pick
from sim.refinement.divergence import Divergence
from sim.refinement.telling import Story, asleep, instruction, interrupt, name_of, of
from sim.scenario.snapshots import IrqMemory, describe

__all__ = ["retell"]


def retell(scope: Scope, found: Found) -> str:
    """Return the scenario file of a finding.

    Parameters
    ----------
    scope : Scope
        Where it was found.
    found : Found
        The finding.
    """
    return run(_retell(scope, found))


async def _retell(scope: Scope, found: Found) -> str:
    world = make_world(scope.setup)
    world.performed = []
    story = Story(world)
    await world.start()
    story.say("ENTER all")
    story.mention()
    divergence = None
    try:
        for action in found.trace:
            if action == DRAIN:
                story.say("# Now the guests get everything done.")
                story.lines += [f"ENTER {r.number}" for r in world.runners if r.place.value == "asleep"]
            before = _device(world, action)
            try:
                await perform(world, action)
            finally:
                _tell(story, before)
    except Divergence as error:
        divergence = error
    except VgicCorruptionError:
        story.say("V: corruption")
    story.lines += await _symptom(world, found, divergence)
    return _file(scope, found, story.lines)


def _tell(story: Story, device: str | None) -> None:
    """Add what an action did: a device's part, then the guest operations."""
    if device is not None:
        story.say(device)
    performed, story.world.performed = story.world.performed, []
    for vcpu, operation, value in performed:
        story.say(instruction(operation, value, asleep(story.world, vcpu)), vcpu)
    story.mention()


def _device(world: ExploredWorld, action: Action) -> str | None:
    """Return the step for what a device or a late maintenance interrupt does."""
    interrupts = world.setup.interrupts
    if action.kind == "edge":
        return f"inj {interrupts[action.a].intid}"
    if action.kind == "mi":
        runner = world.runners[action.a % world.setup.vcpus]
        return f"vCPU{runner.number}: MI!" if runner.number else "MI!"
    if action.kind in ("raise", "lower"):
        one = pick([one for one in interrupts if one.level and one.hw is None], action.a)
        return f"line {one.intid} = {int(action.kind == 'raise')}"
    return None


async def _symptom(world: ExploredWorld, found: Found, divergence: Divergence | None) -> list[str]:
    """Return the expectations that hold only where the fault is."""
    vcpu = found.vcpu
    mine, who = of(vcpu), f"vCPU{vcpu}: " if vcpu else ""
    ideal = f"# The ideal GIC differs: {divergence.text}." if divergence is not None else f"# {found.text}."
    if found.kind == "storm":
        return [ideal, "V: storm"]
    if found.kind == "live-lock":
        return [ideal, "RUN", "V: live-lock"]
    if found.kind == "22.11":
        lines = await world.machine.port(world.runners[vcpu]).lines()
        return [ideal, f"{who}WFI -> returns", f"H{mine}: vIRQ {int(lines.virq)}, vFIQ {int(lines.vfiq)}"]
    if found.kind == "22.3":
        return [ideal, f"S{mine}: list empty", f"E{mine}: none | TDIR"]
    if found.kind == "asleep":
        return [ideal, "RUN", "V: lost"]
    if found.kind in ("hppir", "lines"):
        group0, group1 = await world.presented(vcpu)
        lines = await world.machine.port(world.runners[vcpu]).lines()
        return [
            ideal, f"H{mine}: vIRQ {int(lines.virq)}, vFIQ {int(lines.vfiq)}",
            f"{who}HPPIR0 -> {name_of(group0)}", f"{who}HPPIR1 -> {name_of(group1)}",
        ]  # fmt: skip
    if found.kind == "final":
        exits = [f"vCPU{r.number}: EXIT" if r.number else "EXIT" for r in world.runners]
        states = [
            f"{irq.intid} {describe(IrqMemory.of(irq))}"
            for irq in world.irqs()
            if irq.intid in divergence.intids
        ]
        return [ideal, *exits, f"S{mine}: {', '.join(states)}"]
    return [ideal]


def _file(scope: Scope, found: Found, steps: list[str]) -> str:
    setup = scope.setup
    spec = setup.spec
    machine = [f"lrs {spec.config.lrs}", f"vcpus {spec.vcpus}", f"eoimode {spec.eoimode}", "group0 on"]
    machine += [f"spis {spec.spis}"] + ["mi slow"] * setup.late
    machine += [f"{name} yes" for name, on in spec.host if on]
    head = [
        f"scenario {scope.name}-{found.name.replace(' ', '-')}: {found.text}",
        f"origin found by exploring the scope {scope.name}: {scope.text}",
        f"machine {', '.join(machine)}",
        *(interrupt(one) for one in setup.interrupts),
    ]
    if found.kind in ("live-lock", "asleep"):
        head += [
            "",
            f"guest {found.vcpu}",
            "again:",
            "    IAR r0",
            "    CMP r0, 1023",
            "    BEQ again",
            "    HALT",
            "end",
        ]
    return "\n".join([*head, "", f"steps {setup.profile}:", *(f"    {line}" for line in steps)]) + "\n"
