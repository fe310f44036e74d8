"""``spillway.core`` in the real FuseSoC: shown, linted, simulated, and taken by another core."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tb.cli.fusesoc import arguments

ROOT = Path(__file__).parents[2]
USER = """\
CAPI=2:
name: ::user:1.0
filesets:
  rtl: {depend: [spillway]}
generate:
  gic:
    generator: spillway_export
    parameters: %s
targets:
  default: {filesets: [rtl], generate: [gic], toplevel: gic}
"""


@pytest.fixture
def fusesoc(tmp_path):
    """Run FuseSoC in a directory of its own, with the Python that runs the tests."""

    def run(*words: str) -> subprocess.CompletedProcess:
        here = Path(sys.executable).parent
        homes = {f"XDG_{name}_HOME": str(tmp_path / "home") for name in ("CACHE", "CONFIG", "DATA")}
        path = f"{here}{os.pathsep}{os.environ['PATH']}"
        env = os.environ | homes | {"PATH": path, "PYTHONPATH": str(ROOT)}
        roots = ["--cores-root", str(ROOT), "--cores-root", str(tmp_path)]
        return subprocess.run(
            [here / "fusesoc", *roots, *words], cwd=tmp_path, env=env, capture_output=True, text=True
        )

    return run


def test_the_core_is_shown(fusesoc):
    done = fusesoc("core", "show", "spillway")
    assert done.returncode == 0, done.stderr
    assert "::spillway:" in done.stdout


def test_the_plain_testbench_passes_under_fusesoc(fusesoc):
    done = fusesoc("run", "--target", "sim", "spillway")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS: an interrupt was listed, signalled, acknowledged and completed" in done.stdout + done.stderr


def test_another_core_takes_a_build_of_its_own(fusesoc, tmp_path):
    (tmp_path / "user.core").write_text(USER % "{lrs: 2, bus: axi4lite, name: gic, tds: false}")
    done = fusesoc("run", "--setup", "--tool", "icarus", "user")
    assert done.returncode == 0, done.stdout + done.stderr
    texts = {path.read_text() for path in tmp_path.rglob("gic.v")}
    assert len(texts) == 1
    assert "module gic(" in texts.pop()
    assert not list(tmp_path.rglob("spillway.v")), "as a dependency the core makes nothing of its own"


def test_the_example_core_runs(fusesoc):
    """``docs/examples/soc.core``; what it prints is what ``docs/connect.md`` shows."""
    done = fusesoc("run", "--target", "sim", "soc")
    assert done.returncode == 0, done.stdout + done.stderr
    shown = (ROOT / "docs" / "connect.md").read_text().partition("```text\n")[2].partition("```")[0]
    assert shown.count("\n") == 8
    assert shown in done.stdout + done.stderr


def test_a_wrong_parameter_is_one_line_that_names_it(fusesoc, tmp_path):
    (tmp_path / "user.core").write_text(USER % "{lrs: 17}")
    done = fusesoc("run", "--setup", "--tool", "icarus", "user")
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "spillway.core: lrs" in said
    assert not list(tmp_path.rglob("spillway.v"))


def test_parameters_become_options():
    assert arguments({"pri_bits": 7, "tds": False, "seis": True}) == ["--pri-bits", "7", "--no-tds", "--seis"]
