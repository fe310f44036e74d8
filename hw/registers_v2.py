"""The memory-mapped CPU interface registers of GICv2: GICH, GICV and GICC, once.

GICH and GICV take a :class:`hw.config_v2.GicV2Config`, GICC takes a
:class:`hw.config_physical.PhysicalConfig`. Source: spec section 1.9.
"""

from __future__ import annotations

from hw.fields import Access, Field, LRState, bits
from hw.mmio import Frame, MmioRegister

__all__ = ["LR_CPUID", "LR_EOI", "REGISTERS_V2"]

_RO, _WO, _RW = Access.RO, Access.WO, Access.RW

_HCR = (
    bits("En", 0, 0, "Virtual CPU interface enable"),
    bits("UIE", 1, 1, "Underflow maintenance interrupt enable"),
    bits("LRENPIE", 2, 2, "LR entry not present maintenance interrupt enable"),
    bits("NPIE", 3, 3, "No pending maintenance interrupt enable"),
    bits("VGrp0EIE", 4, 4, "VM enable Group 0 maintenance interrupt enable"),
    bits("VGrp0DIE", 5, 5, "VM disable Group 0 maintenance interrupt enable"),
    bits("VGrp1EIE", 6, 6, "VM enable Group 1 maintenance interrupt enable"),
    bits("VGrp1DIE", 7, 7, "VM disable Group 1 maintenance interrupt enable"),
    bits("EOICount", 31, 27, "Deactivations that found no list register"),
)
_VTR = (
    bits("ListRegs", 5, 0, "List registers less one", _RO, reset=lambda c: c.lrs - 1),
    bits("PREbits", 28, 26, "Preemption bits less one", _RO, reset=lambda c: c.pre_bits - 1),
    bits("PRIbits", 31, 29, "Priority bits less one", _RO, reset=lambda c: c.pri_bits - 1),
)
_VMCR = (
    bits("VMGrp0En", 0, 0, "GICV_CTLR.EnableGrp0"),
    bits("VMGrp1En", 1, 1, "GICV_CTLR.EnableGrp1"),
    bits("VMAckCtl", 2, 2, "GICV_CTLR.AckCtl"),
    bits("VMFIQEn", 3, 3, "GICV_CTLR.FIQEn"),
    bits("VMCBPR", 4, 4, "GICV_CTLR.CBPR"),
    bits("VEM", 9, 9, "GICV_CTLR.EOImode"),
    bits("VMABP", 20, 18, "GICV_ABPR, never below its minimum", reset=lambda c: c.min_bpr1),
    bits("VMBP", 23, 21, "GICV_BPR, never below its minimum", reset=lambda c: c.min_bpr0),
    bits("VMPriMask", 31, 27, "GICV_PMR[7:3]"),
)
_MISR = (
    bits("EOI", 0, 0, "Some EISR bit is set (MNT-8)", _RO),
    bits("U", 1, 1, "Underflow: at most one valid LR (MNT-4)", _RO),
    bits("LRENP", 2, 2, "EOICount is not zero (MNT-6)", _RO),
    bits("NP", 3, 3, "No LR is pending (MNT-5)", _RO),
    bits("VGrp0E", 4, 4, "Group 0 is enabled (MNT-7)", _RO),
    bits("VGrp0D", 5, 5, "Group 0 is disabled (MNT-7)", _RO),
    bits("VGrp1E", 6, 6, "Group 1 is enabled (MNT-7)", _RO),
    bits("VGrp1D", 7, 7, "Group 1 is disabled (MNT-7)", _RO),
)
_LR = (
    bits("VirtualID", 9, 0, "Virtual INTID"),
    bits("PhysicalID", 19, 10, "HW=1: physical INTID; HW=0: bit 19 is EOI, bits [12:10] are CPUID"),
    bits("Priority", 27, 23, "Priority[7:3], lower is more urgent"),
    bits("State", 29, 28, "Interrupt state", values=LRState),
    bits("Grp1", 30, 30, "0: Group 0, 1: Group 1"),
    bits("HW", 31, 31, "Deactivation also deactivates the physical interrupt PhysicalID"),
)
#: GICH_LR<n> while HW is 0: raise a maintenance interrupt when the entry becomes empty (in PhysicalID).
LR_EOI: Field = bits("EOI", 19, 19, "Maintenance interrupt when the entry becomes empty")
#: GICH_LR<n> while HW is 0 and VirtualID an SGI: the requesting PE (in PhysicalID; V2-3).
LR_CPUID: Field = bits("CPUID", 12, 10, "Requesting PE of an SGI")


def _status(word: int) -> tuple[Field, ...]:
    return (bits("Status", 31, 0, f"One bit for each list register from {32 * word}", _RO),)


def _gich() -> list[MmioRegister]:
    def one(name, offset, access, fields, doc, **more):
        return MmioRegister(f"GICH_{name}", Frame.GICH, offset, access, 32, fields, doc, **more)

    table = [
        one("HCR", 0x00, _RW, _HCR, "Hypervisor control"),
        one("VTR", 0x04, _RO, _VTR, "Parameters of this build (REG-1)"),
        one("VMCR", 0x08, _RW, _VMCR, "The guest's control registers, one storage (REG-5)"),
        one("MISR", 0x10, _RO, _MISR, "Maintenance interrupt status"),
    ]
    for n in range(2):
        table += [
            one(f"EISR{n}", 0x20 + 4 * n, _RO, _status(n), "LRs with an EOI maintenance interrupt (MNT-1)",
                index=n),
            one(f"ELRSR{n}", 0x30 + 4 * n, _RO, _status(n), "Empty LRs (MNT-2)", index=n),
        ]  # fmt: skip
    active = (bits("P", 31, 0, "Active priorities of both groups, bit i is level i"),)
    table.append(one("APR", 0xF0, _RW, active, "Active priorities (V2-1)"))
    table += [
        one(f"LR{n}", 0x100 + 4 * n, _RW, _LR, f"List register {n}", index=n,
            exists=lambda config, n=n: n < config.lrs)
        for n in range(64)
    ]  # fmt: skip
    return table


_CTLR = (
    bits("EnableGrp0", 0, 0, "Group 0 enable"),
    bits("EnableGrp1", 1, 1, "Group 1 enable"),
    bits("AckCtl", 2, 2, "1: IAR, EOIR and HPPIR serve Group 1 too (V2-2)"),
    bits("FIQEn", 3, 3, "1: Group 0 is signalled as FIQ (V2-4)"),
    bits("CBPR", 4, 4, "BPR serves both groups"),
    bits("EOImode", 9, 9, "1: EOIR only drops priority, DIR deactivates"),
)
_PMR = (bits("Priority", 7, 0, "Priority mask; only lower values pass", impl=lambda c: c.pri_mask),)
_RPR = (bits("Priority", 7, 0, "Running group priority, 0xFF idle", _RO, reset=0xFF),)
_BPR = (bits("BinaryPoint", 2, 0, "Group 0 binary point", reset=lambda c: c.min_bpr0),)
_ABPR = (bits("BinaryPoint", 2, 0, "Group 1 binary point", reset=lambda c: c.min_bpr1),)
_INTID = (
    bits("INTID", 9, 0, "Interrupt identifier"),
    bits("CPUID", 12, 10, "Requesting PE of an SGI (V2-3)"),
)
#: Architecture version 2, implementer Arm, no product and no revision: what the recorded machines read.
_IIDR = (
    bits("Implementer", 11, 0, "JEP106 code", _RO, reset=0x43B),
    bits("Revision", 15, 12, "Revision", _RO),
    bits("Architecture", 19, 16, "GIC architecture version", _RO, reset=2),
    bits("ProductID", 31, 20, "Product", _RO),
)

#: name, offset, access, fields, text; the same in GICC and GICV.
_CPU_INTERFACE = (
    ("CTLR", 0x00, _RW, _CTLR, "Control"),
    ("PMR", 0x04, _RW, _PMR, "Priority mask"),
    ("BPR", 0x08, _RW, _BPR, "Group 0 binary point"),
    ("IAR", 0x0C, _RO, _INTID, "Acknowledge (V2-2)"),
    ("EOIR", 0x10, _WO, _INTID, "End of interrupt"),
    ("RPR", 0x14, _RO, _RPR, "Running priority (REG-11)"),
    ("HPPIR", 0x18, _RO, _INTID, "Highest pending (V2-2)"),
    ("ABPR", 0x1C, _RW, _ABPR, "Group 1 binary point"),
    ("AIAR", 0x20, _RO, _INTID, "Group 1 acknowledge (V2-2)"),
    ("AEOIR", 0x24, _WO, _INTID, "Group 1 end of interrupt (V2-2)"),
    ("AHPPIR", 0x28, _RO, _INTID, "Group 1 highest pending (V2-2)"),
    ("IIDR", 0xFC, _RO, _IIDR, "Identification"),
    ("DIR", 0x1000, _WO, _INTID, "Deactivate, alone in the second page (DIR-1..4, TRP-11)"),
)


def _active_priorities(frame: Frame, name: str, offset: int, doc: str) -> list[MmioRegister]:
    fields = (bits("P", 31, 0, "Active priorities, bit i of word n is level 32n+i"),)
    return [
        MmioRegister(f"{frame.name}_{name}{n}", frame, offset + 4 * n, _RW, 32, fields,
                     f"{doc}, word {n}", n, lambda config, n=n: n < config.apr_words)
        for n in range(4)
    ]  # fmt: skip


def _cpu_interface(frame: Frame) -> list[MmioRegister]:
    return [
        MmioRegister(f"{frame.name}_{name}", frame, offset, access, 32, fields, doc,
                     read_effect=name in ("IAR", "AIAR"))
        for name, offset, access, fields, doc in _CPU_INTERFACE
    ]  # fmt: skip


#: Every GICH, GICV and GICC register, in table order.
REGISTERS_V2: tuple[MmioRegister, ...] = tuple(
    _gich()
    + _cpu_interface(Frame.GICV)
    + _active_priorities(Frame.GICV, "APR", 0xD0, "Active priorities of both groups (V2-1)")
    + _cpu_interface(Frame.GICC)
    + _active_priorities(Frame.GICC, "APR", 0xD0, "Group 0 active priorities")
    + _active_priorities(Frame.GICC, "NSAPR", 0xE0, "Group 1 active priorities")
)
