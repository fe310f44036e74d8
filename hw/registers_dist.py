"""The register table of the distributor (GICD) and of the redistributors (GICR), once.

Functions of a configuration take a :class:`hw.config_physical.PhysicalConfig`. The rules behind the
registers are numbered in :mod:`hw.distributor_rules`. Source: the Arm register pages of GICD_* and GICR_*
with GICD_CTLR.DS at 1 and no EL3, and IHI 0048 for the GICv2 form.

A register that depends on how many PEs there are, or on which one is asked (GICD_TYPER.CPUNumber,
GICR_TYPER), shows zeros in those fields here. The offsets of GICR registers are within one PE's frame of
:data:`GICR_STRIDE` bytes (DIST-34).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hw.config_physical import PhysicalConfig
from hw.fields import Access, Field, bits
from hw.mmio import BYTES_OR_WORD, WORD, WORD_OR_DOUBLE, Frame, MmioRegister

__all__ = ["GICR_STRIDE", "REGISTERS_DIST", "SGI_BASE"]

#: Distance of two PEs' redistributor frames, in bytes.
GICR_STRIDE = 0x20000
#: Where the second page of a redistributor, its SGIs and PPIs, starts.
SGI_BASE = 0x10000
#: Words of 32 interrupts that the largest distributor has.
_WORDS = 31

_RO, _WO, _RW = Access.RO, Access.WO, Access.RW
_Exists = Callable[[PhysicalConfig], bool]


def _always(config: PhysicalConfig) -> bool:
    return True


def _are(config: PhysicalConfig) -> bool:
    return config.are


def _not_are(config: PhysicalConfig) -> bool:
    return not config.are


def _word_exists(n: int) -> _Exists:
    return lambda config: 32 * n < config.intids


def _router_exists(intid: int) -> _Exists:
    return lambda config: config.are and intid < config.intids


def _one(
    frame: Frame,
    name: str,
    offset: int,
    access: Access,
    fields: tuple[Field, ...],
    doc: str,
    index: int = 0,
    width: int = 32,
    sizes: tuple[int, ...] = WORD,
    exists: _Exists = _always,
) -> MmioRegister:
    return MmioRegister(
        name=f"{frame.name}_{name}", frame=frame, offset=offset, access=access, width=width, fields=fields,
        doc=doc, index=index, exists=exists, sizes=sizes,
    )  # fmt: skip


# -- interrupts: rows that GICD and GICR share ------------------------------------------------------------

#: Name, first offset, field, text: one bit for each interrupt, 32 to a register.
_BITS = (
    ("IGROUPR", 0x080, "Group_status", "Interrupt group"),
    ("ISENABLER", 0x100, "Set_enable", "Enable forwarding (DIST-7)"),
    ("ICENABLER", 0x180, "Clear_enable", "Disable forwarding (DIST-7)"),
    ("ISPENDR", 0x200, "Set_pending", "Set the latch; reads pending (DIST-3, DIST-5)"),
    ("ICPENDR", 0x280, "Clear_pending", "Clear the latch; reads pending (DIST-4, DIST-5)"),
    ("ISACTIVER", 0x300, "Set_active", "Make active (DIST-6)"),
    ("ICACTIVER", 0x380, "Clear_active", "Make not active (DIST-6)"),
)


def _bytes(name: str, doc: str, implemented: Callable[[PhysicalConfig], int] | None = None):
    return tuple(
        bits(f"{name}_offset_{n}B", 8 * n + 7, 8 * n, doc, impl=implemented) for n in range(4)
    )  # fmt: skip


_PRIORITY = _bytes("Priority", "Priority, lower is more urgent", lambda c: c.pri_mask)
_TARGETS = _bytes("CPU_targets", "One bit for each PE (DIST-16)")
_SOURCES = _bytes("SGI_pending", "One bit for each source PE (DIST-28)")
#: Bit 2x+1 is 1 for an edge interrupt; the even bits are RES0 (DIST-9).
_CONFIG = (bits("Int_config", 31, 0, "2: edge, 0: level", impl=lambda c: 0xAAAA_AAAA),)
_SGI_CONFIG = (bits("Int_config", 31, 0, "SGIs are edge", _RO, reset=0xAAAA_AAAA),)


def _interrupts(frame: Frame, base: int, words: int) -> list[MmioRegister]:
    """Return the rows of ``words`` times 32 interrupts, the first of them INTID 0."""
    table = []
    for name, offset, field, doc in _BITS:
        fields = (bits(field, 31, 0, doc),)
        for n in range(words):
            table.append(
                _one(frame, f"{name}{n}", base + offset + 4 * n, _RW, fields, doc, n, exists=_word_exists(n))
            )
    for n in range(8 * words):
        table.append(
            _one(frame, f"IPRIORITYR{n}", base + 0x400 + 4 * n, _RW, _PRIORITY, "Priorities (DIST-10)", n,
                 sizes=BYTES_OR_WORD, exists=_word_exists(n // 8))
        )  # fmt: skip
    for n in range(2 * words):
        fields = _CONFIG if n else _SGI_CONFIG
        table.append(
            _one(frame, f"ICFGR{n}", base + 0xC00 + 4 * n, _RW if n else _RO, fields,
                 "Level or edge (DIST-9)", n, exists=_word_exists(n // 2))
        )  # fmt: skip
    return table


# -- GICD -------------------------------------------------------------------------------------------------

_GICD_CTLR = (
    bits("EnableGrp0", 0, 0, "Forward Group 0 interrupts"),
    bits("EnableGrp1", 1, 1, "Forward Group 1 interrupts"),
    bits("ARE", 4, 4, "Affinity routing", _RO, reset=lambda c: int(c.are)),
    bits("DS", 6, 6, "One Security state", _RO, reset=lambda c: int(c.are)),
    bits("RWP", 31, 31, "A write is in progress: never seen", _RO),
)
_GICD_TYPER = (
    bits("ITLinesNumber", 4, 0, "Words of 32 interrupts, less one", _RO, reset=lambda c: c.spis // 32),
    bits("CPUNumber", 7, 5, "GICv2: PEs less one", _RO),
    bits("SecurityExtn", 10, 10, "Two Security states", _RO),
    bits("LPIS", 17, 17, "LPIs supported", _RO),
    bits("IDbits", 23, 19, "INTID bits less one", _RO, reset=lambda c: (c.id_bits - 1) * c.are),
    bits("A3V", 24, 24, "Non-zero Affinity 3 supported", _RO, reset=lambda c: int(c.a3v)),
    bits("No1N", 25, 25, "1 of N is not supported", _RO),
)
_IIDR = (
    bits("Implementer", 11, 0, "JEP106 code", _RO, reset=0x43B),
    bits("Revision", 15, 12, "Revision", _RO),
    bits("Variant", 19, 16, "Variant", _RO),
    bits("ProductID", 31, 24, "Product", _RO),
)
_PIDR2 = (bits("ArchRev", 7, 4, "GIC architecture version", _RO, reset=lambda c: 3 if c.are else 2),)
_SGIR = (
    bits("INTID", 3, 0, "SGI number"),
    bits("NSATT", 15, 15, "Ignored: the group does not matter", impl=lambda c: 0),
    bits("CPUTargetList", 23, 16, "One bit for each PE"),
    bits("TargetListFilter", 25, 24, "0: the list, 1: all others, 2: this PE, 3: none (DIST-27)"),
)
_IROUTER = (
    bits("Aff0", 7, 0, "Affinity 0 of the target (DIST-14)", impl=lambda c: 0xF),
    bits("Interrupt_Routing_Mode", 31, 31, "1: one PE of several (DIST-15)"),
)


def _gicd() -> list[MmioRegister]:
    def one(name, offset, access, fields, doc, **more):
        return _one(Frame.GICD, name, offset, access, fields, doc, **more)

    table = [
        one("CTLR", 0x0000, _RW, _GICD_CTLR, "Control (DIST-35)"),
        one("TYPER", 0x0004, _RO, _GICD_TYPER, "Parameters of this build (DIST-35)"),
        one("IIDR", 0x0008, _RO, _IIDR, "Implementer"),
        *_interrupts(Frame.GICD, 0, _WORDS),
        one("SGIR", 0x0F00, _WO, _SGIR, "GICv2: generate SGIs (DIST-27)"),
        one("ICPIDR2", 0x0FE8, _RO, _PIDR2, "GICv2: peripheral identification 2", exists=_not_are),
        one("PIDR2", 0xFFE8, _RO, _PIDR2, "Peripheral identification 2", exists=_are),
    ]
    for n in range(8 * _WORDS):
        table.append(
            one(f"ITARGETSR{n}", 0x800 + 4 * n, _RW, _TARGETS, "GICv2: targets (DIST-16)", index=n,
                sizes=BYTES_OR_WORD, exists=_word_exists(n // 8))
        )  # fmt: skip
    for n in range(4):
        for name, offset in (("CPENDSGIR", 0xF10), ("SPENDSGIR", 0xF20)):
            table.append(
                one(f"{name}{n}", offset + 4 * n, _RW, _SOURCES, "GICv2: latches of SGIs (DIST-28)",
                    index=n, sizes=BYTES_OR_WORD)
            )  # fmt: skip
    for intid in range(32, 32 * _WORDS):
        table.append(
            one(f"IROUTER{intid}", 0x6000 + 8 * intid, _RW, _IROUTER, "Route of an SPI (DIST-14)",
                index=intid, width=64, sizes=WORD_OR_DOUBLE, exists=_router_exists(intid))
        )  # fmt: skip
    return table


# -- GICR -------------------------------------------------------------------------------------------------

_GICR_TYPER = (
    bits("PLPIS", 0, 0, "Physical LPIs supported", _RO),
    bits("Last", 4, 4, "Last redistributor", _RO),
    bits("DPGS", 5, 5, "GICR_CTLR.DPG supported", _RO),
    bits("Processor_Number", 23, 8, "Number of the PE", _RO),
    bits("Affinity_Value", 63, 32, "Affinity of the PE", _RO),
)
_WAKER = (
    bits("ProcessorSleep", 1, 1, "1: nothing is offered to the PE (DIST-17)", reset=1),
    bits("ChildrenAsleep", 2, 2, "Equals ProcessorSleep", _RO, reset=1),
)


def _gicr() -> list[MmioRegister]:
    def one(name, offset, access, fields, doc, **more):
        return _one(Frame.GICR, name, offset, access, fields, doc, exists=_are, **more)

    private = _interrupts(Frame.GICR, SGI_BASE, 1)
    return [
        one("CTLR", 0x0000, _RW, (), "Control: no LPIs, no DPG"),
        one("IIDR", 0x0004, _RO, _IIDR, "Implementer"),
        one("TYPER", 0x0008, _RO, _GICR_TYPER, "The PE and its place (DIST-34)", width=64,
            sizes=WORD_OR_DOUBLE),
        one("WAKER", 0x0014, _RW, _WAKER, "Power (DIST-17)"),
        one("PIDR2", 0xFFE8, _RO, _PIDR2, "Peripheral identification 2"),
        *(_with_are(register) for register in private),
    ]  # fmt: skip


def _with_are(register: MmioRegister) -> MmioRegister:
    return replace(register, exists=_are)


#: Every register, in table order.
REGISTERS_DIST: tuple[MmioRegister, ...] = tuple(_gicd() + _gicr())
