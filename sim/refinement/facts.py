"""What has happened in a run that leads into a known exception, noted when it happens."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Facts"]


@dataclass
class Facts:
    """Triggers of the known exceptions.

    Attributes
    ----------
    switched_off : dict of int to set of int
        For each vCPU the interrupts that another one has disabled, alone or with the distributor, and has
        been told by GICD_CTLR.RWP that it is done, since its last entry (R3).
    reprioritized : dict of int to set of int
        For each vCPU the interrupts that were given another priority while it slept (R7).
    reordered : dict of int to set of int
        For each vCPU the interrupts whose priority, group, group enable or active state was rewritten while
        in flight, until acknowledged again (22.6): the list is not in reverse order of acknowledge any more.
    ever_reordered : set of int
        All interrupts that were, however long ago: what the walk took in their place stays wrong until it is
        handled again.
    untrapped_dir : set of int
        Interrupts another vCPU tried to deactivate without a trap (22.5).
    early_dir : set of int
        The same, while the kick that would have brought the trap was under way (R6).
    remote_dir : dict of int to set of int
        For each vCPU the interrupts of its list that another one has deactivated in memory since its last
        entry; it was not kicked (22.9).
    soft_level : set of int
        Level interrupts made pending by software (22.13).
    aliased : set of int
        Interrupts whose number, with something in bits 12:10, was written to DIR (22.8).
    emulated_eoi : set of int
        vCPUs with an EOIR in EOImode 1 that hyp emulated, of an interrupt in no list register (22.7).
    not_told : set of int
        Level interrupts whose device was not told of their end, and has lowered the line since (22.4).
    unpended : set of int
        Interrupts whose pending state another vCPU cleared while they were in a list register (R5).
    disabled_pending : set of int
        Interrupts that were pending while the distributor was off (22.14).
    """

    switched_off: dict[int, set[int]] = field(default_factory=dict)
    reprioritized: dict[int, set[int]] = field(default_factory=dict)
    reordered: dict[int, set[int]] = field(default_factory=dict)
    ever_reordered: set[int] = field(default_factory=set)
    untrapped_dir: set[int] = field(default_factory=set)
    early_dir: set[int] = field(default_factory=set)
    remote_dir: dict[int, set[int]] = field(default_factory=dict)
    soft_level: set[int] = field(default_factory=set)
    aliased: set[int] = field(default_factory=set)
    emulated_eoi: set[int] = field(default_factory=set)
    not_told: set[int] = field(default_factory=set)
    unpended: set[int] = field(default_factory=set)
    disabled_pending: set[int] = field(default_factory=set)
    _switched_off: dict[int, set[int]] = field(default_factory=dict)

    def begin(self) -> None:
        """Begin an action: what an entry forgets while it is done still explains what it shows."""
        self._switched_off = {vcpu: set(intids) for vcpu, intids in self.switched_off.items()}

    def recently_switched_off(self, vcpu: int) -> set[int]:
        """Return ``switched_off``, that of the beginning of the action included."""
        return self.switched_off.get(vcpu, set()) | self._switched_off.get(vcpu, set())

    def note_switched_off(self, vcpu: int, intid: int) -> None:
        """Note that another vCPU has disabled an interrupt of a running one and waited for RWP."""
        self.switched_off.setdefault(vcpu, set()).add(intid)

    def note_reprioritized(self, vcpu: int, intid: int) -> None:
        """Note that an interrupt of a sleeping vCPU has another priority now."""
        self.reprioritized.setdefault(vcpu, set()).add(intid)

    def note_reordered(self, vcpu: int, intid: int) -> None:
        """Note that an interrupt in flight was rewritten."""
        self.ever_reordered.add(intid)
        self.reordered.setdefault(vcpu, set()).add(intid)

    def entered(self, vcpu: int) -> None:
        """Forget what an entry repairs."""
        self.switched_off.pop(vcpu, None)
        self.reprioritized.pop(vcpu, None)
        self.remote_dir.pop(vcpu, None)

    def acknowledged(self, vcpu: int, intid: int) -> None:
        """Forget what a fresh acknowledge makes right."""
        self.reordered.get(vcpu, set()).discard(intid)
        self.untrapped_dir.discard(intid)
        self.early_dir.discard(intid)
        self.unpended.discard(intid)
        self.aliased.discard(intid)
        self.not_told.discard(intid)
