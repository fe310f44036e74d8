"""``spillway parts`` and ``spillway run --part``."""

import json
from pathlib import Path

import pytest

from tb.cli import main

SCENARIOS = Path(__file__).parents[2] / "sim" / "scenarios"


def _run(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return stop.value.code, captured.out, captured.err


def test_the_list(capsys):
    status, out, _ = _run(capsys, "parts", "--list")
    assert status == 0
    assert "gic-400          GICv2: DIR is trapped by stage 2" in out
    assert (
        "apple-m1         SEIS is broken: both groups and DIR trapped; no HW deactivation (not sure: " in out
    )


def test_a_table(capsys):
    status, out, _ = _run(capsys, "parts", "gic-400", "cortex-a76", "--guests", 2)
    assert status == 0
    assert out.startswith("2 guests, seed 0, profile 7.3; from exits on: for 1,000 guest operations\npart ")
    assert [line.split()[0] for line in out.splitlines()[2:4]] == ["gic-400", "cortex-a76"]


def test_a_table_as_json(capsys):
    _, out, _ = _run(capsys, "parts", "gic-400", "cortex-a76", "--guests", 2, "--json")
    first, second = json.loads(out)["results"]
    assert (first["part"], second["part"]) == ("gic-400", "cortex-a76")
    assert first["same"] == 2 and first["ich_writes"] > 0


def test_a_difference_is_status_1(capsys):
    status, out, _ = _run(capsys, "parts", "gic-400", "--guests", 12, "--profile", "7.3,-v2_dir_device")
    assert status == 1
    assert "gic-400: seed " in out


@pytest.mark.parametrize(
    "command", [("parts", "gic-500"), ("run", SCENARIOS / "A01.scenario", "--part", "gic-500")]
)
def test_an_unknown_part(capsys, command):
    status, out, err = _run(capsys, *command)
    assert (status, out) == (2, "")
    assert err.startswith("spillway: unknown part 'gic-500'; the parts are cortex-a76, gic-400,")


def test_a_scenario_on_a_part(capsys):
    status, out, _ = _run(capsys, "run", SCENARIOS / "A02.scenario", "--profile", "7.3", "--part", "gic-400")
    assert status == 0
    assert out.startswith("observed ")


def test_a_gicv2_has_no_lpis(capsys):
    status, out, _ = _run(capsys, "run", SCENARIOS / "A34.scenario", "--profile", "7.3", "--part", "gic-400")
    assert status == 0
    assert "a GICv2 has no LPIs" in out
