"""One time axis for several recordings of the same steps."""

from __future__ import annotations

from typing import Any

__all__ = ["align", "shown"]

#: Steps that something outside the guest does; the others show as what the guest does.
_OUTSIDE = ("inj", "line", "phys", "user", "MI!", "ABORT", "discard", "hammer")


def shown(event: dict[str, Any]) -> bool:
    """Return whether an event has a column of its own."""
    return event["kind"] != "step" or bool(event.get("expects")) or event["text"].split()[0] in _OUTSIDE


def align(recordings: list[dict[str, Any]]) -> list[list[int]]:
    """Return, for each recording, which event each column shows.

    What happens after the same number of guest operations of the same step stands in the same columns; where
    a recording has fewer events there, its last one is held. -1: before the first event.

    Parameters
    ----------
    recordings : list of dict
        Of one sequence of steps (:func:`tb.record.job.record`).
    """
    keyed = [_keys(recording["events"]) for recording in recordings]
    widths: dict[tuple[int, int], int] = {}
    for keys in keyed:
        for key, numbers in keys.items():
            widths[key] = max(widths.get(key, 0), len(numbers))
    result = []
    for keys in keyed:
        columns: list[int] = []
        last = -1
        for key in sorted(widths):
            numbers = keys.get(key, [])
            for place in range(widths[key]):
                last = numbers[place] if place < len(numbers) else last
                columns.append(last)
        result.append(columns)
    return result


def _keys(events: list[dict[str, Any]]) -> dict[tuple[int, int], list[int]]:
    """Return the shown events by (step, guest operations since its beginning)."""
    began: dict[int, int] = {}
    keys: dict[tuple[int, int], list[int]] = {}
    for number, event in enumerate(events):
        start = began.setdefault(event["step"], event["op"])
        if shown(event):
            keys.setdefault((event["step"], event["op"] - start), []).append(number)
    return keys
