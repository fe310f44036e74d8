"""Every register, read and written, from every level, in all contexts near a guest's, under each trap.

Random accesses take very long to find a trap that is missing in one context; here all are tried.
"""

from __future__ import annotations

from collections.abc import Iterator

from hw.registers import BY_ENCODING, Register, lookup
from sim.encoding import register_at
from sim.port import GUEST, Access, PeContext

__all__ = ["every_access"]

_HCR = lookup("ICH_HCR_EL2")
_TRAPS = ("TC", "TALL0", "TALL1", "TDIR")
_ENCODING_BITS = 16
#: Operand of every write: it changes neither the enable nor a trap, should it be ICH_HCR_EL2 that is written.
_OPERAND = 0x21


def _contexts() -> Iterator[PeContext]:
    """Give a guest's context, and those that differ from it in one bit."""
    yield GUEST
    for name, value in GUEST._asdict().items():
        yield GUEST._replace(**{name: not value})


def _accesses(register: Register) -> Iterator[Access]:
    for context in _contexts():
        for el in (0, 1, 2, 3) if context == GUEST else (1, 2):
            for write in (False, True):
                yield Access(el, register, write, _OPERAND if write else 0, 21, context)


def every_access() -> Iterator[Access]:
    """Give the accesses one after the other: about 13,000, and 2,000 to encodings beside the known ones."""
    for trap in (None, *_TRAPS):
        setting = 1 | (_HCR.field(trap).mask if trap else 0)
        for register in BY_ENCODING.values():
            yield Access(2, _HCR, True, setting)
            yield from _accesses(register)
    yield Access(2, _HCR, True, 1)
    for known in BY_ENCODING:
        for bit in range(_ENCODING_BITS):
            register = register_at(known ^ 1 << bit)
            for el in (1, 2):
                yield Access(el, register)
