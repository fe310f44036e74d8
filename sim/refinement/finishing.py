"""The end of a refinement run: the guests get everything done, then every interrupt's state is compared."""

from __future__ import annotations

from sim.guest.operation import Kind, Operation, write_register
from sim.kvm.irq import irq_is_pending, vgic_irq_is_mapped_level
from sim.kvm.lr import vgic_get_phys_line_level
from sim.machine.runner import Place
from sim.refinement.divergence import Divergence, key_of
from sim.refinement.world import World

__all__ = ["finish"]


async def finish(world: World) -> None:
    """Let the guests handle everything, then compare the state of every interrupt.

    Raises
    ------
    Divergence
        On the way, or in the end.
    """
    world.begin()
    for runner in world.runners:
        if runner.place is Place.ASLEEP:
            await world.wake(runner.number)
    world.begin()  # they run now
    await _drain(world)
    for runner in world.runners:
        await world.machine.put(runner)
    for one, vcpu in world.instances():
        _compare_final(world, one.intid, vcpu)


async def _drain(world: World) -> None:
    vcpus = range(world.setup.vcpus)
    for vcpu in vcpus:
        await world.ready(vcpu)
        await _handle_all(world, vcpu)
    for vcpu, interface in enumerate(world.ideal.interfaces):
        interface.pmr = 0xF8
        await _step(world, vcpu, write_register("PMR", 0xF8))
        for group in (0, 1):
            interface.enables[group] = True
            await _step(world, vcpu, write_register(f"IGRPEN{group}", 1))
    for _ in range(4 * len(world.setup.interrupts)):
        for vcpu in vcpus:
            await _step(world, vcpu, Operation(Kind.EXIT))
        waiting = [vcpu for vcpu in vcpus if await _signalled(world, vcpu)]
        if not waiting:
            return
        for vcpu in waiting:
            for group in (0, 1):
                await world.acknowledge(vcpu, group)
                await world.compare()
            await _handle_all(world, vcpu)
    due = {offer.irq.intid for offer in world.ideal.best(waiting[0])}
    raise Divergence("starved", waiting[0], "the guests never get through", due)


async def _signalled(world: World, vcpu: int) -> bool:
    """Return whether an interrupt is signalled to a vCPU, on the machine or by the ideal."""
    if not await world.ready(vcpu):
        return False
    lines = await world.machine.port(world.runners[vcpu]).lines()
    return lines.virq or lines.vfiq or world.ideal.awake(vcpu)


async def _step(world: World, vcpu: int, operation: Operation) -> None:
    if await world.ready(vcpu):
        await world.operate(vcpu, operation)
    await world.compare()


async def _handle_all(world: World, vcpu: int) -> None:
    """End and deactivate what a guest has in flight, its devices satisfied."""
    guest = world.guests[vcpu]
    while guest.stack:
        await world.satisfy(guest.stack[-1][0], vcpu)
        await world.end(vcpu)
        await world.compare()
    while guest.dropped:
        await world.satisfy(guest.dropped[0], vcpu)
        await world.deactivate(vcpu, guest.dropped[0], vcpu)
        await world.compare()


def _compare_final(world: World, intid: int, vcpu: int) -> None:
    ideal, real = world.ideal.irq(intid, vcpu), world.vgic_irq(intid, vcpu)
    pending = irq_is_pending(real)
    if vgic_irq_is_mapped_level(real):  # as ISPENDR reads
        pending = vgic_get_phys_line_level(real)
    if key_of(intid, vcpu) in world.late.maybe:
        pending = ideal.pending
    want = (ideal.active, ideal.pending, ideal.enabled)
    found = (real.active, pending, real.enabled)
    if want != found:
        names = ("active", "pending", "enabled")
        text = ", ".join(
            f"{name} {int(f)} (ideal {int(w)})"
            for name, f, w in zip(names, found, want, strict=True)
            if f != w
        )
        raise Divergence("final", vcpu, f"{intid}: {text}", {intid})
