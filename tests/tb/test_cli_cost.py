"""``spillway cost`` and ``spillway cures``."""

import json
from pathlib import Path

import pytest

from sim.kvm.cures import CURES
from tb.cli import main

TRACES = Path(__file__).parents[1] / "data" / "traces"


def call(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, arguments)))
    return ended.value.code


def test_cost_prints_three_tables(capsys):
    trace = TRACES / "kvm-real-7.3.4-nest-eoimode0.jsonl.gz"
    assert call("cost", "--guests", 2, "--small", 2, trace) == 0
    printed = capsys.readouterr().out
    assert "Random guests: 2 from seed 0" in printed
    assert "| kvm-real-7.3.4-nest-eoimode0 | 146 " in printed
    assert "* 2 guests, 2 LRs" in printed


def test_cost_as_json(capsys):
    trace = TRACES / "kvm-real-7.3.4-nest-eoimode0.jsonl.gz"
    assert call("cost", "--guests", 1, "--small", 1, "--json", trace) == 0
    results = json.loads(capsys.readouterr().out)["results"]
    costs = {(one["measured"], one.get("profile")): one for one in results}
    assert costs["recorded", "7.3"]["delivered"] == 20
    assert {("random", "7.3"), ("random", "fixed"), ("small", None)} <= set(costs)


def test_cost_of_each_switch(capsys):
    assert call("cost", "--guests", 1, "--small", 0, "--per-switch") == 0
    printed = capsys.readouterr().out
    assert all(f"| 7.3,+{cure.switch} " in printed for cure in CURES)


def test_cost_refuses_what_is_not_there(capsys):
    assert call("cost", "--guests", 0, "--small", 0, "nowhere.jsonl") == 2
    assert "nowhere.jsonl" in capsys.readouterr().err


def test_the_page_has_the_cures_as_they_are(capsys):
    """docs/fixed.md ends with what the command prints."""
    assert call("cures") == 0
    page = (Path(__file__).parents[2] / "docs" / "fixed.md").read_text()
    assert page.endswith(capsys.readouterr().out)


def test_cures_are_all_there(capsys):
    assert call("cures") == 0
    printed = capsys.readouterr().out
    assert all(f"### {cure.switch}: " in printed for cure in CURES)
    assert call("cures", "22.4") == 0
    assert capsys.readouterr().out.startswith("### notify_unseen: 22.4")


def test_unknown_cure(capsys):
    assert call("cures", "22.99") == 2
    assert capsys.readouterr().err == "spillway: no cure '22.99'; `spillway cures` lists them\n"
