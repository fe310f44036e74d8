"""``spillway refine``, on golden and with the gateware as the hardware."""

import json
from pathlib import Path

import pytest

from tb.cli import main
from tb.scenarios import play_scenarios

ROOT = Path(__file__).parents[2]


def _run(capsys, *arguments):
    with pytest.raises(SystemExit) as exit_:
        main(["refine", *map(str, arguments)])
    captured = capsys.readouterr()
    return exit_.value.code, captured.out, captured.err


def test_no_finding_on_today(capsys):
    status, out, err = _run(capsys, "--operations", 800, "--latency", 0, "--latency", 3)
    assert (status, err) == (0, "")
    assert "latency 0: " in out and "latency 3: " in out


def test_the_totals_as_json(capsys):
    status, out, _ = _run(capsys, "--operations", 800, "--latency", 0, "--latency", 3, "--json")
    report = json.loads(out)
    assert (status, report["profile"]) == (0, "7.3")
    first, second = report["results"]
    assert (first["latency"], second["latency"]) == (0, 3)
    assert first["operations"] >= 800
    assert second["findings"] == []


def test_a_finding_is_shown_short_and_the_status_is_1(capsys):
    status, out, _ = _run(capsys, "--operations", 300, "--profile", "legacy")
    assert status == 1
    assert "profile legacy" in out and "actions:" in out and "last events:" in out


def test_a_finding_becomes_a_scenario_that_shows_it(capsys, tmp_path):
    """Also of a policy's file, which is put beside it; the same steps pass nowhere else."""
    policy = ROOT / "docs/examples/first_come.py"
    status, out, _ = _run(capsys, "--operations", 20, "--policy", policy, "--out", tmp_path)
    files = sorted(tmp_path.glob("*.scenario"))
    assert status == 1 and files
    assert [line for line in out.splitlines() if line.endswith("scenario: pass")] == [
        f"{path}: pass" for path in files
    ]
    text = files[0].read_text()
    assert "steps first_come.py:" in text and "# The ideal GIC differs: " in text
    files[0].write_text(text.replace("steps first_come.py:", "steps fixed:"))
    [result] = play_scenarios(files[:1])
    assert result.status == "fail"


def test_a_finding_on_several_vcpus_becomes_a_scenario(capsys, tmp_path):
    """SGIs, routing, sleep and what comes late: every known fault of 7.3 is a finding to --strict."""
    options = ("--strict", "--latency", 0, "--latency", 3, "--operations", 3000, "--out", tmp_path, "--json")
    status, out, _ = _run(capsys, *options)
    report = json.loads(out)
    played = [one["played"] for row in report["results"] for one in row["scenarios"]]
    assert status == 1 and len(played) == 6
    assert set(played) == {"pass"}


@pytest.mark.parametrize("latency", [0, 4])
def test_the_gateware_in_the_machine_is_the_ideal_too(capsys, latency):
    """The same comparison with the RTL below the hypervisor: after every operation, one and two vCPUs."""
    status, out, _ = _run(capsys, "--engine", "verilator", "--operations", 2500, "--latency", latency)
    assert status == 0, out
    assert "0 findings" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--profile", "9"], "unknown hypervisor '9'"),
        (["--operations", "0"], "0 is not in the range"),
        (["--latency", "-1"], "-1 is not in the range"),
        (["--engine", "icarus", "--out", "x"], "--out is for --engine golden"),
    ],
)
def test_wrong_options_are_one_line(capsys, options, message):
    status, out, err = _run(capsys, *options)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
