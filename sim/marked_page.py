"""Pages of the documentation with a part, between two marks, that a command writes."""

from __future__ import annotations

from pathlib import Path

from hw.errors import InputError

__all__ = ["read_page"]


def read_page(path: Path, begin: str, end: str) -> tuple[str, str, str]:
    """Return what stands before, between and after two marks of a page, which go with their side.

    Parameters
    ----------
    path : Path
        The page.
    begin, end : str
        The lines that mark the part, each once in the page.

    Raises
    ------
    InputError
        When the page is not there or lacks the marks.
    """
    try:
        text = path.read_text()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if text.count(begin) != 1 or text.count(end) != 1:
        raise InputError(f"{path}: the lines {begin!r} and {end!r} have to stand there once each")
    first, last = text.index(begin) + len(begin), text.index(end)
    return text[:first], text[first:last], text[last:]
