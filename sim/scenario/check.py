"""Judging one expectation of a scenario against what was recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hw.config import GicConfig
from hw.registers import BY_NAME
from sim.kvm.host import Host
from sim.kvm.profile import Profile
from sim.machine.machine import Machine
from sim.machine.runner import Exit
from sim.notation import compare_entry, format_hcr, format_lrs, misr_names, parse_entry
from sim.port import State
from sim.scenario.model import ExpectAll, ExpectEntry, ExpectExits, ExpectHardware, ExpectState, Probe
from sim.scenario.snapshots import IrqMemory, Memory, Recorder, describe

__all__ = [
    "check_all",
    "check_entry",
    "check_exits",
    "check_hardware",
    "check_physical",
    "check_probe",
    "check_state",
    "unannounced",
]

_HCR = {field.name: field for field in BY_NAME["ICH_HCR_EL2"].fields}
#: Causes an operation has of itself; X: need not mention them.
_OWN = frozenset({"KICK", "MMIO", "WFI", "EXIT", "SGI", "HALT"})


def check_entry(expect: ExpectEntry, recorder: Recorder) -> str | None:
    """Return what is wrong with the last entry of a vCPU, or None."""
    entry = recorder.entries.get(expect.vcpu)
    if entry is None:
        return f"vCPU{expect.vcpu} has not entered yet; write ENTER before"
    problems = compare_entry(expect.pattern, entry.lrs, entry.hcr, entry.v2)
    if not problems:
        return None
    return f"{'; '.join(problems)} (entry: {format_lrs(entry.lrs, entry.v2)} | {format_hcr(entry.hcr)})"


def unannounced(exits: Iterable[Exit]) -> list[Exit]:
    """Return the exits that a scenario must mention: maintenance interrupts and traps."""
    return [one for one in exits if one.causes - _OWN]


def check_exits(expect: ExpectExits, exits: list[Exit]) -> str | None:
    """Return what is wrong with the exits since the last step, or None."""
    named = frozenset().union(*expect.exits) if expect.exits else frozenset()
    relevant = [one for one in exits if (one.causes - _OWN) or (one.causes & named)]
    found = [one.causes for one in relevant]
    present = expect.absent & frozenset().union(*(one.causes for one in exits))
    if present:
        return f"there was an exit by {' '.join(sorted(present))}"
    if found == list(expect.exits):
        return None
    return f"exits: {'; '.join(map(str, relevant)) or 'none'}"


def check_state(expect: ExpectState, memory: Memory | None) -> str | None:
    """Return what is wrong with the hypervisor's memory, or None."""
    if memory is None:
        moment = "synced" if expect.after == "S" else "flushed"
        return f"vCPU{expect.vcpu} has not {moment} yet"
    problems = [problem for item in expect.items if (problem := _statement(item, memory))]
    return "; ".join(problems) or None


def _statement(item: tuple[str, ...], memory: Memory) -> str | None:
    head, *words = item
    if head == "list":
        want = [int(word) for word in words]
        return None if memory.ap_list == want else f"the list is {_numbers(memory.ap_list)}"
    if head == "deactivated":
        want = [int(word) for word in words]
        return None if memory.deactivated == want else f"the walk deactivated {_numbers(memory.deactivated)}"
    if head == "active_spis":
        return None if memory.active_spis == int(words[0]) else f"active_spis is {memory.active_spis}"
    irq = memory.irqs.get(int(head))
    if irq is None:
        return f"there is no interrupt {head}"
    wrong = [word for word in words if not _holds(word, irq)]
    return f"{head} is {_state(irq)}" if wrong else None


def _holds(word: str, irq: IrqMemory) -> bool:
    if word.startswith("vCPU"):
        return irq.owner == int(word[4:])
    return {
        "latch": irq.latch, "no-latch": not irq.latch, "line": irq.line, "no-line": not irq.line,
        "on_lr": irq.on_lr, "not-on_lr": not irq.on_lr, "listed": irq.owner is not None,
        "unlisted": irq.owner is None, "enabled": irq.enabled, "disabled": not irq.enabled,
    }.get(word, describe(irq) == word)  # fmt: skip


def _state(irq: IrqMemory) -> str:
    words = [describe(irq)]
    words += [name for name, on in (("latch", irq.latch), ("line", irq.line), ("on_lr", irq.on_lr)) if on]
    words.append("unlisted" if irq.owner is None else f"listed vCPU{irq.owner}")
    return " ".join(words if irq.enabled else [*words, "disabled"])


def _numbers(values: list[int]) -> str:
    return " ".join(map(str, values)) or "empty"


def check_hardware(
    expect: ExpectHardware, state: State, lines: tuple[bool, bool, bool], v2: bool = False, emulated: int = 0
) -> str | None:
    """Return what is wrong with the virtual CPU interface now, or None.

    ``v2``: of a GICv2 guest; ``emulated``: accesses that hyp emulated so far.
    """
    problems = []
    for head, *words in expect.items:
        if head == "LRs":
            problems += compare_entry(parse_entry(" ".join(words)), state.lr, 0, v2)
        elif head == "EOIcount":
            count = _HCR["EOIcount"].get(state.hcr)
            if count != int(words[0], 0):
                problems.append(f"EOIcount is {count}")
        elif head == "emulated":
            if emulated != int(words[0]):
                problems.append(f"hyp emulated {emulated}")
        elif head == "MISR":
            names = misr_names(state.misr)
            if set(names) != set(words) - {"none"}:
                problems.append(f"MISR is {' '.join(names) or 'none'}")
        else:
            level = lines[("vIRQ", "vFIQ", "MI").index(head)]
            if level != (words[0] == "1"):
                problems.append(f"{head} is {int(level)}")
    return "; ".join(problems) or None


def check_physical(expect: ExpectHardware, machine: Machine) -> str | None:
    """Return what is wrong with the physical interrupts, or None."""
    problems = []
    for _, intid, word in expect.items:
        active = machine.physical.active.get(int(intid), False)
        if active != (word == "active"):
            problems.append(f"physical {intid} is {'active' if active else 'inactive'}")
    return "; ".join(problems) or None


def check_all(expect: ExpectAll, recorder: Recorder) -> str | None:
    """Return what is wrong with all entries and exits so far, or None."""
    seen = recorder.hcr_seen.get(expect.vcpu, 0)
    problems = []
    for word in expect.bits:
        name = word.removeprefix("!")
        if bool(_HCR[name].get(seen)) == word.startswith("!"):
            problems.append(f"{name} was {'set at some entry' if word.startswith('!') else 'never set'}")
    highest = recorder.eoicount.get(expect.vcpu, 0)
    if expect.eoicount not in (None, highest):
        problems.append(f"the highest EOIcount was {highest}")
    return "; ".join(problems) or None


def check_probe(step: Probe, config: GicConfig, profile: Profile) -> str | None:
    """Boot a host and return what is wrong with what it finds, or None."""
    settings = dict(step.settings)
    if not isinstance(config, GicConfig):
        config = GicConfig()
    config = replace(config, **{name: settings.pop(name) for name in ("tds", "seis") if name in settings})
    host = Host(config=config, **settings)
    host.boot(profile)
    traps = format_hcr(host.trap_bits, ("TALL0", "TALL1", "TC", "TDIR"))
    if host.has_tdir == step.found and set(traps.split()) == set(step.traps):
        return None
    return f"{'yes' if host.has_tdir else 'no'} {traps}".rstrip()
