"""A command file for the Surfer wave viewer: the same rows and markers as in GTKWave."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tb.waves.gtkwave import Mark, pe_variables, read_variables
from tb.waves.lanes import SCOPE
from tb.waves.layout import CLOSED, GROUPS, LIST_REGISTER, MACHINE, PROBE

__all__ = ["write_command_file"]


def write_command_file(dump: Path, marks: Iterable[Mark] = (), path: Path | None = None) -> Path:
    """Write the commands that show a dump in Surfer, and return their path.

    They go to ``surfer -c FILE DUMP``. Surfer's own translators show numbers; the words are in the lanes of a
    scenario's dump, which are texts.

    Parameters
    ----------
    dump : Path
        A ``.vcd`` or ``.fst`` file.
    marks : iterable of Mark
        Become Surfer's markers; the cursor goes to the first with ``focus``.
    path : Path or None
        By default the dump's name with ``.sucl``.

    Raises
    ------
    InputError
        When the dump cannot be read or shows no CPU interface.
    """
    variables = read_variables(dump)
    told = {one.name: one for one in variables if one.scope and one.scope[-1] == SCOPE}
    lines = _rows("Scenario", [(told, row.signal) for row in MACHINE])
    for scope, names in pe_variables(dump, variables).items():
        count = sum(1 for name in names if name.startswith("lr") and name.endswith(".state"))
        for title, rows in GROUPS.items():
            if title in CLOSED and told:
                continue
            if title == "Maintenance":
                registers = [
                    (names, f"lr{n}.{row.signal}") for n in range(count) for row in LIST_REGISTER[:3]
                ]
                lines += _rows(f"{scope[-1]} list registers", registers)
            found = [(names, row.signal if row.lane else PROBE + row.signal) for row in rows]
            lines += _rows(f"{scope[-1]} {title}", found)
    marks = list(marks)
    lines += [f"marker_set {_word(mark.text)} {mark.time}" for mark in marks]
    focus = next((mark for mark in marks if mark.focus), marks[0] if marks else None)
    lines.append("zoom_fit")
    if focus is not None:
        lines.append(f"cursor_set {focus.time}")
    path = path or dump.with_suffix(".sucl")
    path.write_text("\n".join([*lines, ""]))
    return path


def _rows(title: str, rows) -> list[str]:
    """Return a divider and the rows below it that the dump has."""
    found = [names[signal] for names, signal in rows if signal in names]
    adds = [f"variable_add {'.'.join((*one.scope, one.name))}" for one in found]
    return [f"divider_add {_word(title)}", *adds] if found else []


def _word(text: str) -> str:
    """Return a text as one word, which is all that a name may be in a command."""
    return "_".join(text.split())
