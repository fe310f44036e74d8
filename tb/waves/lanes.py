"""Lanes of text in a VCD file: what a scenario's recording tells, merged into the dump of its run.

A lane is a string variable in the scope ``story`` (things of the whole machine) or ``story.pe<n>``. Wave
viewers show its text; GTKWave and Surfer both read them, from VCD and, converted, from FST.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tb.waves.vcd import units_per_ns

__all__ = ["MACHINE_LANES", "PE_LANES", "SCOPE", "Change", "lane_changes", "merge_lanes"]

#: Scope of all lanes.
SCOPE = "story"
#: Lanes of the whole machine, then those of each PE.
MACHINE_LANES = ("device", "expectation")
PE_LANES = ("hypervisor", "hypervisor_access", "operation", "ideal_signals", "difference")


class Change(NamedTuple):
    """From ``ns`` on a lane of a PE (None: of the machine) shows ``text``."""

    ns: int
    pe: int | None
    lane: str
    text: str


def lane_changes(recording: dict[str, Any]) -> list[Change]:
    """Return what the lanes show over time, from a recording with accesses (:func:`tb.record.job.record`)."""
    changes: list[Change] = []
    for pe, accesses in enumerate(recording["traffic"]):
        for el, text, began, ended in accesses:
            if el == 2:
                changes += [Change(began, pe, "hypervisor_access", text)]
                changes += [Change(ended, pe, "hypervisor_access", "")]
    for event in recording["events"]:
        changes += _of_event(event, recording["traffic"])
    return _joined(sorted(changes, key=lambda change: change.ns))


def _joined(changes: list[Change]) -> list[Change]:
    """Put what happens to the whole machine at one moment into one text; leave out what changes nothing."""
    result: list[Change] = []
    at: dict[tuple[int | None, str], int] = {}
    for one in changes:
        key = (one.pe, one.lane)
        last = result[at[key]] if key in at else None
        if last is not None and one.pe is None and last.ns == one.ns:
            result[at[key]] = one._replace(text=f"{last.text}; {one.text}")
        elif one.text != (last.text if last is not None else ""):
            at[key] = len(result)
            result.append(one)
    return result


def _of_event(event: dict[str, Any], traffic: list[list[Any]]) -> Iterator[Change]:
    ns, pe, kind = event["ns"], event.get("cpu"), event["kind"]
    for one in event.get("expects", []):
        yield Change(ns, None, "expectation", f"{one['text']} {'ok' if one['found'] is None else 'FAILS'}")
    if kind in ("step", "device"):
        yield Change(ns, None, "device", event["text"])
    if pe is None:
        return
    if kind == "op":
        began = [began for el, _, began, ended in traffic[pe] if el < 2 and ended <= ns]
        yield Change(began[-1] if event["port"] and began else ns, pe, "operation", event["text"])
    elif kind == "exit":
        causes = f"MI ({' '.join(event['misr'])})" if event.get("misr") else event["text"]
        walked = event.get("walked")
        text = f"exit: {causes}" + (f", deactivates {' '.join(map(str, walked))}" if walked else "")
        yield Change(ns, pe, "hypervisor", text)
        yield Change(ns, pe, "operation", "")
    elif kind == "entry":
        yield Change(ns, pe, "hypervisor", f"guest runs with {event['text']}")
    view = event["views"].get(str(event["vcpu"]))
    if view is not None and "ideal" in view:
        due = " or ".join(map(str, view["ideal"]["sig"]))
        yield Change(ns, pe, "ideal_signals", due)
        texts = (f"late: {text}" if weight == "late" else text for text, weight in view["diff"])
        yield Change(ns, pe, "difference", "; ".join(texts))


def _codes(used: set[str]) -> Iterator[str]:
    """Yield identifiers that a dump does not use."""
    number = 0
    while True:
        code = f"~{number}"
        if code not in used:
            yield code
        number += 1


def _escaped(text: str) -> str:
    r"""Return a text as a VCD string: no white space, which becomes ``\040``."""
    return text.replace("\\", "\\\\").replace(" ", "\\040")


def merge_lanes(dump: Path, changes: Iterable[Change], pes: int) -> None:
    """Add lanes to a VCD file, in place.

    Parameters
    ----------
    dump : Path
        The dump, complete.
    changes : iterable of Change
        In order of time.
    pes : int
        Number of PEs.
    """
    unit = units_per_ns(dump)
    used: set[str] = set()
    waiting: list[tuple[int, str]] = []
    merged = dump.with_name(dump.name + ".part")
    with dump.open(errors="replace") as source, merged.open("w") as target:
        for line in source:
            words = line.split()
            if words[:1] == ["$var"] and len(words) > 3:
                used.add(words[3])
            if words[:1] == ["$enddefinitions"]:
                codes = _declare(target, used, pes)
                waiting = [(0, f"s {code}") for code in codes.values()]  # else viewers show UNDEF
                waiting += [
                    (one.ns * unit, f"s{_escaped(one.text)} {codes[one.pe, one.lane]}") for one in changes
                ]
                target.write(line)
                break
            target.write(line)
        at = 0
        for line in source:
            if line.startswith("#"):
                now = int(line[1:])
                while at < len(waiting) and waiting[at][0] < now:
                    at = _write(target, waiting, at)
            target.write(line)
        while at < len(waiting):
            at = _write(target, waiting, at)
    merged.replace(dump)


def _write(target: Any, waiting: list[tuple[int, str]], at: int) -> int:
    """Write every change of the next moment; of several of one lane the last one counts."""
    time = waiting[at][0]
    last: dict[str, str] = {}
    while at < len(waiting) and waiting[at][0] == time:
        text = waiting[at][1]
        last[text.rpartition(" ")[2]] = text
        at += 1
    target.write("\n".join([f"#{time}", *last.values(), ""]))
    return at


def _declare(target: Any, used: set[str], pes: int) -> dict[tuple[int | None, str], str]:
    codes = _codes(used)
    names: dict[tuple[int | None, str], str] = {}

    def declare(pe: int | None, lanes: Iterable[str]) -> None:
        for lane in lanes:
            names[pe, lane] = next(codes)
            target.write(f"$var string 1 {names[pe, lane]} {lane} $end\n")

    target.write(f"$scope module {SCOPE} $end\n")
    declare(None, MACHINE_LANES)
    for pe in range(pes):
        target.write(f"$scope module pe{pe} $end\n")
        declare(pe, PE_LANES)
        target.write("$upscope $end\n")
    target.write("$upscope $end\n")
    return names
