"""``spillway run``: statuses, exit statuses, reports; and everything a user can get wrong."""

import json
from pathlib import Path

import pytest

from tb.cli import main

DIRECTORY = Path(__file__).parents[2] / "sim" / "scenarios"
GOOD = "scenario good: One interrupt\nSPI 32 prio 40\nsteps 7.3 legacy:\ninj 32\nENTER\nIAR -> 32\nEOI 32\n"


def _run(capsys, *arguments):
    with pytest.raises(SystemExit) as exit_:
        main(["run", *map(str, arguments)])
    captured = capsys.readouterr()
    return exit_.value.code, captured.out, captured.err


def _file(directory, text, name="x.scenario"):
    path = directory / name
    path.write_text(text)
    return path


def test_a_scenario_that_passes(capsys, tmp_path):
    path = _file(tmp_path, GOOD)
    status, out, err = _run(capsys, path)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split()[:3] == ["pass", "good", "7.3"]
    assert lines[1].split()[:3] == ["pass", "good", "legacy"]
    assert lines[-1] == "2 passed"


def test_a_failing_expectation_is_shown_with_its_place(capsys, tmp_path):
    path = _file(tmp_path, GOOD.replace("-> 32", "-> 33"))
    status, out, _ = _run(capsys, path, "--profile", "7.3")
    assert status == 1
    assert f"{path}:6: IAR -> 33\n    read 32 (0x20)" in out
    assert out.endswith("1 failed\n")


def test_an_open_scenario_is_listed_with_its_reason(capsys):
    status, out, _ = _run(capsys, DIRECTORY / "A26.scenario")
    assert status == 0
    assert out.startswith("open     A26  needs nested virtualisation")
    assert out.endswith("1 open\n")


def test_other_conditions_are_observed(capsys):
    status, out, _ = _run(capsys, DIRECTORY / "A01.scenario", "--profile", "7.3", "--lrs", "4")
    assert status == 0
    assert "observed A01" in out
    assert "differs:" in out
    assert out.endswith("1 observed\n")


def test_a_profile_that_the_file_does_not_know_is_observed(capsys):
    status, out, _ = _run(capsys, DIRECTORY / "A08.scenario", "--profile", "7.3,-walk_from_tail")
    assert status == 0
    assert (
        "differs: " in out
        and "S: deactivated 34, 34 idle, 35 idle, 36 active: the walk deactivated 36" in out
    )
    assert out.endswith("1 observed\n")


def test_mi_latency_changes_when_the_exit_comes(capsys):
    status, out, _ = _run(
        capsys, DIRECTORY / "A08.scenario", "--profile", "6.19", "--mi-latency", "0", "--log"
    )
    assert status == 0
    assert "exit   U" in out
    assert "MI!: the maintenance interrupt is low" in out


def test_the_seed_decides_what_hammer_does(capsys):
    def log(seed):
        return _run(capsys, DIRECTORY / "A34.scenario", "--profile", "7.3", "--seed", seed, "--log")[1]

    assert log(1) == log(1)
    assert log(1) != log(2)


def test_json_report(capsys):
    status, out, _ = _run(capsys, DIRECTORY / "A08.scenario", "--json")
    assert status == 0
    report = json.loads(out)["results"]
    assert [(one["profile"], one["status"]) for one in report] == [
        (profile, "pass") for profile in ("7.3", "7.0", "6.19", "v1", "6.19,+skip_in_lrs")
    ]
    assert any("entry" in line for line in report[0]["log"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scenario x: y\nsteps:\nIRA\n", ":3: expected an instruction, found 'IRA'; did you mean IAR?"),
        ("", ":1: expected 'scenario NAME: title' as the first line"),
        ("scenario x: y\nmachine lrs 99\nsteps:\nENTER\n", ":2: expected lrs from 0 to 64, found 99"),
    ],
)
def test_a_wrong_file_is_told_where_it_is_wrong(capsys, tmp_path, text, message):
    path = _file(tmp_path, text)
    status, out, err = _run(capsys, path)
    assert (status, out) == (2, "")
    assert err == f"spillway: {path}{message}\n"


def test_one_wrong_file_of_a_directory_stops_before_anything_runs(capsys, tmp_path):
    _file(tmp_path, GOOD, "a.scenario")
    _file(tmp_path, "nonsense", "b.scenario")
    status, out, err = _run(capsys, tmp_path)
    assert (status, out) == (2, "")
    assert "b.scenario:1: expected 'scenario NAME: title' first" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--profile", "8.0"], "unknown hypervisor '8.0'"),
        (["--profile", "7.3,-nope"], "no switch 'nope'"),
        (["--lrs", "0"], "0 is not in the range 1<=x<=64"),
        (["--mi-latency", "soon"], "--mi-latency soon: give fast, slow, a number"),
        (["--engine", "silicon"], "'silicon' is not one of"),
        (["--waves", "{}/waves"], "golden has no cycles, so no waveform"),
    ],
)
def test_wrong_options_are_one_line(capsys, tmp_path, options, message):
    path = _file(tmp_path, GOOD)
    status, out, err = _run(capsys, path, *(option.format(tmp_path) for option in options))
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_missing_and_empty_places(capsys, tmp_path):
    assert _run(capsys, tmp_path / "none.scenario")[0] == 2
    status, _, err = _run(capsys, tmp_path)
    assert (status, err) == (2, f"spillway: {tmp_path}: no .scenario files in this directory\n")


def test_a_live_lock_that_was_expected_is_told(capsys):
    status, out, _ = _run(capsys, DIRECTORY / "A04.scenario", "--profile", "legacy", "--profile", "7.3")
    assert status == 0
    legacy, later, total = out.splitlines()
    assert legacy.startswith("pass     A04  legacy") and ": live-lock, 12 operations" in legacy
    assert later.startswith("pass     A04  7.3") and ": finished, 10 operations" in later
    assert total == "2 passed"


def test_several_profiles_and_a_policy_are_one_too_many(capsys):
    status, _, err = _run(capsys, DIRECTORY / "A04.scenario", "--profile", "7.3", "--policy", "xen")
    assert (status, err.count("\n")) == (2, 1)


def test_a_broken_invariant_is_told_with_its_step_and_in_words(capsys, tmp_path):
    """A DIR without an end before it, noticed at the next exit."""
    text = "scenario bad: DIR alone\nmachine lrs 2, eoimode 1\nSPI 32 33 34 prio 60 50 40\nsteps 7.3:\n"
    text += "".join(f"inj {n}\nIAR -> {n}\n" for n in (32, 33, 34)) + "DIR 32\nX: TRAP\nEXIT\n"
    path = _file(tmp_path, text)
    status, out, _ = _run(capsys, path)
    assert status == 1
    assert f"{path}:13: EXIT: invariant I8, what was ended is idle, nothing else\n    vCPU0: 32 is" in out


def test_the_log_names_registers_of_the_distributor(capsys, tmp_path):
    path = _file(tmp_path, "scenario d: x\nSPI 32 prio 40\nsteps 7.3:\nICENABLER 32\nISACTIVER 32 r0 -> 0\n")
    status, out, _ = _run(capsys, path, "--log")
    assert status == 0
    assert "op     GICD_ICENABLER1 := 0x1\n" in out
    assert "exit   MMIO GICD_ISACTIVER1\n" in out


def test_the_list_says_what_scenarios_are_about(capsys, tmp_path):
    """Nothing is played: a scenario that would fail is listed."""
    (tmp_path / "b.scenario").write_text("scenario b: Second\nsteps xen 7.3:\n    IAR -> 5\n")
    (tmp_path / "a.scenario").write_text("scenario first: First of all\nsteps:\n    ENTER\n")
    status, out, _ = _run(capsys, tmp_path, "--list")
    assert (status, out) == (0, "first  First of all\nb      Second\n")
    _, out, _ = _run(capsys, tmp_path, "--list", "--json")
    second = json.loads(out)["results"][1]
    assert second == {
        "name": "b",
        "title": "Second",
        "file": str(tmp_path / "b.scenario"),
        "profiles": ["xen", "7.3"],
    }
