"""The ideal GIC: what a guest should observe if there were no list registers and no hypervisor.

A distributor and one CPU interface for each vCPU, written directly from the architecture: every pending
interrupt takes part in the selection, every active one is remembered, nothing is queued or traded. It has no
KVM logic in it and no list register; the machine is compared with it operation by operation.

Where the architecture leaves a choice the ideal answers with the set of allowed results and follows the one
that was observed. It leaves two:

* Which of several equally urgent interrupts is taken first.
* When a change that somebody else makes, another PE or a device, reaches a CPU interface: in finite time (IHI
  0069, "Observability of the effects of accesses to the GIC registers"). Until then the interface may still
  present the interrupt as it was: with its old priority, group or target, or although it is not pending any
  more; and the interface it is routed to now does not get it before the other has let it go.

The caller says how long that takes. :meth:`IdealGic.unsettle` before such a change notes that it is under
way; :meth:`IdealGic.settle` that it has reached an interface (of a machine: at the vCPU's next entry);
:meth:`IdealGic.release` that an interface has let go of what is routed away (at the vCPU's next exit). A PE
that does not run (``IdealGic.running``) has all the time there is: what concerns it is there at once. Of
GICD_ICENABLER and the group enables the architecture says more: their effect has reached everybody once
GICD_CTLR.RWP reads 0 (:meth:`IdealGic.complete`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hw.config import GicConfig

__all__ = ["FIRST_LPI", "NONE", "IdealGic", "IdealInterface", "IdealIrq", "Offer"]

#: The INTID of no interrupt.
NONE = 1023
FIRST_LPI = 8192
_FIRST_SPECIAL, _LAST_SPECIAL = 1020, 1023
#: Less urgent than every priority.
_NEVER = 0x100


@dataclass(slots=True, eq=False)
class IdealIrq:
    """One interrupt as the guest means it. SGIs and PPIs exist once for each vCPU.

    ``latch``: pending by an edge or by software; ``line``: level of the input; ``target``: vCPU number;
    ``taken``: (priority, group) it was acknowledged with, which count until its end, whatever is written
    meanwhile, ICACTIVER and ISACTIVER too; None if it was not;
    ``owner``: vCPU that acknowledged it last.
    """

    intid: int
    priority: int = 0
    group: int = 1
    level: bool = False
    enabled: bool = False
    target: int = 0
    latch: bool = False
    line: bool = False
    active: bool = False
    taken: tuple[int, int] | None = None
    owner: int = 0

    @property
    def pending(self) -> bool:
        """The latch, or for a level interrupt its line."""
        return self.latch or (self.level and self.line)


@dataclass(frozen=True, slots=True)
class Offer:
    """An interrupt as it is presented to a CPU interface: with this priority, in this group."""

    irq: IdealIrq
    priority: int
    group: int


@dataclass(slots=True)
class IdealInterface:
    """CPU interface of one vCPU. ``active`` holds a set of levels (group priorities) for each group."""

    pmr: int = 0
    bpr0: int = 0
    bpr1: int = 0
    cbpr: bool = False
    eoimode: int = 0
    enables: list[bool] = field(default_factory=lambda: [False, False])
    active: tuple[set[int], set[int]] = field(default_factory=lambda: (set(), set()))

    def mask(self, group: int) -> int:
        """Return the group-priority mask (SIG-5)."""
        if group == 0 or self.cbpr:
            return 0xFF << (self.bpr0 + 1) & 0xFF
        return 0xFF << self.bpr1 & 0xFF

    @property
    def running_priority(self) -> int:
        """Return the running priority, 0xFF when idle (REG-11)."""
        return min((level for levels in self.active for level in levels), default=0xFF)


class IdealGic:
    """The distributor and all CPU interfaces.

    Parameters
    ----------
    config : GicConfig
        Gives the priority and preemption bits; the number of list registers means nothing here.
    vcpus : int
        Number of CPU interfaces.
    """

    def __init__(self, config: GicConfig, vcpus: int = 1):
        self.config = config
        self.enabled = True
        self.interfaces = [IdealInterface(bpr0=config.min_bpr0, bpr1=config.min_bpr1) for _ in range(vcpus)]
        self.private: list[dict[int, IdealIrq]] = [
            {n: IdealIrq(n, enabled=n < 16, target=v) for n in range(32)} for v in range(vcpus)
        ]
        self.shared: dict[int, IdealIrq] = {}
        #: The vCPUs whose guests are executing.
        self.running: set[int] = set(range(vcpus))
        #: For each vCPU how an interrupt may be presented to it beside how it is now (None: not at all).
        self.held: list[dict[IdealIrq, set[Offer | None]]] = [{} for _ in range(vcpus)]
        #: Exits are late: what is in a list register keeps its old priority beyond its end.
        self.slow = False
        #: What may be pending although it is not here: the caller knows of an edge that may still count.
        self.perhaps: Callable[[IdealIrq], bool] = lambda irq: False
        #: For each vCPU what it has not let go yet, although it is routed to another one.
        self.kept: list[set[IdealIrq]] = [set() for _ in range(vcpus)]

    def irq(self, intid: int, vcpu: int = 0) -> IdealIrq:
        """Return the interrupt as vCPU ``vcpu`` names it; shared ones are made at first use."""
        if intid < 32:
            return self.private[vcpu][intid]
        return self.shared.setdefault(intid, IdealIrq(intid))

    # -- devices ---------------------------------------------------------------------------------------

    def pulse(self, intid: int, vcpu: int = 0) -> None:
        """Take a rising edge or a message."""
        self.irq(intid, vcpu).latch = True

    def set_line(self, intid: int, level: bool, vcpu: int = 0) -> None:
        """Set the level of an input."""
        self.irq(intid, vcpu).line = level

    def software_interrupt(self, intid: int, sender: int, targets: int | None, group: int = 1) -> None:
        """Generate an SGI through ICC_SGI<group>R; see :meth:`sgi_targets`."""
        for vcpu in self.sgi_targets(intid, sender, targets, group):
            self.irq(intid, vcpu).latch = True

    def sgi_targets(self, intid: int, sender: int, targets: int | None, group: int = 1) -> list[int]:
        """Return the vCPUs that ICC_SGI<group>R generates an SGI for.

        ``targets`` is a mask, None the sender alone, -1 all others. SGI0R generates Group 0 interrupts only.
        """
        found = []
        for vcpu in range(len(self.interfaces)):
            if targets is None:
                wanted = vcpu == sender
            elif targets < 0:
                wanted = vcpu != sender
            else:
                wanted = bool(targets >> vcpu & 1)
            if wanted and self.irq(intid, vcpu).group <= group:
                found.append(vcpu)
        return found

    # -- changes under way -----------------------------------------------------------------------------

    def unsettle(self, irq: IdealIrq) -> None:
        """Note that somebody is about to change an interrupt: it takes time to reach those who run.

        With late exits, one that is active and pending is presented as it is now once it is deactivated.
        """
        for vcpu in self.running:
            held = self.held[vcpu].setdefault(irq, set())
            held.add(self._presented(vcpu, irq))
            if self.slow and (irq.active or self.perhaps(irq)):
                held.add(self._presented(vcpu, irq, deactivated=True))

    def keep(self, irq: IdealIrq, vcpu: int) -> None:
        """Note that a vCPU that runs has not let go of an interrupt that is routed to another one."""
        if vcpu in self.running and vcpu != irq.target:
            self.kept[vcpu].add(irq)
            self.held[irq.target].setdefault(irq, set()).add(None)

    def settle(self, vcpu: int) -> None:
        """Note that all changes have reached a vCPU, but for what another one keeps."""
        kept = {irq for number, kept in enumerate(self.kept) if number != vcpu for irq in kept}
        held = self.held[vcpu]
        self.held[vcpu] = {irq: {None} for irq in held if None in held[irq] and irq in kept}

    def release(self, vcpu: int) -> None:
        """Note that a vCPU has let go of everything that is routed to another one."""
        self.kept[vcpu].clear()

    def complete(self, irq: IdealIrq) -> None:
        """Note that all changes of an interrupt have reached everybody: GICD_CTLR.RWP was read as 0."""
        for held in self.held:
            held.pop(irq, None)

    # -- the CPU interface -----------------------------------------------------------------------------

    def _presented(self, vcpu: int, irq: IdealIrq, deactivated: bool = False) -> Offer | None:
        """Return how an interrupt is presented to a vCPU once every change has reached it.

        ``deactivated``: how it may be after its end, if it is active.
        """
        mine = irq.target == vcpu and self.enabled and irq.enabled
        idle = deactivated or not irq.active
        pending = irq.pending or (deactivated and self.perhaps(irq))
        return Offer(irq, irq.priority, irq.group) if mine and pending and idle else None

    def _choices(self, vcpu: int) -> list[set[Offer | None]]:
        """Return for each interrupt how it may be presented to a vCPU, group enables included."""
        enables, held = self.interfaces[vcpu].enables, self.held[vcpu]
        choices = []
        for irq in (*self.private[vcpu].values(), *self.shared.values()):
            if irq.active or not (irq.latch or irq.line or (held and irq in held)):
                continue  # nearly all of them: this is the inner loop of every comparison
            offers = {self._presented(vcpu, irq), *held.get(irq, ())}
            offers = {offer if offer is not None and enables[offer.group] else None for offer in offers}
            if offers != {None}:
                choices.append(offers)
        return choices

    def _urgency(self, offer: Offer | None) -> int:
        return _NEVER if offer is None else offer.priority & self.config.pri_mask

    def candidates(self, vcpu: int) -> list[Offer]:
        """Return everything that may be presented to a vCPU, group enables included."""
        return [offer for offers in self._choices(vcpu) for offer in offers if offer is not None]

    def best(self, vcpu: int) -> list[Offer]:
        """Return what may be the most urgent now, several if equally urgent (SEL-1 to SEL-6)."""
        choices = self._choices(vcpu)
        worst = sorted(max(map(self._urgency, offers)) for offers in choices)[:2]
        best = []
        for offers in choices:
            own = max(map(self._urgency, offers))
            others = [*worst, _NEVER][1 if own == worst[0] else 0]
            best += [o for o in offers if o is not None and self._urgency(o) <= others]
        return best

    def may_be_idle(self, vcpu: int) -> bool:
        """Return whether nothing at all may be presented to a vCPU now."""
        return all(None in offers for offers in self._choices(vcpu))

    def can_signal(self, vcpu: int, offer: Offer | IdealIrq) -> bool:
        """Return whether an interrupt passes the priority mask and preempts (SIG-2 to SIG-4)."""
        interface = self.interfaces[vcpu]
        priority = offer.priority & self.config.pri_mask
        if priority >= interface.pmr & self.config.pri_mask:
            return False
        mask = interface.mask(offer.group)
        running = interface.running_priority
        return running == 0xFF or priority & mask < running & mask

    def acknowledge_allowed(self, vcpu: int, group: int) -> set[int]:
        """Return every result IAR<group> may give now."""
        best = self.best(vcpu)
        taken = [offer for offer in best if offer.group == group and self.can_signal(vcpu, offer)]
        allowed = {offer.irq.intid for offer in taken}
        if len(taken) < len(best) or self.may_be_idle(vcpu):
            allowed.add(NONE)
        return allowed

    def acknowledge(
        self, vcpu: int, intid: int, group: int, running: int, before: Sequence[Offer] = ()
    ) -> Offer | None:
        """Follow an acknowledge (IAR-3, IAR-4); LPIs have no active state.

        Parameters
        ----------
        vcpu, group : int
            Who read which IAR.
        intid : int
            What it returned.
        running : int
            The running priority after it. It tells which of several possible priorities it was taken with.
        before : sequence of Offer
            The candidates before it, if a change may have reached the vCPU since.

        Returns
        -------
        Offer or None
            What was taken, None for a special INTID.
        """
        if _FIRST_SPECIAL <= intid <= _LAST_SPECIAL:
            return None
        irq = self.irq(intid, vcpu)
        interface = self.interfaces[vcpu]
        now = Offer(irq, irq.priority, irq.group)
        offers = (now, *(offer for offer in before if offer.irq is irq))
        taken = next((o for o in offers if o.group == group and self._level(vcpu, o) == running), now)
        irq.latch = False
        if intid < FIRST_LPI:
            irq.active, irq.owner = True, vcpu
            irq.taken = (taken.priority, taken.group)
        self.complete(irq)
        interface.active[taken.group].add(self._level(vcpu, taken))
        return taken

    def _level(self, vcpu: int, offer: Offer) -> int:
        """Return the running priority that taking an interrupt gives."""
        return offer.priority & self.config.pri_mask & self.interfaces[vcpu].mask(offer.group)

    def highest_pending_allowed(self, vcpu: int, group: int) -> set[int]:
        """Return every result HPPIR<group> may give now (HPP-1, HPP-2)."""
        best = self.best(vcpu)
        allowed = {offer.irq.intid for offer in best if offer.group == group}
        if self.may_be_idle(vcpu) or any(offer.group != group for offer in best):
            allowed.add(NONE)
        return allowed

    def end(self, vcpu: int, group: int, intid: int) -> None:
        """Take a write of EOIR<group>: the drop, then in EOImode 0 the deactivation (EOI-1 to EOI-10)."""
        interface = self.interfaces[vcpu]
        dropped = interface.running_priority
        if _FIRST_SPECIAL <= intid <= _LAST_SPECIAL or dropped == 0xFF:
            return
        interface.active[0 if dropped in interface.active[0] else 1].remove(dropped)
        if interface.eoimode or intid >= FIRST_LPI:
            return
        irq = self.irq(intid, vcpu)
        priority, of_group = irq.taken or (irq.priority, irq.group)
        if of_group == group and priority & interface.mask(group) == dropped:
            irq.taken = None
            self.deactivated(irq)

    def deactivate(self, vcpu: int, intid: int) -> None:
        """Take a write of DIR; any vCPU may deactivate a shared interrupt (DIR-1 to DIR-4)."""
        if not self.interfaces[vcpu].eoimode or intid >= _FIRST_SPECIAL:
            return
        self.deactivated(self.irq(intid, vcpu))

    def deactivated(self, irq: IdealIrq) -> None:
        """End an active state. If it is pending too, the vCPU that had it lets go of it only now."""
        if irq.active and irq.intid >= 32 and irq.owner != irq.target and irq.owner in self.running:
            self.keep(irq, irq.owner)
            if irq.pending:
                self.held[irq.owner].setdefault(irq, set()).add(Offer(irq, irq.priority, irq.group))
            self.held[irq.target].setdefault(irq, set()).add(None)
        irq.active = False

    def awake(self, vcpu: int) -> bool:
        """Return whether an interrupt is signalled to the vCPU for certain, so that WFI must not sleep."""
        best = self.best(vcpu)
        return not self.may_be_idle(vcpu) and all(self.can_signal(vcpu, offer) for offer in best)
