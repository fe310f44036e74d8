"""Every scenario of the collection, for every profile it names, on the golden model."""

import re
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from sim.engines.golden import golden_port
from sim.policy.names import hypervisor_named
from sim.port import run
from sim.scenario.build import pes_needed
from sim.scenario.model import ExpectAll, ExpectEntry, ExpectExits, ExpectHardware, ExpectList, ExpectState
from sim.scenario.parser import find_scenarios, parse_scenario, read_scenario
from sim.scenario.play import play
from sim.scenario.result import FAIL, PASS

DIRECTORY = Path(__file__).parents[3] / "sim" / "scenarios"
SCENARIOS = {path.stem: read_scenario(path) for path in find_scenarios(DIRECTORY)}
CASES = [
    (name, index, profile)
    for name, scenario in SCENARIOS.items()
    if scenario.open_reason is None
    for index, sequence in enumerate(scenario.sequences)
    for profile in sequence.profiles
]
#: What this build cannot run: nested virtualisation.
OPEN = {"A26", "A27"}


def play_one(scenario, sequence, profile, spec=None):
    ports = [golden_port((spec or sequence.machine).config) for _ in range(pes_needed(sequence.machine))]
    return run(play(scenario, sequence, hypervisor_named(profile), ports, spec))


def test_collection_is_complete():
    assert sorted(name for name in SCENARIOS if name[0] == "A") == [f"A{n:02}" for n in range(1, 37)]
    assert all(scenario.name == name for name, scenario in SCENARIOS.items())
    assert {name for name, scenario in SCENARIOS.items() if scenario.open_reason} == OPEN


@pytest.mark.parametrize(("name", "index", "profile"), CASES)
def test_scenario(name, index, profile):
    scenario = SCENARIOS[name]
    result = play_one(scenario, scenario.sequences[index], profile)
    problems = "\n".join(f"{one.place}: {one.text}: {one.found}" for one in result.problems)
    assert result.status == PASS, f"{problems}\n" + "\n".join(result.log)


def _spoiled(step):
    """Return an expectation that must not hold if ``step`` does."""
    if isinstance(step, ExpectEntry):
        return replace(step, pattern=replace(step.pattern, lrs=("999P",)))
    if isinstance(step, ExpectExits):
        return replace(step, exits=(*step.exits, frozenset({"LRENP", "EOI"})), absent=frozenset())
    if isinstance(step, ExpectState):
        swapped = {"idle": "active", "listed": "unlisted", "unlisted": "listed", "empty": "1"}
        items = [
            (item[0], *(swapped.get(word, "idle") for word in item[1:])) if item[0].isdigit()
            else (item[0], "77")
            for item in step.items
        ]  # fmt: skip
        return replace(step, items=tuple(items))
    if isinstance(step, ExpectHardware) and step.items[0][0] == "phys":
        words = {"active": "inactive", "inactive": "active"}
        return replace(step, items=tuple((*item[:2], words[item[2]]) for item in step.items))
    if isinstance(step, ExpectHardware):
        return replace(step, items=(("EOIcount", "30"),))
    if isinstance(step, ExpectList):
        return replace(step, intids=(*step.intids, 77))
    if isinstance(step, ExpectAll):
        return replace(step, eoicount=31)
    return None


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in OPEN])
def test_every_expectation_can_fail(name):
    """Spoil each expectation in turn: it, and it alone, is reported."""
    scenario = SCENARIOS[name]
    for sequence in scenario.sequences:
        profile = sequence.profiles[0]
        for number, step in enumerate(sequence.steps):
            spoiled = _spoiled(step) if not step.only or profile in step.only else None
            if spoiled is None:
                continue
            steps = (*sequence.steps[:number], spoiled, *sequence.steps[number + 1 :])
            result = play_one(scenario, replace(sequence, steps=steps), profile)
            assert result.status == FAIL, step.text
            assert [one.text for one in result.problems] == [step.text]


@pytest.mark.parametrize(
    "name", [name for name, s in SCENARIOS.items() if len(s.sequences) > 1 and name not in OPEN]
)
def test_new_expectations_fail_on_the_old_profile(name):
    """Section 18: where a scenario has a legacy sequence of its own, the new one does not hold for it."""
    scenario = SCENARIOS[name]
    if not any("legacy" in s.profiles and "7.3" not in s.profiles for s in scenario.sequences):
        return  # old and new agree
    new = next(s for s in scenario.sequences if "7.3" in s.profiles)
    result = play_one(scenario, replace(new, profiles=("legacy",)), "legacy")
    assert result.status == FAIL


def test_unannounced_exit_is_an_error():
    text = (
        "scenario t: x\nmachine lrs 2\nSPI 32 33 34 prio 40\nsteps:\n"
        "inj 32 33 34\nENTER\nIAR -> 32\nEOI 32\nIAR -> 33\n"
    )
    scenario = parse_scenario(text, "t")
    result = play_one(scenario, scenario.sequences[0], "7.3")
    assert [(one.place, one.found) for one in result.problems] == [
        ("t:8", "vCPU0 made an exit that no line mentions: X: U")
    ]


def test_other_conditions_are_only_observed():
    scenario = SCENARIOS["A01"]
    sequence = scenario.sequences[0]
    spec = replace(sequence.machine, config=replace(sequence.machine.config, lrs=4))
    result = play_one(scenario, sequence, "7.3", spec)
    assert result.status == "observed"
    assert result.notes
    assert not result.problems


def test_a_step_that_cannot_be_made_ends_the_scenario():
    text = "scenario t: x\nSPI 32 prio 40\nsteps:\nENTER\nWFI -> sleeps\nIAR -> none\n"
    scenario = parse_scenario(text, "t")
    result = play_one(scenario, scenario.sequences[0], "7.3")
    assert [one.found for one in result.problems] == ["vCPU0 is asleep"]


def test_the_example_of_the_format_page_works():
    """The first example of sim/scenarios/README.md is a scenario that passes."""
    page = (DIRECTORY / "README.md").read_text()
    block = re.search(r"((?:    .*\n|\n)*    scenario demo(?:    .*\n|\n|.*\n)*?)(?=^\S)", page, re.MULTILINE)
    scenario = parse_scenario(textwrap.dedent(block[1]), "README.md")
    result = play_one(scenario, scenario.sequences[0], "7.3")
    assert result.status == PASS, result.problems


def test_the_format_page_names_everything():
    """Every machine setting, step word, expectation letter and verdict is documented."""
    from sim.guest import language
    from sim.scenario import header, steps

    page = (DIRECTORY / "README.md").read_text()
    words = (*header._KEYS, *steps._ACTIONS, *steps.STATE_WORDS, *steps.VERDICTS, *language._MNEMONICS)
    ranges = {f"AP{g}R{n}" for g in (0, 1) for n in range(4)} | {"IAR1", "HPPIR1", "EOI1"}
    missing = [
        word
        for word in words
        if word not in ranges and not re.search(rf"\b{re.escape(word.rstrip('!'))}", page)
    ]
    assert not missing
    for letter in "EXSFHPDNAV":
        assert f"`{letter}:" in page
