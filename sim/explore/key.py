"""What makes two states of an explored world one and the same.

Everything that decides what can happen next, and what is said of it: hardware, the hypervisor's memory, the
ideal GIC, what the guests are handling, and the facts that exceptions are recognised by. Left out is what
only counts or was only meant for people; ``active_spis``, which Linux never counts down for an edge-triggered
interrupt (22.3), counts up to one more than there are interrupts. Interrupts that differ in nothing but their
number are interchangeable: of all ways to number them the smallest key counts.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hw.registers import BY_NAME
from sim.explore.world import ExploredWorld
from sim.kvm.irq import VgicIrq
from sim.kvm.vm import Vcpu
from sim.machine.hardware import hardware_state
from sim.machine.runner import Runner
from sim.port import State
from sim.refinement.facts import Facts

__all__ = ["Renaming", "canonical_key", "renamings", "state_key"]

#: INTID -> the number it goes by; an INTID that is missing keeps its own.
Renaming = Mapping[int, int]

_LR = {field.name: field for field in BY_NAME["ICH_LR0_EL2"].fields}
_FACTS = tuple(name for name in Facts.__dataclass_fields__ if not name.startswith("_"))


def renamings(world: ExploredWorld) -> list[dict[int, int]]:
    """Return every way to exchange interrupts that are configured alike."""
    classes: dict[Any, list[int]] = {}
    for one in world.setup.interrupts:
        same = (
            one.priority,
            one.level,
            one.group,
            one.enabled,
            one.vcpu,
            one.hw,
            one.resample,
            one.intid < 32,
        )
        classes.setdefault(same, []).append(one.intid)
    ways = [itertools.permutations(intids) for intids in classes.values()]
    return [
        {old: new for intids, order in zip(classes.values(), way, strict=True)
         for old, new in zip(intids, order, strict=True)}
        for way in itertools.product(*ways)
    ]  # fmt: skip


async def canonical_key(world: ExploredWorld, ways: list[dict[int, int]]) -> tuple:
    """Return the smallest key of a state over all renamings."""
    states = [
        await hardware_state(world.machine.port(runner)) if runner.cpu is not None else None
        for runner in world.runners
    ]
    return min(state_key(world, states, way) for way in ways)


def state_key(world: ExploredWorld, states: list[State | None], names: Renaming) -> tuple:
    """Return a state as a value that can be hashed and ordered, its interrupts renamed."""
    rename = names.get
    vm, ideal, facts = world.vm, world.ideal, world.facts
    irqs = sorted(_irq(irq, names) for irq in world.irqs())
    vcpus = tuple(_vcpu(runner, state, names) for runner, state in zip(world.runners, states, strict=True))
    dist = (
        vm.dist.enabled, min(vm.dist.active_spis, len(world.setup.interrupts) + 1),
        () if vm.dist.tdir_vcpus is None else (1, *sorted(vm.dist.tdir_vcpus)),
    )  # fmt: skip
    physical = tuple(
        _sorted(rename(n, n) for n, on in one.items() if on)
        for one in (
            world.machine.physical.line,
            world.machine.physical.active,
            world.machine.physical.pending,
        )
    )
    wanted = sorted(
        (
            rename(one.intid, one.intid), vcpu, irq.priority, irq.group, irq.enabled, irq.target, irq.latch,
            irq.line, irq.active, irq.taken or (), irq.owner,
        )
        for one, vcpu in world.instances()
        for irq in (ideal.irq(one.intid, vcpu),)
    )  # fmt: skip
    interfaces = tuple(
        (i.pmr, i.bpr0, i.bpr1, i.cbpr, i.eoimode, tuple(i.enables), *(_sorted(one) for one in i.active))
        for i in ideal.interfaces
    )
    guests = tuple(
        (tuple((rename(n, n), g) for n, g in guest.stack), tuple(rename(n, n) for n in guest.dropped))
        for guest in world.guests
    )
    late = tuple(
        _sorted((vcpu, rename(n, n)) for vcpu, n in one) for one in (world.late.maybe, world.late.second)
    )
    under_way = _under_way(world, names)
    known = tuple(_fact(getattr(facts, name), rename) for name in _FACTS)
    seen = tuple(
        (vcpu, *(tuple((rename(t.number, t.number), t.priority, t.group) for t in part)
                 for part in (one.stack, one.dropped, one.ended)))
        for vcpu, one in sorted(world.invariants.trackers.items())
    )  # fmt: skip
    insisting = _sorted(rename(n, n) for n in world.machine.insisting)
    return (
        tuple(irqs), vcpus, dist, physical, tuple(wanted), ideal.enabled, interfaces, guests, late,
        under_way, known, seen, insisting,
    )  # fmt: skip


def _sorted(values: Iterable) -> tuple:
    return tuple(sorted(values))


def _number(vcpu: Vcpu | None) -> int:
    return -1 if vcpu is None else vcpu.vcpu_id


def _irq(irq: VgicIrq, names: Renaming) -> tuple:
    return (
        names.get(irq.intid, irq.intid), _number(irq.target_vcpu), _number(irq.vcpu), irq.pending_latch,
        irq.line_level, irq.active, irq.on_lr, irq.enabled, irq.priority, irq.group, irq.acked or (),
        irq.latch_on_lr, irq.unpended,
    )  # fmt: skip


def _vcpu(runner: Runner, state: State | None, names: Renaming) -> tuple:
    vcpu = runner.vcpu
    shadow = vcpu.cpu_if
    hardware: tuple = ()
    if state is not None:
        lrs = tuple(
            _lr(lr, names) if n < shadow.used_lrs or _LR["State"].get(lr) else 0
            for n, lr in enumerate(state.lr)
        )
        hardware = (state.hcr, state.vmcr, tuple(state.ap0r), tuple(state.ap1r), lrs)
    saved = () if state is not None else (shadow.vgic_vmcr, *shadow.vgic_ap0r, *shadow.vgic_ap1r)
    return (
        runner.place.value, -1 if runner.cpu is None else runner.cpu, runner.mi_since is not None,
        bool(runner.stuck), runner.scheduled_out, vcpu.kicked, vcpu.mode.value, shadow.used_lrs,
        _sorted(request.value for request in vcpu.requests), hardware, saved,
        tuple(names.get(irq.intid, irq.intid) for irq in vcpu.ap_list),
        tuple(names.get(irq.intid, irq.intid) for irq in vcpu.overflow_ap_list),
    )  # fmt: skip


def _lr(lr: int, names: Renaming) -> int:
    intid = _LR["vINTID"].get(lr)
    return _LR["vINTID"].put(lr, names.get(intid, intid))


def _under_way(world: ExploredWorld, names: Renaming) -> tuple:
    """Return the changes that have not reached every CPU interface of the ideal GIC yet."""
    held = []
    for choices in world.ideal.held:
        rows = [
            (
                names.get(irq.intid, irq.intid), irq.target,
                _sorted(() if offer is None else (offer.priority, offer.group) for offer in offers),
            )
            for irq, offers in choices.items()
        ]  # fmt: skip
        held.append(_sorted(rows))
    kept = [_sorted((names.get(irq.intid, irq.intid), irq.target) for irq in one) for one in world.ideal.kept]
    return tuple(held), tuple(kept)


def _fact(fact: Any, rename: Callable[[int, int], int]) -> tuple:
    if not fact:
        return ()
    if isinstance(fact, dict):
        return _sorted(
            (vcpu, _sorted(rename(n, n) for n in intids)) for vcpu, intids in fact.items() if intids
        )
    return _sorted(rename(n, n) for n in fact)
