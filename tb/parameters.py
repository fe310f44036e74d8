"""The parameters of a build as tables, read from :class:`hw.config.GicConfig` and its neighbours themselves.

The classes' docstrings are the only place where a parameter is described; ``spillway params``, the page of
the documentation and the options of the command line come from here.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import NamedTuple

from hw.config import GicConfig
from hw.config_physical import MAX_PES, PhysicalConfig
from hw.config_v2 import GicV2Config

__all__ = ["BUILDS", "Parameter", "build_parameters", "parameters", "parameters_markdown"]

#: What can be built, by the name that ``spillway params --json`` gives it: heading of the table, what has the
#: parameters, and the options that are called otherwise; None for a field that is no option.
BUILDS: dict[str, tuple[str, type, dict[str, str | None]]] = {
    "v3": ("GICv3, the virtual CPU interface", GicConfig, {}),
    "v2": ("GICv2, the virtual CPU interface (--gic v2)", GicV2Config, {}),
    "physical": ("A whole GIC (--spis)", PhysicalConfig, {"pri_bits": "physical_bits", "are": None}),
}


class Parameter(NamedTuple):
    """One parameter: its field name, legal ``values``, ``default`` and the ``text`` that describes it."""

    name: str
    values: str
    default: int | bool
    text: str


def parameters(config: type = GicConfig) -> list[Parameter]:
    """Return every parameter of a class such as :class:`hw.config.GicConfig`, in order.

    Raises
    ------
    LookupError
        When a field of the class has no entry in the docstring's Parameters section.
    """
    described = _parameters_section(inspect.getdoc(config) or "")
    table = []
    for field in dataclasses.fields(config):
        if field.name not in described:
            raise LookupError(f"{config.__name__}.{field.name} is not described in the class's docstring")
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


def build_parameters(build: str) -> list[Parameter]:
    """Return the parameters of one of :data:`BUILDS`, called as their options are."""
    _, config, names = BUILDS[build]
    table = []
    for parameter in parameters(config):
        name = names.get(parameter.name, parameter.name)
        if name is not None:
            table.append(parameter._replace(name=name))
    if build == "physical":
        # Without --spis nothing physical is built, so the option's default is not the class's.
        table = [row._replace(default=0) if row.name == "spis" else row for row in table]
        table.append(Parameter("pes", f"1..{MAX_PES}", 1, "Number of PEs; also without ``--spis``."))
    return table


def parameters_markdown() -> str:
    """Return the parameters of everything that can be built as Markdown tables."""
    return "\n".join(f"## {title}\n\n{_table(build)}" for build, (title, _, _) in BUILDS.items())


def _table(build: str) -> str:
    lines = ["| parameter | values | default | meaning |", "|---|---|---|---|"]
    for name, values, default, text in build_parameters(build):
        shown = ("no", "yes")[default] if isinstance(default, bool) else default
        plain = text.replace("``", "`").replace("|", "\\|")
        lines.append(f"| `{name}` | {values.replace('``', '`')} | {shown} | {plain} |")
    return "\n".join(lines) + "\n"
