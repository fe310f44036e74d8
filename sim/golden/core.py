"""The golden model's front: system-register dispatch, UNDEFINED cases and traps (TRP-*)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from hw.config import GicConfig
from hw.registers import REGISTERS, Redirect, Register, Space, Trap, lookup
from sim.deviations import STRICT, Deviations
from sim.golden import bits
from sim.golden.interrupts import Interrupts
from sim.port import ESR_UNDEF, Access, Outcome, Response, sysreg_esr

__all__ = ["Golden"]

_OK = Outcome.OK
_DONE = Response(Outcome.OK)
_UNDEFINED = Response(Outcome.UNDEF, 0, ESR_UNDEF)

#: ICH_HCR_EL2 bits that trap a register at EL1 (TRP-1..3); SGI registers have more causes (TRP-4).
_TRAP_BITS = {
    Trap.NONE: 0,
    Trap.COMMON: bits.HCR_TC,
    Trap.GROUP0: bits.HCR_TALL0,
    Trap.GROUP1: bits.HCR_TALL1,
    Trap.DIR: bits.HCR_TC | bits.HCR_TDIR,
    Trap.SGI: bits.HCR_TC,
}

#: Reads of an idle physical interface, by encoding (deviation PHY only).
_IDLE_PHYSICAL = {
    lookup(f"ICC_{name}_EL1").encoding: value
    for name, value in {
        "IAR0": 1023, "IAR1": 1023, "HPPIR0": 1023, "HPPIR1": 1023, "RPR": 0xFF, "PMR": 0xFF
    }.items()
}  # fmt: skip


class _El1Entry(NamedTuple):
    """What the EL1 path needs to know of one MRS or MSR that is not UNDEFINED everywhere."""

    execute: Callable[..., int | None] | None  # None: there is nothing behind it but the physical side
    trap_bits: int
    fmo: bool  # FMO redirects to the virtual interface
    imo: bool  # IMO redirects to the virtual interface
    sgi: bool  # TRP-4
    igrpen: bool  # under fine-grained traps
    sre: bool  # ICC_SRE_EL1: answers whatever SRE says
    el2_only: bool  # UNDEFINED at EL1 unless HCR_EL2.NV


class Golden(Interrupts):
    """Untimed reference model of one GICv3 virtual CPU interface.

    Written from the specification alone; it shares nothing with the gateware but the register table and
    the parameters. Every access is complete when the call returns.

    Parameters
    ----------
    config : GicConfig
        The build to model.
    deviations : Deviations
        Where to depart from the architecture on purpose; nowhere by default. ``effects`` then names the
        switches that took effect (see :meth:`access`).
    """

    def __init__(self, config: GicConfig, deviations: Deviations = STRICT) -> None:
        super().__init__(config, deviations)
        self._deviates = deviations != STRICT
        self._el2: dict[int, tuple[Callable[..., int | None] | None, bool]] = {}
        self._el1: dict[int, _El1Entry] = {}
        self._q7_keys: set[int] = set()
        self._surplus: dict[int, int] = {}
        for register in REGISTERS:
            if register.space is not Space.ICV:
                self._enter(register)

    def reset(self) -> None:
        """Return every register to its reset value (REG-13) and forget deactivations and effects."""
        self.clear()
        for encoding in self._surplus:
            self._surplus[encoding] = 0

    def access(self, access: Access) -> Response:
        """Execute one MRS or MSR, or fault it without any effect (TRP-5, TRP-6).

        Parameters
        ----------
        access : Access
            At EL1 the ICC register, or the ICV register that stands for it. Values are 64 bits wide.

        Returns
        -------
        Response
            ``UNDEF`` at EL0 and EL3, for the wrong direction, an LR or APR word that the build lacks, an
            unknown encoding, ICH_* at EL1, and what would reach the physical interface.

        Notes
        -----
        ``effects`` is emptied first and then holds the deviations whose code took another course than the
        architecture's in this access; a later :meth:`lines`, :meth:`state` or MISR read adds those that
        show in them. What a deviation left behind in the state is seen later only by comparison with a
        strict model that executed the same accesses.
        """
        el, register, is_write, value, rt, context = access
        key = register.encoding << 1 | is_write
        if self._deviates:
            self.effects.clear()
            if el == 1 and key in self._q7_keys:
                self.effects.add("Q7")
        if el == 1:
            entry = self._el1.get(key)
            if entry is None:
                return _UNDEFINED
            execute, trap_bits, fmo, imo, sgi, igrpen, sre, el2_only = entry
            if el2_only:
                if context.nv:
                    return Response(Outcome.TRAP_EL2, 0, sysreg_esr(register.encoding, is_write, rt))
                return _UNDEFINED
            if not sre:
                if not context.sre_el1:
                    return Response(Outcome.TRAP_EL1, 0, sysreg_esr(register.encoding, is_write, rt))
                if (
                    self.hcr & trap_bits
                    or (sgi and (context.imo or context.fmo))
                    or (igrpen and (context.hfgwtr_igrpen if is_write else context.hfgrtr_igrpen))
                ):
                    return Response(Outcome.TRAP_EL2, 0, sysreg_esr(register.encoding, is_write, rt))
                if execute is None or not ((imo and context.imo) or (fmo and context.fmo)):
                    return self._physical(register, is_write, value)
        elif el == 2:
            found = self._el2.get(key)
            if found is None:
                return _UNDEFINED
            execute, needs_sre = found
            if needs_sre and not context.sre_el2:
                return Response(Outcome.TRAP_EL2, 0, sysreg_esr(register.encoding, is_write, rt))
            if execute is None:
                return self._physical(register, is_write, value)
        else:
            return _UNDEFINED
        if is_write:
            execute(value)
            return _DONE
        return Response(_OK, execute())

    def _physical(self, register: Register, is_write: bool, operand: int) -> Response:
        """Answer an access that reaches the physical interface: these builds have none (TRP-9)."""
        value = _IDLE_PHYSICAL.get(register.encoding)
        if value is None or is_write or not self.deviations.phy_idle_interface:
            return _UNDEFINED
        self.effects.add("PHY")
        return Response(_OK, value)

    # -- dispatch tables -------------------------------------------------------------------------------

    def _enter(self, register: Register) -> None:
        """Put the reads and writes of a register into both tables; what is missing there is UNDEFINED."""
        sre = register.name in ("ICC_SRE_EL1", "ICC_SRE_EL2")
        ich = register.space is Space.ICH
        exists = register.exists(self.config)
        exists_el1 = exists_el2 = exists
        if register.name.startswith("ICC_AP"):
            exists_el1, exists_el2 = self._exists_at_el1(register), self._exists_at_el2(register)
        executors = self._executors(register) if exists or exists_el1 or exists_el2 else (None, None)
        for is_write, allowed in ((False, register.readable), (True, register.writable)):
            if not allowed:
                continue
            key = register.encoding << 1 | is_write
            execute = executors[is_write]
            if exists_el1 != exists:
                self._q7_keys.add(key)
            if exists_el2 and register.min_el <= 2:
                self._el2[key] = (execute if ich or sre else None, not sre)
            if exists_el1 and register.min_el <= 2:
                self._el1[key] = _El1Entry(
                    execute,
                    _TRAP_BITS[register.trap],
                    register.redirect in (Redirect.FMO, Redirect.EITHER),
                    register.redirect in (Redirect.IMO, Redirect.EITHER),
                    register.trap is Trap.SGI,
                    register.name in ("ICC_IGRPEN0_EL1", "ICC_IGRPEN1_EL1"),
                    register.name == "ICC_SRE_EL1",
                    register.min_el == 2,
                )

    def _exists_at_el1(self, register: Register) -> bool:
        """Whether an APR word exists at EL1: the same words as at EL2 (REG-9), unless Q7."""
        physical = self.deviations.q7_el1_pri_bits
        if not physical:
            return register.exists(self.config)
        return register.index < 1 << max(min(physical, 7) - 5, 0)

    def _exists_at_el2(self, register: Register) -> bool:
        """Whether an ICC APR word exists at EL2: without a physical side, the same words (REG-9)."""
        return register.exists(self.config)

    def _write_surplus(self, encoding: int, value: int) -> None:
        self._surplus[encoding] = value & 0xFFFF_FFFF

    def _executors(self, register: Register) -> tuple[Callable[[], int] | None, Callable[[int], None] | None]:
        """Return the (read, write) methods of a register; None where there is none."""
        stem = register.name.split("_")[1]  # ICH_LR3_EL2: LR3
        n = register.index
        if stem == "SRE":
            return partial(register.reset_value, self.config), _ignore
        if stem.startswith("LR"):
            return partial(self.read_lr, n), partial(self.write_lr, n)
        if stem.startswith("AP"):
            group = int(stem[2])
            if not register.exists(self.config):  # Q7: such a word is stored and has no other effect
                self._surplus[register.encoding] = 0
                read = partial(self._surplus.__getitem__, register.encoding)
                return read, partial(self._write_surplus, register.encoding)
            return partial(self.read_apr, group, n), partial(self.write_apr, group, n)
        if stem[:-1] in ("IAR", "HPPIR", "EOIR"):
            group = int(stem[-1])
            reader = {"IAR": self.read_iar, "HPPIR": self.read_hppir}.get(stem[:-1])
            writer = self.write_eoir if stem[:-1] == "EOIR" else None
            return reader and partial(reader, group), writer and partial(writer, group)
        if stem == "RPR":
            return self.running_priority, None
        name = stem.lower()
        return getattr(self, f"read_{name}", None), getattr(self, f"write_{name}", None)


def _ignore(value: int) -> None:
    """Take a write that has no effect (ICC_SRE_ELx of a system-register-only build)."""
