"""The parameters of a virtual CPU interface as a table, read from :class:`hw.config.GicConfig` itself.

The class's docstring is the only place where a parameter is described; the README's table and the options
of the command line come from here.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import NamedTuple

from hw.config import GicConfig

__all__ = ["Parameter", "parameters", "parameters_markdown"]


class Parameter(NamedTuple):
    """One parameter: its field name, legal ``values``, ``default`` and the ``text`` that describes it."""

    name: str
    values: str
    default: int | bool
    text: str


def parameters() -> list[Parameter]:
    """Return every parameter of :class:`hw.config.GicConfig`, in order.

    Raises
    ------
    LookupError
        When a field of the class has no entry in the docstring's Parameters section.
    """
    described = _parameters_section(inspect.getdoc(GicConfig) or "")
    table = []
    for field in dataclasses.fields(GicConfig):
        if field.name not in described:
            raise LookupError(f"GicConfig.{field.name} is not described in the class's docstring")
        kind, text = described[field.name]
        values = "yes, no" if kind == "bool" else kind.removeprefix("int, ")
        table.append(Parameter(field.name, values, field.default, text))
    return table


def _parameters_section(docstring: str) -> dict[str, tuple[str, str]]:
    """Split the Parameters section of a numpydoc docstring into name -> (type, description)."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?:\n\n\w+\n-+\n|\Z)", docstring, re.DOTALL | re.MULTILINE)
    entries: dict[str, tuple[str, str]] = {}
    name = ""
    for line in section.group(1).splitlines() if section else []:
        if not line.startswith(" "):
            name, _, kind = (part.strip() for part in line.partition(":"))
            entries[name] = (kind, "")
        else:
            kind, text = entries[name]
            entries[name] = (kind, f"{text} {line.strip()}".strip())
    return entries


def parameters_markdown() -> str:
    """Return the parameters as a Markdown table (the README's)."""
    lines = ["| parameter | values | default | meaning |", "|---|---|---|---|"]
    for name, values, default, text in parameters():
        shown = ("no", "yes")[default] if isinstance(default, bool) else default
        plain = text.replace("``", "`").replace("|", "\\|")
        lines.append(f"| `{name}` | {values.replace('``', '`')} | {shown} | {plain} |")
    return "\n".join(lines) + "\n"
