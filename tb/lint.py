"""Verilator's opinion of exported Verilog."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from hw.verilog_text import WAIVED, unwaived
from tb.tools import find_simulator

__all__ = ["lint_verilog"]

_MESSAGE = re.compile(r"^%(?:Warning|Error)(?:-(\w+))?: (.*)$")
#: The closing line, which only counts the others.
_CLOSING = re.compile(r"Exiting due to|Command Failed")


def lint_verilog(verilog: str, top: str = "cluster") -> list[str]:
    """Return what Verilator's ``-Wall`` says about a text, less :data:`hw.verilog_text.WAIVED`.

    Parameters
    ----------
    verilog : str
        A complete design.
    top : str
        Its top module.

    Returns
    -------
    list of str
        One line for each warning or error that matters; empty for a clean design.

    Raises
    ------
    InputError
        When Verilator is missing.
    """
    simulator = find_simulator("verilator")
    with tempfile.TemporaryDirectory() as directory, simulator.active():
        source = Path(directory) / "design.v"
        source.write_text(unwaived(verilog))
        done = subprocess.run(
            ["verilator", "--lint-only", "-Wall", "--top-module", top, source.name],
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,
        )
    said = [
        match.groups() for line in (done.stdout + done.stderr).splitlines() if (match := _MESSAGE.match(line))
    ]
    if done.returncode and not said:
        return [f"verilator failed: {(done.stdout + done.stderr).strip()[-200:]}"]
    return [
        f"{kind or 'error'}: {text}"
        for kind, text in said
        if not ((kind in WAIVED and re.search(WAIVED[kind][0], text)) or _CLOSING.search(text))
    ]
