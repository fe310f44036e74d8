"""Verilator's opinion of exported Verilog."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from tb.tools import find_simulator

__all__ = ["ACCEPTED", "lint_verilog"]

#: Warnings that come from how the Verilog back end writes, with the reason; the text must match as well.
ACCEPTED: dict[str, tuple[str, str]] = {
    "DECLFILENAME": (r"", "one file holds all modules"),
    "UNUSEDSIGNAL": (r"", "fields of structures and probes are named for waveforms, read or not"),
    "PROCASSINIT": (r"", "registers have a power-up value, equal to their reset value"),
    "CASEINCOMPLETE": (r"", "the default is assigned before the case"),
    "WIDTHEXPAND": (r"", "operands are as narrow as they can be; Verilog extends them with zeros, as meant"),
    "WIDTHTRUNC": (r"Logical operator LOGNOT", "! asks whether a vector is zero"),
}
_MESSAGE = re.compile(r"^%(?:Warning|Error)(?:-(\w+))?: (.*)$")
#: The closing line, which only counts the others.
_CLOSING = re.compile(r"Exiting due to|Command Failed")


def lint_verilog(verilog: str, top: str = "cluster") -> list[str]:
    """Return what Verilator's ``-Wall`` says about a text, less the :data:`ACCEPTED`.

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
        source.write_text(verilog)
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
        if not ((kind in ACCEPTED and re.search(ACCEPTED[kind][0], text)) or _CLOSING.search(text))
    ]
