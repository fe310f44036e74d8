"""What random accesses take very long to find, tried one after the other.

:func:`every_access`: every register, read and written, from every level, in all contexts near a guest's,
under each trap. :func:`every_level`: an interrupt of every preemption level and group, taken and ended.
:func:`every_intid`: the INTIDs one bit away from those that matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hw.config import GicConfig
from hw.registers import BY_ENCODING, LRState, Register, lookup
from sim.encoding import register_at
from sim.port import GUEST, Access, PeContext

__all__ = ["every_access", "every_intid", "every_level", "sweep"]

_HCR, _VMCR, _LR = (lookup(f"ICH_{name}_EL2") for name in ("HCR", "VMCR", "LR0"))
_RPR, _DIR = lookup("ICC_RPR_EL1"), lookup("ICC_DIR_EL1")
_TRAPS = ("TC", "TALL0", "TALL1", "TDIR")
_ENCODING_BITS = 16
_VINTID = 40
#: Where rules on INTIDs begin: the first PPI, the first special INTID, the first LPI.
_BORDERS = (16, 1020, 8192)
_PINTID_BITS = 13
#: Operand of every write: it changes neither the enable nor a trap, should it be ICH_HCR_EL2 that is written.
_OPERAND = 0x21


def _contexts() -> Iterator[PeContext]:
    """Give a guest's context, those that differ from it in one bit, and one that redirects nothing."""
    yield GUEST
    yield GUEST._replace(imo=False, fmo=False)
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


def every_level(config: GicConfig) -> Iterator[Access]:
    """Give the accesses one after the other: about 2,300 with 32 levels.

    In both EOI modes an interrupt of each level and group is acknowledged, ended and deactivated: alone, so
    that nothing hides what else an acknowledge records (IAR-4), and over all less urgent levels of both
    groups, so that nothing hides what else a priority drop clears (EOI-3). Then all levels of both groups are
    dropped one after the other. Without subpriorities nothing is signalled at the least urgent level: PMR
    masks it always (SIG-2).
    """
    words, levels = range(config.apr_words), 1 << config.pre_bits
    yield Access(2, _HCR, True, 1)
    for split in (0, 1):
        yield Access(2, _VMCR, True, _fields(_VMCR, VPMR=0xFF, VENG0=1, VENG1=1, VEOIM=split))
        for level in range(levels):
            for group in (0, 1):
                for below in (0, (1 << levels) - (2 << level)):
                    yield from _set_active(words, below)
                    yield from _service(config, level, group, split, _VINTID)
        yield from _set_active(words, (1 << levels) - 1)
        for level in range(levels):
            for group in (0, 1):
                yield Access(1, lookup(f"ICC_EOIR{group}_EL1"), True, _VINTID + level % 2)


def _fields(register: Register, **values: int) -> int:
    whole = 0
    for name, value in values.items():
        whole = register.field(name).put(whole, value)
    return whole


def _set_active(words: range, active: int) -> Iterator[Access]:
    """Write the active levels of both groups."""
    for group in (0, 1):
        for n in words:
            yield Access(2, lookup(f"ICH_AP{group}R{n}_EL2"), True, active >> 32 * n & 0xFFFF_FFFF)


def _service(config: GicConfig, level: int, group: int, split: int, vintid: int) -> Iterator[Access]:
    """Have an interrupt of a level and a group pending; take it, end it, and deactivate it."""
    priority = level << 8 - config.pre_bits
    yield Access(2, _LR, True, _fields(
        _LR, State=LRState.PENDING, Group=group, Priority=priority, vINTID=vintid
    ))  # fmt: skip
    yield Access(1, lookup(f"ICC_HPPIR{group}_EL1"))
    yield Access(1, lookup(f"ICC_IAR{group}_EL1"))
    yield Access(1, _RPR)
    yield Access(2, lookup(f"ICH_AP{group}R{level // 32}_EL2"))
    yield from _end(group, split, vintid)


def _end(group: int, split: int, vintid: int) -> Iterator[Access]:
    yield Access(1, lookup(f"ICC_EOIR{group}_EL1"), True, vintid)
    if split:
        yield Access(1, _DIR, True, vintid)


def _near(borders: Iterable[int], bits: int) -> list[int]:
    """Return the numbers that differ from a border in at most one bit."""
    return sorted({border ^ bit for border in borders for bit in (0, *(1 << n for n in range(bits)))})


def every_intid(config: GicConfig) -> Iterator[Access]:
    """Give the accesses one after the other: about 900 for each list register.

    In both EOI modes: an INTID near a border of the rules, in a list register and in none (IAR-6, EOI-1,
    EOI-9, DIR-3); one near that of the active list register, which is not that (EOI-4); a physical INTID
    near a border (HW-3). Whoever compares has to look at every bit, in every list register.
    """
    words, level = range(config.apr_words), 1 << config.pre_bits - 1
    active = _fields(
        _LR, State=LRState.ACTIVE, Group=1, Priority=level << 8 - config.pre_bits, vINTID=_VINTID
    )
    yield Access(2, _HCR, True, 1)
    for split in (0, 1):
        yield Access(2, _VMCR, True, _fields(_VMCR, VPMR=0xFF, VENG0=1, VENG1=1, VEOIM=split))
        for vintid in _near(_BORDERS, config.id_bits):
            yield from _set_active(words, 0)
            yield from _service(config, level, 1, split, vintid)
            yield from _set_active(words, 1 << level)
            yield from _end(1, split, vintid)
        for n in range(config.lrs):
            register = lookup(f"ICH_LR{n}_EL2")
            for vintid in _near([_VINTID], config.id_bits):
                yield from _set_active(words, 1 << level)
                yield Access(2, register, True, active)
                yield from _end(1, split, vintid)
            for pintid in _near(_BORDERS[:2], _PINTID_BITS):
                yield from _set_active(words, 1 << level)
                yield Access(2, register, True, active | _fields(_LR, HW=1, pINTID=pintid))
                yield from _end(1, split, _VINTID)
            yield Access(2, register, True, 0)


def sweep(config: GicConfig) -> Iterator[Access]:
    """Give all of these."""
    yield from every_access()
    yield from every_level(config)
    yield from every_intid(config)
