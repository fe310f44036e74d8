"""Writing a file whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from hw.errors import InputError

__all__ = ["whole_file"]


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a ``with`` block a file to write, which takes the place of ``path`` when the block has ended well.

    A symbolic link stays one. What is there and is not a file, a pipe or ``/dev/stdout``, is written itself:
    it must not be replaced.

    Raises
    ------
    InputError
        When it cannot be written.
    """
    final = path.resolve()
    partial = final.with_name(final.name + ".part") if final.is_file() or not path.exists() else path
    try:
        yield partial
        if partial != path:
            partial.replace(final)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}; choose another place") from None
    finally:
        if partial != path:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
