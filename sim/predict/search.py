"""Predicting a trace, and finding an order of its events where the recording leaves it open.

Where an entry differs and the recording does not say in which order some events before it took effect, each
open event is tried in each place it can have; a place that makes the entry agree is kept and reported.
"""

from __future__ import annotations

from sim.kvm.profile import Profile
from sim.port import run
from sim.predict.order import OpenEvent
from sim.predict.predictor import Predictor
from sim.predict.report import Report
from sim.predict.setup import profile_of
from sim.trace import Trace, open_trace

__all__ = ["find_order", "predict_trace"]

#: Open events tried for one difference, nearest first, and how far back they may reach, in lines.
_TRIED, _REACH = 8, 1000
#: Runs for one difference, and how many lines behind it a good place shows no difference.
_RUNS, _HORIZON = 80, 300
#: Places tried for one open event.
_PLACES = 16
#: Differences that no place explains: after so many it is not the order that is wrong.
_FAILURES = 2


def predict_trace(path: str, profile: Profile | None = None) -> Report:
    """Predict one recording, open loop.

    Parameters
    ----------
    path : str
        The trace.
    profile : Profile or None
        None: the recorded kernel's.

    Raises
    ------
    InputError
        When the trace is malformed or does not hold its stimulus.
    """
    return find_order(path, profile)[1]


def find_order(path: str, profile: Profile | None = None) -> tuple[dict[int, int], Report]:
    """Return the placements of open events that make most entries agree, and the report with them."""
    with open_trace(path) as trace:
        return _Search(trace, profile or profile_of(trace)).find()


class _Search:
    """One trace's search; the placements kept so far are ``placements``."""

    def __init__(self, trace: Trace, profile: Profile) -> None:
        self.trace = trace
        self.events = list(trace.events())
        self.profile = profile
        self.placements: dict[int, int] = {}
        self._what: dict[int, str] = {}

    def find(self) -> tuple[dict[int, int], Report]:
        """Take one difference after the other, until none can be improved."""
        report, events = self._run(self.placements)
        after = failures = 0
        while failures < _FAILURES and (line := _first_difference(report, after)) is not None:
            if self._improve(events, line, after):
                report, events = self._run(self.placements)
            else:
                after, failures = line, failures + 1
        report.placed = [
            f"line {abs(event)}: {self._what[event]} takes effect before line {place}"
            for event, place in sorted(self.placements.items(), key=lambda item: abs(item[0]))
        ]
        return self.placements, report

    def _improve(self, open_events: list[OpenEvent], line: int, after: int) -> bool:
        """Place one open event so that the first difference moves behind ``line``, as far as possible."""
        near = [q for q in open_events if abs(q.line) <= line and q.places and q.places[-1] > line - _REACH]
        furthest, best, runs = line, None, 0
        for question in near[: -_TRIED - 1 : -1]:
            for place in self._places(question):
                tried = self.placements | {question.line: place}
                first = _first_difference(self._run(tried, line + _HORIZON)[0], after)
                runs += 1
                if first is None or first > furthest:
                    furthest, best = first or line + _HORIZON, (question, place)
                if first is None or runs == _RUNS:
                    break
            if first is None or runs == _RUNS:
                break
        if best is None:
            return False
        question, place = best
        self.placements[question.line] = place
        self._what[question.line] = question.what
        return True

    def _places(self, question: OpenEvent) -> list[int]:
        """Return places left for an event, the likely ones first.

        An injection is mostly taken soon and a summary early; a handler held up by the other CPU goes on when
        that is done.
        """
        left = [place for place in question.places if place > self.placements.get(question.line, 0)]
        if question.on < 0 < question.line:
            left.reverse()
        return left[:_PLACES]

    def _run(self, placements: dict[int, int], until: int | None = None) -> tuple[Report, list[OpenEvent]]:
        """Predict with these placements, up to line ``until`` or to the end."""
        predictor = Predictor(self.trace, self.profile, placements=placements, events=self.events)
        return run(predictor.run(until)), predictor.order.events


def _first_difference(report: Report, after: int) -> int | None:
    """Return the line of the first difference behind ``after``; a lost comparison differs at its end."""
    lines = [difference.line for difference in report.differences if difference.line > after]
    if lines:
        return min(lines)
    return report.lost_line if report.lost_line > after else None
