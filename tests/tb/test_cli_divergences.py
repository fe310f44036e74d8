"""``spillway divergences``."""

import json
from pathlib import Path

import pytest

from sim.divergences import load_divergences
from tb.cli import main

DOCUMENT = Path(__file__).parents[2] / "docs" / "divergences.md"


def call(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, arguments)))
    return ended.value.code


def test_every_row_is_printed_and_noticed(capsys):
    assert call("divergences") == 0
    printed = capsys.readouterr().out
    assert all(f"| {row.name} | {row.model} | {row.where} | " in printed for row in load_divergences())
    assert "expected 0x20, got 0x0" in next(line for line in printed.splitlines() if line.startswith("| D3 "))


def test_every_row_as_json(capsys):
    assert call("divergences", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["results"]
    assert len(rows) == len(load_divergences())
    assert all(row["noticed"] for row in rows)


def test_the_document_has_the_table_as_printed(capsys):
    """`docs/divergences.md` is up to date: replace its table with what the command prints."""
    call("divergences")
    assert capsys.readouterr().out in DOCUMENT.read_text()


def test_one_model(capsys):
    assert call("divergences", "renode") == 0
    assert {line.split(" | ")[1] for line in capsys.readouterr().out.splitlines()[2:]} == {"Renode"}


def test_a_row_that_nothing_notices_fails(capsys, monkeypatch):
    """Exit status 1 when the model with the bug passes: here one without it."""
    monkeypatch.setattr("sim.divergences.Divergence.deviating", lambda row: row.strict())
    assert call("divergences", "vcml") == 1
    assert "NOTHING" in capsys.readouterr().out


def test_unknown_model(capsys):
    assert call("divergences", "simics") == 2
    assert capsys.readouterr().err == ("spillway: no model 'simics'; known: QEMU, gem5, Renode, VCML\n")
