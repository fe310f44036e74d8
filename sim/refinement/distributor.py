"""Actions of a refinement run on the distributor: what a guest writes there, and who is affected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from sim.guest import memory_map
from sim.guest.operation import Kind, Operation
from sim.ideal import FIRST_LPI, IdealIrq
from sim.machine.runner import Place
from sim.refinement.actions import PRIORITIES, pick
from sim.refinement.divergence import Divergence, key_of
from sim.refinement.world import World

__all__ = ["DISTRIBUTOR"]

#: GICD_CTLR.RWP.
_RWP = 31


async def _target(world: World, a: int, b: int) -> tuple[int, int, IdealIrq] | None:
    """Return (vCPU that writes, INTID, interrupt) of a distributor access; without trouble only its own."""
    vcpu = a % world.setup.vcpus
    if not await world.ready(vcpu):
        return None
    one = pick([one for one in world.setup.interrupts if one.intid < FIRST_LPI], b)
    if one is None:
        return None
    irq = world.ideal.irq(one.intid, vcpu)
    return (vcpu, one.intid, irq) if world.setup.trouble or irq.target == vcpu else None


def _in_flight(world: World, intid: int) -> list[int]:
    """Return the vCPUs whose guests are handling an interrupt."""
    return [
        number
        for number, guest in enumerate(world.guests)
        if intid in guest.dropped or any(intid == one for one, _ in guest.stack)
    ]


async def _switched_off(world: World, vcpu: int, irqs: Iterable[IdealIrq]) -> None:
    """Wait for RWP as software does that disables something: then nobody is offered it any more."""
    for irq in irqs:
        world.ideal.complete(irq)
        for other in world.ideal.running - {vcpu}:
            world.facts.note_switched_off(other, irq.intid)
    if await world.ready(vcpu):
        address = memory_map.named("GICD_CTLR").address(vcpu)
        value = await world.operate(vcpu, Operation(Kind.MMIO, address=address))
        if value >> _RWP & 1:
            raise Divergence("rwp", vcpu, "GICD_CTLR.RWP is never read as 1")


async def _store(world: World, vcpu: int, place: memory_map.Place, value: int, size: int = 4) -> None:
    operation = Operation(Kind.MMIO, None, True, value, 0, place.address(vcpu), size)
    await world.operate(vcpu, operation)


async def _set_bit(world: World, vcpu: int, register: str, intid: int) -> None:
    place, bit = memory_map.bit_word(register, intid)
    await _store(world, vcpu, place, 1 << bit)


async def _enable(world: World, a: int, b: int, c: int) -> None:
    found = await _target(world, a, b)
    if found is None:
        return
    vcpu, intid, irq = found
    on = c % 3 > 0
    irq.enabled = on
    await _set_bit(world, vcpu, "ISENABLER" if on else "ICENABLER", intid)
    if not on:
        await _switched_off(world, vcpu, [irq])


async def _pend(world: World, a: int, b: int, c: int) -> None:
    found = await _target(world, a, b)
    if found is None or world.vgic_irq(found[1], found[0]).hw:
        return
    vcpu, intid, irq = found
    if irq.level:
        if not world.setup.trouble:
            return
        world.facts.soft_level.add(intid)
    world.late.pulse(key_of(intid, vcpu), irq.pending)
    irq.latch = True
    await _set_bit(world, vcpu, "ISPENDR", intid)


async def _unpend(world: World, a: int, b: int, c: int) -> None:
    found = await _target(world, a, b)
    if found is None or world.vgic_irq(found[1], found[0]).hw:
        return
    vcpu, intid, irq = found
    world.ideal.unsettle(irq)
    virtual = world.vgic_irq(intid, vcpu)
    if virtual.on_lr and virtual.vcpu is not world.runners[vcpu].vcpu:
        world.facts.unpended.add(intid)
    world.late.clear(key_of(intid, vcpu))
    irq.latch = False
    await _set_bit(world, vcpu, "ICPENDR", intid)


async def _prio(world: World, a: int, b: int, c: int) -> None:
    found = await _target(world, a, b)
    if found is None:
        return
    vcpu, intid, irq = found
    handlers = _in_flight(world, intid)
    if handlers and not world.setup.trouble:
        return
    for number in handlers:
        world.facts.note_reordered(number, intid)
    if world.runners[irq.target].place is Place.ASLEEP:
        world.facts.note_reprioritized(irq.target, intid)
    world.ideal.unsettle(irq)
    irq.priority = pick(PRIORITIES, c)
    await _store(world, vcpu, memory_map.priority_byte(intid), irq.priority, 1)


async def _group(world: World, a: int, b: int, c: int) -> None:
    found = await _target(world, a, b)
    if found is None:
        return
    vcpu, intid, irq = found
    for number in _in_flight(world, intid):
        world.facts.note_reordered(number, intid)
    place, bit = memory_map.bit_word("IGROUPR", intid)
    address = place.address(vcpu)
    word = await world.operate(vcpu, Operation(Kind.MMIO, address=address))
    world.ideal.unsettle(irq)
    irq.group = c % 2
    word = word & ~(1 << bit) | (c % 2) << bit
    if await world.ready(vcpu):
        await world.operate(vcpu, Operation(Kind.MMIO, None, True, word, 0, address))


async def _route(world: World, a: int, b: int, c: int) -> None:
    found = await _target(world, a, b)
    if found is None or found[1] < 32 or world.vgic_irq(found[1], found[0]).hw:
        return
    vcpu, intid, irq = found
    if not world.setup.trouble and (irq.pending or irq.active):
        return
    before, due = irq.target, irq.pending or irq.active
    world.ideal.unsettle(irq)
    irq.target = c % world.setup.vcpus
    world.ideal.keep(irq, before)
    await _store(world, vcpu, memory_map.irouter(intid), irq.target)
    if due:  # its own exit came before the change, and may have woken somebody
        world.see_who_runs()
        world.ideal.keep(irq, before)


async def _icactive(world: World, a: int, b: int, c: int) -> None:
    """Clear an active state: instead of DIR, or (trouble) in the middle of a handler."""
    found = await _target(world, a, b)
    if found is None:
        return
    vcpu, intid, irq = found
    handlers = _in_flight(world, intid)
    stacked = [n for n in handlers if any(intid == one for one, _ in world.guests[n].stack)]
    if stacked and not world.setup.trouble:
        return
    for number in stacked:
        world.facts.note_reordered(number, intid)
    for number in handlers:
        if intid in world.guests[number].dropped:
            world.guests[number].dropped.remove(intid)
    world.ideal.deactivated(irq)
    world.facts.untrapped_dir.discard(intid)
    world.facts.early_dir.discard(intid)
    await _set_bit(world, vcpu, "ICACTIVER", intid)


async def _sactive(world: World, a: int, b: int, c: int) -> None:
    """Make an interrupt active by software; ICACTIVER will end it."""
    found = await _target(world, a, b)
    if found is None:
        return
    vcpu, intid, irq = found
    world.facts.note_reordered(irq.target, intid)
    if not irq.active:
        irq.active, irq.owner = True, irq.target
    await _set_bit(world, vcpu, "ISACTIVER", intid)


async def _read(world: World, a: int, b: int, c: int) -> None:
    found = await _target(world, a, b)
    if found is None:
        return
    vcpu, intid, irq = found
    place, bit = memory_map.bit_word("ISACTIVER", intid)
    value = await world.operate(vcpu, Operation(Kind.MMIO, address=place.address(vcpu)))
    if bool(value >> bit & 1) != irq.active:
        text = f"ISACTIVER of {intid} is {value >> bit & 1}, the ideal says {int(irq.active)}"
        raise Divergence("active", vcpu, text, {intid})


async def _gicd(world: World, a: int, b: int, c: int) -> None:
    vcpu, on = a % world.setup.vcpus, bool(b % 2)
    if not await world.ready(vcpu):
        return
    irqs = [world.ideal.irq(one.intid, owner) for one, owner in world.instances()]
    if not on:
        world.facts.disabled_pending.update(irq.intid for irq in irqs)
    world.ideal.enabled = on
    await _store(world, vcpu, memory_map.named("GICD_CTLR"), 3 if on else 0)
    if not on:
        await _switched_off(world, vcpu, irqs)


#: Kind of action -> what does it.
DISTRIBUTOR: dict[str, Callable[[World, int, int, int], Awaitable[None]]] = {
    "enable": _enable,
    "pend": _pend,
    "unpend": _unpend,
    "prio": _prio,
    "group": _group,
    "route": _route,
    "icactive": _icactive,
    "sactive": _sactive,
    "read": _read,
    "gicd": _gicd,
}
