"""Real parts as machines: what of each matters to the vgic (spec sections 15 and 4 of the CPU interface's).

One entry is a virtual CPU interface, what the kernel finds at boot. ``spillway run --part NAME`` and
``machine part NAME`` in a scenario select one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError

__all__ = ["PARTS", "Part", "part_named"]


@dataclass(frozen=True)
class Part:
    """One part.

    Parameters
    ----------
    name : str
        What it is selected by.
    title : str
        What it is, and what is special about it.
    config : GicConfig or GicV2Config
        Its virtual CPU interface.
    host : tuple of (str, bool)
        Settings of :class:`sim.kvm.host.Host` that differ from the defaults.
    unsure : str
        What of it is an assumption.
    """

    name: str
    title: str
    config: GicConfig | GicV2Config = field(default_factory=GicConfig)
    host: tuple[tuple[str, bool], ...] = ()
    unsure: str = ""


#: By name.
PARTS: dict[str, Part] = {
    part.name: part
    for part in (
        Part("cortex-a76", "GICv3 with TDIR, 4 list registers, VHE", GicConfig(nv4=False)),
        Part("gic-400", "GICv2: DIR is trapped by stage 2, 4 list registers", GicV2Config(lrs=4)),
        Part("armv8.0-no-tdir", "GICv3 without TDIR: TC stands in; nVHE", GicConfig(tds=False),
             (("vhe", False),)),
        Part("thunderx", "Cavium erratum 30115: both groups trapped and emulated; nVHE", GicConfig(),
             (("cavium_30115", True), ("vhe", False)), "that TDIR is there; the number of list registers"),
        Part("apple-m1", "SEIS is broken: both groups and DIR trapped; no HW deactivation",
             GicConfig(lrs=8, seis=True), (("apple", True), ("gicv3_cpuif", False)),
             "the number of list registers"),
        Part("16-lr-server", "GICv3 with TDIR and 16 list registers, VHE", GicConfig(lrs=16, nv4=False)),
    )
}  # fmt: skip


def part_named(name: str) -> Part:
    """Return a part.

    Raises
    ------
    InputError
        When there is none of that name.
    """
    if name not in PARTS:
        raise InputError(f"unknown part {name!r}; the parts are {', '.join(PARTS)}")
    return PARTS[name]
