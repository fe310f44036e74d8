"""What generated Verilog needs before it is given away: a start at time 0, and a header for linters."""

from __future__ import annotations

import re

__all__ = ["WAIVED", "finish", "unwaived"]

#: Verilator's warnings that come from how the Verilog back end writes: what the text has to match for us to
#: accept one, and the reason. Files that are given away switch these kinds off for themselves.
WAIVED: dict[str, tuple[str, str]] = {
    "DECLFILENAME": (r"", "one file holds all modules"),
    "UNUSEDSIGNAL": (r"", "fields of structures and probes are named for waveforms, read or not"),
    "PROCASSINIT": (r"", "registers have a power-up value, equal to their reset value"),
    "CASEINCOMPLETE": (r"", "the default is assigned before the case"),
    "WIDTHEXPAND": (r"", "operands are as narrow as they can be; Verilog extends them with zeros, as meant"),
    "WIDTHTRUNC": (r"Logical operator LOGNOT", "! asks whether a vector is zero"),
    "INITIALDLY": (r"", "see the function _at_time_0"),
}
#: What only a simulation says, switched off as well; our lint would not accept it.
_SIMULATING = {
    "UNOPTFLAT": "a structure whose fields are driven apart looks like a loop: it costs time, not meaning",
}
#: Yosys' provision for combinational blocks at time 0: a variable that every block reads.
_AT_TIME_0 = re.compile(r"reg (\S*dump_module\S*) *= *0 *;")
_SAVE, _RESTORE = "/* verilator lint_save */\n", "/* verilator lint_restore */\n"
_OFF = "/* verilator lint_off {} */\n"
_ANY_OFF = re.compile(_OFF.format(r"\w+").replace("*", r"\*"))


def _at_time_0(verilog: str) -> str:
    """Make every combinational block run at time 0.

    An ``always @*`` waits for its inputs to change. Where they rest from the start (a decoder of reset
    values) its outputs would stay X. Yosys lets every block read a variable with an initial value, but
    SystemVerilog (``iverilog -g2012``) gives it that value before the blocks begin to wait; a nonblocking
    assignment comes after.
    """
    return _AT_TIME_0.sub(r"reg \1 ; initial \1 <= 0;", verilog)


def finish(verilog: str) -> str:
    """Return text of the Verilog back end as it is given away.

    Parameters
    ----------
    verilog : str
        One or more modules with plain names (:mod:`hw.plain_names`).
    """
    header = "".join(_OFF.format(kind) for kind in (*WAIVED, *_SIMULATING))
    return f"{_SAVE}{header}{_at_time_0(verilog)}{_RESTORE}"


def unwaived(verilog: str) -> str:
    """Return a text of :func:`finish` without its header: a linter sees everything again."""
    return _ANY_OFF.sub("", verilog)
