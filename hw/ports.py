"""The ports of an exported module, read from the signature of its component.

Their names, directions and widths are what others build on; ``docs/ports.md`` holds them and a test keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Shape
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In

__all__ = ["Part", "Port", "ports_of"]


@dataclass(frozen=True)
class Part:
    """A field of a port: ``name`` (dotted when it is in another), lowest bit, width, names of its values."""

    name: str
    lsb: int
    width: int
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Port:
    """One port of a module.

    ``input``: it goes into the module. ``parts``: what a port that is a structure consists of.
    """

    name: str
    input: bool
    width: int
    parts: tuple[Part, ...] = ()


def _parts(shape: object, prefix: str, lsb: int) -> list[Part]:
    layout = data.Layout.cast(shape) if isinstance(shape, data.Layout | type(data.Struct)) else None
    if layout is None:
        return []
    parts = []
    for name, field in layout:
        dotted, start = f"{prefix}{name}", lsb + field.offset
        inner = _parts(field.shape, f"{dotted}.", start)
        values = ()
        if isinstance(field.shape, enum.EnumType):
            values = tuple(f"{int(value.value)} {value.name}" for value in field.shape)
        parts += inner or [Part(dotted, start, field.width, values)]
    return parts


def ports_of(top: wiring.Component) -> list[Port]:
    """Return the ports of a component as its exported module has them, clock and reset first.

    Parameters
    ----------
    top : wiring.Component
        Of an export, such as :class:`hw.cluster.Cluster`.
    """
    ports = [Port("clk", True, 1), Port("rst", True, 1)]
    for path, member, _ in top.signature.flatten(top):
        width = Shape.cast(member.shape).width
        parts = tuple(_parts(member.shape, "", 0))
        ports.append(Port("__".join(map(str, path)), member.flow == In, width, parts))
    return ports
