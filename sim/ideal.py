"""The ideal GIC: what a guest should observe if there were no list registers and no hypervisor.

A distributor and one CPU interface for each vCPU, written directly from the architecture: every pending
interrupt takes part in the selection, every active one is remembered, nothing is queued or traded. It has no
KVM logic in it and no list register; the machine is compared with it operation by operation.

Where the architecture leaves a choice (which of several equally urgent interrupts is taken first) the
ideal answers with the set of allowed results and follows the one that was observed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hw.config import GicConfig

__all__ = ["FIRST_LPI", "NONE", "IdealGic", "IdealInterface", "IdealIrq"]

#: The INTID of no interrupt.
NONE = 1023
FIRST_LPI = 8192
_FIRST_SPECIAL, _LAST_SPECIAL = 1020, 1023


@dataclass(slots=True, eq=False)
class IdealIrq:
    """One interrupt as the guest means it. SGIs and PPIs exist once for each vCPU.

    ``latch``: pending by an edge or by software; ``line``: level of the input; ``target``: vCPU number.
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

    @property
    def pending(self) -> bool:
        """The latch, or for a level interrupt its line."""
        return self.latch or (self.level and self.line)


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
        """Generate an SGI through ICC_SGI<group>R.

        ``targets`` is a mask, None the sender alone, -1 all others. SGI0R generates Group 0 interrupts only.
        """
        for vcpu in range(len(self.interfaces)):
            if targets is None:
                wanted = vcpu == sender
            elif targets < 0:
                wanted = vcpu != sender
            else:
                wanted = bool(targets >> vcpu & 1)
            irq = self.irq(intid, vcpu)
            if wanted and irq.group <= group:
                irq.latch = True

    # -- the CPU interface -----------------------------------------------------------------------------

    def candidates(self, vcpu: int) -> list[IdealIrq]:
        """Every interrupt that may be presented to a vCPU, group enables included."""
        if not self.enabled:
            return []
        enables = self.interfaces[vcpu].enables
        candidates = list(self.private[vcpu].values())
        candidates += [irq for irq in self.shared.values() if irq.target == vcpu]
        return [
            irq for irq in candidates if irq.enabled and irq.pending and not irq.active and enables[irq.group]
        ]

    def best(self, vcpu: int) -> list[IdealIrq]:
        """Return the most urgent candidates, several if they are equally urgent (SEL-1 to SEL-6)."""
        candidates = self.candidates(vcpu)
        urgency = min((irq.priority & self.config.pri_mask for irq in candidates), default=0xFF)
        return [irq for irq in candidates if irq.priority & self.config.pri_mask == urgency]

    def can_signal(self, vcpu: int, irq: IdealIrq) -> bool:
        """Return whether an interrupt passes the priority mask and preempts (SIG-2 to SIG-4)."""
        interface = self.interfaces[vcpu]
        priority = irq.priority & self.config.pri_mask
        if priority >= interface.pmr & self.config.pri_mask:
            return False
        mask = interface.mask(irq.group)
        running = interface.running_priority
        return running == 0xFF or priority & mask < running & mask

    def acknowledge_allowed(self, vcpu: int, group: int) -> set[int]:
        """Return every result IAR<group> may give now."""
        best = self.best(vcpu)
        allowed = {irq.intid for irq in best if irq.group == group and self.can_signal(vcpu, irq)}
        if not allowed or any(irq.group != group for irq in best):
            allowed.add(NONE)
        return allowed

    def acknowledge(self, vcpu: int, intid: int) -> None:
        """Follow an acknowledge of ``intid`` (IAR-3, IAR-4); LPIs have no active state."""
        if _FIRST_SPECIAL <= intid <= _LAST_SPECIAL:
            return
        irq = self.irq(intid, vcpu)
        interface = self.interfaces[vcpu]
        irq.latch = False
        if intid < FIRST_LPI:
            irq.active = True
        level = irq.priority & self.config.pri_mask & interface.mask(irq.group)
        interface.active[irq.group].add(level)

    def highest_pending_allowed(self, vcpu: int, group: int) -> set[int]:
        """Return every result HPPIR<group> may give now (HPP-1, HPP-2)."""
        best = self.best(vcpu)
        allowed = {irq.intid for irq in best if irq.group == group}
        if not allowed or any(irq.group != group for irq in best):
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
        if irq.active and irq.group == group and irq.priority & interface.mask(group) == dropped:
            irq.active = False

    def deactivate(self, vcpu: int, intid: int) -> None:
        """Take a write of DIR; any vCPU may deactivate a shared interrupt (DIR-1 to DIR-4)."""
        if not self.interfaces[vcpu].eoimode or intid >= _FIRST_SPECIAL:
            return
        self.irq(intid, vcpu).active = False

    def awake(self, vcpu: int) -> bool:
        """Return whether an interrupt is signalled to the vCPU, so that WFI must not sleep."""
        return any(self.can_signal(vcpu, irq) for irq in self.best(vcpu))
