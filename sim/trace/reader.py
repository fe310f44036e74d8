"""Opening a trace file, reading it line by line, and telling what is wrong with it."""

from __future__ import annotations

import enum
import gzip
import json
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cached_property
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from sim.trace.events import Event, Repeat, decode_event
from sim.trace.fields import describe
from sim.trace.meta import Meta
from sim.trace.sequences import Sequence, decode_sequence

__all__ = ["Kind", "Trace", "find_traces", "open_trace"]

#: How far back a ``repeat`` line may reach.
_HISTORY = 4096
_GICV2 = ("GICC_", "GICH_", "GICV_")


class Kind(enum.Enum):
    """The format of a trace."""

    SEQUENCES = "sequences"
    EVENTS = "events"


class Trace:
    """An open trace: the meta line was read and checked, the rest is read as it is asked for.

    Attributes
    ----------
    path : str
        As given; part of every message.
    meta : Meta
        The first line.
    generation : int
        2 or 3: which GIC was recorded.
    kind : Kind
        Tells which of :meth:`sequences` and :meth:`events` reads the rest.
    """

    def __init__(self, path: str, stream: BufferedReader):
        self.path = path
        self._raw = stream
        self._stream: IO[bytes] = stream
        if stream.peek(2)[:2] == b"\x1f\x8b":
            self._stream = gzip.GzipFile(fileobj=stream)
        self._lines = self._read()
        first = next(self._lines, None)
        if first is None:
            raise InputError(f'{path}: empty; a trace starts with a {{"meta": ...}} line')
        line, data = first
        if set(data) != {"meta"} or not isinstance(data["meta"], dict):
            raise InputError(f'{path}:{line}: the first line must be {{"meta": {{...}}}}; is this a trace?')
        self.meta = Meta.parse(data["meta"], f"{path}:{line}")
        self._meta_line = line
        self._next = next(self._lines, None)
        if self._next is None:
            raise InputError(f"{path}: nothing after the meta line, so nothing to replay; record it again")
        self.kind = Kind.SEQUENCES if "ops" in self._next[1] or "seq" in self._next[1] else Kind.EVENTS
        self.generation = self._generation()

    @cached_property
    def config(self) -> GicConfig | GicV2Config:
        """The recorded hardware, from ``meta.vtr`` alone.

        Raises
        ------
        InputError
            When there is no ``vtr``, or no GIC of the generation can have it.
        """
        return self.meta.config(f"{self.path}:{self._meta_line}", self.generation)

    def sequences(self) -> Iterator[Sequence]:
        """Yield the sequences of a trace of that kind."""
        config = self.config
        for line, data in self._rest():
            yield decode_sequence(data, self.path, line, config)

    def events(self, expand: bool = True) -> Iterator[Event]:
        """Yield the events of a trace of that kind.

        Parameters
        ----------
        expand : bool
            Yield the lines a ``repeat`` stands for, as often as it says, in its place.
        """
        history: deque[Event] = deque(maxlen=_HISTORY)
        for line, data in self._rest():
            event = decode_event(data, self.path, line)
            if not isinstance(event, Repeat):
                history.append(event)
                yield event
                continue
            if event.of > len(history):
                raise InputError(
                    f"{self.path}:{line}: repeat of {event.of} lines, but only {len(history)} are before it"
                )
            if not expand:
                yield event
                continue
            again = list(history)[-event.of :]
            for _ in range(event.times):
                yield from again

    def items(self) -> Iterator[Sequence | Event]:
        """Yield whatever the trace holds."""
        return self.sequences() if self.kind is Kind.SEQUENCES else self.events()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        self._raw.close()

    def __enter__(self) -> Trace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def _rest(self) -> Iterator[tuple[int, dict[str, Any]]]:
        if self._next is not None:
            first, self._next = self._next, None
            yield first
        yield from self._lines

    def _read(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield (line number, object), turning everything that can go wrong into one line."""
        number, decode = 0, json.JSONDecoder().decode
        try:
            for number, text in enumerate(self._stream, 1):
                if text.isspace():
                    continue
                data = decode(text.decode())
                if not isinstance(data, dict):
                    raise InputError(
                        f"{self.path}:{number}: a line must be a JSON object, not {describe(data)}"
                    )
                yield number, data
        except EOFError:
            raise InputError(
                f"{self.path}:{number + 1}: the compressed file ends too early; copy it again"
            ) from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise InputError(
                f"{self.path}:{number + 1}: the compressed file is damaged ({error}); copy it again"
            ) from None
        except json.JSONDecodeError as error:
            if Path(self.path).suffix == ".scenario":
                raise InputError(
                    f"{self.path}: a scenario, and no recording; `spillway run` plays it"
                ) from None
            raise InputError(f"{self.path}:{number}: not JSON: {error.msg} (column {error.colno})") from None
        except (UnicodeDecodeError, RecursionError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{self.path}:{number}: not JSON: {describe(str(error))}") from None
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror or error}") from None

    def _generation(self) -> int:
        """Tell a GICv2 recording by its meta line or its first register, and refuse what it cannot be."""
        assert self._next is not None
        line, data = self._next
        ops = data.get("ops")
        first = ops[0] if isinstance(ops, list) and ops and isinstance(ops[0], dict) else data
        register = first.get("reg")
        named = isinstance(register, str) and register.startswith(_GICV2)
        if self.meta.gic_version != 2 and not named:
            return 3
        if self.kind is Kind.EVENTS:
            raise InputError(
                f"{self.path}:{line}: events of a GICv2; only sequences of GICv2 operations can be replayed"
            )
        return 2


def open_trace(path: str | Path) -> Trace:
    """Open a trace, gzip-compressed or plain, and check its first line.

    Raises
    ------
    InputError
        When the file cannot be read or is no trace.
    """
    name = str(path)
    try:
        raw = open(path, "rb")  # noqa: SIM115 - Trace closes it
    except OSError as error:
        raise InputError(f"{name}: cannot be opened: {error.strerror or error}") from None
    try:
        return Trace(name, raw)
    except OSError as error:
        raw.close()
        raise InputError(f"{name}: cannot be read: {error.strerror or error}") from None
    except InputError:
        raw.close()
        raise


def find_traces(paths: Iterable[str | Path]) -> list[Path]:
    """Return the trace files named by ``paths``: files as they are, directories by their ``*.jsonl[.gz]``.

    Raises
    ------
    InputError
        When a path does not exist or a directory holds no trace.
    """
    found: list[Path] = []
    for item in map(Path, paths):
        if item.is_dir():
            inside = sorted(p for p in item.rglob("*") if p.name.endswith((".jsonl", ".jsonl.gz")))
            if not inside:
                raise InputError(f"{item}: no *.jsonl or *.jsonl.gz in this directory")
            found += inside
        elif item.exists():
            found.append(item)
        else:
            raise InputError(f"{item}: no such file or directory")
    return list(dict.fromkeys(found))
