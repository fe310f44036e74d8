"""The CPU port in Python: one PE's view of its CPU interface, the same for every engine.

A machine, a replay or a test is written against :class:`CpuPort` and runs on the golden model, under
Amaranth's simulator, under cocotb, compiled, or on a board. The methods are coroutines; an engine that
never waits never suspends, so plain synchronous code can drive it through :func:`run`.
The RTL form of the same contract is :mod:`hw.port`.
"""

from __future__ import annotations

import enum
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.mmio import Frame, MmioRegister
from hw.registers import Register

__all__ = [
    "CLOCK_NS",
    "ESR_UNDEF",
    "Access",
    "CpuPort",
    "Lines",
    "MmioAccess",
    "MmioPort",
    "MmioResponse",
    "Outcome",
    "PeContext",
    "Response",
    "State",
    "read",
    "run",
    "sysreg_esr",
    "touch",
    "write",
]


class Outcome(enum.IntEnum):
    """What became of an access. Only OK executes it; the others change nothing (TRP-5)."""

    OK = 0
    UNDEF = 1
    TRAP_EL1 = 2
    TRAP_EL2 = 3


class PeContext(NamedTuple):
    """The PE state that decides where an access goes (TRP-4, TRP-6, TRP-9), effective values.

    ``imo``/``fmo``: HCR_EL2.IMO/FMO. ``nv``: HCR_EL2.NV. ``sre_el1``/``sre_el2``: ICC_SRE_ELx.SRE.
    ``hfgrtr_igrpen``/``hfgwtr_igrpen``: HFGRTR_EL2/HFGWTR_EL2.ICC_IGRPENn_EL1.
    """

    imo: bool = True
    fmo: bool = True
    nv: bool = False
    sre_el1: bool = True
    sre_el2: bool = True
    hfgrtr_igrpen: bool = False
    hfgwtr_igrpen: bool = False


#: The context of a guest under an ordinary hypervisor.
GUEST = PeContext()


class Access(NamedTuple):
    """One MRS or MSR, or one load or store of a whole memory-mapped register.

    ``el``: exception level of the instruction, 0..2. ``register``: an entry of a register table; at
    EL1 pass the ICC register, as software does (an ICV register stands for its ICC encoding). ``value``:
    64-bit operand of a write. ``rt``: number of the transfer register, for the syndrome.
    A memory-mapped register is reached from any level (which pages a guest sees is the hypervisor's
    business) and answers :attr:`Outcome.OK`; ``rt`` and ``context`` play no part.
    """

    el: int
    register: Register | MmioRegister
    write: bool = False
    value: int = 0
    rt: int = 0
    context: PeContext = GUEST


class Response(NamedTuple):
    """Answer to an :class:`Access`: ``value`` of an executed read (else 0), ``esr`` of a fault (else 0)."""

    outcome: Outcome
    value: int = 0
    esr: int = 0


class MmioAccess(NamedTuple):
    """One access on the bus: ``size`` bytes (1, 2, 4 or 8) at ``offset`` of ``frame``.

    ``value``: operand of a write, right-aligned, as wide as ``size``.
    """

    frame: Frame
    offset: int
    size: int = 4
    write: bool = False
    value: int = 0


class MmioResponse(NamedTuple):
    """Answer to an :class:`MmioAccess`: ``value`` of a read, right-aligned (0 for a write).

    ``error``: nothing is mapped there, the access is not aligned, or the register does not take that size
    (:meth:`hw.mmio.MmioRegister.takes`). Nothing has changed then, and ``value`` is 0. A read of a
    write-only register (0) and a write of a read-only one (ignored) are no errors.
    """

    error: bool
    value: int = 0


class Lines(NamedTuple):
    """The level outputs, settled: vIRQ, vFIQ, the maintenance interrupt, and the physical IRQ and FIQ."""

    virq: bool
    vfiq: bool
    maintenance: bool
    irq: bool = False
    fiq: bool = False


@dataclass(slots=True)
class State:
    """All software-visible storage of a virtual CPU interface, as ICH_* or GICH_* reads would return it.

    ``misr``, ``eisr`` and ``elrsr`` are functions of the rest and are held for comparison. On a GICv2
    ``eisr`` and ``elrsr`` are 64 bits wide (word 1 above word 0), ``ap0r`` holds GICH_APR and ``ap1r`` is
    empty (V2-1).
    """

    hcr: int = 0
    vmcr: int = 0
    ap0r: list[int] = field(default_factory=list)
    ap1r: list[int] = field(default_factory=list)
    lr: list[int] = field(default_factory=list)
    misr: int = 0
    eisr: int = 0
    elrsr: int = 0


class CpuPort(Protocol):
    """One PE's CPU interface on some engine."""

    config: GicConfig | GicV2Config

    async def reset(self) -> None:
        """Return every register to its reset value."""

    async def access(self, access: Access) -> Response:
        """Execute one register access, side effects exactly once."""

    async def lines(self) -> Lines:
        """Return the settled output lines."""

    async def deactivations(self) -> list[int]:
        """Return and forget the physical INTIDs deactivated through HW list registers (HW-1), in order."""

    async def state(self) -> State:
        """Return all storage without an access (a probe; not available to software)."""

    def now(self) -> int | None:
        """Return the simulated time in nanoseconds, None on engines that cannot tell."""


class MmioPort(CpuPort, Protocol):
    """A CPU interface with memory-mapped frames."""

    async def mmio(self, access: MmioAccess) -> MmioResponse:
        """Execute one access on the bus, side effects exactly once; bad ones are answered with an error."""


#: Period of the clock on engines that tell the time, in nanoseconds.
CLOCK_NS = 8
#: ESR_ELx of an UNDEFINED access: EC 0, IL 1.
ESR_UNDEF = 0x0200_0000


def sysreg_esr(encoding: int, write: bool, rt: int) -> int:
    """Return ESR_ELx of a trapped MRS/MSR (TRP-10): EC 0x18, IL 1 and the ISS of the instruction."""
    op0, op1 = encoding >> 14, encoding >> 11 & 7
    crn, crm, op2 = encoding >> 7 & 15, encoding >> 3 & 15, encoding & 7
    iss = op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | rt << 5 | crm << 1 | (not write)
    return 0x18 << 26 | 1 << 25 | iss


async def read(port: CpuPort, el: int, register: Register, context: PeContext = GUEST) -> int:
    """Read a register that is expected to answer.

    Raises
    ------
    RuntimeError
        When the access traps or is UNDEFINED.
    """
    response = await port.access(Access(el, register, context=context))
    if response.outcome is not Outcome.OK:
        raise RuntimeError(f"EL{el} read of {register.name}: {response.outcome.name}")
    return response.value


async def touch(port: CpuPort, el: int, register: Register) -> None:
    """Read a register for the sake of the access: nobody needs the value, so a far engine is not waited for.

    Raises
    ------
    RuntimeError
        When the access traps or is UNDEFINED, here or, on a far engine, later.
    """
    far = getattr(port, "touch", None)
    if far is None:
        await read(port, el, register)
    else:
        far(el, register)


async def write(port: CpuPort, el: int, register: Register, value: int, context: PeContext = GUEST) -> None:
    """Write a register that is expected to take it.

    Raises
    ------
    RuntimeError
        When the access traps or is UNDEFINED.
    """
    response = await port.access(Access(el, register, True, value, context=context))
    if response.outcome is not Outcome.OK:
        raise RuntimeError(f"EL{el} write of {register.name}: {response.outcome.name}")


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine whose engine never suspends and return its result.

    Raises
    ------
    RuntimeError
        When the engine does suspend: it has time, and needs its own loop.
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise RuntimeError("this engine has time of its own; run it from its simulator")
