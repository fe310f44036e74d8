"""The machine's event log: what happened, in order, for reports."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

__all__ = ["Event", "EventLog"]


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    ``time`` counts guest operations of the whole machine; ``vcpu`` is -1 for devices and the host;
    ``kind`` is one of entry, exit, op, device, take, note; ``text`` is one line.
    """

    time: int
    vcpu: int
    kind: str
    text: str

    def __str__(self) -> str:
        who = "      " if self.vcpu < 0 else f"vCPU{self.vcpu} "
        return f"{self.time:6} {who}{self.kind:6} {self.text}"


@dataclass
class EventLog:
    """A log of events, the last ``limit`` of them (None: all).

    ``enabled`` False keeps nothing, for long runs.
    """

    limit: int | None = None
    enabled: bool = True
    events: deque[Event] = field(init=False)

    def __post_init__(self) -> None:
        """Make the buffer."""
        self.events = deque(maxlen=self.limit)

    def add(self, time: int, vcpu: int, kind: str, text: str) -> None:
        """Record an event."""
        self.events.append(Event(time, vcpu, kind, text))

    def tail(self, count: int) -> list[str]:
        """Return the last events as lines."""
        return [str(event) for event in list(self.events)[-count:]]
