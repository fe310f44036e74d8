"""The recording of a scenario: what the ideal GIC beside it calls right, late and wrong."""

from pathlib import Path

import pytest

from sim.scenario.build import pes_needed
from sim.scenario.job import select
from tb.record.job import changes, weigh
from tb.runner import run_job
from tb.story.acts import STORY

SCENARIOS = Path(__file__).parents[3] / "sim/scenarios"
#: LPIs that the ITS discards while they wait: the ideal has no ITS.
NOT_FOLLOWED = {("A29", 2)}
#: Thousands of operations each; the others are the same code.
LONG = {"A34", "aarch64-cross", "aarch64-devices", "aarch64-overflow"}
FILES = sorted(path for path in SCENARIOS.glob("*.scenario") if path.stem not in LONG)


def record(path: Path, profile: str) -> list[dict]:
    """Record every sequence of a scenario under a profile, on golden."""
    found = []
    for task, spec in select([path], profile)[0]:
        arguments = {"tasks": [task.as_dict()]}
        found += run_job("tb.record.job:record", arguments, config=spec.config, pes=pes_needed(spec))
    return found


def wrong(recording: dict) -> set[str]:
    """Return everything that a recording calls wrong."""
    views = [view for event in recording["events"] for view in event["views"].values()]
    texts = {text for view in views for text, weight in view["diff"] if weight == "wrong"}
    return texts | {event["bad"] for event in recording["events"] if event.get("bad")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_is_wrong_where_every_fault_is_cured(path):
    for recording in record(path, "fixed"):
        if (path.stem, recording["sequence"]) not in NOT_FOLLOWED:
            assert not wrong(recording)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("F22_5", "96 has ended, but the hypervisor keeps it active"),
        ("F22_6", "32 is being handled, but the hypervisor has deactivated it"),
        ("F22_8", "the ideal GIC gives none"),
        ("F22_9", "asleep, although 96 is due"),
        ("F22_13", "96 should be signalled; the hardware signals nothing"),
        ("F22_14", "40 or 41 should be signalled; the hardware signals nothing"),
        ("R1", "the ideal GIC gives none"),
        ("R2", "32 should be signalled; the hardware signals nothing"),
        ("R5", "the ideal GIC gives none"),
        ("R7", "asleep, although 32 is due"),
        ("R9", "the ideal GIC gives none"),
    ],
)
def test_known_faults_of_a_kernel_are_wrong(name, text):
    found = record(SCENARIOS / f"{name}.scenario", "7.3")
    assert text in set().union(*map(wrong, found))


def test_the_three_acts_of_the_story():
    legacy, late, right = (record(STORY, profile)[0] for profile in ("legacy", "6.19", "7.3"))
    assert (legacy["verdict"], legacy["due"]) == ("live-lock", {"0": [36]})
    assert legacy["events"][legacy["loop"]]["text"] == "IAR1 -> none"
    assert "36 should be signalled; the hardware signals nothing" in wrong(legacy)
    assert (late["wrong"], late["kept"]) == ([37], [32])
    assert "deactivates 37, which the guest is handling" in wrong(late)
    assert not wrong(right)
    assert right["delivered"] == right["raised"] == [32, 33, 34, 35, 36, 37, 32]
    assert all(not one["problems"] and one["judged"] for one in (legacy, late, right))


def test_an_event_has_what_each_side_holds():
    [recording] = record(STORY, "7.3")
    events = recording["events"]
    entry = next(event for event in events if event["text"] == "37P 36A 35A 34A")
    view = entry["views"]["0"]
    assert [lr["id"] for lr in view["lr"]] == [37, 36, 35, 34]
    assert [(one["id"], one["st"], one["pr"]) for one in view["over"]] == [(33, "A", 0x90), (32, "A", 0xA0)]
    assert view["ideal"]["act"] == [36, 35, 34, 33, 32]
    assert view["ideal"]["pend"] == [[37, 0xC0]]
    assert (view["run"], view["ideal"]["run"]) == (0x60, 0x60)
    exit_ = next(event for event in events if event.get("walked"))
    assert (exit_["causes"], exit_["walked"]) == (["LRENP", "U"], [33, 32])


def test_events_beyond_the_limit_are_counted():
    [(task, spec)] = select([STORY], "7.3")[0]
    arguments = {"tasks": [task.as_dict()], "limit": 10}
    [short] = run_job("tb.record.job:record", arguments, config=spec.config)
    [whole] = record(STORY, "7.3")
    assert len(short["events"]) == 10
    assert short["dropped"] == len(whole["events"]) - 10
    assert short["delivered"] == whole["delivered"]


def _event(kind: str, *texts: str, due: bool = False, place: str = "guest") -> dict:
    return {"kind": kind, "vcpu": 0, "views": {0: {"diff": list(texts), "due": due, "place": place}}}


@pytest.mark.parametrize(
    ("events", "weights"),
    [
        # Gone before the guest's next operation.
        ([_event("op", "x"), _event("exit", "x"), _event("entry")], ["late", "late"]),
        # An operation later it is still there,
        ([_event("op", "x"), _event("op", "x"), _event("entry")], ["wrong", "wrong"]),
        # but an exit is under way.
        ([_event("op", "x"), _event("op", "x", due=True), _event("entry")], ["late", "late"]),
        # Each time for itself.
        (
            [_event("op", "x"), _event("entry"), _event("step", "x"), _event("op", "x")],
            ["late", "wrong", "wrong"],
        ),
        # Nobody wakes it.
        ([_event("note", "x", place="asleep")], ["wrong"]),
    ],
)
def test_how_much_a_difference_weighs(events, weights):
    found = [weight for event in weigh(events) for _, weight in event["views"][0]["diff"]]
    assert found == weights


def test_only_what_changes_is_kept():
    events = changes([_event("op"), _event("op"), _event("op", "x")])
    assert [list(event["views"]) for event in events] == [["0"], [], ["0"]]
