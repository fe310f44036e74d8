"""Decode of a system-register access and the decision whether it may execute (spec 3.1).

Two stages: :class:`Decoder` looks the encoding up in the register table; :class:`TrapUnit` applies the
PE's state and ICH_HCR_EL2. Nothing downstream acts unless the outcome is OK, which is all that TRP-5
needs.
"""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.layouts import layout_of
from hw.port import Outcome, Request
from hw.registers import BY_ENCODING, Redirect, Register, Space, Trap

__all__ = [
    "ESR_UNDEF",
    "Decoded",
    "Decoder",
    "PhysicalAccess",
    "RedirectClass",
    "Target",
    "TrapClass",
    "TrapUnit",
]

#: ESR_ELx of an UNDEFINED access: EC 0, IL 1.
ESR_UNDEF = 1 << 25
#: EC of a trapped MRS, MSR or system instruction in AArch64 state, with IL (TRP-10).
ESR_SYSREG = 0x18 << 26 | 1 << 25


#: Width of CRm and op2, the low part of an encoding.
_CRM_OP2_BITS = 7


class Target(enum.Enum, shape=5):
    """What an access reaches when it executes: registers of one kind differ by index only."""

    NONE = 0
    HCR = 1
    VTR = 2
    MISR = 3
    EISR = 4
    ELRSR = 5
    VMCR = 6
    LR = 7
    AP0R = 8
    AP1R = 9
    PMR = 10
    CTLR = 11
    RPR = 12
    DIR = 13
    IAR0 = 14
    IAR1 = 15
    EOIR0 = 16
    EOIR1 = 17
    HPPIR0 = 18
    HPPIR1 = 19
    BPR0 = 20
    BPR1 = 21
    IGRPEN0 = 22
    IGRPEN1 = 23
    SRE_EL1 = 24
    SRE_EL2 = 25
    #: SGI generation: executed by a physical interface or not at all.
    SGI1R = 26
    #: Second words and identification: GICv2 only.
    EISR1 = 27
    ELRSR1 = 28
    IIDR = 29
    ASGI1R = 30
    SGI0R = 31


class TrapClass(enum.Enum, shape=3):
    """Gateware form of :class:`hw.registers.Trap`."""

    NONE = 0
    COMMON = 1
    GROUP0 = 2
    GROUP1 = 3
    DIR = 4
    SGI = 5


class RedirectClass(enum.Enum, shape=2):
    """Gateware form of :class:`hw.registers.Redirect`."""

    NONE = 0
    FMO = 1
    IMO = 2
    EITHER = 3


class Decoded(data.Struct):
    """What the register table says of an access.

    ``defined``: the register exists in this build and the direction is allowed; ``physical``: the same for
    the physical interface, 0 without one. ``hypervisor``: an EL2 register. ``icc``: a CPU-interface
    register that needs SRE. ``igrpen``: covered by the fine-grained ICC_IGRPENn trap.
    """

    defined: 1
    physical: 1
    hypervisor: 1
    icc: 1
    igrpen: 1
    trap: TrapClass
    redirect: RedirectClass
    target: Target
    index: 4


class PhysicalAccess(data.Struct):
    """An access that passed the traps and executes in the physical interface."""

    target: Target
    index: 4
    write: 1
    value: 64


def _target(register: Register) -> Target:
    """Return the kind of a register: its name without prefix, level and index."""
    name = register.name.split("_")[1]
    if register.name.startswith("ICC_SRE"):
        return Target[register.name.removeprefix("ICC_")]
    if name.startswith("LR"):
        return Target.LR
    if name.startswith("AP"):
        return Target[name[:4]]
    return Target[name]


def _needs_sre(register: Register) -> bool:
    """Return whether a register belongs to a CPU interface, so that ICC_SRE_ELx.SRE covers it."""
    return register.space is Space.ICC and not register.name.startswith("ICC_SRE")


class Decoder(wiring.Component):
    """Look an access up in the register table; combinational.

    Parameters
    ----------
    config : GicConfig
        Decides which registers exist.
    physical : PhysicalConfig or None
        Decides which of them the physical interface has (PHY-11); None: there is none.

    Members
    -------
    request : In(Request)
        The access.
    decoded : Out(Decoded)
        Its entry; all zero for an unknown encoding.
    """

    def __init__(self, config: GicConfig, physical: PhysicalConfig | None = None):
        self._config = config
        self._physical = physical
        super().__init__({"request": In(Request), "decoded": Out(Decoded)})

    def elaborate(self, platform):
        m = Module()
        present = [r for r in BY_ENCODING.values() if r.exists(self._config) or self._is_physical(r)]
        # Few distinct op0, op1, CRn but many CRm, op2: two small decoders are shallower than one.
        encoding = self.request.encoding
        with m.Switch(encoding[_CRM_OP2_BITS:]):
            for prefix in sorted({r.encoding >> _CRM_OP2_BITS for r in present}):
                with m.Case(prefix), m.Switch(encoding[:_CRM_OP2_BITS]):
                    for register in present:
                        if register.encoding >> _CRM_OP2_BITS == prefix:
                            with m.Case(register.encoding & (1 << _CRM_OP2_BITS) - 1):
                                m.d.comb += self.decoded.eq(self._entry(register))
        return m

    def _is_physical(self, register):
        """Return whether the physical interface has the register."""
        return self._physical is not None and _needs_sre(register) and register.exists(self._physical)

    def _entry(self, register):
        allowed = Mux(self.request.write, int(register.writable), int(register.readable))
        constant = {
            "hypervisor": register.min_el == 2,
            "icc": _needs_sre(register),
            "igrpen": "IGRPEN" in register.name,
            "trap": TrapClass[register.trap.name],
            "redirect": RedirectClass[register.redirect.name],
            "target": _target(register),
            "index": register.index,
        }
        value = Decoded.const(constant).as_value()
        exists = {"defined": register.exists(self._config), "physical": self._is_physical(register)}
        return value | Mux(allowed, Decoded.const(exists).as_value(), Const(0))


class TrapUnit(wiring.Component):
    """Decide the outcome of an access (TRP-1..10, PHY-11): combinational, and its syndrome a cycle later.

    The order is: UNDEFINED by table or EL0, ICC_SRE_EL1.SRE, fine-grained and ICH_HCR_EL2 traps,
    redirection, physical interface. Without a physical interface an access that would reach it is
    UNDEFINED.

    Parameters
    ----------
    has_physical : bool
        Accesses that are not redirected reach a physical interface.

    Members
    -------
    request : In(Request)
        The access.
    decoded : In(Decoded)
        Its table entry.
    hcr : In(layout of ICH_HCR_EL2)
        Trap bits; unimplemented ones are stored as 0.
    outcome : Out(Outcome)
        OK only if the access executes.
    physical : Out(1)
        The access executes in the physical interface.
    esr : Out(32)
        Syndrome of a fault, 0 otherwise, of the outcome a cycle ago; ``request`` is steady until then.
    """

    request: In(Request)
    decoded: In(Decoded)
    hcr: In(layout_of("ICH_HCR_EL2"))
    outcome: Out(Outcome)
    physical: Out(1)
    esr: Out(32)

    def __init__(self, has_physical: bool = False):
        self._has_physical = has_physical
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        context = self.request.context
        decoded = self.decoded
        reaches = decoded.icc & ((self.request.el == 2) | ~self._redirected(context))
        defined = Mux(reaches, decoded.physical, decoded.defined) if self._has_physical else decoded.defined
        with m.If(~defined):
            m.d.comb += self.outcome.eq(Outcome.UNDEF)
        with m.Elif(self.request.el == 2):
            self._at_el2(m, context)
        with m.Elif(self.request.el == 1):
            self._at_el1(m, context)
        with m.Else():
            m.d.comb += self.outcome.eq(Outcome.UNDEF)
        if self._has_physical:
            m.d.comb += self.physical.eq((self.outcome == Outcome.OK) & reaches)
        held = Signal(Outcome)
        m.d.sync += held.eq(self.outcome)
        with m.Switch(held):
            with m.Case(Outcome.UNDEF):
                m.d.comb += self.esr.eq(ESR_UNDEF)
            with m.Case(Outcome.TRAP_EL1, Outcome.TRAP_EL2):
                m.d.comb += self.esr.eq(ESR_SYSREG | self._iss())
        return m

    def _at_el2(self, m, context):
        decoded = self.decoded
        needs_sre = decoded.icc | (decoded.hypervisor & (decoded.target != Target.SRE_EL2))
        with m.If(needs_sre & ~context.sre_el2):
            m.d.comb += self.outcome.eq(Outcome.TRAP_EL2)
        with m.Elif(decoded.icc):
            m.d.comb += self.outcome.eq(self._unredirected)
        with m.Else():
            m.d.comb += self.outcome.eq(Outcome.OK)

    def _at_el1(self, m, context):
        decoded = self.decoded
        with m.If(decoded.hypervisor):
            m.d.comb += self.outcome.eq(Mux(context.nv, Outcome.TRAP_EL2, Outcome.UNDEF))
        with m.Elif(decoded.icc & ~context.sre_el1):
            m.d.comb += self.outcome.eq(Outcome.TRAP_EL1)
        with m.Elif(self._trapped(context)):
            m.d.comb += self.outcome.eq(Outcome.TRAP_EL2)
        with m.Elif(decoded.icc & ~self._redirected(context)):
            m.d.comb += self.outcome.eq(self._unredirected)
        with m.Else():
            m.d.comb += self.outcome.eq(Outcome.OK)

    @property
    def _unredirected(self):
        """Outcome of an access that reaches the physical interface."""
        return Outcome.OK if self._has_physical else Outcome.UNDEF

    def _trapped(self, context):
        hcr, trap = self.hcr, self.decoded.trap
        fine_grained = self.decoded.igrpen & Mux(
            self.request.write, context.hfgwtr_igrpen, context.hfgrtr_igrpen
        )
        return (
            fine_grained
            | ((trap == TrapClass.COMMON) & hcr.TC)
            | ((trap == TrapClass.GROUP0) & hcr.TALL0)
            | ((trap == TrapClass.GROUP1) & hcr.TALL1)
            | ((trap == TrapClass.DIR) & (hcr.TC | hcr.TDIR))
            | ((trap == TrapClass.SGI) & (hcr.TC | context.imo | context.fmo))
        )

    def _redirected(self, context):
        redirect = self.decoded.redirect
        return (
            ((redirect == RedirectClass.FMO) & context.fmo)
            | ((redirect == RedirectClass.IMO) & context.imo)
            | ((redirect == RedirectClass.EITHER) & (context.imo | context.fmo))
        )

    def _iss(self):
        """Build op0[21:20] op2[19:17] op1[16:14] CRn[13:10] Rt[9:5] CRm[4:1] direction[0]."""
        encoding = self.request.encoding
        return (
            encoding[14:16] << 20
            | encoding[0:3] << 17
            | encoding[11:14] << 14
            | encoding[7:11] << 10
            | self.request.rt << 5
            | encoding[3:7] << 1
            | ~self.request.write
        )


#: Every trap and redirection class of the register table has its gateware form.
assert {t.name for t in Trap} == {t.name for t in TrapClass}
assert {r.name for r in Redirect} == {r.name for r in RedirectClass}
