"""The command line of the proofs."""

import json

import pytest

from tb.cli import main
from tb.cli import prove as module
from tb.formal import proof
from tb.formal.proof import Outcome
from tb.formal.table import BEGIN, END
from tb.formal.tools import Result


def _spillway(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main(["prove", *arguments])
    return stop.value.code, *capsys.readouterr()


def test_list(capsys):
    status, out, _ = _spillway(capsys, "--list", "--fast")
    assert status == 0
    assert "selection" in out and "SEL-1..5" in out and "16 LRs" in out


def test_unknown_proof(capsys):
    status, _, err = _spillway(capsys, "selektion")
    assert status == 2
    assert err.count("\n") == 1 and "did you mean selection?" in err


def test_page_without_marks(capsys, tmp_path):
    """Refused before anything is proven."""
    page = tmp_path / "page.md"
    page.write_text("nothing\n")
    status, _, err = _spillway(capsys, "lookup", "--table", str(page))
    assert status == 2
    assert "page.md" in err
    assert page.read_text() == "nothing\n"


@pytest.fixture
def outcomes(monkeypatch):
    """Let proofs end as given, without running them."""
    statuses = {}

    def prove(one, bug, solver, timeout):
        status = statuses.get(one.name, "proved")
        return Outcome(one, bug, Result(status, 3, 4, "a claim" if status != "proved" else ""))

    monkeypatch.setattr(proof, "prove", prove)
    monkeypatch.setattr(module, "check_tools", lambda solver: None)
    return statuses


def test_a_failing_proof(capsys, tmp_path, outcomes):
    outcomes["lookup"] = "failed"
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n{BEGIN}\n| `maintenance` | kept |\n{END}\nrest\n")
    status, out, _ = _spillway(capsys, "selection", "lookup", "--table", str(page), "--jobs", "1")
    assert status == 1
    assert "lookup: failed (3 s CPU): a claim" in out and "1 of 2 proven" in out
    text = page.read_text()
    assert "| `maintenance` | kept |" in text and "| `lookup` **failed** |" in text
    assert text.startswith("# Title\n") and text.endswith("rest\n")
    assert text.index("`selection`") < text.index("`maintenance`") < text.index("`lookup`")


def test_json(capsys, outcomes):
    outcomes["lookup"] = "failed"
    status, out, _ = _spillway(capsys, "selection", "lookup", "--json")
    report = json.loads(out)
    assert status == report["status"] == 1
    assert [(one["name"], one["good"]) for one in report["results"]] == [
        ("selection", True),
        ("lookup", False),
    ]
    status, out, _ = _spillway(capsys, "--list", "--json")
    assert {"name", "statement", "rules", "bugs"} <= set(json.loads(out)["results"][0])


def test_a_bug_that_is_not_noticed(capsys, outcomes):
    status, out, _ = _spillway(capsys, "maintenance", "--seeded")
    assert status == 1
    assert "NOT NOTICED: EISR looks at HW entries" in out
    outcomes["maintenance"] = "open"
    status, out, _ = _spillway(capsys, "maintenance", "--seeded")
    assert status == 0
    assert "4 of 4 seeded bugs noticed" in out
