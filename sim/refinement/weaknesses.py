"""How a difference between a policy and the ideal GIC gets the name of a weakness the policy has marked."""

from __future__ import annotations

from sim.refinement.divergence import Divergence, key_of
from sim.refinement.world import World

__all__ = ["weakness"]

#: What a divergence of each kind can be about: an interrupt that waits in the wrong place, or a lost end.
_WAITING = frozenset({"iar", "hppir", "lines", "starved", "asleep", "final"})


def weakness(world: World, one: Divergence) -> str | None:
    """Return the name of the weakness a divergence shows, or None: a finding.

    A policy marks what it knows to do wrong when it does it (:meth:`sim.policy.interface.Policy.mark`). A
    mark explains a divergence when it is on an interrupt the divergence is about; an exit storm when it is on
    the vCPU; and any when some interrupt is active that should not be, or the other way round, and the mark
    is one of a lost or misplaced end (on no interrupt, or on one whose active state is wrong). A DIR that was
    not trapped is seen from outside.
    """
    marks = world.vm.policy.marks
    vcpu = world.vm.vcpus[one.vcpu]
    wrong = _wrongly_active(world, one)
    for name, noted in sorted(marks.items()):
        for owner, irq in noted:
            if irq is None:
                if owner is vcpu if one.kind == "storm" else wrong:
                    return name
                continue
            waits = irq.intid in one.intids and one.kind in _WAITING
            if waits or key_of(irq.intid, owner.vcpu_id) in wrong:
                return name
    if one.intids & (world.facts.untrapped_dir | world.facts.early_dir):
        return world.vm.policy.untrapped_dir
    return None


def _wrongly_active(world: World, one: Divergence) -> set[tuple[int, int]]:
    """Return the interrupts whose active state is not the ideal's."""
    keys = {key_of(irq.intid, vcpu) for irq, vcpu in world.instances()}
    return {key for key in keys if one.active.get(key, False) != world.ideal.irq(key[1], key[0]).active}
