"""A register as plain data, for programs; :mod:`tb.register_pages` writes the same for people."""

from __future__ import annotations

from typing import Any

from hw.config import GicConfig
from hw.fields import Field
from hw.mmio import MmioRegister
from hw.registers import Redirect, Register, Trap
from tb.register_pages import Build, build_of, encoding_name

__all__ = ["register_data"]


def register_data(register: Register | MmioRegister, config: GicConfig) -> dict[str, Any]:
    """Return what is known of a register in a build, as JSON can carry it.

    Parameters
    ----------
    register : Register or MmioRegister
        An entry of a register table.
    config : GicConfig
        The build, as for :func:`tb.register_pages.register_page`.
    """
    build = build_of(register, config)
    data: dict[str, Any] = {
        "name": register.name,
        "doc": register.doc,
        "access": register.access.value,
        "width": register.width,
        "exists": register.exists(build),
        "reset": register.reset_value(build),
        "destructive_read": register.read_effect,
    }
    if isinstance(register, MmioRegister):
        data |= {"frame": register.frame.name, "offset": register.offset, "sizes": list(register.sizes)}
    else:
        redirected = register.redirect is not Redirect.NONE
        data |= {
            "encoding": register.encoding,
            "spelled": encoding_name(register.encoding),
            "trap": register.trap.value if register.trap is not Trap.NONE else None,
            "redirect": register.redirect.value if redirected else None,
            "virtual": register.virtual,
        }
    return data | {"fields": [_field(field, build) for field in register.fields]}


def _field(field: Field, build: Build) -> dict[str, Any]:
    return {
        "name": field.name,
        "lsb": field.lsb,
        "width": field.width,
        "access": field.access.value,
        "implemented": field.implemented(build),
        "reset": field.reset(build),
        "doc": field.doc,
        "values": {value.name: int(value) for value in field.values} if field.values is not None else None,
    }
