"""Breadth-first search through every state of a scope: the first trace to anything is a shortest one."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from sim.explore.key import canonical_key, renamings
from sim.explore.memento import Memento
from sim.explore.scope import Scope
from sim.explore.watch import idle_trap, sleepless
from sim.explore.world import ExploredWorld, make_world, plan_of
from sim.kvm.ap_list import VgicCorruptionError
from sim.kvm.inject import kvm_vgic_inject_irq
from sim.kvm.irq import VGIC_NR_PRIVATE_IRQS
from sim.port import run
from sim.refinement.acting import act
from sim.refinement.actions import Action
from sim.refinement.divergence import Divergence, key_of
from sim.refinement.exceptions import recognise
from sim.refinement.finishing import finish
from sim.scenario.model import Interrupt

__all__ = ["DRAIN", "Explored", "Found", "explore", "perform"]

#: Stands behind the actions of a trace whose fault shows when the guests are let get everything done.
DRAIN = Action("drain")
#: Guest operations that by themselves bring a guest no further.
_POLLS = frozenset({"ack", "exit", "nop", "mi", "wfi", "hppir", "rpr", "read"})


@dataclass(frozen=True)
class Found:
    """A fault, by the shortest trace to it.

    ``name`` is the known exception's (22.6, R1), ``live-lock``, or ``unnamed``; ``count`` how many steps of
    the search ended in it.
    """

    name: str
    kind: str
    vcpu: int
    text: str
    trace: tuple[Action, ...]
    count: int = 1


@dataclass
class Explored:
    """What came of a scope.

    ``states`` were reached, ``transitions`` tried; ``complete`` unless a limit cut the search off;
    ``depth`` is the length of the longest shortest trace; ``surprises`` are findings that nobody expects
    here, ``missing`` those that were expected and did not come.
    """

    scope: Scope
    states: int = 0
    transitions: int = 0
    depth: int = 0
    complete: bool = False
    found: dict[str, Found] = field(default_factory=dict)

    @property
    def surprises(self) -> list[Found]:
        """Findings that the scope does not expect."""
        return [one for name, one in self.found.items() if name not in self.scope.finds]

    @property
    def missing(self) -> set[str]:
        """Expected findings that did not come."""
        return set(self.scope.finds) - set(self.found)


class _Search:
    def __init__(self, scope: Scope, limit: int, report: Callable[[int, int], None] | None):
        self.scope = scope
        self.limit = limit
        self.report = report
        self.world = make_world(scope.setup)
        self.result = Explored(scope)
        self._numbers: dict[int, int] = {}
        self._parents: list[tuple[int, Action | None]] = []
        self._depths: list[int] = []
        self._mementos: dict[int, Memento] = {}
        self._frontier: deque[int] = deque()
        self._due: list[frozenset[int]] = []
        self._signalled: list[frozenset[int]] = []
        #: For each state where polling leads; None: to progress.
        self._polls: list[list[int]] = []
        self._counts: Counter[str] = Counter()

    async def run(self) -> Explored:
        world = self.world
        await world.start()
        self.plan, self.ways = plan_of(world), renamings(world)
        await self._enter_state(-1, None)
        while self._frontier:
            if len(self._parents) >= self.limit:
                break
            await self._expand(self._frontier.popleft())
            if self.report is not None:
                self.report(len(self._parents) - len(self._frontier), len(self._parents))
        result = self.result
        result.complete = not self._frontier
        result.states, result.depth = len(self._parents), max(self._depths)
        if result.complete:
            self._look_for_live_locks()
        result.found = {
            name: Found(name, one.kind, one.vcpu, one.text, one.trace, self._counts[name])
            for name, one in result.found.items()
        }
        return result

    async def _enter_state(self, parent: int, action: Action | None) -> int:
        """Return the number of the state the world is in; a new one is queued."""
        world = self.world
        key = hash(await canonical_key(world, self.ways))
        number = self._numbers.get(key)
        if number is not None:
            return number
        number = self._numbers[key] = len(self._parents)
        self._parents.append((parent, action))
        self._depths.append(self._depths[parent] + 1 if parent >= 0 else 0)
        self._due.append(await world.due())
        self._signalled.append(await world.signalled())
        self._polls.append([])
        self._mementos[number] = self.plan.take()
        self._frontier.append(number)
        return number

    async def _expand(self, number: int) -> None:
        memento = self._mementos.pop(number)
        world, plan = self.world, self.plan
        for action in self.scope.choices:
            plan.restore(memento)
            guests = _handling(world)
            self.result.transitions += 1
            try:
                await perform(world, action)
            except (Divergence, VgicCorruptionError) as error:
                await self._note(error, number, action)
                continue
            target = await self._enter_state(number, action)
            for watch in (sleepless, idle_trap):
                found = await watch(world, action, target == number)
                if found is not None:
                    self._add(found[0], found[0], found[1], found[2], number, action)
            if action.kind in _POLLS and _handling(world) == guests:
                self._polls[number].append(target)
        if self.scope.drain:
            plan.restore(memento)
            try:
                await finish(world)
            except (Divergence, VgicCorruptionError) as error:
                await self._note(error, number, DRAIN)

    async def _note(self, error: Divergence | VgicCorruptionError, number: int, action: Action) -> None:
        if isinstance(error, VgicCorruptionError):
            self._add("corruption", "corruption", 0, str(error), number, action)
            return
        name = await recognise(self.world, error) or _old_walk(self.world) or _long_ago(self.world, error)
        self._add(name or f"unnamed {error.kind}", error.kind, error.vcpu, str(error), number, action)

    def _add(self, name: str, kind: str, vcpu: int, text: str, number: int, action: Action | None) -> None:
        self._counts[name] += 1
        trace = self._trace(number) if action is None else (*self._trace(number), action)
        # A fault that only the drain shows comes later than the trace says: prefer one that shows at once.
        rank = (action == DRAIN, len(trace))
        before = self.result.found.get(name)
        if before is None or rank < (before.trace[-1:] == (DRAIN,), len(before.trace)):
            self.result.found[name] = Found(name, kind, vcpu, text, trace)

    def _trace(self, number: int) -> tuple[Action, ...]:
        actions = []
        while number > 0:
            number, action = self._parents[number]
            actions.append(action)
        return tuple(reversed(actions))

    def _look_for_live_locks(self) -> None:
        """Find states in which an interrupt is due, and no polling ever gets it signalled."""
        sources: dict[int, list[int]] = {}
        for number, targets in enumerate(self._polls):
            for target in targets:
                sources.setdefault(target, []).append(number)
        for vcpu in range(self.scope.setup.vcpus):
            hopeful = {
                number
                for number in range(len(self._parents))
                if vcpu not in self._due[number] or vcpu in self._signalled[number]
            }
            waiting = list(hopeful)
            while waiting:
                for source in sources.get(waiting.pop(), ()):
                    if source not in hopeful:
                        hopeful.add(source)
                        waiting.append(source)
            lost = [n for n in range(len(self._parents)) if n not in hopeful and self._polls[n]]
            if lost:
                first = min(lost, key=lambda n: (self._depths[n], n))
                self._counts["live-lock"] += len(lost) - 1
                text = f"vCPU{vcpu} polls for ever, an interrupt is due and never signalled"
                self._add("live-lock", "live-lock", vcpu, text, first, None)


def _old_walk(world: ExploredWorld) -> str | None:
    """Return A08 where the walk of Linux 6.19, from the head of the list, has deactivated something."""
    return "A08" if world.vm.walked and not world.vm.profile.walk_from_tail else None


def _long_ago(world: ExploredWorld, error: Divergence) -> str | None:
    """Return 22.6 where an active state is wrong, and an interrupt was rewritten in flight before."""
    wrong = any(
        error.active.get(key_of(one.intid, vcpu), False) != world.ideal.irq(one.intid, vcpu).active
        for one, vcpu in world.instances()
    )
    return "22.6" if wrong and world.facts.ever_reordered else None


def _handling(world: ExploredWorld) -> tuple:
    return tuple((tuple(guest.stack), tuple(guest.dropped)) for guest in world.guests)


async def _edge(world: ExploredWorld, one: Interrupt, vcpu: int) -> None:
    """Give an interrupt a rising edge, a private one that of a vCPU.

    With several vCPUs only if it is not pending: while it is handed from one to another, a second edge may
    rightly be one with the first or count on its own.
    """
    private = one.intid < VGIC_NR_PRIVATE_IRQS
    if world.setup.vcpus > 1 and world.ideal.irq(one.intid, vcpu).latch:
        return
    world.ideal.pulse(one.intid, vcpu if private else 0)
    kvm_vgic_inject_irq(world.vm, world.vm.vcpus[vcpu] if private else None, one.intid, True)
    await world.stimulated()


async def perform(world: ExploredWorld, action: Action) -> None:
    """Do one action of a trace, a late maintenance interrupt and the drain included.

    Raises
    ------
    Divergence
        When the machine shows something the ideal does not allow.
    """
    if action == DRAIN:
        await finish(world)
    elif action.kind == "edge":
        world.begin()
        await _edge(world, world.setup.interrupts[action.a], action.b % world.setup.vcpus)
        await world.compare()
    elif action.kind == "mi":
        world.begin()
        await world.machine.maintenance(world.runners[action.a % world.setup.vcpus])
        await world.compare()
    else:
        await act(world, action)


def explore(
    scope: Scope, limit: int = 1_000_000, report: Callable[[int, int], None] | None = None
) -> Explored:
    """Visit every state of a scope.

    Parameters
    ----------
    scope : Scope
        What is explored.
    limit : int
        Stop at so many states; the result is not complete then.
    report : callable or None
        Called with (states done, states known so far).
    """
    return run(_Search(scope, limit, report).run())
