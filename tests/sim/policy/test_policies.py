"""The built-in policies on every scenario, against the ideal GIC, and policies from files."""

from collections import Counter
from pathlib import Path

import pytest

from hw.errors import InputError
from sim.policy.applies import applies, texts
from sim.policy.names import POLICIES, hypervisor_named
from sim.refinement.run import soak
from sim.scenario.parser import find_scenarios, read_scenario
from sim.scenario.result import KNOWN, OPEN, PASS
from tb.scenarios import play_scenarios

ROOT = Path(__file__).parents[3]
SCENARIOS = ROOT / "sim" / "scenarios"
EXAMPLE = ROOT / "docs" / "examples" / "first_come.py"


@pytest.mark.parametrize("policy", POLICIES)
def test_every_scenario_ends_as_the_table_says(policy):
    """Guests see what they should, but where a weakness is known; and there they do not."""
    rows = applies(policy)
    found = play_scenarios([SCENARIOS], profile=policy)
    fine = (PASS, KNOWN, OPEN)
    problems = [(one.name, one.steps, *one.problems[:1]) for one in found if one.status not in fine]
    assert problems == []
    known = {one.name for one in found if one.status == KNOWN}
    assert known == set(rows.shows), "give sim/policy/applies.toml a row for the scenario, or take one away"
    left_out = {one.name for one in found if one.status == OPEN}
    assert left_out == {*rows.without, "A26", "A27"}


def test_a_changed_policy_does_not_fit_the_table(monkeypatch):
    """A Xen that evicts nobody has its weakness in A35, too, where the table says that guests are well."""
    monkeypatch.setattr("sim.policy.xen.Xen._victim", lambda *arguments: None)
    (result,) = play_scenarios([SCENARIOS / "A35.scenario"], profile="xen")
    assert result.status == KNOWN and "A35" not in applies("xen").shows


@pytest.mark.parametrize("policy", POLICIES)
def test_every_weakness_has_a_scenario_of_its_name(policy):
    """With steps for the policy that show it, and steps for KVM that show how it should be."""
    for name in applies(policy).names:
        scenario = read_scenario(SCENARIOS / f"{name}.scenario")
        profiles = {one for steps in scenario.sequences for one in steps.profiles}
        assert {policy, "fixed"} <= profiles


def test_the_table_speaks_of_what_there_is():
    stems = {path.stem for path in find_scenarios(SCENARIOS)}
    for policy in POLICIES:
        rows = applies(policy)
        assert set(rows.without) | set(rows.shows) <= stems
        assert {name for names in rows.shows.values() for name in names.split()} <= set(rows.names)
        assert not set(rows.without) & set(rows.shows)
    assert set(texts()) == {name for policy in POLICIES for name in applies(policy).names}


@pytest.mark.parametrize(
    ("policy", "names"), [("xen", {"X1", "X2"}), ("bao", {"B1", "B2", "B5", "B6"})], ids=POLICIES
)
def test_refinement_finds_the_weaknesses_by_name(policy, names):
    """Every difference from the ideal GIC is one that the policy's description explains."""
    tally = soak(3000, seed=53, profile=policy)
    assert tally.findings == []
    assert names <= set(tally.exceptions) <= set(applies(policy).names)


def test_refinement_finds_what_a_policy_does_not_say(monkeypatch):
    """Without its marks the same differences are findings."""
    monkeypatch.setattr("sim.policy.interface.Policy.mark", lambda *arguments: None)
    tally = soak(200, seed=53, profile="xen", most=1)
    assert len(tally.findings) == 1


def test_a_policy_from_a_file():
    """The example of the guide: every register taken is its weakness, too."""
    found = play_scenarios([SCENARIOS / "A01.scenario"], profile=str(EXAMPLE))
    assert [(one.status, one.profile) for one in found] == [("fail", "first_come.py")]
    found = play_scenarios([SCENARIOS / "A19.scenario"], profile=str(EXAMPLE))
    assert Counter(one.status for one in found) == {PASS: 2}


def test_steps_may_be_for_a_file_beside_the_scenario(tmp_path):
    (tmp_path / "mine.py").write_text(EXAMPLE.read_text())
    (tmp_path / "one.scenario").write_text(
        "scenario one: title\nmachine lrs 1\nSPI 32 33 prio 40 30\n"
        "steps mine.py:\n inj 32\n ENTER\n E: 32P | !UIE\n inj 33\n V: storm\n"
        "steps 7.3: other\n ENTER\n"
    )
    found = play_scenarios([tmp_path / "one.scenario"])
    assert [(one.status, one.profile) for one in found] == [(PASS, "mine.py"), (PASS, "7.3")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no subclasses of sim.policy.interface.Policy"),
        ("x = 1\nimport nowhere_to_be_found\n", "mine.py:2: ModuleNotFoundError"),
        ("def f(:\n", "mine.py:1: SyntaxError"),
        (
            "from sim.policy.interface import Policy as P\nclass A(P): ...\nclass B(P): ...\n",
            "2 subclasses",
        ),
    ],
    ids=["none", "import", "syntax", "two"],
)
def test_a_file_that_is_no_policy(tmp_path, text, message):
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(InputError, match=message):
        hypervisor_named("mine.py", tmp_path)


def test_a_policy_that_fails_is_told_with_its_line(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from sim.policy.interface import Policy\n"
        "class Mine(Policy):\n"
        "    def enter(self, vcpu, lrs):\n"
        "        lrs.put(7, vcpu.private_irqs[0])\n"
    )
    with pytest.raises(InputError, match=r"mine.py:4: in enter: ValueError: list register 7: there are 2"):
        play_scenarios([SCENARIOS / "A01.scenario"], profile=str(tmp_path / "mine.py"))


def test_an_entry_must_return_bits(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from sim.policy.interface import Policy\n"
        "class Mine(Policy):\n    def enter(self, vcpu, lrs):\n        pass\n"
    )
    with pytest.raises(InputError, match=r"mine.py: in enter: TypeError: it returns None"):
        play_scenarios([SCENARIOS / "A01.scenario"], profile=str(tmp_path / "mine.py"))


def test_a_file_is_looked_for_beside_the_scenario_then_here(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(EXAMPLE.read_text())
    monkeypatch.chdir(tmp_path)
    assert hypervisor_named("mine.py", SCENARIOS).policy == str(tmp_path / "mine.py")


@pytest.mark.parametrize("name", ["xen7", "nowhere.py", "7.9"])
def test_an_unknown_hypervisor(name):
    with pytest.raises(InputError):
        hypervisor_named(name)
