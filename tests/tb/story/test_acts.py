"""The story on the golden model: how each act ends, what it tells, and what it takes to end so."""

import re

import pytest

from hw.errors import InputError
from tb.story.acts import ACTS, STORY, play_act


def _texts(told):
    return [line.text for line in told.lines]


def _altered(tmp_path, pattern, text):
    story, count = re.subn(pattern, text, STORY.read_text())
    assert count
    path = tmp_path / "story.scenario"
    path.write_text(story)
    return path


def test_legacy_ends_in_a_live_lock():
    """A04: four active interrupts fill four list registers; the loop is found, and is IAR and WFI."""
    told = play_act(ACTS["legacy"], "golden")
    assert told.problems == []
    assert ACTS["legacy"].judge(told) == "live-lock: 36 never delivered"
    first, last = told.loop
    loop = [line.text for line in told.lines if line.operation >= first]
    assert last == first + 1
    assert loop == ["acknowledges none", "waits (WFI)", "exit: WFI", "enter: 32A 33A 34A 35A | 36P"]


def test_619_deactivates_the_wrong_one():
    """A08: the walk from the head takes the fresh acknowledge; the one that ended is stuck and lost."""
    told = play_act(ACTS["6.19"], "golden")
    assert told.problems == []
    assert (told.wrong, told.stuck, told.missing) == ([37], [32], [32])
    assert ACTS["6.19"].judge(told) == "the wrong one deactivated: 37, not 32"
    texts = _texts(told)
    assert texts.index("MI rises") < texts.index("acknowledges 37") < texts.index("exit: MI (U LRENP)")
    assert texts[-1] == "sleeps on"


def test_73_is_correct():
    """Every interrupt arrives once for each time it was raised, and is deactivated after its end."""
    told = play_act(ACTS["7.3"], "golden")
    assert told.problems == []
    assert (told.wrong, told.stuck, told.missing) == ([], [], [])
    assert told.delivered == [32, 33, 34, 35, 36, 37, 32]
    assert ACTS["7.3"].judge(told) == "correct"


def test_accesses_and_exits_are_counted():
    told = play_act(ACTS["7.3"], "golden")
    assert told.exits == {"KICK": 5, "LRENP+U": 1, "WFI": 2}
    loads_and_puts = 2 * (3 + 2)
    entries = 2 + 3 + 4 + 5 + 5 + 5 + 2 + 2
    # ELRSR, the LRs, VMCR, HCR if it was asked for, HCR := 0, MISR; an empty LR is not read.
    exits = 6 + 8 + 10 + 12 + 13 + 10 + 5 + 5
    assert told.accesses == loads_and_puts + entries + exits
    assert told.per_exit == told.accesses / 8
    assert told.marks == []  # golden cannot tell the time


def test_a_punctual_maintenance_interrupt_hides_the_mistake(tmp_path):
    """A08 needs the acknowledge before the exit: one operation earlier, 6.19 does it right."""
    told = play_act(ACTS["6.19"], "golden", scenario=_altered(tmp_path, "mi 3", "mi 2"))
    assert (told.wrong, told.stuck, told.missing) == ([], [], [])
    assert ACTS["6.19"].judge(told) is None
    assert any("deactivated 37 33" in problem for problem in told.problems)


@pytest.mark.parametrize("name", ACTS)
def test_an_act_ends_only_as_itself(name):
    """What happened in one act is no good end for another."""
    told = play_act(ACTS[name], "golden")
    assert [other for other, act in ACTS.items() if act.judge(told)] == [name]


def test_a_story_without_the_profile(tmp_path):
    with pytest.raises(InputError, match="no steps for profile legacy"):
        play_act(ACTS["legacy"], "golden", scenario=_altered(tmp_path, "steps legacy", "steps v1"))
