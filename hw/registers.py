"""The register table: every ICH_*, ICV_* and ICC_* register, once.

RTL layouts, the golden model, the trace reader, the wave decoders and the register documentation are
all made from :data:`REGISTERS`. Nothing else in the project states an encoding, a bit position, a reset
value or which trap bit covers a register. Source: spec sections 1.1-1.8 and 3.1, whose own sources are
the Arm register pages.

This module needs neither Amaranth nor a simulator.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from hw.config import GicConfig
from hw.errors import InputError
from hw.fields import Access, Field, HasFields, LRState
from hw.fields import bits as _f
from hw.fields import when as _when

__all__ = [
    "BY_ENCODING",
    "BY_NAME",
    "MISR_BITS",
    "REGISTERS",
    "Access",
    "Field",
    "LRState",
    "Redirect",
    "Register",
    "Space",
    "Trap",
    "lookup",
    "sys_reg",
]


class Space(enum.Enum):
    """Which interface a register belongs to."""

    ICH = "hypervisor control"
    ICV = "virtual interface"
    ICC = "physical interface"


class Trap(enum.Enum):
    """Which ICH_HCR_EL2 bits trap the register at EL1 (TRP-1..4)."""

    NONE = "none"
    COMMON = "TC"
    GROUP0 = "TALL0"
    GROUP1 = "TALL1"
    DIR = "TC or TDIR"
    SGI = "TC, or HCR_EL2.IMO or FMO"


class Redirect(enum.Enum):
    """Which HCR_EL2 bits turn an EL1 ICC access into its ICV register (TRP-9)."""

    NONE = "none"
    FMO = "FMO"
    IMO = "IMO"
    EITHER = "IMO or FMO"


def sys_reg(op0: int, op1: int, crn: int, crm: int, op2: int) -> int:
    """Pack a system-register encoding into 16 bits: op0[15:14] op1[13:11] CRn[10:7] CRm[6:3] op2[2:0]."""
    return op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2


@dataclass(frozen=True)
class Register(HasFields):
    """One system register.

    ``virtual`` names the ICV register that answers an ICC access at EL1 when ``redirect`` says so;
    ``index`` is n of LR<n> and AP<m>R<n>; ``exists(config)`` is False where an access is UNDEFINED;
    ``read_effect`` marks a destructive read (IAR-8).
    """

    name: str
    space: Space
    encoding: int
    access: Access
    width: int
    fields: tuple[Field, ...]
    doc: str
    trap: Trap = Trap.NONE
    redirect: Redirect = Redirect.NONE
    virtual: str | None = None
    index: int = 0
    exists: Callable[[GicConfig], bool] = lambda config: True
    read_effect: bool = False

    @property
    def min_el(self) -> int:
        """Lowest exception level whose name the register carries: 1, 2 or 3."""
        return int(self.name[-1])


_RO = Access.RO
_INTID = (_f("INTID", 23, 0, "Interrupt identifier", impl=lambda c: c.id_mask),)
_BPR0 = (_f("BinaryPoint", 2, 0, "Group 0 binary point", reset=lambda c: c.min_bpr0),)
_BPR1 = (_f("BinaryPoint", 2, 0, "Group 1 binary point", reset=lambda c: c.min_bpr1),)
_PMR = (_f("Priority", 7, 0, "Priority mask; only lower values pass", impl=lambda c: c.pri_mask),)
_RPR = (_f("Priority", 7, 0, "Running group priority, 0xFF idle", access=_RO, reset=0xFF),)
_ENABLE = (_f("Enable", 0, 0, "Group enable"),)
_APR = (_f("P", 31, 0, "Active priorities, bit i of word n is level 32n+i"),)
_CTLR = (
    _f("CBPR", 0, 0, "BPR0 serves both groups"),
    _f("EOImode", 1, 1, "1: EOIR only drops priority, DIR deactivates"),
    _f("PRIbits", 10, 8, "Priority bits less one", _RO, reset=lambda c: c.pri_bits - 1),
    _f("IDbits", 13, 11, "0: 16 INTID bits, 1: 24", _RO, reset=lambda c: int(c.id_bits == 24)),
    _f("SEIS", 14, 14, "Locally generated SEIs supported", _RO, reset=lambda c: int(c.seis)),
    _f("A3V", 15, 15, "Non-zero Affinity 3 supported", _RO, reset=lambda c: int(c.a3v)),
    _f("RSS", 18, 18, "Range selector support", _RO),
    _f("ExtRange", 19, 19, "INTIDs 1024..8191 supported", _RO),
)
_SGI = (
    _f("TargetList", 15, 0, "One bit for each PE of the cluster"),
    _f("Aff1", 23, 16, "Affinity 1"),
    _f("INTID", 27, 24, "SGI number"),
    _f("Aff2", 39, 32, "Affinity 2"),
    _f("IRM", 40, 40, "1: all PEs but this one"),
    _f("RS", 47, 44, "Range selector"),
    _f("Aff3", 55, 48, "Affinity 3"),
)

_HCR = (
    _f("En", 0, 0, "Virtual CPU interface enable"),
    _f("UIE", 1, 1, "Underflow maintenance interrupt enable"),
    _f("LRENPIE", 2, 2, "LR entry not present maintenance interrupt enable"),
    _f("NPIE", 3, 3, "No pending maintenance interrupt enable"),
    _f("VGrp0EIE", 4, 4, "VM enable Group 0 maintenance interrupt enable"),
    _f("VGrp0DIE", 5, 5, "VM disable Group 0 maintenance interrupt enable"),
    _f("VGrp1EIE", 6, 6, "VM enable Group 1 maintenance interrupt enable"),
    _f("VGrp1DIE", 7, 7, "VM disable Group 1 maintenance interrupt enable"),
    _f("vSGIEOICount", 8, 8, "1: SGIs do not move EOIcount", impl=lambda c: int(not c.nv4)),
    _f("TC", 10, 10, "Trap common registers"),
    _f("TALL0", 11, 11, "Trap Group 0 registers"),
    _f("TALL1", 12, 12, "Trap Group 1 registers"),
    _f("TSEI", 13, 13, "Trap locally generated SEIs", impl=_when("seis")),
    _f("TDIR", 14, 14, "Trap ICV_DIR_EL1 writes", impl=_when("tds")),
    _f("DVIM", 15, 15, "Directly injected virtual interrupts masked", impl=_when("dvim")),
    _f("EOIcount", 31, 27, "Deactivations that found no list register"),
)

_VTR = (
    _f("ListRegs", 4, 0, "List registers less one", _RO, reset=lambda c: c.lrs - 1),
    _f("DVIM", 18, 18, "HCR.DVIM implemented", _RO, reset=lambda c: int(c.dvim)),
    _f("TDS", 19, 19, "HCR.TDIR implemented", _RO, reset=lambda c: int(c.tds)),
    _f("nV4", 20, 20, "Direct injection not supported", _RO, reset=lambda c: int(c.nv4)),
    _f("A3V", 21, 21, "Non-zero Affinity 3 supported", _RO, reset=lambda c: int(c.a3v)),
    _f("SEIS", 22, 22, "Locally generated SEIs supported", _RO, reset=lambda c: int(c.seis)),
    _f("IDbits", 25, 23, "0: 16 bits, 1: 24", _RO, reset=lambda c: int(c.id_bits == 24)),
    _f("PREbits", 28, 26, "Preemption bits less one", _RO, reset=lambda c: c.pre_bits - 1),
    _f("PRIbits", 31, 29, "Priority bits less one", _RO, reset=lambda c: c.pri_bits - 1),
)

_VMCR = (
    _f("VENG0", 0, 0, "Group 0 enable (ICV_IGRPEN0)"),
    _f("VENG1", 1, 1, "Group 1 enable (ICV_IGRPEN1)"),
    _f("VAckCtl", 2, 2, "RAZ/WI while SRE is 1", _RO),
    _f("VFIQEn", 3, 3, "RAO/WI while SRE is 1", _RO, reset=1),
    _f("VCBPR", 4, 4, "ICV_CTLR.CBPR"),
    _f("VEOIM", 9, 9, "ICV_CTLR.EOImode"),
    _f("VBPR1", 20, 18, "ICV_BPR1, never below its minimum", reset=lambda c: c.min_bpr1),
    _f("VBPR0", 23, 21, "ICV_BPR0, never below its minimum", reset=lambda c: c.min_bpr0),
    _f("VPMR", 31, 24, "ICV_PMR", impl=lambda c: c.pri_mask),
)

_LR = (
    _f("vINTID", 31, 0, "Virtual INTID", impl=lambda c: c.id_mask),
    _f("pINTID", 44, 32, "HW=1: physical INTID; HW=0: bit 41 is EOI, the others are stored"),
    _f("Priority", 55, 48, "Priority, lower is more urgent", impl=lambda c: c.pri_mask),
    _f("Group", 60, 60, "0: vFIQ, 1: vIRQ"),
    _f("HW", 61, 61, "Deactivation also deactivates the physical interrupt pINTID"),
    _f("State", 63, 62, "Interrupt state", values=LRState),
)

_MISR = (
    _f("EOI", 0, 0, "Some EISR bit is set (MNT-8)", _RO),
    _f("U", 1, 1, "Underflow: at most one valid LR (MNT-4)", _RO),
    _f("LRENP", 2, 2, "EOIcount is not zero (MNT-6)", _RO),
    _f("NP", 3, 3, "No LR is pending (MNT-5)", _RO),
    _f("VGrp0E", 4, 4, "Group 0 is enabled (MNT-7)", _RO),
    _f("VGrp0D", 5, 5, "Group 0 is disabled (MNT-7)", _RO),
    _f("VGrp1E", 6, 6, "Group 1 is enabled (MNT-7)", _RO),
    _f("VGrp1D", 7, 7, "Group 1 is disabled (MNT-7)", _RO),
)
#: Names of the ICH_MISR_EL2 bits, bit 0 first.
MISR_BITS: tuple[str, ...] = tuple(field.name for field in _MISR)


def _lr_exists(n: int) -> Callable[[GicConfig], bool]:
    return lambda config: n < config.lrs


def _apr_exists(n: int) -> Callable[[GicConfig], bool]:
    return lambda config: n < config.apr_words


def _ich() -> list[Register]:
    def one(name, crm, op2, access, fields, doc, width=32, index=0, exists=lambda config: True):
        encoding = sys_reg(3, 4, 12, crm, op2)
        return Register(
            f"ICH_{name}_EL2", Space.ICH, encoding, access, width, fields, doc, index=index,
            exists=exists,
        )  # fmt: skip

    lr_status = (_f("Status", 15, 0, "One bit for each list register", _RO),)
    table = [
        one("HCR", 11, 0, Access.RW, _HCR, "Hypervisor control"),
        one("VTR", 11, 1, Access.RO, _VTR, "Parameters of this build (REG-1)"),
        one("MISR", 11, 2, Access.RO, _MISR, "Maintenance interrupt status"),
        one("EISR", 11, 3, Access.RO, lr_status, "LRs with an EOI maintenance interrupt (MNT-1)"),
        one("ELRSR", 11, 5, Access.RO, lr_status, "Empty LRs (MNT-2)"),
        one("VMCR", 11, 7, Access.RW, _VMCR, "The guest's control registers, one storage (REG-5)"),
    ]
    for n in range(16):
        table.append(
            one(f"LR{n}", 12 + n // 8, n % 8, Access.RW, _LR, f"List register {n}", 64, n,
                _lr_exists(n))
        )  # fmt: skip
    for group, crm in ((0, 8), (1, 9)):
        for n in range(4):
            table.append(
                one(f"AP{group}R{n}", crm, n, Access.RW, _APR,
                    f"Group {group} active priorities, word {n}", 32, n, _apr_exists(n))
            )  # fmt: skip
    return table


#: name, CRn, CRm, op2, access, fields, trap, redirect, text. ICV exists where redirect is not NONE.
_CPU_INTERFACE = (
    ("PMR", 4, 6, 0, Access.RW, _PMR, Trap.COMMON, Redirect.EITHER, "Priority mask"),
    ("CTLR", 12, 12, 4, Access.RW, _CTLR, Trap.COMMON, Redirect.EITHER, "Control (REG-12)"),
    ("RPR", 12, 11, 3, Access.RO, _RPR, Trap.COMMON, Redirect.EITHER, "Running priority (REG-11)"),
    ("DIR", 12, 11, 1, Access.WO, _INTID, Trap.DIR, Redirect.EITHER, "Deactivate (DIR-1..4)"),
    ("IAR0", 12, 8, 0, Access.RO, _INTID, Trap.GROUP0, Redirect.FMO, "Group 0 acknowledge"),
    ("EOIR0", 12, 8, 1, Access.WO, _INTID, Trap.GROUP0, Redirect.FMO, "Group 0 end of interrupt"),
    ("HPPIR0", 12, 8, 2, Access.RO, _INTID, Trap.GROUP0, Redirect.FMO, "Group 0 highest pending"),
    ("BPR0", 12, 8, 3, Access.RW, _BPR0, Trap.GROUP0, Redirect.FMO, "Group 0 binary point"),
    ("IGRPEN0", 12, 12, 6, Access.RW, _ENABLE, Trap.GROUP0, Redirect.FMO, "Group 0 enable"),
    ("IAR1", 12, 12, 0, Access.RO, _INTID, Trap.GROUP1, Redirect.IMO, "Group 1 acknowledge"),
    ("EOIR1", 12, 12, 1, Access.WO, _INTID, Trap.GROUP1, Redirect.IMO, "Group 1 end of interrupt"),
    ("HPPIR1", 12, 12, 2, Access.RO, _INTID, Trap.GROUP1, Redirect.IMO, "Group 1 highest pending"),
    ("BPR1", 12, 12, 3, Access.RW, _BPR1, Trap.GROUP1, Redirect.IMO, "Group 1 binary point"),
    ("IGRPEN1", 12, 12, 7, Access.RW, _ENABLE, Trap.GROUP1, Redirect.IMO, "Group 1 enable"),
)


def _cpu_interface() -> list[Register]:
    table: list[Register] = []

    def pair(name, crn, crm, op2, access, fields, trap, redirect, doc, index=0, exists=None):
        common = {
            "encoding": sys_reg(3, 0, crn, crm, op2),
            "access": access,
            "width": 32,
            "fields": fields,
            "trap": trap,
            "redirect": redirect,
            "index": index,
            "exists": exists or (lambda config: True),
            "read_effect": name.startswith("IAR"),
        }
        virtual = f"ICV_{name}_EL1"
        table.append(Register(f"ICC_{name}_EL1", Space.ICC, doc=doc, virtual=virtual, **common))
        table.append(Register(virtual, Space.ICV, doc=doc, **common))

    for row in _CPU_INTERFACE:
        pair(*row)
    for n in range(4):
        pair(f"AP0R{n}", 12, 8, 4 + n, Access.RW, _APR, Trap.GROUP0, Redirect.FMO,
             f"Group 0 active priorities, word {n}", n, _apr_exists(n))  # fmt: skip
        pair(f"AP1R{n}", 12, 9, n, Access.RW, _APR, Trap.GROUP1, Redirect.IMO,
             f"Group 1 active priorities, word {n}", n, _apr_exists(n))  # fmt: skip
    return table


def _icc_only() -> list[Register]:
    def one(name, op1, crm, op2, access, fields, doc, width=32, trap=Trap.NONE, exists=True):
        encoding = sys_reg(3, op1, 12, crm, op2)
        return Register(
            name, Space.ICC, encoding, access, width, fields, doc, trap=trap,
            exists=lambda config: exists,
        )  # fmt: skip

    def sre(reset: int) -> tuple[Field, ...]:
        bits = (("SRE", "System registers in use"), ("DFB", "No FIQ bypass"),
                ("DIB", "No IRQ bypass"), ("Enable", "Lower levels may use SRE"))  # fmt: skip
        return tuple(
            _f(name, i, i, doc, _RO, reset=1) for i, (name, doc) in enumerate(bits)
            if reset >> i & 1
        )  # fmt: skip

    return [
        one("ICC_SGI1R_EL1", 0, 11, 5, Access.WO, _SGI, "Generate Group 1 SGIs", 64, Trap.SGI),
        one("ICC_ASGI1R_EL1", 0, 11, 6, Access.WO, _SGI, "Generate Group 1 SGIs for the other "
            "Security state", 64, Trap.SGI),
        one("ICC_SGI0R_EL1", 0, 11, 7, Access.WO, _SGI, "Generate Group 0 SGIs", 64, Trap.SGI),
        one("ICC_SRE_EL1", 0, 12, 5, Access.RW, sre(0x7), "System register enable, fixed 0x7"),
        one("ICC_SRE_EL2", 4, 9, 5, Access.RW, sre(0xF), "System register enable, fixed 0xF"),
        # Registers of extensions and levels that these builds do not have: every access UNDEFINED.
        one("ICC_NMIAR1_EL1", 0, 9, 5, Access.RO, _INTID, "FEAT_GICv3_NMI acknowledge",
            exists=False),
        one("ICC_CTLR_EL3", 6, 12, 4, Access.RW, (), "EL3 control", exists=False),
        one("ICC_SRE_EL3", 6, 12, 5, Access.RW, sre(0xF), "EL3 SRE", exists=False),
        one("ICC_IGRPEN1_EL3", 6, 12, 7, Access.RW, (), "EL3 Group 1 enables", exists=False),
    ]  # fmt: skip


#: Every register, in table order.
REGISTERS: tuple[Register, ...] = tuple(_ich() + _cpu_interface() + _icc_only())
#: Register by architectural name.
BY_NAME: dict[str, Register] = {register.name: register for register in REGISTERS}
#: ICH and ICC register by encoding; the ICV register behind an ICC one is ``register.virtual``.
BY_ENCODING: dict[int, Register] = {
    register.encoding: register for register in REGISTERS if register.space is not Space.ICV
}


def lookup(name: str) -> Register:
    """Return the register called ``name``.

    Raises
    ------
    InputError
        One line that names the register and the nearest known one.
    """
    try:
        return BY_NAME[name]
    except KeyError:
        import difflib

        close = difflib.get_close_matches(name, BY_NAME, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise InputError(f"unknown register {name!r}{hint}") from None
