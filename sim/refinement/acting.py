"""The actions of a refinement run, done to the machine and to the ideal GIC."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sim.guest import memory_map
from sim.guest.interpreter import sgi_value
from sim.guest.operation import Kind, Operation, read_register, write_register
from sim.ideal import FIRST_LPI, IdealIrq
from sim.kvm.inject import kvm_vgic_inject_irq
from sim.kvm.lpi import vgic_its_trigger_msi
from sim.machine.runner import Place
from sim.refinement.actions import Action
from sim.refinement.world import Divergence, World, key_of

__all__ = ["act", "set_line"]

_PMR = (0xF8, 0xF8, 0xF0, 0xA0, 0x80, 0x40, 0x10, 0x00)
_PRIORITIES = (0x00, 0x10, 0x20, 0x28, 0x40, 0x48, 0x80, 0x88, 0xA0, 0xF0)


async def act(world: World, action: Action) -> None:
    """Do one action and compare.

    Raises
    ------
    Divergence
        When the machine shows something the ideal does not allow.
    """
    world.facts.begin()
    await _ACTIONS[action.kind](world, action.a, action.b, action.c)
    await world.compare()


def _pick(sequence, number: int):
    return sequence[number % len(sequence)] if sequence else None


# -- devices -----------------------------------------------------------------------------------------------


async def _stimulated(world: World) -> None:
    world.machine.stimulate()
    await world.machine.settle()


async def _pulse(world: World, a: int, b: int, c: int) -> None:
    one = _pick([one for one in world.setup.interrupts if one.intid >= 32 and not one.level], a)
    if one is None:
        return
    world.late.pulse((0, one.intid), world.ideal.irq(one.intid).latch)
    world.ideal.pulse(one.intid)
    if one.intid >= FIRST_LPI:
        vgic_its_trigger_msi(world.vm, one.intid)
    else:
        kvm_vgic_inject_irq(world.vm, None, one.intid, True)
    await _stimulated(world)


def _level(world: World, a: int):
    return _pick([one for one in world.setup.interrupts if one.level and one.hw is None], a)


async def set_line(world: World, intid: int, vcpu: int, level: bool) -> None:
    """Set the line of a level interrupt, mapped or not."""
    irq = world.ideal.irq(intid, vcpu)
    if irq.line and not level and not irq.active:
        world.facts.note_behind(irq.target, intid)
    world.ideal.set_line(intid, level, vcpu)
    if intid in world.machine.resampled:
        (world.machine.insisting.add if level else world.machine.insisting.discard)(intid)
    if world.vgic_irq(intid, vcpu).hw:
        world.machine.physical.set_line(intid, level)
    else:
        kvm_vgic_inject_irq(world.vm, world.vm.vcpus[vcpu] if intid < 32 else None, intid, level)
    await _stimulated(world)


async def _raise(world: World, a: int, b: int, c: int) -> None:
    one = _level(world, a)
    if one is not None:
        await set_line(world, one.intid, b % world.setup.vcpus, True)


async def _lower(world: World, a: int, b: int, c: int) -> None:
    one = _level(world, a)
    if one is not None:
        await _lower_one(world, one.intid, b % world.setup.vcpus)


async def _lower_one(world: World, intid: int, vcpu: int) -> None:
    """Lower a line. Without trouble only one that is being served, so that nobody must be told."""
    if world.setup.trouble or world.ideal.irq(intid, vcpu).active:
        await set_line(world, intid, vcpu, False)


async def _phys(world: World, a: int, b: int, c: int) -> None:
    one = _pick([one for one in world.setup.interrupts if one.hw is not None], a)
    if one is None:
        return
    if b % 2:
        await set_line(world, one.intid, one.vcpu, True)
    else:
        await _lower_one(world, one.intid, one.vcpu)


# -- the CPU interface -------------------------------------------------------------------------------------


async def _ack(world: World, a: int, b: int, c: int) -> None:
    vcpu = a % world.setup.vcpus
    if not world.runnable(vcpu):
        return
    lines = await world.machine.port(world.runners[vcpu]).lines()
    await world.acknowledge(vcpu, 0 if lines.vfiq else 1 if lines.virq else b % 2)


async def _eoi(world: World, a: int, b: int, c: int) -> None:
    vcpu = a % world.setup.vcpus
    if world.runnable(vcpu):
        await world.end(vcpu)


async def _dir(world: World, a: int, b: int, c: int) -> None:
    """Deactivate an own dropped interrupt, or one of another vCPU's."""
    vcpu = a % world.setup.vcpus
    if not world.runnable(vcpu):
        return
    owner = vcpu if c % 3 else (vcpu + 1) % world.setup.vcpus
    dropped = world.guests[owner].dropped
    intid = _pick(dropped, b)
    if intid is None or (owner != vcpu and (intid < 32 or not _may_go_remote(world, intid, owner))):
        return
    await world.deactivate(vcpu, intid, owner)


def _may_go_remote(world: World, intid: int, owner: int) -> bool:
    """Return whether a remote DIR stays clear of 22.9: it would make the interrupt deliverable."""
    return world.setup.trouble or not world.ideal.irq(intid).pending


async def _hppir(world: World, a: int, b: int, c: int) -> None:
    vcpu = a % world.setup.vcpus
    if world.runnable(vcpu):
        await world.operate(vcpu, read_register(f"HPPIR{b % 2}"))  # every compare looks at the value


async def _rpr(world: World, a: int, b: int, c: int) -> None:
    vcpu = a % world.setup.vcpus
    if world.runnable(vcpu):
        await world.operate(vcpu, read_register("RPR"))  # every compare looks at the value


async def _pmr(world: World, a: int, b: int, c: int) -> None:
    vcpu = a % world.setup.vcpus
    if world.runnable(vcpu):
        world.ideal.interfaces[vcpu].pmr = _pick(_PMR, b)
        await world.operate(vcpu, write_register("PMR", _pick(_PMR, b)))


async def _bpr(world: World, a: int, b: int, c: int) -> None:
    """Change a binary point; with interrupts in flight that is a software error."""
    vcpu = a % world.setup.vcpus
    guest, interface = world.guests[vcpu], world.ideal.interfaces[vcpu]
    if not world.runnable(vcpu) or guest.stack:
        return
    value, config = c % 8, world.ideal.config
    if b % 2:
        interface.bpr1 = max(value, config.min_bpr1)
    else:
        interface.bpr0 = max(value, config.min_bpr0)
    await world.operate(vcpu, write_register(f"BPR{b % 2}", value))


async def _igrpen(world: World, a: int, b: int, c: int) -> None:
    vcpu, group, on = a % world.setup.vcpus, b % 2, c % 3 > 0
    guest = world.guests[vcpu]
    if not world.runnable(vcpu) or (not on and not world.setup.trouble and (guest.stack or guest.dropped)):
        return
    if not on:
        for intid in (*(n for n, g in guest.stack if g == group), *guest.dropped):
            world.facts.note_reordered(vcpu, intid)
    world.ideal.interfaces[vcpu].enables[group] = on
    await world.operate(vcpu, write_register(f"IGRPEN{group}", int(on)))


async def _sgi(world: World, a: int, b: int, c: int) -> None:
    vcpu = a % world.setup.vcpus
    one = _pick([one for one in world.setup.interrupts if one.intid < 16], b)
    if one is None or not world.runnable(vcpu):
        return
    targets = _pick((None, -1, 1, 2, 3), c)
    group = world.ideal.irq(one.intid, vcpu).group
    for target in range(world.setup.vcpus):
        if world.ideal.irq(one.intid, target).latch:
            world.late.pulse((target, one.intid), True)
    world.ideal.software_interrupt(one.intid, vcpu, targets, group)
    register = f"SGI{group}R"
    await world.operate(vcpu, write_register(register, sgi_value(one.intid, targets, vcpu)))


async def _plain(world: World, a: int, kind: Kind) -> None:
    vcpu = a % world.setup.vcpus
    if world.runnable(vcpu):
        await world.operate(vcpu, Operation(kind))


async def _exit(world: World, a: int, b: int, c: int) -> None:
    await _plain(world, a, Kind.EXIT)


async def _nop(world: World, a: int, b: int, c: int) -> None:
    await _plain(world, a, Kind.NOP)


async def _wfi(world: World, a: int, b: int, c: int) -> None:
    await _plain(world, a, Kind.WFI)


# -- the distributor ---------------------------------------------------------------------------------------


def _target(world: World, a: int, b: int) -> tuple[int, int, IdealIrq] | None:
    """Return (vCPU that writes, INTID, interrupt) of a distributor access; without trouble only its own."""
    vcpu = a % world.setup.vcpus
    if not world.runnable(vcpu):
        return None
    one = _pick([one for one in world.setup.interrupts if one.intid < FIRST_LPI], b)
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


def _behind(world: World, vcpu: int, irq: IdealIrq) -> None:
    """Note a change of another vCPU's interrupt while that one runs, or sleeps."""
    if irq.target != vcpu and world.runners[irq.target].place in (Place.GUEST, Place.ASLEEP):
        world.facts.note_behind(irq.target, irq.intid)


async def _store(world: World, vcpu: int, place: memory_map.Place, value: int, size: int = 4) -> None:
    operation = Operation(Kind.MMIO, None, True, value, 0, place.address(vcpu), size)
    await world.operate(vcpu, operation)


async def _set_bit(world: World, vcpu: int, register: str, intid: int) -> None:
    place, bit = memory_map.bit_word(register, intid)
    await _store(world, vcpu, place, 1 << bit)


async def _enable(world: World, a: int, b: int, c: int) -> None:
    found = _target(world, a, b)
    if found is None:
        return
    vcpu, intid, irq = found
    on = c % 3 > 0
    if not on:
        _behind(world, vcpu, irq)
    irq.enabled = on
    await _set_bit(world, vcpu, "ISENABLER" if on else "ICENABLER", intid)


async def _pend(world: World, a: int, b: int, c: int) -> None:
    found = _target(world, a, b)
    if found is None or world.vgic_irq(found[1], found[0]).hw:
        return
    vcpu, intid, irq = found
    if irq.level:
        if not world.setup.trouble:
            return
        world.facts.soft_level.add(intid)
    world.late.pulse(key_of(intid, vcpu), irq.latch)
    irq.latch = True
    await _set_bit(world, vcpu, "ISPENDR", intid)


async def _unpend(world: World, a: int, b: int, c: int) -> None:
    found = _target(world, a, b)
    if found is None or world.vgic_irq(found[1], found[0]).hw:
        return
    vcpu, intid, irq = found
    _behind(world, vcpu, irq)
    virtual = world.vgic_irq(intid, vcpu)
    if virtual.on_lr and virtual.vcpu is not world.runners[vcpu].vcpu:
        world.facts.unpended.add(intid)
    world.late.clear(key_of(intid, vcpu))
    irq.latch = False
    await _set_bit(world, vcpu, "ICPENDR", intid)


async def _prio(world: World, a: int, b: int, c: int) -> None:
    found = _target(world, a, b)
    if found is None:
        return
    vcpu, intid, irq = found
    handlers = _in_flight(world, intid)
    if handlers and not world.setup.trouble:
        return
    for number in handlers:
        world.facts.note_reordered(number, intid)
    _behind(world, vcpu, irq)
    irq.priority = _pick(_PRIORITIES, c)
    await _store(world, vcpu, memory_map.priority_byte(intid), irq.priority, 1)


async def _group(world: World, a: int, b: int, c: int) -> None:
    found = _target(world, a, b)
    if found is None:
        return
    vcpu, intid, irq = found
    for number in _in_flight(world, intid):
        world.facts.note_reordered(number, intid)
    place, bit = memory_map.bit_word("IGROUPR", intid)
    address = place.address(vcpu)
    word = await world.operate(vcpu, Operation(Kind.MMIO, address=address))
    _behind(world, vcpu, irq)
    irq.group = c % 2
    word = word & ~(1 << bit) | (c % 2) << bit
    if world.runnable(vcpu):
        await world.operate(vcpu, Operation(Kind.MMIO, None, True, word, 0, address))


async def _route(world: World, a: int, b: int, c: int) -> None:
    found = _target(world, a, b)
    if found is None or found[1] < 32 or world.vgic_irq(found[1], found[0]).hw:
        return
    vcpu, intid, irq = found
    if not world.setup.trouble and (irq.pending or irq.active):
        return
    _behind(world, vcpu, irq)
    irq.target = c % world.setup.vcpus
    await _store(world, vcpu, memory_map.irouter(intid), irq.target)


async def _icactive(world: World, a: int, b: int, c: int) -> None:
    """Clear an active state: instead of DIR, or (trouble) in the middle of a handler."""
    found = _target(world, a, b)
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
    irq.active = False
    world.facts.untrapped_dir.discard(intid)
    world.facts.early_dir.discard(intid)
    await _set_bit(world, vcpu, "ICACTIVER", intid)


async def _sactive(world: World, a: int, b: int, c: int) -> None:
    """Make an interrupt active by software; ICACTIVER will end it."""
    found = _target(world, a, b)
    if found is None:
        return
    vcpu, intid, irq = found
    world.facts.note_reordered(irq.target, intid)
    irq.active = True
    await _set_bit(world, vcpu, "ISACTIVER", intid)


async def _read(world: World, a: int, b: int, c: int) -> None:
    found = _target(world, a, b)
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
    if not world.runnable(vcpu):
        return
    if not on:
        for one, owner in world.instances():
            irq = world.ideal.irq(one.intid, owner)
            world.facts.disabled_pending.add(one.intid)
            _behind(world, vcpu, irq)
    world.ideal.enabled = on
    await _store(world, vcpu, memory_map.named("GICD_CTLR"), 2 if on else 0)


_ACTIONS: dict[str, Callable[[World, int, int, int], Awaitable[None]]] = {
    "pulse": _pulse, "raise": _raise, "lower": _lower, "phys": _phys, "ack": _ack, "eoi": _eoi, "dir": _dir,
    "hppir": _hppir, "rpr": _rpr, "sgi": _sgi, "pmr": _pmr, "bpr": _bpr, "igrpen": _igrpen,
    "enable": _enable, "pend": _pend, "unpend": _unpend, "prio": _prio, "group": _group, "route": _route,
    "icactive": _icactive, "sactive": _sactive, "read": _read, "gicd": _gicd, "exit": _exit, "wfi": _wfi,
    "nop": _nop,
}  # fmt: skip
