"""Where the guest finds the distributor and the redistributors, and what their registers are called.

The addresses are those of the usual virtual platform, and of the recorded traces. Register offsets are
the architecture's (GICD, GICR RD frame and SGI frame).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from hw.errors import InputError
from hw.mmio import Frame
from hw.registers_v2 import REGISTERS_V2

__all__ = [
    "DEVICES",
    "GICC_BASE",
    "GICC_SIZE",
    "GICD_BASE",
    "GICR_BASE",
    "GICR_STRIDE",
    "MAILBOX",
    "Place",
    "bit_word",
    "irouter",
    "name_at",
    "named",
    "priority_byte",
]

#: Guest physical address of the distributor.
GICD_BASE = 0x0800_0000
#: Guest physical address and size of a GICv2 guest's CPU interface (the GICV frame): two pages.
GICC_BASE, GICC_SIZE = 0x0801_0000, 0x2000
#: Guest physical address of vCPU 0's redistributor.
GICR_BASE = 0x080A_0000
#: Distance between two redistributors: an RD frame and an SGI frame of 64 KiB each.
GICR_STRIDE = 0x2_0000
#: Where AArch64 code writes what it has to say (:mod:`sim.guest.aarch64_cpu`); no part of the GIC.
MAILBOX = 0x0900_0000
#: First address and size of all devices: nothing but the GIC below the mailbox's page.
DEVICES = (GICD_BASE, MAILBOX + 0x1000 - GICD_BASE)
_SGI_FRAME = 0x1_0000

#: name -> (offset of element 0, bytes between elements, number of elements), GICD.
_GICD = {
    "CTLR": (0x0000, 4, 1),
    "TYPER": (0x0004, 4, 1),
    "IIDR": (0x0008, 4, 1),
    "IGROUPR": (0x0080, 4, 32),
    "ISENABLER": (0x0100, 4, 32),
    "ICENABLER": (0x0180, 4, 32),
    "ISPENDR": (0x0200, 4, 32),
    "ICPENDR": (0x0280, 4, 32),
    "ISACTIVER": (0x0300, 4, 32),
    "ICACTIVER": (0x0380, 4, 32),
    "IPRIORITYR": (0x0400, 4, 255),
    "ICFGR": (0x0C00, 4, 64),
    "IROUTER": (0x6000, 8, 1020),
}
#: The same for GICR; elements of the SGI frame include its offset.
_GICR = {
    "CTLR": (0x0000, 4, 1),
    "IIDR": (0x0004, 4, 1),
    "TYPER": (0x0008, 8, 1),
    "WAKER": (0x0014, 4, 1),
    "PROPBASER": (0x0070, 8, 1),
    "PENDBASER": (0x0078, 8, 1),
    "IGROUPR": (_SGI_FRAME + 0x0080, 4, 1),
    "ISENABLER": (_SGI_FRAME + 0x0100, 4, 1),
    "ICENABLER": (_SGI_FRAME + 0x0180, 4, 1),
    "ISPENDR": (_SGI_FRAME + 0x0200, 4, 1),
    "ICPENDR": (_SGI_FRAME + 0x0280, 4, 1),
    "ISACTIVER": (_SGI_FRAME + 0x0300, 4, 1),
    "ICACTIVER": (_SGI_FRAME + 0x0380, 4, 1),
    "IPRIORITYR": (_SGI_FRAME + 0x0400, 4, 8),
    "ICFGR": (_SGI_FRAME + 0x0C00, 4, 2),
}
#: GICv2 only: the distributor's own registers, and the CPU interface.
_GICD_V2 = {
    "ITARGETSR": (0x0800, 4, 255),
    "SGIR": (0x0F00, 4, 1),
    "CPENDSGIR": (0x0F10, 4, 4),
    "SPENDSGIR": (0x0F20, 4, 4),
}
_GICV = {
    register.name.removeprefix("GICV_"): (register.offset, 4, 1)
    for register in REGISTERS_V2
    if register.frame is Frame.GICV
}
_FRAMES = {"GICD": _GICD | _GICD_V2, "GICR": _GICR, "GICV": _GICV}
_NAME = re.compile(r"(GICD|GICR|GICV)_([A-Z]+?)(\d*)(?:@(\d+))?$")
_OFFSET = re.compile(r"(GICD|GICR)\+(0[xX][0-9a-fA-F]+|\d+)(?:@(\d+))?$")


class Place(NamedTuple):
    """A location in the distributor, a redistributor or a GICv2 CPU interface.

    ``frame`` is GICD, GICR or GICV. ``vcpu`` selects a redistributor; None means the accessing vCPU's own.
    """

    frame: str
    offset: int
    vcpu: int | None = None

    def address(self, own: int) -> int:
        """Return the guest physical address, as vCPU ``own`` would use it."""
        if self.frame == "GICD":
            return GICD_BASE + self.offset
        if self.frame == "GICV":
            return GICC_BASE + self.offset
        return GICR_BASE + (own if self.vcpu is None else self.vcpu) * GICR_STRIDE + self.offset

    def __str__(self) -> str:
        at = "" if self.vcpu is None else f"@{self.vcpu}"
        return f"{self.frame}+{self.offset:#x}{at}"


def named(text: str) -> Place:
    """Return the place called ``GICD_NAMEn``, ``GICR_NAMEn`` (own) or ``GICR_NAMEn@v``, or ``GICD+0x104``.

    Raises
    ------
    InputError
        When there is no such register (the text names the place and the known ones).
    """
    if match := _OFFSET.match(text):
        offset, at = int(match[2], 0), match[3]
        limit = 0x1_0000 if match[1] == "GICD" else GICR_STRIDE
        if offset >= limit:
            raise InputError(f"{text}: offset beyond {match[1]}, which ends at {limit:#x}")
        return _placed(text, match[1], offset, at)
    match = _NAME.match(text)
    if not match:
        raise InputError(
            f"{text!r} is not a distributor register; write GICD_NAMEn, GICR_NAMEn or GICD+0x104"
        )
    frame, name, index, at = match.groups()
    if name not in _FRAMES[frame]:
        known = " ".join(_FRAMES[frame])
        raise InputError(f"{frame} has no register {name}; known: {known}")
    base, step, count = _FRAMES[frame][name]
    element = int(index or 0)
    if element >= count or (count == 1 and frame != "GICR" and index):
        last = f"{name}0 to {name}{count - 1}" if count > 1 else name
        raise InputError(f"{frame} has no {name}{index}, only {last}")
    return _placed(text, frame, base + step * element, at)


def _placed(text: str, frame: str, offset: int, at: str | None) -> Place:
    if frame != "GICR" and at is not None:
        raise InputError(f"{text}: @vcpu goes with GICR only, there is one distributor")
    return Place(frame, offset, None if at is None else int(at))


def bit_word(name: str, intid: int) -> tuple[Place, int]:
    """Return the word of a bitmap register such as ISENABLER that holds ``intid``, and the bit in it.

    INTIDs below 32 are in the accessing vCPU's own redistributor.
    """
    frame = "GICR" if intid < 32 else "GICD"
    return Place(frame, _FRAMES[frame][name][0] + 4 * (intid // 32)), intid % 32


def priority_byte(intid: int) -> Place:
    """Return the byte of IPRIORITYR for ``intid``."""
    frame = "GICR" if intid < 32 else "GICD"
    return Place(frame, _FRAMES[frame]["IPRIORITYR"][0] + intid)


def irouter(intid: int) -> Place:
    """Return GICD_IROUTER<intid>."""
    return Place("GICD", _GICD["IROUTER"][0] + 8 * intid)


def name_at(address: int) -> str:
    """Return what a guest calls an address: ``GICD_ISENABLER1``, ``GICR_ISPENDR@1``, or the number.

    An address within an element has its distance behind it: ``GICD_IPRIORITYR8+1``.
    """
    vcpu, offset = divmod(address - GICR_BASE, GICR_STRIDE)
    if GICC_BASE <= address < GICC_BASE + GICC_SIZE:
        frame, offset, at = "GICV", address - GICC_BASE, ""
    elif GICD_BASE <= address < GICC_BASE:
        frame, offset, at = "GICD", address - GICD_BASE, ""
    elif GICR_BASE <= address < MAILBOX:
        frame, at = "GICR", f"@{vcpu}"
    else:
        return f"{address:#x}"
    for name, (base, step, count) in _FRAMES[frame].items():
        element, rest = divmod(offset - base, step)
        if 0 <= element < count:
            number = str(element) if count > 1 else ""
            return f"{frame}_{name}{number}{f'+{rest}' if rest else ''}{at}"
    return f"{frame}+{offset:#x}{at}"
