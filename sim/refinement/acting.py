"""The actions of a refinement run, done to the machine and to the ideal GIC."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from hw.registers import BY_NAME
from sim.guest.interpreter import sgi_value
from sim.guest.operation import Kind, Operation, read_register, write_register
from sim.refinement.actions import Action, pick
from sim.refinement.distributor import DISTRIBUTOR
from sim.refinement.world import World

__all__ = ["act"]

_EOIMODE = BY_NAME["ICC_CTLR_EL1"].field("EOImode").lsb
_PMR = (0xF8, 0xF8, 0xF0, 0xA0, 0x80, 0x40, 0x10, 0x00)


async def act(world: World, action: Action) -> None:
    """Do one action and compare.

    Raises
    ------
    Divergence
        When the machine shows something the ideal does not allow.
    """
    world.begin()
    await _ACTIONS[action.kind](world, action.a, action.b, action.c)
    await world.compare()


# -- devices -----------------------------------------------------------------------------------------------


async def _pulse(world: World, a: int, b: int, c: int) -> None:
    one = pick([one for one in world.setup.interrupts if one.intid >= 32 and not one.level], a)
    if one is None:
        return
    world.late.pulse((0, one.intid), world.ideal.irq(one.intid).latch)
    world.ideal.pulse(one.intid)
    await world.pulse(one.intid)


def _level(world: World, a: int):
    return pick([one for one in world.setup.interrupts if one.level and one.hw is None], a)


async def _raise(world: World, a: int, b: int, c: int) -> None:
    one = _level(world, a)
    if one is not None:
        await world.set_line(one.intid, b % world.setup.vcpus, True)


async def _lower(world: World, a: int, b: int, c: int) -> None:
    one = _level(world, a)
    if one is not None:
        await _lower_one(world, one.intid, b % world.setup.vcpus)


async def _lower_one(world: World, intid: int, vcpu: int) -> None:
    """Lower a line. Without trouble only one that is being served, so that nobody must be told."""
    if world.setup.trouble or world.ideal.irq(intid, vcpu).active:
        await world.set_line(intid, vcpu, False)


async def _phys(world: World, a: int, b: int, c: int) -> None:
    one = pick([one for one in world.setup.interrupts if one.hw is not None], a)
    if one is None:
        return
    if b % 2:
        await world.set_line(one.intid, one.vcpu, True)
    else:
        await _lower_one(world, one.intid, one.vcpu)


# -- the CPU interface -------------------------------------------------------------------------------------


async def _ack(world: World, a: int, b: int, c: int) -> None:
    vcpu = a % world.setup.vcpus
    if not await world.ready(vcpu):
        return
    lines = await world.machine.port(world.runners[vcpu]).lines()
    await world.acknowledge(vcpu, 0 if lines.vfiq else 1 if lines.virq else b % 2)


async def _eoi(world: World, a: int, b: int, c: int) -> None:
    vcpu = a % world.setup.vcpus
    if await world.ready(vcpu):
        await world.end(vcpu)


async def _dir(world: World, a: int, b: int, c: int) -> None:
    """Deactivate an own dropped interrupt, or one of another vCPU's."""
    vcpu = a % world.setup.vcpus
    if not await world.ready(vcpu) or not world.ideal.interfaces[vcpu].eoimode:
        return
    owner = vcpu if c % 3 else (vcpu + 1) % world.setup.vcpus
    dropped = world.guests[owner].dropped
    intid = pick(dropped, b)
    if intid is None or (owner != vcpu and (intid < 32 or not _may_go_remote(world, intid, owner))):
        return
    await world.deactivate(vcpu, intid, owner)


def _may_go_remote(world: World, intid: int, owner: int) -> bool:
    """Return whether a remote DIR stays clear of 22.9: it would make the interrupt deliverable."""
    return world.setup.trouble or not world.ideal.irq(intid).pending


async def _alias(world: World, a: int, b: int, c: int) -> None:
    """Write DIR with a number that is no interrupt's, but one's plus something in bits 12:10 (22.8)."""
    vcpu = a % world.setup.vcpus
    if not world.ideal.interfaces[vcpu].eoimode or not await world.ready(vcpu):
        return
    intid = pick(world.guests[vcpu].dropped, b)
    if intid is not None:
        world.facts.aliased.add(intid)
        await world.operate(vcpu, write_register("DIR", intid | (1 + c % 7) << 10))


async def _hppir(world: World, a: int, b: int, c: int) -> None:
    vcpu = a % world.setup.vcpus
    if await world.ready(vcpu):
        await world.operate(vcpu, read_register(f"HPPIR{b % 2}"))  # every compare looks at the value


async def _rpr(world: World, a: int, b: int, c: int) -> None:
    vcpu = a % world.setup.vcpus
    if await world.ready(vcpu):
        await world.operate(vcpu, read_register("RPR"))  # every compare looks at the value


async def _pmr(world: World, a: int, b: int, c: int) -> None:
    vcpu = a % world.setup.vcpus
    if await world.ready(vcpu):
        world.ideal.interfaces[vcpu].pmr = pick(_PMR, b)
        await world.operate(vcpu, write_register("PMR", pick(_PMR, b)))


async def _bpr(world: World, a: int, b: int, c: int) -> None:
    """Change a binary point; with interrupts in flight that is a software error."""
    vcpu = a % world.setup.vcpus
    guest, interface = world.guests[vcpu], world.ideal.interfaces[vcpu]
    if not await world.ready(vcpu) or guest.stack:
        return
    value, config = c % 8, world.ideal.config
    if b % 2:
        interface.bpr1 = max(value, config.min_bpr1)
    else:
        interface.bpr0 = max(value, config.min_bpr0)
    await world.operate(vcpu, write_register(f"BPR{b % 2}", value))


async def _eoimode(world: World, a: int, b: int, c: int) -> None:
    """Switch EOImode; while an interrupt is in flight that is UNPREDICTABLE (C14)."""
    vcpu, mode = a % world.setup.vcpus, b % 2
    guest = world.guests[vcpu]
    if not await world.ready(vcpu) or guest.stack or guest.dropped:
        return
    world.ideal.interfaces[vcpu].eoimode = mode
    await world.operate(vcpu, write_register("CTLR", mode << _EOIMODE))


async def _igrpen(world: World, a: int, b: int, c: int) -> None:
    vcpu, group, on = a % world.setup.vcpus, b % 2, c % 3 > 0
    guest = world.guests[vcpu]
    if not await world.ready(vcpu) or (not on and not world.setup.trouble and (guest.stack or guest.dropped)):
        return
    if not on:
        for intid in (*(n for n, g in guest.stack if g == group), *guest.dropped):
            world.facts.note_reordered(vcpu, intid)
    world.ideal.interfaces[vcpu].enables[group] = on
    await world.operate(vcpu, write_register(f"IGRPEN{group}", int(on)))


async def _sgi(world: World, a: int, b: int, c: int) -> None:
    vcpu = a % world.setup.vcpus
    one = pick([one for one in world.setup.interrupts if one.intid < 16], b)
    if one is None or not await world.ready(vcpu):
        return
    targets = pick((None, -1, 1, 2, 3), c)
    group = world.ideal.irq(one.intid, vcpu).group
    for target in world.ideal.sgi_targets(one.intid, vcpu, targets, group):
        world.late.pulse((target, one.intid), world.ideal.irq(one.intid, target).latch)
    world.ideal.software_interrupt(one.intid, vcpu, targets, group)
    register = f"SGI{group}R"
    await world.operate(vcpu, write_register(register, sgi_value(one.intid, targets, vcpu)))


async def _plain(world: World, a: int, kind: Kind) -> None:
    vcpu = a % world.setup.vcpus
    if await world.ready(vcpu):
        await world.operate(vcpu, Operation(kind))


async def _exit(world: World, a: int, b: int, c: int) -> None:
    await _plain(world, a, Kind.EXIT)


async def _nop(world: World, a: int, b: int, c: int) -> None:
    await _plain(world, a, Kind.NOP)


async def _wfi(world: World, a: int, b: int, c: int) -> None:
    await _plain(world, a, Kind.WFI)


_ACTIONS: dict[str, Callable[[World, int, int, int], Awaitable[None]]] = DISTRIBUTOR | {
    "pulse": _pulse, "raise": _raise, "lower": _lower, "phys": _phys, "ack": _ack, "eoi": _eoi, "dir": _dir,
    "alias": _alias,
    "hppir": _hppir, "rpr": _rpr, "sgi": _sgi, "pmr": _pmr, "bpr": _bpr, "igrpen": _igrpen, "exit": _exit,
    "eoimode": _eoimode, "wfi": _wfi, "nop": _nop,
}  # fmt: skip
