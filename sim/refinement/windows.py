"""How long a guest sees the wrong order while a late exit is under way."""

from __future__ import annotations

from collections import Counter

__all__ = ["Windows"]


class Windows:
    """Measures priority inversions, in guest operations of the vCPU that suffers them.

    Attributes
    ----------
    open : dict
        vCPU -> its operations since its interface began to differ from the ideal.
    widths : Counter
        Width -> number of inversions that are over.
    """

    def __init__(self, vcpus: int):
        self.open: dict[int, int] = {}
        self.widths: Counter[int] = Counter()
        self._vcpus = vcpus

    def passed(self, vcpu: int) -> None:
        """Count an operation of a vCPU."""
        if vcpu in self.open:
            self.open[vcpu] += 1

    def note(self, vcpu: int, differs: bool) -> int:
        """Note whether a vCPU's interface differs now, and return the width so far."""
        if differs:
            return self.open.setdefault(vcpu, 0)
        width = self.open.pop(vcpu, None)
        if width is not None:
            self.widths[width] += 1
        return width or 0

    @property
    def widest(self) -> int:
        """The widest inversion seen."""
        return max((*self.widths, *self.open.values()), default=0)
