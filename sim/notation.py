"""The short notation of list registers and HCR bits: ``36P 35A | NPIE UIE TDIR``.

An LR is its vINTID and state (P, A, PA), ``h`` with HW, ``e`` with the EOI bit: ``21Ae``, ``27Ph``.
With a GICv2 guest ``/c1`` behind it is the source CPU of an SGI.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hw.registers import BY_NAME, MISR_BITS, LRState

__all__ = [
    "ANY_ENTRY",
    "HCR_NAMES",
    "MISR_BITS",
    "EntryPattern",
    "compare_entry",
    "format_hcr",
    "format_lr",
    "format_lrs",
    "misr_names",
    "parse_entry",
]

_LR = {field.name: field for field in BY_NAME["ICH_LR0_EL2"].fields}
_HCR = {field.name: field for field in BY_NAME["ICH_HCR_EL2"].fields}
_STATE = {LRState.PENDING: "P", LRState.ACTIVE: "A", LRState.PENDING_ACTIVE: "PA"}
_TOKEN = re.compile(r"(\d+)(PA|P|A)(h?)(e?)(/c\d+)?$")
_EOI = 1 << 9

#: Bits that an entry expectation always compares, unless it has no ``|`` part at all.
_ALWAYS = ("NPIE", "LRENPIE", "UIE", "TDIR", "TC", "TALL0", "TALL1")
#: Bits compared only when one of their family is named.
_FAMILIES = (
    ("En",),
    ("VGrp0EIE", "VGrp0DIE"),
    ("VGrp1EIE", "VGrp1DIE"),
    ("vSGIEOICount",),
)
#: Every bit that may be named.
HCR_NAMES = (*_ALWAYS, *(name for family in _FAMILIES for name in family))


def format_lr(value: int, v2: bool = False) -> str:
    """Return the notation of one list register value, ``-`` for an invalid one.

    ``v2``: it belongs to a GICv2 guest; an SGI has its source CPU.
    """
    state = _LR["State"].get(value)
    if state == LRState.INVALID:
        return "-"
    intid = _LR["vINTID"].get(value)
    source = ""
    if v2:
        intid, cpuid = intid & 0x3FF, intid >> 10 & 7
        source = f"/c{cpuid}" if intid < 16 else ""
    text = f"{intid}{_STATE[LRState(state)]}"
    if _LR["HW"].get(value):
        return text + "h"
    return text + "e" * bool(_LR["pINTID"].get(value) & _EOI) + source


def format_lrs(values: list[int], v2: bool = False) -> str:
    """Return the notation of a set of list registers, empty ones left out."""
    texts = [format_lr(value, v2) for value in values]
    return " ".join(text for text in texts if text != "-") or "none"


def format_hcr(value: int, names: tuple[str, ...] = HCR_NAMES) -> str:
    """Return the names of the set bits of an ICH_HCR_EL2 value, those that may be named."""
    return " ".join(name for name in names if _HCR[name].get(value))


def misr_names(value: int) -> list[str]:
    """Return the names of the set bits of an ICH_MISR_EL2 value."""
    return [name for bit, name in enumerate(MISR_BITS) if value >> bit & 1]


@dataclass(frozen=True)
class EntryPattern:
    """What an entry must look like: the LRs in order, and which bits must be set or clear.

    ``lrs`` None leaves the LRs open; ``must`` maps each compared bit to its value.
    """

    lrs: tuple[str, ...] | None
    must: dict[str, bool]


#: Matches every entry.
ANY_ENTRY = EntryPattern(None, {})


def parse_entry(text: str) -> EntryPattern:
    """Parse ``32P 33A | NPIE UIE !VGrp0EIE``; ``none`` or nothing before ``|`` means no LR, ``*`` any.

    Without ``|`` no bit is compared. With it, NPIE, LRENPIE, UIE, TDIR, TC, TALL0 and TALL1 are compared
    always; En, the two bits of a group, and vSGIEOICount only if named (``!`` in front: must be clear).

    Raises
    ------
    ValueError
        With what was expected.
    """
    left, bar, right = text.partition("|")
    words = left.replace("(none)", "none").split()
    lrs: tuple[str, ...] | None
    if words == ["*"]:
        lrs = None
    elif words in ([], ["none"]):
        lrs = ()
    else:
        for word in words:
            if not _TOKEN.match(word):
                raise ValueError(f"expected a list register such as 36P, 35A, 21Ae or 27Ph, found {word!r}")
        lrs = tuple(words)
    return EntryPattern(lrs, _bits(right.split()) if bar else {})


def _bits(words: list[str]) -> dict[str, bool]:
    must = dict.fromkeys(_ALWAYS, False)
    for word in words:
        name = word.removeprefix("!")
        if name not in HCR_NAMES:
            raise ValueError(f"expected ICH_HCR_EL2 bits ({' '.join(HCR_NAMES)}), found {word!r}")
        for family in _FAMILIES:
            if name in family and not word.startswith("!"):
                must.update(dict.fromkeys(family, False))
        must[name] = not word.startswith("!")
    return must


def compare_entry(pattern: EntryPattern, lrs: list[int], hcr: int, v2: bool = False) -> list[str]:
    """Return what differs between a pattern and an entry's list registers and HCR word; [] if nothing.

    ``v2``: see :func:`format_lr`.
    """
    problems = []
    found = tuple(text for text in (format_lr(lr, v2) for lr in lrs) if text != "-")
    if pattern.lrs is not None and found != pattern.lrs:
        problems.append(f"LRs are {' '.join(found) or 'none'}, expected {' '.join(pattern.lrs) or 'none'}")
    for name, value in pattern.must.items():
        if bool(_HCR[name].get(hcr)) != value:
            problems.append(f"{name} is {'clear' if value else 'set'}")
    return problems
