"""How far a long job is, told to whoever wants to know.

A job calls :func:`report`; nobody listening costs next to nothing. The listener may be in this process
(:func:`listening`) or, when the job runs inside a simulator, in another one that reads a file
(:func:`to_file`).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["listening", "report", "to_file"]

Listener = Callable[[int, int], None]

#: Seconds between two messages, at least.
_INTERVAL = 0.2

_listener: Listener | None = None
_next = 0.0


def report(done: int, total: int) -> None:
    """Say that ``done`` of ``total`` operations are done."""
    global _next
    if _listener is None:
        return
    now = time.monotonic()
    if now >= _next or done >= total:
        _next = now + _INTERVAL
        _listener(done, total)


@contextlib.contextmanager
def listening(listener: Listener | None) -> Iterator[None]:
    """Pass reports to ``listener(done, total)`` for the duration of a ``with`` block."""
    global _listener, _next
    before, _listener, _next = _listener, listener, 0.0
    try:
        yield
    finally:
        _listener = before


@contextlib.contextmanager
def to_file(path: Path) -> Iterator[None]:
    """Write reports to a file, the last one replacing the one before."""

    def listener(done: int, total: int) -> None:
        path.write_text(f"{done} {total}")

    with listening(listener):
        yield
