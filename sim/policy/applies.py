"""Which scenarios a policy plays, and which of its known weaknesses guests notice in them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

__all__ = ["TABLE", "Applies", "applies", "texts"]

#: The table.
TABLE = Path(__file__).with_name("applies.toml")


@dataclass(frozen=True)
class Applies:
    """The rows of one policy.

    Parameters
    ----------
    names : dict
        Its weaknesses: name to what happens.
    without : dict
        Scenarios it does not play, and why.
    shows : dict
        Scenarios in which guests notice weaknesses, with their names.
    """

    names: dict[str, str] = field(default_factory=dict)
    without: dict[str, str] = field(default_factory=dict)
    shows: dict[str, str] = field(default_factory=dict)

    def weakness(self, scenario: str, marked: Iterable[str] = ()) -> str:
        """Return the weaknesses that show in a scenario, with what they are; empty: none is known.

        The table says so, or else the policy itself, by its marks.
        """
        names = self.shows.get(scenario, "").split() or sorted(marked)
        return "; ".join(f"{name}: {self.names[name]}" if name in self.names else name for name in names)


@cache
def texts() -> dict[str, str]:
    """Return the weaknesses of all built-in policies: name to what happens."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {name: text for rows in table.values() for name, text in rows.get("names", {}).items()}


@cache
def applies(policy: str) -> Applies:
    """Return the rows of a policy; one that is not in the table plays everything that is not KVM's own."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    rows = table.get(policy, {})
    without = table["without"] | rows.get("without", {})
    return Applies(rows.get("names", {}), without, rows.get("shows", {}))
