"""Every row of the testplan has a live test, and every rule that a test names has a row."""

from pathlib import Path

import pytest

from tests import testplan

ROOT = Path(__file__).parents[1]
ROWS = testplan.rows()


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_row_has_a_live_test_or_is_outside_and_says_why(row):
    assert bool(row.tests) != bool(row.outside), row
    for test in row.tests:
        path, _, name = test.partition("::")
        text = (ROOT / path.split()[0]).read_text()
        assert not name or f"def {name}(" in text, test


def test_no_test_names_a_rule_that_the_plan_lacks():
    assert set(testplan.test_names()) - {row.name for row in ROWS} == set()


def test_names_are_read_from_functions_tables_and_parameters():
    named = testplan.test_names()
    assert "tests/sim/test_directed.py T05" in named["REG-6"]
    assert any(test.endswith("test_eoi_1_13_ordinary_neighbours_drop_and_count") for test in named["EOI-13"])
    assert any(test.endswith("test_i4_i5_legacy_keeps_a_pending_interrupt_out") for test in named["I5"])


def test_a_skipped_test_meets_no_row(tmp_path, monkeypatch):
    (tmp_path / "tests").mkdir()
    file = tmp_path / "tests" / "test_x.py"
    monkeypatch.setattr(testplan, "ROOT", tmp_path)
    monkeypatch.setattr(testplan, "_DIRECTED", {})
    file.write_text("def test_eoi_4_x():\n    pass\n")
    assert set(testplan.test_names()) == {"EOI-4"}
    file.write_text("@pytest.mark.skip\ndef test_eoi_4_x():\n    pass\n")
    assert testplan.test_names() == {}
