"""The status of the patch table and of the known failures: their tests and scenarios are run."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict, dataclass
from pathlib import Path

import sim
from hw.errors import InputError
from sim.kvm.bugs import BUGS
from sim.kvm.patches import patches
from sim.scenario.result import PASS
from tb.scenarios import play_scenarios

__all__ = ["FAILED", "NOT_RUN", "Row", "bug_rows", "patch_rows", "run_tests"]

#: Statuses of rows with a test; the last one: the tests were not run.
PASSED, FAILED, NOT_RUN = "pass", "FAIL", "not run"
_OPEN, _OUTSIDE = "open", "none"
_SCENARIOS = Path(sim.__file__).parent / "scenarios"
_ROOT = Path(sim.__file__).parents[1]
_FILES = ("tests/sim/kvm/test_patches.py", "tests/sim/kvm/test_switches.py", "tests/sim/kvm/test_bugs.py")


@dataclass(frozen=True)
class Row:
    """One line of a table.

    ``status``: pass, FAIL, "not run", open or none; ``reason`` explains the last two. ``tests`` are pytest
    names, ``scenarios`` files of ``sim/scenarios``. ``data``: the whole row of the table, for JSON.
    """

    name: str
    title: str
    status: str
    reason: str
    switches: tuple[str, ...]
    tests: tuple[str, ...]
    scenarios: tuple[str, ...]
    data: dict

    def as_dict(self) -> dict:
        """Return it as JSON data."""
        return {**self.data, "status": self.status, "reason": self.reason, "tests": list(self.tests)}


def run_tests(root: Path = _ROOT) -> dict[str, bool]:
    """Run the tests of the tables with pytest; return whether each passed, by its pytest name.

    Nothing is returned where the tests or pytest are not installed.

    Raises
    ------
    InputError
        When pytest could not run them.
    """
    files = [file for file in _FILES if (root / file).is_file()]
    if not files or importlib.util.find_spec("pytest") is None:
        return {}
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml", str(report)]
        done = subprocess.run([*command, *files], cwd=root, capture_output=True, text=True, check=False)
        if not report.is_file() or done.returncode > 1:
            last = (done.stdout + done.stderr).strip().splitlines()[-1:]
            raise InputError(f"{root}: the tests cannot be run: {''.join(last)}; try pytest {files[0]}")
        return _read_report(report)


def _read_report(report: Path) -> dict[str, bool]:
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        path = case.get("classname", "").replace(".", "/") + ".py"
        bad = any(child.tag in ("failure", "error", "skipped") for child in case)
        found[f"{path}::{case.get('name')}"] = not bad
    return found


def _status(test: str, ran: dict[str, bool]) -> str:
    if not ran:
        return NOT_RUN
    # A parametrised test stands for all its cases.
    cases = [ok for name, ok in ran.items() if name == test or name.startswith(f"{test}[")]
    return PASSED if cases and all(cases) else FAILED


def patch_rows(ran: dict[str, bool]) -> list[Row]:
    """Return the patch table with the results ``ran`` of :func:`run_tests`."""
    rows = []
    for patch in patches():
        reason = patch.open_reason or patch.outside
        status = _OPEN if patch.open_reason else _OUTSIDE if patch.outside else _status(patch.test, ran)
        tests = (patch.test,) if patch.test else ()
        data = asdict(patch) | {"kind": patch.kind}
        rows.append(
            Row(patch.name, patch.title, status, reason, patch.switches, tests, patch.scenarios, data)
        )
    return rows


def bug_rows(ran: dict[str, bool]) -> list[Row]:
    """Return the known failures; their scenarios are played on golden."""
    names = sorted({name for bug in BUGS if not bug.open_reason for name in bug.scenarios})
    played: dict[str, bool] = {}
    for result in play_scenarios([_SCENARIOS / f"{name}.scenario" for name in names]):
        played[result.name] = played.get(result.name, True) and result.status == PASS
    rows = []
    for bug in BUGS:
        if bug.open_reason:
            status = _OPEN
        elif bug.test:
            status = _status(bug.test, ran)
        else:
            status = PASSED if all(played[name] for name in bug.scenarios) else FAILED
        tests = (bug.test,) if bug.test else ()
        rows.append(Row(bug.name, bug.title, status, bug.open_reason, (), tests, bug.scenarios, asdict(bug)))
    return rows
