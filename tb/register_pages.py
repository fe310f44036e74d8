"""The register documentation, made from the register table for one configuration."""

from __future__ import annotations

from collections.abc import Iterable

from hw.bus import BusFrame
from hw.bus_access import GICV2_MAP
from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from hw.mmio import Frame, MmioRegister
from hw.mmio_map import MMIO_REGISTERS
from hw.registers import REGISTERS, Access, Field, Redirect, Register, Space, Trap
from hw.sysreg_window import window_offset

__all__ = [
    "Build",
    "build_of",
    "encoding_name",
    "index_tables",
    "mapped_registers",
    "register_index",
    "register_page",
]


def encoding_name(encoding: int) -> str:
    """Return a packed encoding as assemblers spell it, such as ``S3_0_C12_C12_0``."""
    op0, op1 = encoding >> 14, encoding >> 11 & 7
    return f"S{op0}_{op1}_C{encoding >> 7 & 15}_C{encoding >> 3 & 15}_{encoding & 7}"


def _bits(field: Field) -> str:
    high = field.lsb + field.width - 1
    return f"[{high}]" if field.width == 1 else f"[{high}:{field.lsb}]"


def _values(field: Field) -> str:
    if field.values is None:
        return ""
    return " (" + ", ".join(f"{int(value)} {value.name}" for value in field.values) + ")"


#: What a page describes: a register of a build.
Build = GicConfig | GicV2Config | PhysicalConfig


def _frame_config(frame: Frame, config: GicConfig | GicV2Config) -> GicV2Config | PhysicalConfig:
    """Return the build of a frame: as many LRs as ``config``, and the default physical side."""
    if frame in (Frame.GICH, Frame.GICV):
        return GicV2Config(config.lrs)
    return PhysicalConfig(are=isinstance(config, GicConfig))


def build_of(register: Register | MmioRegister, config: GicConfig | GicV2Config) -> Build:
    """Return the build that a register of ``config`` belongs to."""
    return _frame_config(register.frame, config) if isinstance(register, MmioRegister) else config


def mapped_registers(config: GicConfig | GicV2Config) -> list[MmioRegister]:
    """Return the memory-mapped registers to describe; of the distributor those that a build has.

    With a :class:`hw.config_v2.GicV2Config` those of its frames as well; a GICv3 is described beside a GICv2
    of four list registers and more.
    """
    all_of = (Frame.GICC, Frame.GICH, Frame.GICV) if isinstance(config, GicConfig) else ()
    return [
        register
        for register in MMIO_REGISTERS
        if register.frame in all_of or register.exists(_frame_config(register.frame, config))
    ]


def _implemented(field: Field, config: Build) -> str:
    """Say which of the field's bits this build has; only stored fields are filtered."""
    mask = field.implemented(config)
    if field.access.value != "RW" or mask == (1 << field.width) - 1:
        return "all"
    if not mask:
        return "RES0"
    return f"{mask:#x}"


def _markdown_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _reset(register: Register | MmioRegister, config: Build) -> str:
    """Return the reset value of storage; status that follows other storage has none of its own."""
    if not register.exists(config):
        return "RES0" if isinstance(register, MmioRegister) else "UNDEFINED"
    value = register.reset_value(config)
    if register.access is Access.WO or not register.fields:
        return "none"
    if register.access is Access.RO and not value:
        return "computed"
    return f"{value:#x}"


def _facts(register: Register, config: GicConfig) -> list[str]:
    """Return what holds for the register as a whole, one sentence each."""
    accessors = [name for name, has in (("MRS", register.readable), ("MSR", register.writable)) if has]
    facts = [
        f"{register.access.value}, {register.width} bits, {encoding_name(register.encoding)} "
        f"(packed {register.encoding:#06x}, {' and '.join(accessors)}); "
        f"reset value: {_reset(register, config)}"
    ]
    if not register.exists(config):
        facts.append("Every access is UNDEFINED in this configuration")
    if register.space is Space.ICV:
        facts.append(f"Reached at EL1 through the encoding of {register.name.replace('ICV', 'ICC')}")
    if register.redirect is not Redirect.NONE and register.virtual:
        facts.append(f"At EL1 it is {register.virtual} while HCR_EL2.{register.redirect.value} is 1 (TRP-9)")
    if register.trap is not Trap.NONE:
        facts.append(f"Trapped from EL1 by ICH_HCR_EL2.{register.trap.value} (TRP-1 to TRP-4)")
    if register.read_effect:
        facts.append("The read is destructive: it happens once, at commit (IAR-8)")
    if not register.name.startswith("ICV"):
        levels = range(register.min_el, 3)
        places = " and ".join(f"{window_offset(register.encoding, el):#x} at EL{el}" for el in levels)
        facts.append(f"In the window of an export with a bus: {places}")
    return facts


def _mmio_facts(register: MmioRegister, config: Build) -> list[str]:
    """Return what holds for the memory-mapped register as a whole, one sentence each."""
    sizes = " or ".join(map(str, register.sizes))
    facts = [
        f"{register.access.value}, {register.width} bits at offset {register.offset:#x} of "
        f"{register.frame.name}, the {register.frame.value}; accesses of {sizes} bytes, aligned; "
        f"reset value: {_reset(register, config)}"
    ]
    if not register.exists(config):
        facts.append("It reads 0 and ignores writes in this configuration")
    if register.read_effect:
        facts.append("The read is destructive (IAR-8)")
    if register.frame in (Frame.GICH, Frame.GICV):
        base, _ = GICV2_MAP.places[BusFrame[register.frame.name]]
        facts.append(f"In an export with a bus: {base + register.offset:#x}")
    return facts


def register_page(register: Register | MmioRegister, config: GicConfig | GicV2Config) -> str:
    """Return one register's page in Markdown: access, place, reset, traps and every field.

    Parameters
    ----------
    register : Register or MmioRegister
        An entry of a register table.
    config : GicConfig or GicV2Config
        The build; it decides which bits exist and what they reset to. GICH and GICV are described for
        as many list registers; the frames of the physical side for its default parameters.

    Raises
    ------
    InputError
        When a GICv2 has no such register.
    """
    build = build_of(register, config)
    if isinstance(register, MmioRegister):
        about = _mmio_facts(register, build)
    elif not isinstance(config, GicConfig):
        raise InputError(f"{register.name} is a system register, and a GICv2 has none; leave out --gic v2")
    else:
        about = _facts(register, config)
    facts = "".join(f"- {fact}.\n" for fact in about)
    rows = [
        (
            _bits(field),
            field.name,
            field.access.value if register.access.value == "RW" else register.access.value,
            _implemented(field, build),
            f"{field.reset(build):#x}",
            field.doc + _values(field),
        )
        for field in reversed(register.fields)
    ]
    page = f"### {register.name}\n\n{register.doc}.\n\n{facts}"
    if not rows:
        return page
    return page + "\n" + _markdown_table(("bits", "field", "access", "bits here", "reset", "meaning"), rows)


def register_index(config: GicConfig | GicV2Config) -> str:
    """Return the overview in Markdown: every register, where it is, its access, trap and reset value."""
    return "\n".join(_markdown_table(head, rows) for head, rows in index_tables(config))


def index_tables(config: GicConfig | GicV2Config) -> list[tuple[tuple[str, ...], list[tuple[str, ...]]]]:
    """Return the tables of the overview: headings and rows; the first only for a GICv3."""
    system = [
        (
            register.name,
            f"{register.encoding:#06x}",
            register.access.value,
            register.trap.value if register.trap is not Trap.NONE else "",
            _reset(register, config),
            register.doc,
        )
        for register in (REGISTERS if isinstance(config, GicConfig) else ())
    ]
    mapped = [
        (
            register.name,
            f"{register.frame.name}+{register.offset:#05x}",
            register.access.value,
            _reset(register, _frame_config(register.frame, config)),
            register.doc,
        )
        for register in mapped_registers(config)
    ]
    tables = [
        (("register", "encoding", "access", "EL1 trap", "reset", "meaning"), system),
        (("register", "offset", "access", "reset", "meaning"), mapped),
    ]
    return [table for table in tables if table[1]]
