"""Every memory-mapped register, by name and by place."""

from __future__ import annotations

from hw.errors import InputError
from hw.mmio import Frame, MmioRegister
from hw.registers import Register, lookup
from hw.registers_dist import REGISTERS_DIST
from hw.registers_v2 import REGISTERS_V2

__all__ = ["MMIO_BY_NAME", "MMIO_REGISTERS", "find_register", "lookup_mmio", "register_on"]

#: All memory-mapped registers, in table order.
MMIO_REGISTERS: tuple[MmioRegister, ...] = REGISTERS_V2 + REGISTERS_DIST
#: Memory-mapped register by architectural name.
MMIO_BY_NAME: dict[str, MmioRegister] = {register.name: register for register in MMIO_REGISTERS}
_BY_WORD = {
    (register.frame, register.offset + byte): register
    for register in MMIO_REGISTERS
    for byte in range(0, register.width // 8, 4)
}


def lookup_mmio(name: str) -> MmioRegister:
    """Return the memory-mapped register called ``name``.

    Raises
    ------
    InputError
        One line that names the register and the nearest known one.
    """
    try:
        return MMIO_BY_NAME[name]
    except KeyError:
        import difflib

        close = difflib.get_close_matches(name, MMIO_BY_NAME, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise InputError(f"unknown register {name!r}{hint}") from None


def find_register(name: str) -> Register | MmioRegister:
    """Return the system register or memory-mapped register called ``name``.

    Raises
    ------
    InputError
        When no table has it; the text names the nearest one of the table its prefix points to.
    """
    return lookup_mmio(name) if name.partition("_")[0] in Frame.__members__ else lookup(name)


def register_on(frame: Frame, offset: int) -> MmioRegister | None:
    """Return the register that covers byte ``offset`` of ``frame``, None where nothing is mapped."""
    return _BY_WORD.get((frame, offset & ~3))
