"""The known differences between KVM and the ideal GIC, and how each is recognised.

Names 22.x are the items of spec section 22; R names were found by refinement, and are faults by the
architecture, not only asynchrony: what it gives time for is allowed by :mod:`sim.ideal` and never gets here.
:data:`sim.kvm.bugs.BUGS` names the scenario of each. A recogniser looks at what led up to the divergence
(:class:`sim.refinement.facts.Facts`) and at the interrupts it is about, never at the divergence alone; what
none claims is a finding. Nor does an exception hold while its cure (:data:`sim.kvm.cures.CURES`) is on: then
it is a finding that the cure does not cure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sim.ideal import FIRST_LPI, NONE
from sim.kvm.cures import cure_of
from sim.kvm.irq import irq_is_pending, vgic_irq_is_mapped_level
from sim.kvm.lr import vgic_get_phys_line_level
from sim.kvm.vm import Request
from sim.machine.runner import Place
from sim.machine.view import interrupts
from sim.refinement.divergence import Divergence, key_of
from sim.refinement.weaknesses import weakness
from sim.refinement.world import World

__all__ = ["EXCEPTIONS", "KnownException", "recognise"]


@dataclass(frozen=True)
class KnownException:
    """A known difference: its name, what happens, the kernel function it comes from, and its recogniser."""

    name: str
    text: str
    function: str
    holds: Callable[[World, Divergence], bool]


def _about(world: World, one: Divergence, intids: set[int]) -> bool:
    return bool(one.intids & intids)


def _one_lr(world: World, one: Divergence) -> bool:
    return one.kind == "storm" and world.setup.lrs == 1


def _group_storm(world: World, one: Divergence) -> bool:
    if one.kind != "storm" or world.setup.lrs == 1 or not one.text.startswith("NP"):
        return False
    return any(broken.hole == "22.2" for broken in world.invariants.broken)


def _resample(world: World, one: Divergence) -> bool:
    """Recognise a device that was not told: its line is, or was since the end, still high."""
    return any(world.not_told(intid) or intid in world.facts.not_told for intid in one.intids if intid >= 32)


def _untrapped(world: World, one: Divergence) -> bool:
    return _about(world, one, world.facts.untrapped_dir)


def _early(world: World, one: Divergence) -> bool:
    """Recognise a DIR executed untrapped because its vCPU has not re-entered with TDIR yet (R6).

    ``vgic_queue_irq_unlock`` lists the interrupt, then broadcasts KVM_REQ_IRQ_PENDING, which has no
    KVM_REQUEST_WAIT: its own vCPU may take it, drop it and pass it on before the kick of another one
    has arrived. Needs latency.
    """
    return _about(world, one, world.facts.early_dir)


def _reordered(world: World, one: Divergence) -> bool:
    """Recognise a wrong active state beside an interrupt rewritten in flight.

    The walk takes another one in its place, so it need not be the rewritten one that is wrong. That is active
    then, wrong, or was taken by the walk in another's place, after its own EOI had met its new priority.
    """
    keys = {key_of(irq.intid, vcpu) for irq, vcpu in world.instances()}
    wrong = {key for key in keys if one.active.get(key, False) != world.ideal.irq(key[1], key[0]).active}
    return bool(wrong) and any(
        key in wrong or one.active.get(key, False) or key[1] in world.vm.walked
        for vcpu, intids in world.facts.reordered.items()
        for key in (key_of(n, vcpu) for n in intids)
    )


def _emulated_eoi(world: World, one: Divergence) -> bool:
    """Recognise an active state that the walk ended because the emulation of EOIR counted a drop (22.7)."""
    ended = any(
        world.ideal.irq(irq.intid, vcpu).active and not one.active.get(key_of(irq.intid, vcpu), False)
        for irq, vcpu in world.instances()
    )
    return ended and bool(world.facts.emulated_eoi) and bool(world.vm.walked)


def _not_preempting(world: World, one: Divergence) -> bool:
    """Recognise an emulated IAR that took what does not preempt (R9).

    ``__vgic_v3_read_iar`` compares the candidate's group priority with the running priority as it is. The
    architecture masks both with the candidate's binary point; a running priority that is no multiple of its
    group, taken with the other group's binary point, seems less urgent than its own group.
    """
    if one.kind != "iar" or not world.vm.host.cpuif_trap or one.taken in (None, NONE):
        return False
    interface = world.ideal.interfaces[one.vcpu]
    return any(
        offer.irq.intid == one.taken
        and offer.priority & interface.mask(offer.group) < interface.running_priority
        and not world.ideal.can_signal(one.vcpu, offer)
        for offer in world.ideal.candidates(one.vcpu)
    )


def _aliased(world: World, one: Divergence) -> bool:
    return _about(world, one, world.facts.aliased)


def _no_kick(world: World, one: Divergence) -> bool:
    runner = world.runners[one.vcpu]
    asked = Request.VGIC_PROCESS_UPDATE in runner.vcpu.requests
    return asked and _about(world, one, world.facts.remote_dir.get(one.vcpu, set()))


def _soft_level(world: World, one: Divergence) -> bool:
    return _about(world, one, world.facts.soft_level)


def _not_requeued(world: World, one: Divergence) -> bool:
    """Recognise one pruned while the distributor was off: pending, enabled, on no list."""
    return any(
        irq.enabled and irq_is_pending(irq) and irq.vcpu is None
        for irq in (world.vgic_irq(n, one.vcpu) for n in one.intids & world.facts.disabled_pending)
    )


def _disabled_while_active(world: World, one: Divergence) -> bool:
    """Recognise an LR filled while its interrupt was active and switched off, or all of them were (R1).

    ``vgic_target_oracle`` keeps an active interrupt on its list whatever its enable, as it must;
    ``vgic_v3_compute_lr`` then adds the pending state without asking for the enable, or the distributor's.
    Only an edge-triggered one can be both. GICD_ICENABLER stops a pending interrupt from being forwarded, an
    active and pending one too, and here the disabling vCPU itself gets it, any number of exits later.

    It takes an end without an exit: an EOIR in EOImode 0, or a DIR that does not trap, or that hyp carries
    out in the list register (m32, where TDIR is missing). A DIR that traps to the kernel hides it: LRs are
    folded first, and a disabled interrupt that is active no more is pruned. That is why in EOImode 1 a part
    without TDIR meets it where one with TDIR does not.
    """
    irqs = [world.vgic_irq(n, one.vcpu) for n in one.intids if n < FIRST_LPI]
    off = not world.vm.dist.enabled
    return any(
        (off or not irq.enabled) and irq.on_lr and irq.active and irq.vcpu is world.vm.vcpus[one.vcpu]
        for irq in irqs
    )


def _rerouted(world: World, one: Divergence) -> bool:
    """Recognise one still on the list of a sleeping vCPU that it was routed away from (R2).

    ``vgic_mmio_write_irouter`` stores the target, ``vgic_prune_ap_list`` hands over at the owner's next exit.
    A running owner has one in finite time, which is allowed. One that sleeps, with the interrupt below PMR,
    has none until something else wakes it: the new target is starved.
    """
    irqs = [world.vgic_irq(n, one.vcpu) for n in one.intids if n >= 32]
    return any(
        irq.vcpu is not None
        and irq.vcpu is not irq.target_vcpu
        and world.runners[irq.vcpu.vcpu_id].place is Place.ASLEEP
        for irq in irqs
    )


def _stale_line(world: World, one: Divergence) -> bool:
    """Recognise a physical line that has fallen while memory has it high (R4).

    The vgic hears of rising edges of a mapped level interrupt only. It samples the line at a fold
    (``vgic_irq_handle_resampling``), at ISENABLER and, for the timer, at vcpu_load; one that waits without a
    list register gets none of these, and ``vgic_v3_populate_lr`` believes ``line_level``. The guest takes it
    once.
    """
    irqs = [world.vgic_irq(n, one.vcpu) for n in one.intids if n < FIRST_LPI]
    return any(
        vgic_irq_is_mapped_level(irq) and (irq.line_level or irq.on_lr) and not vgic_get_phys_line_level(irq)
        for irq in irqs
    )


def _unpended(world: World, one: Divergence) -> bool:
    """Recognise an ICPENDR for what was in another vCPU's list register (R5).

    ``vgic_mmio_write_cpending`` clears ``pending_latch``, which is clear while the list register has the
    pending state; unlike an ICACTIVER it stops no vCPU. ``vgic_v3_fold_lr_state`` latches the pending bit
    again. Until the owner's next exit that is asynchrony; that it stays is not: ISPENDR reads 0 and then 1.
    """
    return _about(world, one, world.facts.unpended)


def _switched_off(world: World, one: Divergence) -> bool:
    """Recognise one disabled by another vCPU, alone or with the distributor (R3).

    ``vgic_mmio_write_cenable`` and ``vgic_mmio_write_v3_misc`` kick nobody, and GICD_CTLR.RWP always reads 0,
    which says that the effect has reached all CPU interfaces; a running list register still has it.
    """
    return _about(world, one, world.facts.recently_switched_off(one.vcpu))


def _reprioritized(world: World, one: Divergence) -> bool:
    """Recognise a new priority that should wake a sleeping vCPU (R7).

    ``vgic_mmio_write_priority`` neither queues nor kicks; for a running vCPU the change comes with its next
    entry, which is allowed, a sleeping one has none: a wake-up lost until something else comes.
    """
    return one.kind == "asleep" and _about(world, one, world.facts.reprioritized.get(one.vcpu, set()))


#: In the order they are tried.
EXCEPTIONS: tuple[KnownException, ...] = (
    KnownException(
        "22.1", "one list register and something outside: U is true at entry, exit storm",
        "vgic_v3_configure_hcr", _one_lr,
    ),
    KnownException(
        "22.2", "a disabled group has more pending than LRs: NP is true at entry, exit storm",
        "summarize_ap_list", _group_storm,
    ),
    KnownException(
        "22.4", "level SPI taken and finished in one run: no resample notification",
        "vgic_v3_fold_lr", _resample,
    ),
    KnownException(
        "22.5", "active_spis fell to 0 too early: another vCPU's DIR does not trap and is lost",
        "vgic_v3_fold_lr", _untrapped,
    ),
    KnownException(
        "22.7", "EOIR emulated in EOImode 1, its interrupt in no LR: the walk deactivates it, or another one",
        "__vgic_v3_write_eoir", _emulated_eoi,
    ),
    KnownException(
        "22.8", "DIR of a number that is no interrupt's deactivates the one without bits 12:10",
        "vgic_v3_deactivate", _aliased,
    ),
    KnownException(
        "22.9", "deactivated in memory by another vCPU: a request without a kick",
        "vgic_v3_deactivate", _no_kick,
    ),
    KnownException(
        "22.13", "level interrupt made pending by software: the latch lives until its state is 0 at a fold",
        "vgic_v3_fold_lr", _soft_level,
    ),
    KnownException(
        "22.14", "pruned while the distributor was off, and not queued again",
        "vgic_mmio_write_v3_misc", _not_requeued,
    ),
    KnownException(
        "R1", "disabled, or the distributor with it, while active and pending: offered after the end",
        "vgic_v3_compute_lr", _disabled_while_active,
    ),
    KnownException(
        "R2", "routed away from a sleeping vCPU: stays on its list, the new one does not get it",
        "vgic_mmio_write_irouter", _rerouted,
    ),
    KnownException(
        "R3", "disabled by another vCPU: stays in a running list register, though RWP says that it is done",
        "vgic_mmio_write_cenable", _switched_off,
    ),
    KnownException(
        "R4", "mapped level interrupt: its line fell before it had a list register, and is not sampled again",
        "vgic_irq_handle_resampling", _stale_line,
    ),
    KnownException(
        "R5", "ICPENDR by another vCPU of what is in a list register: undone by the fold",
        "vgic_mmio_write_cpending", _unpended,
    ),
    KnownException(
        "R6", "the first SPI's kick is under way: another vCPU's DIR does not trap yet and is lost",
        "vgic_queue_irq_unlock", _early,
    ),
    KnownException(
        "R7", "made more urgent by another vCPU while its own sleeps below PMR: not woken",
        "vgic_mmio_write_priority", _reprioritized,
    ),
    KnownException(
        "R9", "IAR emulated: the running priority is compared as it is with a group priority",
        "__vgic_v3_read_iar", _not_preempting,
    ),
    KnownException(
        "22.6", "an interrupt in flight was rewritten: the walk, or the LR, takes the wrong one",
        "vgic_v3_fold_lr_state", _reordered,
    ),
)  # fmt: skip


def _cured(world: World, known: KnownException) -> bool:
    """Return whether the kernel has the cure of an exception."""
    cure = cure_of(known.name)
    return cure is not None and getattr(world.vm.profile, cure.switch)


async def recognise(world: World, one: Divergence) -> str | None:
    """Return the name of the exception a divergence is, or None: a finding."""
    one.active = {
        (now.irq.target_vcpu.vcpu_id if now.irq.intid < 32 else 0, now.irq.intid): now.active
        for now in await interrupts(world.machine)
    }
    if one.taken is not None:  # it was not active a moment ago
        one.active[key_of(one.taken, one.vcpu)] = False
    if world.vm.policy is not None:
        return weakness(world, one)
    return next(
        (known.name for known in EXCEPTIONS if not _cured(world, known) and known.holds(world, one)), None
    )
