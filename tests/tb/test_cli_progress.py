"""Progress on a terminal: what compiles says so at once, what does not is quiet for two seconds."""

import io

import pytest

from tb.cli.output import Bar


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("engine", "kind", "shown"),
    [
        ("verilator", _Terminal, True),
        ("bench-compiled", _Terminal, True),
        ("golden", _Terminal, False),
        ("verilator", io.StringIO, False),
    ],
)
def test_what_has_to_compile_says_so_at_once(monkeypatch, engine, kind, shown):
    error = kind()
    monkeypatch.setattr("sys.stderr", error)
    with Bar(engine):
        pass
    assert ("compiling" in error.getvalue()) == shown


def test_the_same_bar_then_counts(monkeypatch):
    error = _Terminal()
    monkeypatch.setattr("sys.stderr", error)
    with Bar("icarus") as bar:
        bar._start -= 10
        bar("A08", 1, 2)
        bar._progress.refresh()
    assert error.getvalue().index("icarus: compiling") < error.getvalue().index("A08")
