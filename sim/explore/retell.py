"""A trace told as a scenario file, whose expectations are the fault itself.

The file passes where the fault is: played on the gateware it shows that the fault is the hypervisor's, not
the model's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hw.registers import BY_NAME
from sim.explore.scope import Scope
from sim.explore.search import DRAIN, Found, perform
from sim.explore.world import ExploredWorld, make_world
from sim.guest import memory_map
from sim.guest.operation import Kind, Operation
from sim.kvm.ap_list import VgicCorruptionError
from sim.port import run
from sim.refinement.actions import Action, pick
from sim.refinement.divergence import Divergence
from sim.scenario.check import unannounced
from sim.scenario.model import Interrupt
from sim.scenario.snapshots import IrqMemory, describe

__all__ = ["retell"]

_NONE = 1023
_TDIR = BY_NAME["ICH_HCR_EL2"].field("TDIR")
_KINDS = ((16, "SGI"), (32, "PPI"), (8192, "SPI"))
_BITMAPS = {
    memory_map.bit_word(name, 32)[0].offset - 4: name
    for name in ("ISENABLER", "ICENABLER", "ISPENDR", "ICPENDR", "ISACTIVER", "ICACTIVER")
}
_SGI_FRAME = 0x1_0000


@dataclass
class _Story:
    """The lines so far."""

    world: ExploredWorld
    lines: list[str] = field(default_factory=list)
    _exits: list[int] = field(default_factory=list)

    def say(self, line: str, vcpu: int | None = None) -> None:
        """Add a step, of a vCPU."""
        self.lines.append(f"vCPU{vcpu}: {line}" if vcpu else line)

    def mention(self) -> None:
        """Announce the exits since the last step that have to be."""
        runners = self.world.runners
        self._exits = self._exits or [0] * len(runners)
        for runner in runners:
            new = runner.exits[self._exits[runner.number] :]
            self._exits[runner.number] = len(runner.exits)
            causes = "; ".join(" ".join(sorted(one.causes)) for one in unannounced(new))
            if causes and not runner.stuck:
                self.lines.append(f"X{_of(runner.number)}: {causes}")


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
    story = _Story(world)
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


def _tell(story: _Story, device: str | None) -> None:
    """Add what an action did: a device's part, then the guest operations."""
    if device is not None:
        story.say(device)
    performed, story.world.performed = story.world.performed, []
    for vcpu, operation, value in performed:
        story.say(_instruction(operation, value, story.world, vcpu), vcpu)
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


def _instruction(operation: Operation, value: int, world: ExploredWorld, vcpu: int) -> str:
    """Return a guest operation in the guest language, with the value it read."""
    if operation.kind is Kind.WFI:
        return f"WFI -> {'sleeps' if world.runners[vcpu].place.value == 'asleep' else 'returns'}"
    if operation.kind is Kind.MMIO:
        return _access(operation, value)
    if operation.kind is not Kind.SYSREG:
        return operation.kind.name
    name = operation.register.name.removeprefix("ICC_").removesuffix("_EL1")
    if name in ("EOIR0", "EOIR1"):
        return f"{'EOI0' if name == 'EOIR0' else 'EOI'} {operation.value}"
    if name == "DIR":
        return f"DIR {operation.value}"
    if operation.write:
        number = f"{operation.value:x}" if name == "PMR" else str(operation.value)
        return f"{name} = {number}"
    if name == "RPR":
        return f"RPR -> {value:x}"
    return f"{name} -> {'none' if value == _NONE else value}"


def _access(operation: Operation, value: int) -> str:
    """Return an access of the distributor or a redistributor in the guest language."""
    redistributor = operation.address >= memory_map.GICR_BASE
    base = memory_map.GICR_BASE + _SGI_FRAME if redistributor else memory_map.GICD_BASE
    offset = (
        (operation.address - base) % memory_map.GICR_STRIDE if redistributor else operation.address - base
    )
    register = _BITMAPS.get(offset & ~0x7F)
    if operation.size == 1:
        intid = offset - 0x400
        return f"IPRIORITYR {intid} = {operation.value:x}"
    if offset >= 0x6000 and not redistributor:
        return f"IROUTER {(offset - 0x6000) // 8} = {operation.value}"
    if register is not None and operation.write:
        bit = operation.value.bit_length() - 1
        return f"{register} {(offset & 0x7F) * 8 + bit}"
    place = memory_map.Place(
        "GICR" if redistributor else "GICD", offset + (_SGI_FRAME if redistributor else 0)
    )
    return f"{place} = {operation.value:#x}" if operation.write else f"{place} -> {value:#x}"


async def _symptom(world: ExploredWorld, found: Found, divergence: Divergence | None) -> list[str]:
    """Return the expectations that hold only where the fault is."""
    vcpu = found.vcpu
    of, who = _of(vcpu), f"vCPU{vcpu}: " if vcpu else ""
    ideal = f"# The ideal GIC differs: {divergence.text}." if divergence is not None else f"# {found.text}."
    if found.kind == "storm":
        return [ideal, "V: storm"]
    if found.kind == "live-lock":
        return [ideal, "RUN", "V: live-lock"]
    if found.kind == "22.11":
        lines = await world.machine.port(world.runners[vcpu]).lines()
        return [ideal, f"{who}WFI -> returns", f"H{of}: vIRQ {int(lines.virq)}, vFIQ {int(lines.vfiq)}"]
    if found.kind == "22.3":
        return [ideal, f"S{of}: list empty", f"E{of}: none | TDIR"]
    if found.kind == "asleep":
        return [ideal, "RUN", "V: lost"]
    if found.kind in ("hppir", "lines"):
        group0, group1 = await world.presented(vcpu)
        lines = await world.machine.port(world.runners[vcpu]).lines()
        return [
            ideal, f"H{of}: vIRQ {int(lines.virq)}, vFIQ {int(lines.vfiq)}",
            f"{who}HPPIR0 -> {_name(group0)}", f"{who}HPPIR1 -> {_name(group1)}",
        ]  # fmt: skip
    if found.kind == "final":
        exits = [f"vCPU{r.number}: EXIT" if r.number else "EXIT" for r in world.runners]
        states = [
            f"{irq.intid} {describe(IrqMemory.of(irq))}"
            for irq in world.irqs()
            if irq.intid in divergence.intids
        ]
        return [ideal, *exits, f"S{of}: {', '.join(states)}"]
    return [ideal]


def _of(vcpu: int) -> str:
    return f"({vcpu})" if vcpu else ""


def _name(intid: int) -> str:
    return "none" if intid == _NONE else str(intid)


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
        *(_interrupt(one) for one in setup.interrupts),
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


def _interrupt(one: Interrupt) -> str:
    kind = next((name for limit, name in _KINDS if one.intid < limit), "LPI")
    words = [kind, str(one.intid), "prio", f"{one.priority:02x}", "level" if one.level else "edge"]
    words += [f"group {one.group}"] + ["disabled"] * (not one.enabled) + ["resample"] * one.resample
    words += [f"vcpu {one.vcpu}"] * (one.intid >= 32) + ([f"hw {one.hw}"] if one.hw is not None else [])
    return " ".join(words)
