"""Counter-examples as the solver dumps them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vcd.reader import TokenKind, tokenize

__all__ = ["Trace", "read_trace"]

#: Time units of a cycle in smtbmc's dumps.
_CYCLE = 10


@dataclass(frozen=True)
class Trace:
    """Signals of the top module by name, one value for each cycle."""

    signals: dict[str, list[int]]

    @property
    def cycles(self) -> int:
        """Length."""
        return len(next(iter(self.signals.values())))


def read_trace(path: Path) -> Trace:
    """Read a dump of smtbmc: the signals of the top module, undefined bits as 0."""
    names: dict[str, list[str]] = {}
    values: dict[str, list[int]] = {}
    now: dict[str, int] = {}
    depth, last = 0, None
    with path.open("rb") as dump:
        for token in tokenize(dump):
            if token.kind is TokenKind.SCOPE:
                depth += 1
            elif token.kind is TokenKind.UPSCOPE:
                depth -= 1
            elif token.kind is TokenKind.VAR and depth == 1:
                names.setdefault(token.var.id_code, []).append(token.var.reference)
            elif token.kind is TokenKind.CHANGE_TIME:
                if last is not None and last % _CYCLE == 0:
                    _keep(values, now)
                last = token.time_change
            elif token.kind is TokenKind.CHANGE_SCALAR:
                now[token.scalar_change.id_code] = int(token.scalar_change.value == "1")
            elif token.kind is TokenKind.CHANGE_VECTOR:
                value = token.vector_change.value
                if isinstance(value, str):
                    value = int(value.replace("x", "0").replace("z", "0"), 2)
                now[token.vector_change.id_code] = value
    signals = {name: values[code] for code, group in names.items() if code in values for name in group}
    return Trace(signals)


def _keep(values: dict[str, list[int]], now: dict[str, int]) -> None:
    for code, value in now.items():
        values.setdefault(code, []).append(value)
