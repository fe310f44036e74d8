"""The legacy view of a GICv3 virtual interface: GICV frames and ICC_SRE_EL1.SRE=0 (spec sections 13, 17).

KVM gives a GICv2 guest on a GICv3 host the memory-mapped GICV frame of the same interface, the system
registers being out of use. The interfaces modelled here have only the system-register view, so this adapter
makes the frame of it: GICV accesses become ICV ones that no trap bit concerns. What a GICv2 guest can tell
from real parts: GICV_APR0 shows the active priorities of both groups, which are kept apart below.
"""

from __future__ import annotations

from hw.mmio import Frame, MmioRegister
from hw.registers import BY_NAME
from sim.port import Access, CpuPort, Lines, Outcome, Response, State, read, write

__all__ = ["LegacyPort"]

_ICH_VMCR = BY_NAME["ICH_VMCR_EL2"]
_ICH_HCR = BY_NAME["ICH_HCR_EL2"]
_VMCR = {field.name: field for field in _ICH_VMCR.fields}
#: What SRE=1 does not store.
_KEPT = _VMCR["VAckCtl"].mask | _VMCR["VFIQEn"].mask
_TRAPS = sum(_ICH_HCR.field(name).mask for name in ("TC", "TALL0", "TALL1", "TDIR"))
#: VMCR fields in GICV_CTLR, by their position there.
_CTLR = {"VENG0": 0, "VENG1": 1, "VAckCtl": 2, "VFIQEn": 3, "VCBPR": 4, "VEOIM": 9}
_NONE, _WRONG_GROUP = 1023, 1022
_IIDR = 0x0002_043B


class LegacyPort:
    """A CPU port whose guest uses the GICV frame, over one of a GICv3 interface.

    Parameters
    ----------
    port : CpuPort
        The interface; EL2 uses its ICH registers as before.

    Notes
    -----
    The INTID of an SGI has its source CPU in bits 12:10 of vINTID, so IAR and EOIR carry it by themselves.
    """

    def __init__(self, port: CpuPort) -> None:
        self.inner = port
        self.config = port.config
        self._kept = 0

    async def reset(self) -> None:
        """Return every register to its reset value."""
        self._kept = 0
        await self.inner.reset()

    async def access(self, access: Access) -> Response:
        """Execute a GICV access at EL1, or any system-register access as it is.

        ICH_VMCR_EL2 stores VAckCtl and VFIQEn, as it does while SRE is 0.
        """
        register = access.register
        if isinstance(register, MmioRegister) and register.frame is Frame.GICV:
            if access.write:
                await self._write(register.name, access.value & 0xFFFF_FFFF)
                return Response(Outcome.OK)
            return Response(Outcome.OK, await self._read(register.name))
        response = await self.inner.access(access)
        if register is _ICH_VMCR and response.outcome is Outcome.OK:
            if access.write:
                self._kept = access.value & _KEPT
            else:
                response = response._replace(value=response.value & ~_KEPT | self._kept)
        return response

    async def lines(self) -> Lines:
        """Return the lines: Group 0 is signalled as IRQ unless FIQEn is set (V2-4)."""
        lines = await self.inner.lines()
        if self._kept & _VMCR["VFIQEn"].mask:
            return lines
        return lines._replace(virq=lines.virq or lines.vfiq, vfiq=False)

    async def deactivations(self) -> list[int]:
        """Return and forget the physical INTIDs deactivated through HW list registers (HW-1), in order."""
        return await self.inner.deactivations()

    async def state(self) -> State:
        """Return all storage without an access."""
        state = await self.inner.state()
        state.vmcr = state.vmcr & ~_KEPT | self._kept
        return state

    def now(self) -> int | None:
        """Return the simulated time in nanoseconds, None on engines that cannot tell."""
        return self.inner.now()

    # -- the frame -------------------------------------------------------------------------------------

    async def _el1(self, name: str, value: int | None = None) -> int:
        """Access an ICV register with the trap bits out of the way: memory accesses are not trapped."""
        hcr = (await self.inner.state()).hcr
        if hcr & _TRAPS:
            await write(self.inner, 2, _ICH_HCR, hcr & ~_TRAPS)
        register = BY_NAME[f"ICC_{name}_EL1"]
        if value is None:
            value = await read(self.inner, 1, register)
        else:
            await write(self.inner, 1, register, value)
        if hcr & _TRAPS:
            after = (await self.inner.state()).hcr
            await write(self.inner, 2, _ICH_HCR, after | hcr & _TRAPS)
        return value

    async def _vmcr(self) -> int:
        return (await self.state()).vmcr

    async def _read(self, name: str) -> int:
        direct = {
            "PMR": "PMR", "BPR": "BPR0", "ABPR": "BPR1", "RPR": "RPR", "AIAR": "IAR1", "AHPPIR": "HPPIR1",
        }  # fmt: skip
        short = name.removeprefix("GICV_")
        if short in direct:
            return await self._el1(direct[short])
        if short == "CTLR":
            vmcr = await self._vmcr()
            return sum(_VMCR[field].get(vmcr) << bit for field, bit in _CTLR.items())
        if short == "IAR":
            return await self._acknowledge()
        if short == "HPPIR":
            return await self._highest_pending()
        if short == "APR0":
            state = await self.inner.state()
            return state.ap0r[0] | state.ap1r[0]
        return _IIDR if short == "IIDR" else 0

    def _ack_ctl(self) -> bool:
        return bool(self._kept & _VMCR["VAckCtl"].mask)

    async def _acknowledge(self) -> int:
        """IAR: a Group 1 interrupt only with AckCtl, else 1022 stands for it (V2-2)."""
        lines = await self.inner.lines()
        if not lines.virq or lines.vfiq:
            return await self._el1("IAR0")
        return await self._el1("IAR1") if self._ack_ctl() else _WRONG_GROUP

    async def _highest_pending(self) -> int:
        first, second = await self._el1("HPPIR0"), await self._el1("HPPIR1")
        if second == _NONE:
            return first
        return second if self._ack_ctl() else _WRONG_GROUP

    async def _write(self, name: str, value: int) -> None:
        direct = {"PMR": "PMR", "BPR": "BPR0", "ABPR": "BPR1", "AEOIR": "EOIR1", "DIR": "DIR"}
        short = name.removeprefix("GICV_")
        if short in direct:
            await self._el1(direct[short], value)
        elif short == "EOIR":
            state = await self.inner.state()
            lowest = [(word & -word) or 1 << 32 for word in (state.ap0r[0], state.ap1r[0])]
            group = 1 if self._ack_ctl() and lowest[1] < lowest[0] else 0
            await self._el1(f"EOIR{group}", value)
        elif short == "CTLR":
            self._kept = sum(_VMCR[f].mask for f in ("VAckCtl", "VFIQEn") if value >> _CTLR[f] & 1)
            await self._el1("IGRPEN0", value >> _CTLR["VENG0"] & 1)
            await self._el1("IGRPEN1", value >> _CTLR["VENG1"] & 1)
            await self._el1("CTLR", value >> _CTLR["VCBPR"] & 1 | (value >> _CTLR["VEOIM"] & 1) << 1)
