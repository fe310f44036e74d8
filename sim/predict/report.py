"""What a prediction found, in words and in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from hw.registers import BY_NAME, LRState, Register

__all__ = ["Difference", "Report", "describe_access", "describe_value"]


@dataclass(frozen=True)
class Difference:
    """One thing the kernel did differently.

    ``line``: line of the trace; ``entry``: number of the entry it belongs to, from 1; ``what``: one
    sentence; ``detail``: further lines; ``explanation``: why it can differ, if that is known.
    """

    line: int
    entry: int
    what: str
    detail: tuple[str, ...] = ()
    explanation: str = ""


@dataclass
class Report:
    """The outcome for one trace.

    ``entries``: entries compared, aborted ones included; ``equal``: those where every register and the
    access sequence since the entry before agree. ``accesses``: ICH accesses compared. ``reads`` and
    ``reads_different``: guest-visible MMIO reads compared with ours. ``engine_reads`` and
    ``engine_reads_different``: closed loop, reads whose value the engine answered. ``explained`` counts the
    different entries by explanation. ``lost`` says why the comparison ended early, if it did.
    """

    path: str
    profile: str
    kernel: str
    engine: str = "recorded"
    stimulus: str = "complete"
    stimulus_why: tuple[str, ...] = ()
    entries: int = 0
    equal: int = 0
    aborted: int = 0
    accesses: int = 0
    guest_accesses: int = 0
    reads: int = 0
    reads_different: int = 0
    engine_reads: int = 0
    engine_reads_different: int = 0
    differences: list[Difference] = field(default_factory=list)
    final_state: list[str] = field(default_factory=list)
    lost: str = ""

    @property
    def different(self) -> int:
        """Entries with a difference."""
        return self.entries - self.equal

    @property
    def explained(self) -> dict[str, int]:
        """Different entries by explanation; the empty one are the unexplained."""
        first = {}
        for difference in self.differences:
            first.setdefault(difference.entry, difference.explanation)
        counts: dict[str, int] = {}
        for text in first.values():
            counts[text] = counts.get(text, 0) + 1
        return counts

    @property
    def unexplained(self) -> int:
        """Differences without an explanation, in entries."""
        return self.explained.get("", 0)

    @property
    def good(self) -> bool:
        """Whether everything agreed, or differs only where the recording does not say the order."""
        if self.lost or self.reads_different or self.final_state:
            return self.stimulus != "complete" and not self.lost
        return not self.unexplained


def describe_value(register: Register, value: int) -> str:
    """Return a register value with its non-zero fields: ``0x50a0000000000020 (State PENDING, ...)``."""
    words = []
    for part in reversed(register.fields):
        number = part.get(value)
        if not number:
            continue
        if part.values is LRState:
            words.append(f"State {LRState(number).name}")
        elif part.width == 1:
            words.append(part.name)
        else:
            words.append(f"{part.name} {number:#x}")
    return f"{value:#x}" + (f" ({', '.join(words)})" if words else "")


def describe_access(register: str, is_write: bool, value: int | None) -> str:
    """Return one access as a line of a listing."""
    text = "" if value is None else " " + describe_value(BY_NAME[register], value)
    return f"{'write' if is_write else 'read '} {register}{text}"
