"""Register-table entries for encodings, the unknown ones too."""

from __future__ import annotations

from functools import lru_cache

from hw.registers import BY_ENCODING, Access, Register, Space

__all__ = ["register_at"]


@lru_cache(maxsize=4096)
def register_at(encoding: int) -> Register:
    """Return the register at a 16-bit encoding, or one with the architecture's generic name.

    An unknown encoding gets an entry that no interface has, such as ``S3_0_C12_C10_2``: readable,
    writable, without fields. Every access to it is UNDEFINED.
    """
    known = BY_ENCODING.get(encoding)
    if known is not None:
        return known
    op0, op1 = encoding >> 14, encoding >> 11 & 7
    crn, crm, op2 = encoding >> 7 & 15, encoding >> 3 & 15, encoding & 7
    name = f"S{op0}_{op1}_C{crn}_C{crm}_{op2}"
    return Register(name, Space.ICC, encoding, Access.RW, 64, (), "Not a register of this interface")
