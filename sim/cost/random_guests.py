"""The cost of random guests: the same actions under each profile."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from sim.cost.meter import Cost, Deliveries, MeteredPort, take
from sim.port import run
from sim.refinement.acting import act
from sim.refinement.actions import Action, random_actions
from sim.refinement.divergence import Divergence
from sim.refinement.run import LENGTH
from sim.refinement.setup import Setup, random_setup
from sim.refinement.world import World

__all__ = ["measure_random", "random_guest"]


def random_guest(setup: Setup, actions: Sequence[Action]) -> Cost | None:
    """Return the cost of one random guest, None if it saw something that an ideal GIC would not show.

    Such a guest goes another way from there on, so it compares with nothing.
    """
    ports = [MeteredPort(setup.spec.config) for _ in range(setup.vcpus)]
    world = World(setup, ports)
    deliveries = Deliveries()
    world.machine.observers.append(deliveries)

    async def play() -> None:
        await world.start()
        for action in actions:
            await act(world, action)

    try:
        run(play())
    except Divergence:
        return None
    return take(world.machine, deliveries)


def measure_random(
    profiles: Sequence[str], guests: int, seed: int = 0, report: Callable[[int, int], None] | None = None
) -> dict[str, Cost]:
    """Measure random guests that are right under every profile, and do not sleep: asleep they do less.

    Parameters
    ----------
    profiles : sequence of str
        As :func:`sim.kvm.profile.profile_named` takes them.
    guests : int
        How many; those that differ under some profile are drawn again.
    seed : int
        Of the first guest.
    report : callable or None
        Called with (done, wanted).
    """
    totals = {profile: Cost() for profile in profiles}
    number, done = seed, 0
    while done < guests:
        generator = random.Random(number)
        number += 1
        setup = random_setup(generator, trouble=False, wide=True)
        drawn = random_actions(generator, LENGTH, False, True)
        actions = [action for action in drawn if action.kind != "wfi"]
        found: dict[str, Cost] = {}
        for profile in profiles:
            cost = random_guest(replace(setup, profile=profile), actions)
            if cost is None:
                break
            found[profile] = cost
        if len(found) < len(profiles):
            continue
        for profile, cost in found.items():
            totals[profile] += cost
        done += 1
        if report is not None:
            report(done, guests)
    return totals
