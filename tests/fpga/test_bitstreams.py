"""The table of bitstreams: rows, what becomes of those that are there, bad input, and the page."""

import subprocess
import sys
from pathlib import Path

import pytest

from fpga import numbers
from fpga.bitstreams import BEGIN, END, row, table
from fpga.boards import BOARDS
from fpga.build import Built
from tb import transports

README = Path(__file__).parents[2] / "README.md"
PAGE = README.parent / "docs" / "fpga.md"


def test_a_row_tells_what_place_and_route_found():
    built = Built("icebreaker", 8, 16.5, 37.23, {"ICESTORM_LC": (4791, 5280), "SB_IO": (4, 39)})
    part = BOARDS["icebreaker"].part
    assert row(BOARDS["icebreaker"], built) == (
        f"| `icebreaker` | {part} | 8 | no | 4791 of 5280 | 16.5 MHz | 37.2 MHz |"
    )


def test_rows_of_other_boards_stay_and_all_stand_in_the_boards_order():
    old = table("", {"icebreaker": "| `icebreaker` | old |", "ecp5-evn": "| `ecp5-evn` | old |"})
    lines = table(old, {"ulx3s-85f": "| `ulx3s-85f` | new |", "icebreaker": "| `icebreaker` | new |"})
    assert lines.splitlines()[2:] == [
        "| `ulx3s-85f` | new |", "| `ecp5-evn` | old |", "| `icebreaker` | new |",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "Missing argument 'BOARD...'"),
        (["de10"], "unknown board 'de10'; one of ulx3s-12f"),
        (["arty-a7"], "arty-a7: no open tool makes its bitstream"),
        (["icebreaker", "--page", "nowhere.md"], "nowhere.md: cannot be read"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, text):
    done = subprocess.run(
        [sys.executable, "-m", "fpga.bitstreams", *arguments], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("fpga.bitstreams: ") and text in done.stderr


def test_the_readme_has_the_tables_of_the_guide():
    for begin, end in ((BEGIN, END), (numbers.BEGIN, numbers.END), (transports.BEGIN, transports.END)):
        first, second = (page.read_text() for page in (PAGE, README))
        assert first[first.index(begin) : first.index(end)] == second[second.index(begin) : second.index(end)]


def test_the_documentation_has_the_shipped_builds_and_they_meet_their_clocks():
    """What stands in the page is what the boards ship now, so a change of a build makes its row again."""
    text = PAGE.read_text()
    part = text[text.index(BEGIN) : text.index(END)]
    lines = [line for line in part.splitlines() if line.startswith("| `")]
    assert {"`ulx3s-85f`", "`icebreaker`"} <= {line.split("|")[1].strip() for line in lines}
    for line in lines:
        name, fpga, lrs, engine, _, clock, possible = (cell.strip() for cell in line.strip("|").split("|"))
        board = BOARDS[name.strip("`")]
        assert (fpga, int(lrs), engine == "yes") == (board.part, board.lrs, board.engine)
        assert float(possible.split()[0]) >= float(clock.split()[0]) >= board.frequency / 1e6
