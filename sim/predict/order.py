"""What a recording leaves open about the order of events.

With two CPUs in the kernel at once, or an injection from outside, the lines do not say when an event took
effect: a handler acts somewhere between its exit and its next entry, an injection up to ``window`` lines of
other CPUs later. The recording marks such handlers (``overlap``) and injections (``window``).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.trace import Acknowledge, Entry, Event, ExceptionTaken, Injection, RegisterAccess, RunVcpu, TimerLine

__all__ = ["OpenEvent", "Order"]


@dataclass
class OpenEvent:
    """An event whose effect may come later than its line.

    ``line``, ``what``: the event; a negative line stands for the summary of the flush after the exit of that
    line, which may come *earlier* than its register writes. ``cpu``: the CPU whose next entry ends the doubt.
    ``window``: lines of CPUs other than ``on``, where an injection is made, after which it has taken effect.
    ``places``: lines before which the event may take effect.
    """

    line: int
    what: str
    cpu: int
    window: int = 0
    on: int = -1
    places: list[int] = field(default_factory=list)


@dataclass
class Order:
    """The open events of a recording, found while it is read."""

    events: list[OpenEvent] = field(default_factory=list)
    _open: list[OpenEvent] = field(default_factory=list)
    _overlapped: set[int] = field(default_factory=set)
    _in_sequence: dict[int, bool] = field(default_factory=dict)

    def note(self, event: Event) -> None:
        """Take the next line into account."""
        access = isinstance(event, RegisterAccess)
        # Between the accesses of one world switch nothing else of that CPU happens.
        boundary = not (access and self._in_sequence.get(event.cpu, False))
        if event.cpu >= 0:
            self._in_sequence[event.cpu] = access and event.el == 2
        if boundary:
            for question in self._open:
                if event.line > abs(question.line):
                    question.places.append(event.line)
        self._close(event)
        if isinstance(event, ExceptionTaken | RunVcpu) and event.overlap:
            self._overlapped.add(event.cpu)
        self._ask(event)

    def _close(self, event: Event) -> None:
        """End the doubt about what must have happened by now."""
        still = []
        for question in self._open:
            if question.window:
                if event.cpu != question.on and not isinstance(event, TimerLine):
                    question.window -= 1
                ended = question.window == 0
            else:
                ended = isinstance(event, Entry) and event.cpu == question.cpu
            if not ended:
                still.append(question)
        self._open = still
        if isinstance(event, Entry):
            self._overlapped.discard(event.cpu)

    def _ask(self, event: Event) -> None:
        if isinstance(event, ExceptionTaken):
            if event.overlap and event.to_el == 2:
                self._add(OpenEvent(event.line, f"the handler of the {event.kind} exit", event.cpu))
                self._add(OpenEvent(-event.line, "the summary of the flush after this exit", event.cpu))
        elif isinstance(event, Injection):
            if event.overlap or event.window or self._overlapped:
                what = f"the injection of {event.irq} (level {event.level:d})"
                cpu = event.cpu if event.cpu >= 0 else next(iter(sorted(self._overlapped)), 0)
                on = event.cpu if event.on is None else event.on
                self._add(OpenEvent(event.line, what, cpu, event.window, on))
        elif isinstance(event, Acknowledge) and event.cpu in self._overlapped:
            self._add(OpenEvent(event.line, f"the handler of host interrupt {event.intid}", event.cpu))

    def _add(self, question: OpenEvent) -> None:
        self.events.append(question)
        self._open.append(question)
