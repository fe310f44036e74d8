"""What has happened in a run that leads into a known exception, noted when it happens."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Facts"]


@dataclass
class Facts:
    """Triggers of the known exceptions.

    Attributes
    ----------
    behind : dict of int to set of int
        For each vCPU the interrupts whose pending state, enable, priority, group or target was changed by
        somebody else while it was in its guest, since its last entry. Nobody kicks it for that.
    reordered : dict of int to set of int
        For each vCPU the interrupts whose priority, group, group enable or active state was rewritten while
        in flight, until acknowledged again (22.6): the list is not in reverse order of acknowledge any more.
    untrapped_dir : set of int
        Interrupts another vCPU tried to deactivate without a trap (22.5).
    early_dir : set of int
        The same, while the kick that would have brought the trap was under way (R6).
    remote_dir : dict of int to set of int
        For each vCPU the interrupts of its list that another one has deactivated in memory since its last
        entry; it was not kicked (22.9).
    soft_level : set of int
        Level interrupts made pending by software (22.13).
    unpended : set of int
        Interrupts whose pending state another vCPU cleared while they were in a list register (R5).
    disabled_pending : set of int
        Interrupts that were pending while the distributor was off (22.14).
    """

    behind: dict[int, set[int]] = field(default_factory=dict)
    reordered: dict[int, set[int]] = field(default_factory=dict)
    untrapped_dir: set[int] = field(default_factory=set)
    early_dir: set[int] = field(default_factory=set)
    remote_dir: dict[int, set[int]] = field(default_factory=dict)
    soft_level: set[int] = field(default_factory=set)
    unpended: set[int] = field(default_factory=set)
    disabled_pending: set[int] = field(default_factory=set)
    _behind: dict[int, set[int]] = field(default_factory=dict)

    def begin(self) -> None:
        """Begin an action: what an entry forgets while it is done still explains what it shows."""
        self._behind = {vcpu: set(intids) for vcpu, intids in self.behind.items()}

    def recently_behind(self, vcpu: int) -> set[int]:
        """Return ``behind``, that of the beginning of the action included."""
        return self.behind.get(vcpu, set()) | self._behind.get(vcpu, set())

    def note_behind(self, vcpu: int, intid: int) -> None:
        """Note a change behind the back of a running vCPU."""
        self.behind.setdefault(vcpu, set()).add(intid)

    def note_reordered(self, vcpu: int, intid: int) -> None:
        """Note that an interrupt in flight was rewritten."""
        self.reordered.setdefault(vcpu, set()).add(intid)

    def entered(self, vcpu: int) -> None:
        """Forget what an entry repairs."""
        self.behind.pop(vcpu, None)
        self.remote_dir.pop(vcpu, None)

    def acknowledged(self, vcpu: int, intid: int) -> None:
        """Forget what a fresh acknowledge makes right."""
        self.reordered.get(vcpu, set()).discard(intid)
        self.untrapped_dir.discard(intid)
        self.early_dir.discard(intid)
        self.unpended.discard(intid)
