"""Seeded bugs: one change of the gateware each, made while it is elaborated, which a proof must notice."""

from __future__ import annotations

import importlib
import inspect
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType

__all__ = ["Bug", "seeded"]


@dataclass(frozen=True)
class Bug:
    """A change of one function of the gateware.

    ``where``: ``module:function`` or ``module:Class.method``; ``old``: text that stands in its source exactly
    once; ``new``: what stands there instead; ``what``: the change in words.
    """

    what: str
    where: str
    old: str
    new: str

    def function(self) -> FunctionType:
        """Return the function that is changed."""
        module, _, path = self.where.partition(":")
        found = importlib.import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
        return found

    def source(self) -> str:
        """Return the changed source.

        Raises
        ------
        ValueError
            When the old text does not stand there exactly once.
        """
        source = textwrap.dedent(inspect.getsource(self.function()))
        if source.count(self.old) != 1:
            raise ValueError(f"{self.where}: {self.old!r} does not stand there exactly once")
        return source.replace(self.old, self.new)


@contextmanager
def seeded(bug: Bug | None) -> Iterator[None]:
    """Have the gateware elaborated with a bug, for everybody who holds the function."""
    if bug is None:
        yield
        return
    function = bug.function()
    made: dict[str, object] = {}
    exec(compile(bug.source(), f"<{bug.what}>", "exec"), function.__globals__, made)
    changed = made[function.__name__]
    intact = function.__code__
    function.__code__ = getattr(changed, "__func__", changed).__code__
    try:
        yield
    finally:
        function.__code__ = intact
