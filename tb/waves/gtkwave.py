"""The GTKWave save file and its translation filters, for any dump of the gateware."""

from __future__ import annotations

import io
import math
import re
import string
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from vcd.gtkw import GTKWColor, GTKWSave, make_translation_filter

from hw.errors import InputError
from hw.registers import LRState
from tb.waves.fst import end_time, read_fst
from tb.waves.lanes import SCOPE
from tb.waves.layout import CLOSED, GROUPS, LIST_REGISTER, MACHINE, PROBE, Row
from tb.waves.variable import Variable
from tb.waves.vcd import first_nonzero, first_together, period, read_vcd
from tb.waves.words import WORDS

__all__ = ["MOMENTS", "Mark", "find_moments", "pe_variables", "read_variables", "write_save_file"]

#: Signals whose first rise is worth a marker, and the marker's text.
MOMENTS = {
    "maintenance": "maintenance",
    "eoicount": "EOIcount",
    "esr": "trap",
    "deactivate": "deactivation",
}
#: How a dump may write an active list register.
_ACTIVE = (f"{LRState.ACTIVE:b}", LRState.ACTIVE.name)
#: GTKWave has markers A to Z.
_MOST_MARKS = 26
#: Cycles of the design shown at first: before and after the moment to look at.
_CYCLES_SHOWN = (30, 60)
#: The list registers are shown above this group.
_AFTER_LIST_REGISTERS = "Maintenance"
#: Width of the wave pane in the window that the save file asks for.
_WAVE_PIXELS = 1100


class Mark(NamedTuple):
    """A moment worth looking at: ``time`` in the dump's units, and the marker's ``text``.

    The view opens at the first mark with ``focus``, else at the first.
    """

    time: int
    text: str
    focus: bool = False


def read_variables(dump: Path) -> list[Variable]:
    """Return the variables of a VCD or FST dump.

    Raises
    ------
    InputError
        When the file is missing, of another kind, or incomplete.
    """
    if not dump.is_file():
        raise InputError(f"{dump}: no such file")
    readers = {".vcd": read_vcd, ".fst": read_fst}
    if dump.suffix not in readers:
        raise InputError(f"{dump}: not a wave dump; expected a .vcd or .fst file")
    return readers[dump.suffix](dump)


def pe_variables(dump: Path, variables: Iterable[Variable]) -> dict[tuple[str, ...], dict[str, Variable]]:
    """Return, for each PE's scope, its variables by name; list registers as ``lr0.state`` and so on.

    The lanes of a scenario's dump are among them.

    Raises
    ------
    InputError
        When the dump has no CPU interface in it.
    """
    variables = list(variables)
    scopes = {v.scope: {} for v in variables if v.name == f"{PROBE}hcr"}
    if not scopes:
        raise InputError(f"{dump}: no CPU interface in this dump (no signal {PROBE}hcr); record one of ours")
    for variable in variables:
        if variable.scope in scopes:
            scopes[variable.scope][variable.name] = variable
        elif variable.scope[:-1] in scopes and variable.scope[-1].startswith("lr"):
            scopes[variable.scope[:-1]][f"{variable.scope[-1]}.{variable.name}"] = variable
    for variable in variables:
        if SCOPE in variable.scope[:-1]:
            for scope in scopes:
                if scope[-1] == variable.scope[-1]:
                    scopes[scope][variable.name] = variable
    return dict(sorted(scopes.items()))


def find_moments(dump: Path, variables: Iterable[Variable]) -> list[Mark]:
    """Return the first time of each of :data:`MOMENTS` on each PE, in order; nothing for FST.

    The first time that all list registers are active, the edge of the spillway, is among them.

    Raises
    ------
    InputError
        When the dump has no CPU interface in it.
    """
    texts: dict[str, list[str]] = {}
    pes = pe_variables(dump, variables)
    for scope, names in pes.items():
        for signal, text in MOMENTS.items():
            variable = names.get(PROBE + signal)
            if variable is not None and variable.code:
                prefix = f"{scope[-1]} " if len(pes) > 1 else ""
                texts.setdefault(variable.code, []).append(f"first {prefix}{text}")
    times = first_nonzero(dump, texts)
    marks = [Mark(time, text) for code, time in times.items() for text in texts[code]]
    for scope, names in pes.items():
        states = [v.code for name, v in names.items() if re.fullmatch(r"lr\d+\.state", name) and v.code]
        time = first_together(dump, dict.fromkeys(states, _ACTIVE)) if states else None
        if time is not None:
            prefix = f"{scope[-1]} " if len(pes) > 1 else ""
            marks.append(Mark(time, f"all {prefix}list registers active", focus=True))
    return sorted(marks)[:_MOST_MARKS]


def _write_filters(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for kind, words in WORDS.items():
        size = max(words).bit_length() or 1
        entries = [(v, w.name, w.color) if w.color else (v, w.name) for v, w in sorted(words.items())]
        text = make_translation_filter(entries, datafmt="hex", size=_width(kind, size))
        (directory / f"{kind}.txt").write_text(text + "\n")


def _width(kind: str, size: int) -> int:
    """Return the width of the signals of a kind: hex digits in a filter must match the display's."""
    return {"hcr_enables": 10, "hcr_traps": 6, "vmcr_flags": 10, "register": 16}.get(kind, size)


class _Writer:
    """Writes rows; knows the filter directory and which variables exist."""

    def __init__(self, save: GTKWSave, filters: Path, names: dict[str, Variable]):
        self.save, self.filters, self.names = save, filters, names

    def row(self, row: Row, signal: str, label: str) -> None:
        """Write one row; a signal that this build does not have is left out."""
        variable = self.names.get(signal)
        if variable is None:
            return
        # A string is its own word.
        words = row.words if not variable.string else ""
        self.save.trace(
            variable.path,
            alias=label,
            datafmt=row.radix,
            color=GTKWColor.normal,
            translate_filter_file=str(self.filters / f"{row.words}.txt") if words else None,
        )

    def rows(self, title: str, rows: Iterable[Row], closed: bool = False) -> None:
        """Write a group, if this build has any of its rows."""
        rows = [row for row in rows if _signal(row) in self.names]
        if not rows:
            return
        with self.save.group(title, closed=closed):
            for row in rows:
                self.row(row, _signal(row), row.label)

    def pe(self) -> None:
        """Write one PE."""
        told = any(row.lane and row.signal in self.names for rows in GROUPS.values() for row in rows)
        for title, rows in GROUPS.items():
            if title == _AFTER_LIST_REGISTERS:
                self.list_registers()
            self.rows(title, rows, closed=told and title in CLOSED)

    def list_registers(self) -> None:
        """Write the list registers: the state and number of each, and folded up the rest."""
        count = sum(1 for name in self.names if name.startswith("lr") and name.endswith(".state"))
        for title, rows, closed in (
            ("List registers", LIST_REGISTER[:2], False),
            ("List registers in full", LIST_REGISTER[2:], True),
        ):
            if not any(f"lr{n}.{row.signal}" in self.names for n in range(count) for row in rows):
                continue
            with self.save.group(title, closed=closed):
                for n in range(count):
                    for row in rows:
                        self.row(row, f"lr{n}.{row.signal}", f"LR{n} {row.label}")


def _signal(row: Row) -> str:
    return row.signal if row.lane else PROBE + row.signal


def write_save_file(
    dump: Path,
    save_path: Path | None = None,
    marks: Iterable[Mark] | None = None,
    cycles: tuple[int, int] = _CYCLES_SHOWN,
) -> Path:
    """Write the save file of a dump, its filters beside it, and return its path.

    Parameters
    ----------
    dump : Path
        A ``.vcd`` or ``.fst`` file of any engine.
    save_path : Path or None
        Where to write; by default the dump's name with ``.gtkw``. The filters go into a directory of the
        same name with ``.words``.
    marks : iterable of Mark or None
        Markers, at most 26; by default :func:`find_moments`.
    cycles : (int, int)
        Clock cycles shown at first, before and after the moment to look at; an FST file is shown whole.

    Raises
    ------
    InputError
        When the dump cannot be read or shows no CPU interface.
    """
    dump = dump.resolve()
    variables = read_variables(dump)
    pes = pe_variables(dump, variables)
    marks = sorted(find_moments(dump, variables) if marks is None else marks)[:_MOST_MARKS]
    save_path = (save_path or dump.with_suffix(".gtkw")).resolve()
    filters = save_path.with_suffix(".words")
    _write_filters(filters)
    file = io.StringIO()
    save = GTKWSave(file)
    save.comment("Made by spillway waves")
    save.dumpfile(str(dump))
    save.savefile(str(save_path))
    save.size(1600, 1000)
    save.sst_expanded(False)
    save.signals_width(480)
    _write_view(save, marks, _view(dump, pes, cycles))
    told = {one.name: one for one in variables if one.scope and one.scope[-1] == SCOPE}
    _Writer(save, filters, told).rows("Scenario", MACHINE)
    for scope, names in pes.items():
        with save.group(scope[-1].upper()):
            _Writer(save, filters, names).pe()
    save_path.write_text(file.getvalue())
    return save_path


def _view(
    dump: Path, pes: dict[tuple[str, ...], dict[str, Variable]], cycles: tuple[int, int]
) -> tuple[int, int] | None:
    """Return the time shown at first, before and after the moment to look at, None if it cannot be told.

    It is some clock cycles, or all of an FST file, whose values are not read.
    """
    if dump.suffix == ".fst":
        end = end_time(dump)
        return end // 3, end - end // 3
    clock = next(iter(pes.values())).get("clk")
    cycle = period(dump, clock.code) if clock is not None else None
    return cycle and (cycle * cycles[0], cycle * cycles[1])


def _write_view(save: GTKWSave, marks: list[Mark], view: tuple[int, int] | None) -> None:
    """Write markers and the first view."""
    if view:
        # GTKWave's own scale: a pixel is 2**-zoom / 200 units of the dump.
        zoom = -math.log2(200 * sum(view) / _WAVE_PIXELS)
        letters = {letter: mark.time for letter, mark in zip(string.ascii_lowercase, marks, strict=False)}
        focus = next((mark.time for mark in marks if mark.focus), marks[0].time if marks else -1)
        save.zoom_markers(zoom, focus, **letters)
        save.timestart(max(0, focus - view[0]))
    for letter, mark in zip(string.ascii_uppercase, marks, strict=False):
        save.file.write(f"[markername] {letter}{mark.text}\n")
