"""``spillway explore``, and its findings played on the gateware."""

import json

import pytest

from tb.cli import main


def _run(capsys, *arguments):
    with pytest.raises(SystemExit) as exit_:
        main(["explore", *map(str, arguments)])
    captured = capsys.readouterr()
    return exit_.value.code, captured.out, captured.err


def test_a_fault_is_told_by_the_shortest_way_and_is_no_failure(capsys):
    status, out, err = _run(capsys, "resample")
    assert (status, err) == (0, "")
    assert "8 states, 32 transitions, 7 actions deep" in out
    assert "22.4: vCPU0 hppir: HPPIR1 is 32, the ideal says 1023\n    after 3 actions: raise; ack; eoi" in out


@pytest.mark.parametrize("engine", ["golden", "verilator"])
def test_its_scenario_shows_the_fault_on_the_hardware(capsys, tmp_path, engine):
    """22.13, 22.14 and R1 are the hypervisor's: the gateware shows them as golden does."""
    status, out, _ = _run(capsys, "soft-level", "distributor", "--out", tmp_path, "--engine", engine)
    assert status == 0
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["distributor-22.14.scenario", "distributor-R1.scenario", "soft-level-22.13.scenario"]
    assert out.count(".scenario: pass") == 3


def test_the_cured_profile_shows_nothing_and_a_surprise_is_a_failure(capsys):
    assert _run(capsys, "resample", "--profile", "fixed")[0] == 0
    status, out, _ = _run(capsys, "resample", "--profile", "7.3")
    assert status == 1
    assert "22.4 (not expected here)" in out


def test_what_is_missing_or_cut_off_is_a_failure(capsys):
    status, out, _ = _run(capsys, "resample", "--limit", 2)
    assert status == 1
    assert "cut off at the limit" in out and "22.4: expected, and not found" in out


def test_the_report_as_json(capsys, tmp_path):
    status, out, _ = _run(capsys, "resample", "--out", tmp_path, "--json")
    report = json.loads(out)
    [scope] = report["results"]
    [found] = scope["findings"]
    assert (status, scope["states"], scope["complete"]) == (0, 8, True)
    assert (found["name"], found["expected"], found["played"]) == ("22.4", True, "pass")
    assert found["trace"] == ["raise 0 0 0", "ack 0 0 0", "eoi 0 0 0"]


def test_the_scopes_are_listed(capsys):
    status, out, _ = _run(capsys, "--list")
    assert status == 0
    assert "one-lr" in out and "22.1" in out


def test_bad_input_is_one_line(capsys, tmp_path):
    status, out, err = _run(capsys, "nowhere")
    assert (status, out) == (2, "")
    assert err.startswith("spillway: there is no scope 'nowhere'; known: nested")
    file = tmp_path / "file"
    file.write_text("")
    status, _, err = _run(capsys, "one-lr", "--out", file / "deeper")
    assert status == 2
    assert "give a directory for the scenarios" in err
    assert err.count("\n") == 1
