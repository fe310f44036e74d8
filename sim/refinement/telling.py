"""A run of a world in the words of scenario files."""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.guest import memory_map
from sim.guest.operation import Kind, Operation
from sim.refinement.world import World
from sim.scenario.check import unannounced
from sim.scenario.model import Interrupt

__all__ = ["Story", "asleep", "instruction", "interrupt", "name_of", "of"]

_NONE = 1023
_KINDS = ((16, "SGI"), (32, "PPI"), (8192, "SPI"))
_BITMAPS = {
    memory_map.bit_word(name, 32)[0].offset - 4: name
    for name in ("ISENABLER", "ICENABLER", "ISPENDR", "ICPENDR", "ISACTIVER", "ICACTIVER")
}
_SGI_FRAME = 0x1_0000
#: ICC_SGI1R_EL1: the INTID's lowest bit, IRM, the target list.
_SGI_INTID, _SGI_IRM, _SGI_TARGETS = 24, 1 << 40, 0xFFFF


def of(vcpu: int) -> str:
    """Return what says behind an expectation's letter whose it is."""
    return f"({vcpu})" if vcpu else ""


def name_of(intid: int) -> str:
    """Return an INTID as a value read."""
    return "none" if intid == _NONE else str(intid)


def asleep(world: World, vcpu: int) -> bool:
    """Return whether a vCPU is blocked in WFI."""
    return world.runners[vcpu].place.value == "asleep"


@dataclass
class Story:
    """The steps so far of a run that is told as a scenario."""

    world: World
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
                self.lines.append(f"X{of(runner.number)}: {causes}")


def instruction(operation: Operation, value: int, sleeps: bool = False) -> str:
    """Return a guest operation in the guest language, with the value it read; ``sleeps``: of a WFI."""
    if operation.kind is Kind.WFI:
        return f"WFI -> {'sleeps' if sleeps else 'returns'}"
    if operation.kind is Kind.MMIO:
        return _access(operation, value)
    if operation.kind is not Kind.SYSREG:
        return operation.kind.name
    name = operation.register.name.removeprefix("ICC_").removesuffix("_EL1")
    if name in ("EOIR0", "EOIR1"):
        return f"{'EOI0' if name == 'EOIR0' else 'EOI'} {operation.value}"
    if name == "DIR":
        return f"DIR {operation.value}"
    if name in ("SGI0R", "SGI1R"):
        return _software_interrupt(name, operation.value)
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


def _software_interrupt(name: str, value: int) -> str:
    targets = [str(n) for n in range(16) if value & _SGI_TARGETS & 1 << n]
    who = "others" if value & _SGI_IRM else ", ".join(targets)
    return f"{'SGI0' if name == 'SGI0R' else 'SGI'} {value >> _SGI_INTID & 0xF} to {who}"


def interrupt(one: Interrupt) -> str:
    """Return the line of a scenario's header for an interrupt."""
    kind = next((name for limit, name in _KINDS if one.intid < limit), "LPI")
    words = [kind, str(one.intid), "prio", f"{one.priority:02x}", "level" if one.level else "edge"]
    words += [f"group {one.group}"] + ["disabled"] * (not one.enabled) + ["resample"] * one.resample
    words += [f"vcpu {one.vcpu}"] * (one.intid >= 32) + ([f"hw {one.hw}"] if one.hw is not None else [])
    return " ".join(words)
