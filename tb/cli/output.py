"""What subcommands share: a progress bar and reports as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from hw.errors import InputError

__all__ = ["Bar", "check_writable", "write_json"]

#: Seconds after which a progress bar appears.
_PATIENCE = 2.0


class Bar:
    """A progress bar on standard error that appears only when it is worth it, and only on a terminal."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._progress: Progress | None = None
        self._enabled = sys.stderr.isatty()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` are done, and what is being done."""
        if not self._enabled or time.monotonic() - self._start < _PATIENCE:
            return
        if self._progress is None:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TimeRemainingColumn(),
            )
            self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._progress.add_task(what, total=total)
            self._progress.start()
        self._progress.update(self._task, description=what, completed=done, total=total)

    def stop(self) -> None:
        """Remove the bar."""
        if self._progress is not None:
            self._progress.stop()


def check_writable(path: Path | None) -> None:
    """Refuse an output file whose directory does not exist, before any work is done.

    Raises
    ------
    InputError
        One line that names the directory.
    """
    if path is not None and not path.resolve().parent.is_dir():
        raise InputError(f"{path}: there is no directory {path.parent}; create it first")


def write_json(path: Path, data: Any) -> None:
    """Write a report whole or not at all.

    Raises
    ------
    InputError
        When the file cannot be written.
    """
    partial = path.with_name(path.name + ".part")
    try:
        partial.write_text(json.dumps(data, indent=2) + "\n")
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None
