"""Verilog around an exported module: its instance, the wires of its ports, and their documentation."""

from __future__ import annotations

from collections.abc import Sequence

from hw.ports import Port

__all__ = ["declarations", "instance", "ports_markdown", "template"]


def _range(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""


def _slice(lsb: int, width: int) -> str:
    return f"[{lsb + width - 1}:{lsb}]" if width > 1 else f"[{lsb}]"


def declarations(ports: Sequence[Port], driven: str = "wire") -> list[str]:
    """Return a declaration for each port.

    Parameters
    ----------
    driven : str
        What the module's inputs are: ``wire`` or ``reg``.
    """
    return [f"{driven if port.input else 'wire'} {_range(port.width)}{port.name};" for port in ports]


def instance(ports: Sequence[Port], name: str, label: str) -> list[str]:
    """Return an instance of module ``name`` whose ports are connected to wires of the same names."""
    pins = [f"  .{port.name}({port.name})" for port in ports]
    return [f"{name} {label} (", *(f"{pin}," for pin in pins[:-1]), pins[-1], ");"]


def template(ports: Sequence[Port], name: str) -> str:
    """Return text to paste into a design: wires, what is in them, and the instance.

    Parameters
    ----------
    ports : sequence of Port
        As :func:`hw.export.exported_ports` returns them.
    name : str
        The module.
    """
    lines = [f"// Instance of {name}: connect the wires, or put your own names between the parentheses."]
    for port, declaration in zip(ports, declarations(ports), strict=True):
        lines.append(f"{declaration:<48} // {'into' if port.input else 'out of'} {name}")
        lines += [
            f"//   {port.name}{_slice(part.lsb, part.width)}: {part.name}"
            + (f" ({', '.join(part.values)})" if part.values else "")
            for part in port.parts
        ]
    return "\n".join([*lines, "", *instance(ports, name, f"u_{name}")]) + "\n"


def ports_markdown(ports: Sequence[Port]) -> str:
    """Return the ports as a Markdown table; a structure's fields stand below it."""
    lines = ["| port | direction | bits | field |", "|---|---|---|---|"]
    for port in ports:
        lines.append(f"| `{port.name}` | {'in' if port.input else 'out'} | {port.width} | |")
        for part in port.parts:
            values = f": {', '.join(part.values)}" if part.values else ""
            lines.append(f"| | | `{_slice(part.lsb, part.width)}` | {part.name}{values} |")
    return "\n".join(lines) + "\n"
