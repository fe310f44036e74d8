"""What a wave view shows of one PE, in which order, and how: the viewer-independent part of the preset."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CLOSED", "GROUPS", "LIST_REGISTER", "MACHINE", "PROBE", "Row"]

#: Prefix of the probe signals in each PE's scope (:mod:`hw.probe`).
PROBE = "probe_"


class Row(NamedTuple):
    """One line of the view.

    ``signal``: name within the PE's scope, without :data:`PROBE`. ``label``: what is shown for it.
    ``words``: a table of :data:`tb.waves.words.WORDS`, or nothing for numbers. ``radix``: hex, dec or bin.
    ``lane``: it is a lane of text (:mod:`tb.waves.lanes`), which only the dump of a scenario has.
    """

    signal: str
    label: str
    words: str = ""
    radix: str = "hex"
    lane: bool = False


#: Lanes of the whole machine, shown above the PEs.
MACHINE: tuple[Row, ...] = (
    Row("device", "step or device", lane=True),
    Row("expectation", "expectation", lane=True),
)

#: Group title -> its rows, top to bottom. The list registers come before "Maintenance".
GROUPS: dict[str, tuple[Row, ...]] = {
    "Lines": (
        Row("virq", "vIRQ"),
        Row("vfiq", "vFIQ"),
        Row("maintenance", "maintenance interrupt"),
    ),
    "Guest access": (
        Row("operation", "guest operation", lane=True),
        Row("ideal_signals", "an ideal GIC signals", lane=True),
        Row("difference", "difference", lane=True),
        Row("vmcr_flags", "VMCR", "vmcr_flags"),
        Row("pmr", "priority mask"),
        Row("running_priority", "running priority"),
    ),
    "Hypervisor access": (
        Row("hypervisor", "exit and entry", lane=True),
        Row("hypervisor_access", "access", lane=True),
        Row("hcr_enables", "HCR enables", "hcr_enables"),
        Row("hcr_traps", "HCR traps", "hcr_traps"),
    ),
    "Maintenance": (
        Row("misr", "MISR", "misr"),
        Row("eisr", "EISR", radix="bin"),
        Row("elrsr", "ELRSR (empty LRs)", radix="bin"),
    ),
    "EOIcount": (Row("eoicount", "EOIcount", radix="dec"),),
    "Port": (
        Row("access", "in flight"),
        Row("el", "from", "level"),
        Row("write", "writes (MSR)"),  # one bit is drawn as a line, never as a word
        Row("encoding", "register", "register"),
        Row("operand", "written"),
        Row("outcome", "outcome", "outcome"),
        Row("result", "read"),
        Row("esr", "syndrome"),
        Row("ap0r0", "ICH_AP0R0"),
        Row("ap1r0", "ICH_AP1R0"),
        Row("deactivate", "physical deactivation"),
        Row("pintid", "of pINTID", radix="dec"),
    ),
}
#: Groups that are folded where the lanes already say it.
CLOSED = ("Port",)

#: Rows of each list register, in its own scope ``lr<n>``.
LIST_REGISTER: tuple[Row, ...] = (
    Row("state", "state", "state"),
    Row("vintid", "vINTID", radix="dec"),
    Row("priority", "priority"),
    Row("group", "Group 1"),
    Row("hw", "HW"),
    Row("pintid", "pINTID", radix="dec"),
)
