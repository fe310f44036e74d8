"""What a register is made of: fields, and what follows from them; shared by every register table.

System registers (:mod:`hw.registers`) and memory-mapped ones (:mod:`hw.mmio`) differ in how they are
reached, not in what they hold. This module needs neither Amaranth nor a simulator.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Access", "Field", "HasFields", "LRState", "OfConfig", "bits", "when"]

#: A number that depends on the build: a function of the configuration its register table belongs to
#: (:class:`hw.config.GicConfig` and its likes).
OfConfig = Callable[[Any], int]


class LRState(enum.IntEnum):
    """ICH_LR<n>_EL2.State, and GICH_LR<n>.State."""

    INVALID = 0
    PENDING = 1
    ACTIVE = 2
    PENDING_ACTIVE = 3


class Access(enum.Enum):
    """How software may use a register or field."""

    RW = "RW"
    RO = "RO"
    WO = "WO"


def _everything(width: int) -> OfConfig:
    mask = (1 << width) - 1
    return lambda config: mask


@dataclass(frozen=True)
class Field:
    """A named bit range of a register.

    ``implemented(config)`` is the mask, relative to the field, of the bits that exist in a build; the
    others are RES0. ``reset(config)`` is the field's value after reset. ``values`` names the encodings.
    """

    name: str
    lsb: int
    width: int
    doc: str
    access: Access
    implemented: OfConfig
    reset: OfConfig
    values: type[enum.IntEnum] | None = None

    @property
    def mask(self) -> int:
        """The field's bits within the register."""
        return ((1 << self.width) - 1) << self.lsb

    def get(self, value: int) -> int:
        """Extract the field from a register value."""
        return value >> self.lsb & ((1 << self.width) - 1)

    def put(self, value: int, field_value: int) -> int:
        """Return the register ``value`` with this field replaced."""
        return value & ~self.mask | field_value << self.lsb & self.mask


class HasFields:
    """What every kind of register has: a name, an access type and fields (lowest bit first)."""

    name: str
    access: Access
    fields: tuple[Field, ...]

    @property
    def readable(self) -> bool:
        """Whether a read of this register is defined."""
        return self.access is not Access.WO

    @property
    def writable(self) -> bool:
        """Whether a write of this register is defined."""
        return self.access is not Access.RO

    def field(self, name: str) -> Field:
        """Return the field called ``name`` (KeyError if there is none)."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(f"{self.name} has no field {name}")

    def stored_mask(self, config: Any) -> int:
        """Bits that exist in this build and that software can write (all other bits are RES0 or RO)."""
        mask = 0
        for field in self.fields:
            if field.access is Access.RW:
                mask |= field.implemented(config) << field.lsb & field.mask
        return mask

    def reset_value(self, config: Any) -> int:
        """Value after reset, constant read-only fields included."""
        value = 0
        for field in self.fields:
            value |= field.reset(config) << field.lsb & field.mask
        return value

    def decode(self, value: int) -> dict[str, int]:
        """Split a value into fields, lowest bit first."""
        return {field.name: field.get(value) for field in self.fields}


def bits(
    name: str,
    high: int,
    low: int,
    doc: str,
    access: Access = Access.RW,
    impl: OfConfig | None = None,
    reset: int | OfConfig = 0,
    values: type[enum.IntEnum] | None = None,
) -> Field:
    """Build a field from its architectural [high:low] notation."""
    width = high - low + 1
    value = reset if callable(reset) else lambda config: reset
    return Field(name, low, width, doc, access, impl or _everything(width), value, values)


def when(flag: str) -> OfConfig:
    """Return the implementation filter of a one-bit field that exists when a parameter is true."""
    return lambda config: int(getattr(config, flag))
