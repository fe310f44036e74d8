"""What a prediction found, in words and in numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from hw.registers import BY_NAME, LRState, Register

__all__ = ["Difference", "Report", "describe_access", "describe_value"]


@dataclass(frozen=True)
class Difference:
    """One thing the kernel did differently.

    ``line``: line of the trace; ``entry``: number of the entry it belongs to, from 1; ``what``: one
    sentence; ``detail``: further lines.
    """

    line: int
    entry: int
    what: str
    detail: tuple[str, ...] = ()


@dataclass
class Report:
    """The outcome for one trace.

    ``entries``: entries compared, aborted ones included; ``equal``: those where every register and the
    access sequence since the entry before agree. ``accesses``: ICH accesses compared. ``reads`` and
    ``reads_different``: guest-visible reads (MMIO, and registers emulated in hyp) compared with ours.
    ``engine_reads`` and ``engine_reads_different``: closed loop, reads whose value the engine answered.
    ``explained``: such reads that only the recorder's deviations make different, by rule; ``resynchronised``:
    how often the engine was set to the recorder's state after one, by register writes.
    ``placed``: events that agree only when taken later than recorded, where the recording leaves their order
    open. ``final_state``: registers of the distributor that end up differently. ``lost``, ``lost_line``: why
    and where the comparison ended early, if it did.
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
    placed: list[str] = field(default_factory=list)
    explained: dict[str, int] = field(default_factory=dict)
    resynchronised: dict[str, int] = field(default_factory=dict)
    lost: str = ""
    lost_line: int = 0

    @property
    def different(self) -> int:
        """Entries with a difference."""
        return self.entries - self.equal

    @property
    def good(self) -> bool:
        """Whether everything agreed."""
        wrong = self.different or self.reads_different or self.engine_reads_different
        return not (wrong or self.final_state or self.lost) and bool(self.entries)

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON can carry it."""
        return asdict(self) | {"different": self.different, "good": self.good}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Report:
        """Return the report that :meth:`to_json` gave."""
        known = {name: value for name, value in data.items() if name not in ("different", "good")}
        known["differences"] = [
            Difference(**difference | {"detail": tuple(difference["detail"])})
            for difference in data["differences"]
        ]
        known["stimulus_why"] = tuple(data["stimulus_why"])
        return cls(**known)


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
