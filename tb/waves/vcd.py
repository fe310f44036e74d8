"""VCD dumps: their variables, and the times at which chosen ones rise."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TextIO

from hw.errors import InputError
from tb.waves.variable import Variable

__all__ = ["first_nonzero", "first_together", "period", "read_vcd", "units_per_ns"]


def _sections(file: TextIO) -> Iterator[list[str]]:
    """Split the header into its ``$keyword ... $end`` sections, each a list of words."""
    words: list[str] = []
    for line in file:
        for word in line.split():
            if word == "$end":
                yield words
                if words[:1] == ["$enddefinitions"]:
                    return
                words = []
            else:
                words.append(word)


def read_vcd(path: Path) -> list[Variable]:
    """Return the variables of a VCD file in file order.

    Raises
    ------
    InputError
        When the file is not a VCD dump or ends within its header.
    """
    scopes: list[str] = []
    found: list[Variable] = []
    with path.open(errors="replace") as file:
        for words in _sections(file):
            match words:
                case ["$scope", _, name]:
                    scopes.append(name)
                case ["$upscope"] if scopes:
                    scopes.pop()
                case ["$var", kind, width, code, *name] if width.isdecimal() and name:
                    text = " ".join(name)
                    found.append(Variable.declared(tuple(scopes), text, int(width), kind == "string", code))
                case ["$enddefinitions"]:
                    return found
    raise InputError(f"{path}: not a complete VCD dump; was the simulation cut short? Run it again")


def units_per_ns(path: Path) -> int:
    """Return how many time units of a VCD file a nanosecond has.

    Raises
    ------
    InputError
        When the file does not say, or counts in more than nanoseconds.
    """
    with path.open(errors="replace") as file:
        for words in _sections(file):
            match = re.fullmatch(r"\$timescale(1|10|100)([npf])s", "".join(words))
            units = 1000 ** "npf".index(match[2]) // int(match[1]) if match else 0
            if units:
                return units
    raise InputError(f"{path}: no time scale of nanoseconds or less; record a dump of ours")


def _changes(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield (time, value, identifier) of every change of a bit, vector (binary) or string."""
    now = 0
    with path.open(errors="replace") as file:
        for _ in _sections(file):
            pass
        for line in file:
            match line[:1]:
                case "#":
                    now = int(line[1:])
                case "0" | "1":
                    yield now, line[0], line[1:].strip()
                case "b" | "B" | "s" | "S":
                    value, _, code = line[1:].strip().partition(" ")
                    yield now, value, code


def first_nonzero(path: Path, codes: Collection[str]) -> dict[str, int]:
    """Return, for each VCD identifier, the first time its value has a bit set.

    Identifiers that stay zero are missing from the result. Reading stops when all have been found.

    Parameters
    ----------
    path : Path
        A VCD file, its header already known to be sound.
    codes : collection of str
        Identifiers to watch (:attr:`Variable.code`).
    """
    wanted = set(codes)
    times: dict[str, int] = {}
    for time, value, code in _changes(path):
        if code in wanted and "1" in value:
            times[code] = time
            wanted.discard(code)
        if not wanted:
            break
    return times


def first_together(path: Path, values: Mapping[str, Collection[str]]) -> int | None:
    """Return the first time at which every identifier has one of its values, or None.

    Parameters
    ----------
    path : Path
        A VCD file, its header already known to be sound.
    values : mapping of str to collection of str
        Identifier -> the texts it may have, leading zeros removed.
    """
    missing = set(values)
    now = 0
    for time, value, code in _changes(path):
        if time != now and not missing:
            return now
        now = time
        if code in values:
            (missing.discard if value.lstrip("0") in values[code] else missing.add)(code)
    return None if missing else now


def period(path: Path, code: str) -> int | None:
    """Return the time between the first two rises of a bit, or None if it does not rise twice."""
    first = None
    for time, value, changed in _changes(path):
        if changed == code and value == "1":
            if first is not None:
                return time - first
            first = time
    return None
