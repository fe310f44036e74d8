"""The table of sizes: a real build of the smallest interface, what does not fit, and the page."""

import subprocess
import sys
from pathlib import Path

import pytest

from fpga.numbers import BEGIN, END, table, write
from fpga.synthesis import measure_up5k
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError

PAGE = Path(__file__).parents[2] / "docs" / "fpga.md"


def test_the_smallest_interface_is_placed_on_an_ice40():
    def gicv2_is_too_large(config):
        return measure_up5k(config) if isinstance(config, GicConfig) else None

    rows = table({"iCE40UP5K": gicv2_is_too_large}, sizes=(1,)).splitlines()[2:]
    family, kind, lrs, cells, flops, mhz = (cell.strip() for cell in rows[0].strip("|").split("|"))
    assert (family, kind, lrs) == ("iCE40UP5K", "GICv3", "1")
    assert 300 < int(flops) < int(cells) < 5280
    assert float(mhz) > 16
    assert rows[1] == "| iCE40UP5K | GICv2 | 1 | does not fit |  |  |"


def test_what_is_too_large_is_told_from_a_failure():
    """64 list registers take more logic cells than the part has; nextpnr says so."""
    assert measure_up5k(GicV2Config(lrs=64)) is None


def test_the_table_goes_between_its_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write([page], "new")
    assert page.read_text() == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    page.write_text("no marks")
    with pytest.raises(InputError, match="have to stand there once each"):
        write([page], "new")
    done = subprocess.run(
        [sys.executable, "-m", "fpga.numbers", page], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "once each" in done.stderr


def test_the_documentation_has_every_row():
    text = PAGE.read_text()
    rows = [line for line in text[text.index(BEGIN) : text.index(END)].splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + 2 * 2 * 4
