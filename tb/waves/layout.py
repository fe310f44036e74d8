"""What a wave view shows of one PE, in which order, and how: the viewer-independent part of the preset."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["GROUPS", "LIST_REGISTER", "PROBE", "Row"]

#: Prefix of the probe signals in each PE's scope (:mod:`hw.probe`).
PROBE = "probe_"


class Row(NamedTuple):
    """One line of the view.

    ``signal``: name within the PE's scope, without :data:`PROBE`. ``label``: what is shown for it.
    ``words``: a table of :data:`tb.waves.words.WORDS`, or nothing for numbers. ``radix``: hex, dec or bin.
    """

    signal: str
    label: str
    words: str = ""
    radix: str = "hex"


#: Group title -> its rows, top to bottom.
GROUPS: dict[str, tuple[Row, ...]] = {
    "Lines": (
        Row("virq", "vIRQ"),
        Row("vfiq", "vFIQ"),
        Row("maintenance", "maintenance interrupt"),
    ),
    "Access": (
        Row("access", "in flight"),
        Row("el", "from", "level"),
        Row("write", "writes (MSR)"),  # one bit is drawn as a line, never as a word
        Row("encoding", "register", "register"),
        Row("operand", "written"),
        Row("outcome", "outcome", "outcome"),
        Row("result", "read"),
        Row("esr", "syndrome"),
        Row("deactivate", "physical deactivation"),
        Row("pintid", "of pINTID", radix="dec"),
    ),
    "Guest": (
        Row("vmcr_flags", "VMCR", "vmcr_flags"),
        Row("pmr", "priority mask"),
        Row("running_priority", "running priority"),
        Row("ap0r0", "ICH_AP0R0"),
        Row("ap1r0", "ICH_AP1R0"),
    ),
    "Hypervisor": (
        Row("hcr_enables", "HCR enables", "hcr_enables"),
        Row("hcr_traps", "HCR traps", "hcr_traps"),
        Row("eoicount", "EOIcount", radix="dec"),
        Row("misr", "MISR", "misr"),
        Row("eisr", "EISR", radix="bin"),
        Row("elrsr", "ELRSR (empty LRs)", radix="bin"),
    ),
}

#: Rows of each list register, in its own scope ``lr<n>``.
LIST_REGISTER: tuple[Row, ...] = (
    Row("state", "state", "state"),
    Row("vintid", "vINTID", radix="dec"),
    Row("priority", "priority"),
    Row("group", "Group 1"),
    Row("hw", "HW"),
    Row("pintid", "pINTID", radix="dec"),
)
