"""Amaranth layouts made from the register table."""

from amaranth.lib import data, enum

from hw import registers
from hw.mmio_map import find_register
from hw.registers import Field

__all__ = ["LRState", "layout_of"]


class LRState(enum.Enum, shape=2):
    """ICH_LR<n>_EL2.State and GICH_LR<n>.State. Bit 0 is "pending", bit 1 is "active"."""

    #: Empty.
    INVALID = registers.LRState.INVALID.value
    #: Waiting to be acknowledged.
    PENDING = registers.LRState.PENDING.value
    #: Acknowledged, not deactivated.
    ACTIVE = registers.LRState.ACTIVE.value
    #: Acknowledged and pending again.
    PENDING_ACTIVE = registers.LRState.PENDING_ACTIVE.value


def _shape(field: Field):
    return LRState if field.values is registers.LRState else field.width


def layout_of(name: str) -> data.FlexibleLayout:
    """Return the layout of the register called ``name``: every field at its architectural position.

    Raises
    ------
    InputError
        When no register table has it.
    """
    register = find_register(name)
    return data.FlexibleLayout(
        register.width,
        {field.name: data.Field(_shape(field), field.lsb) for field in register.fields},
    )
