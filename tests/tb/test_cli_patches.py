"""``spillway patches``: the table, the statuses, the exit status."""

import json

import pytest

from hw.errors import InputError
from sim.kvm.patches import patches
from tb.cli import main
from tb.patches import patch_rows, run_tests


def _run(capsys, *arguments):
    with pytest.raises(SystemExit) as exit_:
        main(["patches", *map(str, arguments)])
    captured = capsys.readouterr()
    return exit_.value.code, captured.out, captured.err


def _checkout(directory, text):
    """Make a checkout whose tests of the table are ``text``."""
    file = directory / "tests" / "sim" / "kvm" / "test_patches.py"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return directory


#: Tests for three rows; the one for v1-4 fails.
THREE = (
    "import pytest\n@pytest.mark.parametrize('name', ['v1-1', 'v1-3', 'v1-4'])\n"
    "def test_patch(name):\n    assert name != 'v1-4'\n"
)


def test_every_row_passes_or_says_why_not(capsys):
    """The real tests are run: no row fails, and only rows with a reason have no test."""
    status, out, err = _run(capsys, "--json")
    assert (status, err) == (0, "")
    rows = json.loads(out)["results"]
    assert [row["name"] for row in rows] == [patch.name for patch in patches()]
    assert {row["status"] for row in rows} == {"pass", "open", "none"}
    for row in rows:
        assert (row["status"] == "pass") == bool(row["tests"])
        assert (row["status"] == "pass") == (not row["reason"])


def test_the_table_names_title_and_switches(capsys):
    status, out, _ = _run(capsys, "--no-run")
    assert status == 0
    for patch in patches():
        assert patch.title in out
    assert "switch track_spis, dir_other_lr, notify_needs_deact" in out


def test_the_known_failures_are_a_second_table(capsys):
    """Their scenarios are played; those that are tests are not, when told so."""
    status, out, _ = _run(capsys, "--bugs", "--no-run")
    assert status == 0
    assert "pass    22.9 " in out
    assert "not run 21.6 " in out
    assert "open    21.1 " in out
    assert "seen on Linux 6.19.6" in out


def test_a_failing_row_is_status_1(capsys, tmp_path, monkeypatch):
    """A row whose test fails, or is not there, fails."""
    root = _checkout(tmp_path, THREE)
    monkeypatch.setattr("tb.patches.run_tests", lambda: run_tests(root))
    status, out, _ = _run(capsys)
    assert status == 1
    statuses = {line.split()[1]: line.split()[0] for line in out.splitlines() if line[0] != " "}
    assert [statuses[name] for name in ("v1-1", "m34", "v1-3", "v1-4", "v1-5")] == [
        "pass", "open", "pass", "FAIL", "FAIL",
    ]  # fmt: skip


def test_without_a_checkout_nothing_is_run(tmp_path):
    ran = run_tests(tmp_path)
    assert ran == {}
    assert {row.status for row in patch_rows(ran)} == {"not run", "open", "none"}


def test_tests_that_cannot_be_run_are_one_line(tmp_path):
    root = _checkout(tmp_path, "import nothing_of_that_name\n")
    with pytest.raises(InputError) as caught:
        run_tests(root)
    assert "cannot be run" in str(caught.value)
    assert "\n" not in str(caught.value)
