"""What :mod:`tests.mutation` has mutmut do, in a process that has imported nothing of the project.

The mutated tree in ``mutants/`` has to be imported in place of the original one, so this file is run by its
path and imports mutmut alone. ``mutmut`` itself can be used on the same folder: ``mutmut show NAME``.

``python tests/mutmut_driver.py prepare`` writes all mutants and runs the tests once, to see what each
reaches; ``python tests/mutmut_driver.py try JOBS`` reads names of mutants from standard input and prints a
line with name and status as each is done.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import sys
from pathlib import Path
from time import process_time
from typing import NoReturn

import pytest
from mutmut import __main__ as mutmut
from mutmut.configuration import config
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import setup_source_paths
from mutmut.utils.format_utils import mangled_name_from_mutant_name
from mutmut.workers.isolation import get_mutant_runner

MUTANTS = Path("mutants")
DRIVER = Path(__file__).resolve()
#: CPU seconds of a mutant in a new process.
AFRESH_LIMIT = 120


def prepare() -> None:
    """Write the mutants, beside a copy of the tree, and find the tests that reach each function.

    In a folder that was prepared before, only what changed is written and only new tests are run.
    """
    MUTANTS.mkdir(exist_ok=True)
    with open(MUTANTS / "prepare.log", "w") as log, contextlib.redirect_stdout(log):
        mutmut.copy_src_dir()
        mutmut.copy_also_copy_files()
        setup_source_paths()
        mutmut.create_mutants(2)
        runner = get_mutant_runner(1)
        if not mutmut.load_stats():
            mutmut.run_stats_collection(runner)
            return
        set_mutant_under_test("list")
        if new := runner.list_all_tests().new_tests():
            mutmut.run_stats_collection(runner, tests=new)


class Loop:
    """A pytest plugin: instead of the tests once, every mutant against the tests that reach it.

    The tests are collected once; each mutant is a process forked from that, which runs the fast tests first
    and ends at the first failure. mutmut's own loop would collect anew for every mutant. What has already
    run while the tests were collected, to make a table say, is tried in a new process.

    Parameters
    ----------
    names : list of str
        Mutants, as mutmut names them.
    jobs : int
        Processes at a time.
    """

    def __init__(self, names: list[str], jobs: int) -> None:
        self.names = names
        self.jobs = jobs
        self.running: dict[int, str] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try all mutants, and print a line for each."""
        at_import = set(state()._stats)
        set_mutant_under_test("none")
        items = sorted(session.items, key=lambda item: state().duration_by_test.get(item.nodeid, 0.0))
        gc.freeze()
        for name in self.names:
            function = mangled_name_from_mutant_name(name)
            reaching = state().tests_by_mangled_function_name.get(function, set())
            chosen = [item for item in items if item.nodeid in reaching]
            seconds = sum(state().duration_by_test[item.nodeid] for item in chosen)
            limit = int((seconds + config().timeout_constant) * config().timeout_multiplier)
            while len(self.running) >= self.jobs:
                self._wait()
            if function in at_import:
                self.running[_start_afresh(name)] = name
            elif pid := os.fork():
                self.running[pid] = name
            else:
                _run_mutant(session, name, chosen, limit)
        while self.running:
            self._wait()
        return True

    def _wait(self) -> None:
        pid, status = os.wait()
        code = os.waitstatus_to_exitcode(status)
        print(self.running.pop(pid), status_by_exit_code[code], file=sys.__stdout__, flush=True)


def _run_mutant(session: pytest.Session, name: str, items: list[pytest.Item], limit: int) -> NoReturn:
    """Run the items with one mutant in force and leave: 0 if all pass, 1 at the first that does not."""
    used = int(process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (used + limit, used + limit + 1))
    set_mutant_under_test(name)
    status = 0
    try:
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                status = 1
                break
    except BaseException:
        status = 1
    os._exit(status if items else 33)


def attempt(names: list[str], jobs: int) -> int:
    """Try mutants; return pytest's exit status."""
    setup_source_paths()
    if not mutmut.load_stats():
        sys.exit("mutmut_driver: prepare first")
    set_mutant_under_test("stats")
    settings = config()
    arguments = [*settings.pytest_add_cli_args, *settings.pytest_add_cli_args_test_selection]
    os.chdir(MUTANTS)
    with open("collect.log", "w") as log, contextlib.redirect_stdout(log):
        return pytest.main(["--rootdir=.", "-q", *arguments], plugins=[Loop(names, jobs)])


def _start_afresh(name: str) -> int:
    """Start a process that imports everything with the mutant in force; return its number."""
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    command = [sys.executable, str(DRIVER), "afresh", name]
    return os.posix_spawn(sys.executable, command, os.environ, file_actions=silent)


def afresh(name: str) -> int:
    """Run the tests of the mutant's model; return 0 if all pass, 1 if one fails or cannot be collected."""
    os.chdir(DRIVER.parents[1])
    setup_source_paths()
    set_mutant_under_test(name)
    resource.setrlimit(resource.RLIMIT_CPU, (AFRESH_LIMIT, AFRESH_LIMIT + 1))
    settings = config()
    vgic = name.startswith("sim.kvm.")
    tests = [one for one in settings.pytest_add_cli_args_test_selection if ("/kvm" in one) == vgic]
    os.chdir(MUTANTS)
    return int(pytest.main(["--rootdir=.", "-q", "-x", *settings.pytest_add_cli_args, *tests]) != 0)


if __name__ == "__main__":
    sys.path = [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).parent]
    if sys.argv[1] == "prepare":
        prepare()
    elif sys.argv[1] == "afresh":
        sys.exit(afresh(sys.argv[2]))
    else:
        sys.exit(attempt(sys.stdin.read().split(), int(sys.argv[2])))
