"""The least number of exits with which any hypervisor could serve a small guest, found by search.

The policy of the search knows the future. At an exit it sees every interrupt's true state and fills the list
registers as it likes; then the guest runs on the golden hardware until an acknowledge or an interrupt line
would differ from the ideal GIC's. Exits that the guest makes itself (a distributor access, an SGI, a
hypercall) are the same for everybody and serve as well. What remains is a shortest path: from each place the
farthest one that some choice of list registers reaches.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from hw.config import GicConfig
from hw.registers import BY_NAME
from sim.cost.meter import Cost, Deliveries, MeteredPort, take
from sim.golden import Golden
from sim.guest.operation import Kind, Operation
from sim.ideal import IdealGic
from sim.kvm.regs import HCR, LR_A, LR_GROUP1, LR_P, LR_PRIORITY_SHIFT
from sim.port import Access, Outcome, run
from sim.refinement.acting import act
from sim.refinement.actions import Action
from sim.refinement.divergence import Divergence
from sim.refinement.setup import Setup
from sim.refinement.world import World
from sim.scenario.model import Interrupt

__all__ = ["Optimum", "measure_optimum", "play_small", "small_guest"]

_VMCR = {field.name: field for field in BY_NAME["ICH_VMCR_EL2"].fields}
_HCR, _VMCR_REGISTER = BY_NAME["ICH_HCR_EL2"], BY_NAME["ICH_VMCR_EL2"]
#: Actions of a small guest, with their weights.
_KINDS = {"pulse": 5, "ack": 6, "eoi": 4, "dir": 4, "nop": 1, "exit": 1}


@dataclass
class Optimum:
    """Totals over small guests: the least number of exits, and what each profile took."""

    guests: int
    delivered: int
    least: int
    taken: dict[str, int]


@dataclass(frozen=True)
class _Moment:
    """The true state before an operation: what the list registers could hold, and the CPU interface."""

    lrs: tuple[int, ...]
    active: tuple[int, int]
    vmcr: int
    lines: tuple[bool, bool]


@dataclass(frozen=True)
class _Done:
    """One guest operation: the state before it, what it read, and whether it always leaves the guest."""

    before: _Moment
    operation: Operation
    value: int
    leaves: bool


class _Recording(World):
    """A world that notes what its guest does."""

    def __init__(self, setup: Setup, ports: Sequence[MeteredPort]):
        super().__init__(setup, ports)
        self.done: list[_Done] = []
        self._before = _moment(self.ideal)

    def begin(self) -> None:
        """Begin an action: the ideal GIC follows it before the guest's operation is executed."""
        super().begin()
        self._before = _moment(self.ideal)

    async def operate(self, vcpu: int, operation: Operation) -> int:
        """Execute a guest operation and note it."""
        value = await super().operate(vcpu, operation)
        leaves = operation.kind is not Kind.NOP and operation.kind is not Kind.SYSREG
        self.done.append(_Done(self._before, operation, value, leaves))
        return value


def _moment(ideal: IdealGic) -> _Moment:
    """Return the state of the only vCPU."""
    interface, config = ideal.interfaces[0], ideal.config
    lrs = []
    for irq in (*ideal.private[0].values(), *ideal.shared.values()):
        pending = irq.pending and irq.enabled
        if not (pending or irq.active):
            continue
        lr = irq.intid | irq.priority << LR_PRIORITY_SHIFT | (LR_GROUP1 if irq.group else 0)
        lrs.append(lr | (LR_P if pending else 0) | (LR_A if irq.active else 0))
    words = tuple(sum(1 << (level >> 8 - config.pre_bits) for level in levels) for levels in interface.active)
    values = {
        "VPMR": interface.pmr, "VBPR0": interface.bpr0, "VBPR1": interface.bpr1,
        "VEOIM": interface.eoimode, "VENG0": int(interface.enables[0]), "VENG1": int(interface.enables[1]),
    }  # fmt: skip
    vmcr = 0
    for name, value in values.items():
        vmcr = _VMCR[name].put(vmcr, value)
    signalled = [one for one in ideal.best(0) if ideal.can_signal(0, one)]
    lines = any(one.group == 1 for one in signalled), any(one.group == 0 for one in signalled)
    return _Moment(tuple(lrs), (words[0], words[1]), vmcr, lines)


def _reach(config: GicConfig, done: Sequence[_Done], start: int) -> int:
    """Return how many operations from ``start`` on the best choice of list registers serves."""
    moment = done[start].before
    best = 0
    for chosen in combinations(moment.lrs, min(config.lrs, len(moment.lrs))):
        golden = Golden(config)
        golden.access(Access(2, _HCR, True, HCR.En))
        golden.access(Access(2, _VMCR_REGISTER, True, moment.vmcr))
        for group, word in enumerate(moment.active):
            golden.access(Access(2, BY_NAME[f"ICH_AP{group}R0_EL2"], True, word))
        for n, lr in enumerate(chosen):
            golden.access(Access(2, BY_NAME[f"ICH_LR{n}_EL2"], True, lr))
        best = max(best, _served(golden, done[start:]))
    return best


def _served(golden: Golden, done: Sequence[_Done]) -> int:
    """Return how many operations a loaded interface serves as the ideal GIC would."""
    for number, one in enumerate(done):
        lines = golden.lines()
        if (lines.virq, lines.vfiq) != one.before.lines:
            return number
        if one.operation.kind is Kind.SYSREG:
            access = Access(1, one.operation.register, one.operation.write, one.operation.value)
            response = golden.access(access)
            if response.outcome is not Outcome.OK or (not access.write and response.value != one.value):
                return number
        if one.leaves:
            return number + 1
    return len(done)


def _least(config: GicConfig, done: Sequence[_Done]) -> int:
    """Return the least number of exits; the first entry is none, an exit of the guest's own counts."""
    fewest = {0: 0}
    for start in range(len(done)):
        if start not in fewest:
            continue
        reach = _reach(config, done, start)
        for end in range(start + 1, start + reach + 1):
            own = done[end - 1].leaves
            exits = fewest[start] + (1 if end < len(done) or own else 0)
            if own and end < start + reach:
                break
            fewest[end] = min(fewest.get(end, exits), exits)
    return fewest[len(done)]


def small_guest(seed: int, lrs: int) -> tuple[Setup, list[Action]]:
    """Return a machine with one vCPU and up to five edge SPIs, and 24 actions."""
    generator = random.Random(seed)
    spis = generator.randrange(lrs + 1, 6)
    priorities = generator.sample((0x10, 0x20, 0x40, 0x48, 0x80, 0xA0), spis)
    interrupts = tuple(Interrupt(32 + n, priorities[n], False) for n in range(spis))
    setup = Setup(lrs, 1, generator.randrange(2), interrupts=interrupts)
    kinds = generator.choices(list(_KINDS), list(_KINDS.values()), k=24)
    # c is 1: a DIR of the vCPU's own.
    return setup, [Action(kind, generator.randrange(16) if kind == "pulse" else 0, 0, 1) for kind in kinds]


def play_small(setup: Setup, actions: Sequence[Action]) -> tuple[Cost, int] | None:
    """Return what a small guest costs under the setup's profile, and the least number of exits.

    None if the profile serves it wrong.
    """
    played = _play(setup, actions)
    return None if played is None else (played[0], _least(setup.spec.config, played[1]))


def _play(setup: Setup, actions: Sequence[Action]) -> tuple[Cost, list[_Done]] | None:
    world = _Recording(setup, [MeteredPort(setup.spec.config)])
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
    return take(world.machine, deliveries), world.done


def measure_optimum(profiles: Sequence[str], guests: int, seed: int = 0, lrs: int = 2) -> Optimum:
    """Compare profiles with the least number of exits, on small guests that all of them serve right.

    Parameters
    ----------
    profiles : sequence of str
        As :func:`sim.kvm.profile.profile_named` takes them.
    guests : int
        How many.
    seed : int
        Of the first guest.
    lrs : int, 1..4
        List registers.
    """
    total = Optimum(0, 0, 0, dict.fromkeys(profiles, 0))
    while total.guests < guests:
        setup, actions = small_guest(seed, lrs)
        seed += 1
        played = [_play(replace(setup, profile=profile), actions) for profile in profiles]
        if None in played or not played[0][1]:
            continue
        cost, done = played[0]
        total.guests += 1
        total.delivered += cost.delivered
        total.least += _least(setup.spec.config, done)
        for profile, (cost, _) in zip(profiles, played, strict=True):
            total.taken[profile] += cost.exits
    return total
