"""The tables of the page on coverage."""

import pytest

from hw.errors import InputError
from tb.coverage import POINTS
from tests.coverage_page import PAGE, functional_table, lines_table, put, run_streams


def test_a_table_replaces_the_one_between_its_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- table: x -->\nold\n<!-- end of table: x -->\nb\n")
    put(page, "x", ["new"])
    put(page, "x", ["newer"])
    assert page.read_text() == "a\n<!-- table: x -->\n\nnewer\n\n<!-- end of table: x -->\nb\n"
    with pytest.raises(InputError, match="table: y"):
        put(page, "y", [])


def test_lines_and_branches_are_added_up_by_package():
    def file(*counts):
        keys = ("num_statements", "covered_lines", "num_branches", "covered_branches")
        return {"summary": dict(zip(keys, counts, strict=True))}

    report = {
        "files": {"hw/a.py": file(10, 5, 4, 1), "hw/b.py": file(10, 10, 0, 0), "hw/c/d.py": file(3, 3, 0, 0)}
    }
    rows = lines_table(report)
    assert "| `hw` | 20 | 15 | 75.0% | 4 | 1 | 25.0% |" in rows
    assert "| `hw/c` | 3 | 3 | 100.0% | 0 | 0 | |" in rows
    assert rows[-1] == "| **all** | 23 | 18 | 78.3% | 4 | 1 | 25.0% |"


def test_streams_are_counted_and_what_was_not_met_is_listed():
    coverage = run_streams(60, 3)
    rows = functional_table(coverage, 60, 3)
    assert rows[0] == "840 operations, 14 builds, seed 3."
    holes = [row for row in rows if row.startswith("* not met: ")]
    assert len(holes) == len(coverage.holes()) > 0
    assert sum(row.startswith("|") for row in rows) == len(POINTS) + 3
    assert run_streams(60, 3).to_json() == coverage.to_json()


def test_the_published_table_has_every_point():
    """A point that came or grew wants the table made anew."""
    page = PAGE.read_text()
    for point, bins in POINTS.items():
        assert f"| {point} | {len(bins)} |" in page, point
