"""What subcommands share: progress on a terminal, reports as JSON, files written whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hw.errors import InputError
from tb.whole_file import whole_file

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["Bar", "busy", "check_writable", "print_json", "write_text"]

#: Engines that have nothing to compile.
_AT_ONCE = (
    "golden",
    "recorded",
    "system-golden",
    "amaranth",
    "system-amaranth",
    "bench-amaranth",
    "bench-uart",
)
#: Seconds after which a progress bar appears.
_PATIENCE = 2.0


class Bar:
    """A progress bar on standard error that appears only when it is worth it, and only on a terminal.

    A context manager; it is gone when the ``with`` block is left. Until the first thing is done it shows, of
    an ``engine`` that has to compile the gateware, that this is what it does: it may take a minute.
    """

    def __init__(self, engine: str = "golden") -> None:
        self._engine = engine
        self._start = time.monotonic()
        self._progress: Progress | None = None
        self._enabled = sys.stderr.isatty()

    def __enter__(self) -> Bar:
        if self._enabled and self._engine not in _AT_ONCE:
            self._show(f"{self._engine}: compiling what is new", None)
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` are done, and what is being done."""
        if not self._enabled or time.monotonic() - self._start < _PATIENCE:
            return
        if self._progress is None:
            self._show(what, total)
        self._progress.update(self._task, description=what, completed=done, total=total)

    def _show(self, what: str, total: int | None) -> None:
        self._progress = _progress()
        self._task = self._progress.add_task(what, total=total)
        self._progress.start()

    def stop(self) -> None:
        """Remove the bar."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


@contextlib.contextmanager
def busy(what: str) -> Iterator[None]:
    """Show on a terminal that something without steps is being done, for the duration of a ``with`` block."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


def print_json(command: str, status: int, results: Iterable[Any], **more: Any) -> int:
    """Print a command's report as one JSON object and return ``status``.

    Parameters
    ----------
    command : str
        Name of the subcommand.
    status : int
        The exit status: 0, 1 or 2.
    results : iterable
        One entry for each thing the command reports on.
    more
        Whatever holds for all of them.
    """
    report = {"command": command, "status": status, **more, "results": list(results)}
    click.echo(json.dumps(report, indent=2))
    return status


def check_writable(path: Path | None) -> None:
    """Refuse an output file whose directory does not exist, before any work is done.

    Raises
    ------
    InputError
        One line that names the directory.
    """
    if path is None:
        return
    if path.is_dir():
        raise InputError(f"{path}: is a directory; name a file in it")
    if path.exists() and not path.is_file():
        return  # a device or a pipe, written where it is
    parent = path.resolve().parent
    if not parent.is_dir():
        raise InputError(f"{path}: there is no directory {path.parent}; create it first")
    if not os.access(parent, os.W_OK):
        raise InputError(f"{path}: cannot be written: {path.parent} is read-only; choose another place")


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises
    ------
    InputError
        When the file cannot be written.
    """
    with whole_file(path) as partial:
        partial.write_text(text)
