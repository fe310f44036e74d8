"""What a recording shows, in words for somebody who has never seen a list register."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["PROFILES", "Explanation", "explain", "first_wrong"]

#: What each profile or policy is, in one or two sentences.
PROFILES = {
    "legacy": "Linux before 6.19. An interrupt keeps its list register until the guest has ended it; what "
    "finds no room waits in memory.",
    "v1": "The overflow work as it was first posted: active interrupts can leave their list register, the "
    "end of the list is parked in memory.",
    "6.19": "Linux 6.19. When room is short, active interrupts leave their list registers for the overflow "
    "list. The hardware counts their ends (EOIcount), and the hypervisor then deactivates as many.",
    "7.0": "Linux 7.0: as 6.19, but the walk along the list begins behind the last interrupt that was in a "
    "list register.",
    "7.3": "Linux 7.3: the overflow list, with the walk in the right order and the later corrections.",
    "xen": "A Xen-like policy: what is active keeps its list register; of what is pending, the most urgent "
    "may take the place of a less urgent one.",
    "bao": "A Bao-like policy: active interrupts can be taken out of list registers; what waits is looked "
    "for again at each maintenance interrupt.",
    "fixed": "No kernel: Linux 7.3 with a cure for every fault that this project knows of.",
}
_STATES = {"P": "pending", "A": "active", "PA": "active and pending again"}


@dataclass(frozen=True)
class Explanation:
    """What came of a run.

    ``tone``: good, bad or plain; ``headline``: a few words; ``text``: sentences; ``event``: the event to look
    at, or None.
    """

    tone: str
    headline: str
    text: list[str]
    event: int | None = None


def _list(intids: list[int]) -> str:
    texts = [str(intid) for intid in dict.fromkeys(intids)]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def _plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _view(recording: dict[str, Any], event: int, vcpu: int) -> dict[str, Any] | None:
    """Return a vCPU's view at an event: the last one given."""
    for one in reversed(recording["events"][: event + 1]):
        if str(vcpu) in one["views"]:
            return one["views"][str(vcpu)]
    return None


def first_wrong(recording: dict[str, Any]) -> int | None:
    """Return the first event at which something is wrong, None if nothing ever is."""
    for number, event in enumerate(recording["events"]):
        weights = [weight for view in event["views"].values() for _, weight in view["diff"]]
        if event.get("bad") or "wrong" in weights:
            return number
    return None


def explain(recording: dict[str, Any]) -> Explanation:
    """Explain a recording (:func:`tb.record.job.record`)."""
    if recording["verdict"] == "storm":
        return _storm(recording)
    if recording["verdict"] == "live-lock":
        return _live_lock(recording)
    if recording["wrong"]:
        return _wrong_one(recording)
    if recording["kept"]:
        return _kept(recording)
    if recording["verdict"] == "lost" or _asleep(recording):
        return _lost(recording)
    if recording["problems"]:
        text = ["What the scenario expects did not happen:", *recording["problems"][:3]]
        return Explanation("bad", "Not as expected", text, first_wrong(recording))
    event = first_wrong(recording)
    if event is not None:
        return _different(recording, event)
    return _right(recording)


def _due(recording: dict[str, Any]) -> tuple[int, list[int]]:
    """Return a vCPU for which something is due at the end, and what."""
    for vcpu, due in recording["due"].items():
        return int(vcpu), due
    return 0, []


def _live_lock(recording: dict[str, Any]) -> Explanation:
    vcpu, due = _due(recording)
    events, loop = recording["events"], recording["loop"]
    view = _view(recording, len(events) - 1, vcpu) or {"lr": []}
    held = [lr["id"] for lr in view["lr"] if lr is not None and "A" in lr["st"]]
    full = len(held) == len(view["lr"]) and bool(held)
    text = [
        f"Interrupt {_list(due)} is pending and urgent enough: an ideal GIC would interrupt the guest now."
    ]
    if full:
        text.append(
            f"But all {len(held)} list registers are taken by active interrupts ({_list(held)}), and this "
            "hypervisor gives a list register back only when the guest has ended its interrupt."
        )
        text.append(f"The guest ends none of them before it has seen {_list(due)}. Neither side can move.")
    if loop is not None:
        span = events[loop:]
        ops = sum(event["kind"] == "op" for event in span)
        exits = sum(event["kind"] == "exit" for event in span)
        text.append(
            "Machine and guest are back in the very state they were in: "
            f"{_plural(ops, 'guest operation')} and {_plural(exits, 'exit')} repeat for ever."
        )
    return Explanation("bad", f"Live-lock: {_list(due)} is never delivered", text, first_wrong(recording))


def _wrong_one(recording: dict[str, Any]) -> Explanation:
    wrong, kept = recording["wrong"], recording["kept"]
    event = next((n for n, one in enumerate(recording["events"]) if one.get("bad")), None)
    exit_ = recording["events"][event] if event is not None else {}
    text = []
    if exit_.get("walked"):
        count = len(exit_["walked"])
        text.append(
            f"The guest ended {_plural(count, 'interrupt')} that no list register held; the hardware only "
            "counts them. At this exit the hypervisor works out which they were, and takes "
            f"{_list(exit_['walked'])}."
        )
    text.append(f"That is wrong: the guest's handler of {_list(wrong)} is still running.")
    if kept:
        text.append(
            f"And {_list(kept)}, which did end, stays active in the hypervisor's memory for ever: when its "
            "device raises it again, the guest is not told."
        )
    return Explanation("bad", f"The wrong interrupt is deactivated: {_list(wrong)}", text, event)


def _kept(recording: dict[str, Any]) -> Explanation:
    kept = _list(recording["kept"])
    text = [
        f"The guest has ended {kept}, but the hypervisor did not notice and keeps it active.",
        "An active interrupt is not delivered again: its device is cut off.",
    ]
    return Explanation("bad", f"{kept} stays active for ever", text, first_wrong(recording))


def _asleep(recording: dict[str, Any]) -> bool:
    last = recording["events"][-1]["views"] if recording["events"] else {}
    views = last or {"": _view(recording, len(recording["events"]) - 1, 0) or {"diff": []}}
    return any(text.startswith("asleep") for view in views.values() for text, _ in view["diff"])


def _lost(recording: dict[str, Any]) -> Explanation:
    _, due = _due(recording)
    what = _list(due) if due else "an interrupt"
    text = [f"The guest waits in WFI, and {what} is due; but nobody wakes it."]
    return Explanation("bad", f"Asleep although {what} is due", text, first_wrong(recording))


def _storm(recording: dict[str, Any]) -> Explanation:
    text = [
        "The vCPU leaves its guest and enters it again for ever, without the guest executing anything: what "
        "asks for the exit is still there after every entry.",
    ]
    return Explanation("bad", "Exit storm", text, len(recording["events"]) - 1)


def _different(recording: dict[str, Any], event: int) -> Explanation:
    one = recording["events"][event]
    what = [text for view in one["views"].values() for text, weight in view["diff"] if weight == "wrong"]
    text = [f"At \u201c{one['text']}\u201d: {one.get('bad') or what[0]}."]
    text.append("A guest on a real GIC with enough list registers would see something else here.")
    return Explanation("bad", "The guest sees what no GIC would show it", text, event)


def _right(recording: dict[str, Any]) -> Explanation:
    delivered, operations = len(recording["delivered"]), recording["operations"]
    text = [f"{_plural(delivered, 'interrupt')} delivered, each as an ideal GIC would have done it."]
    late = _late(recording)
    if late:
        text.append(
            f"For {_plural(late, 'guest operation')} of {operations} the hardware was behind: an exit that "
            "puts it right was under way."
        )
    if not recording["ideal"]:
        text = [
            f"{_plural(delivered, 'interrupt')} delivered; a GICv2 guest is not compared with an ideal GIC."
        ]
        return Explanation("plain", "Played to the end", text)
    return Explanation("good", "Correct", text)


def _late(recording: dict[str, Any]) -> int:
    """Return after how many guest operations something was late."""
    count = 0
    for number, event in enumerate(recording["events"]):
        if event["kind"] == "op":
            view = _view(recording, number, event["vcpu"])
            count += any(weight == "late" for _, weight in view["diff"]) if view else 0
    return count
