"""Physical interrupts in a real distributor: the host's side of a whole GIC (:mod:`sim.system_port`).

A device's level goes into the distributor, and the PE's IRQ line says that there is something to take. The
host acknowledges it with ICC_IAR1_EL1 or GICC_IAR, drops its priority (the host runs with EOImode 1, without
which KVM forwards nothing), and leaves it active for the guest. Deactivations, by a HW list register or with
ICC_DIR_EL1 or GICC_DIR, and everything else the vgic does to a physical interrupt are accesses of registers.

The maintenance interrupt is PPI 25 (DIST-24). KVM never acknowledges it: it makes the guest exit, and the
exit clears ICH_HCR_EL2, so that the line has fallen before the host takes interrupts again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from hw.config_physical import MAINTENANCE_PPI
from hw.mmio import Frame, MmioRegister
from hw.mmio_map import lookup_mmio
from hw.registers import Register, lookup
from hw.registers_dist import GICR_STRIDE
from sim.kvm.irq import IrqOps
from sim.kvm.vm import Vcpu, Vm
from sim.machine.physical import PhysicalInterrupts
from sim.port import Access, CpuPort, Lines, MmioAccess, MmioPort, PeContext, Response, State, read, write
from sim.system_port import System

__all__ = ["DistributorInterrupts", "HostPort"]

_HOST = PeContext(imo=False, fmo=False)
#: INTIDs below this one belong to a PE.
_FIRST_SPI = 32
#: Priority of everything that is forwarded, as Linux has it.
_PRIORITY = 0xA0
#: That of the maintenance interrupt, the least urgent: it hides no device.
_MAINTENANCE_PRIORITY = 0xC0
_PMR = 0xF0
_ALL = 0xFFFF_FFFF


class HostPort:
    """A PE's port as the machine uses it: first comes what the vgic has asked of the physical side.

    Its maintenance line is the interrupt that reaches the PE: PPI 25 is offered and raises IRQ.

    Parameters
    ----------
    inner : MmioPort
        The PE.
    physical : DistributorInterrupts
        Whose requests go before every access.
    """

    def __init__(self, inner: MmioPort, physical: DistributorInterrupts) -> None:
        self.inner = inner
        self.config = inner.config
        self._physical = physical

    async def reset(self) -> None:
        """Return every register to its reset value."""
        await self.inner.reset()

    async def access(self, access: Access) -> Response:
        """Execute one register access."""
        await self._physical.carry_out()
        return await self.inner.access(access)

    async def lines(self) -> Lines:
        """Return the settled output lines."""
        await self._physical.carry_out()
        lines = await self.inner.lines()
        if not lines.maintenance:
            return lines
        arrives = lines.irq and await self._physical.offered(self.inner) == MAINTENANCE_PPI
        return lines._replace(maintenance=arrives)

    async def deactivations(self) -> list[int]:
        """Return and forget the physical INTIDs deactivated through HW list registers (HW-1), in order."""
        return await self.inner.deactivations()

    async def state(self) -> State:
        """Return all storage of the virtual interface without an access."""
        return await self.inner.state()

    def now(self) -> int | None:
        """Return the simulated time in nanoseconds, None on engines that cannot tell."""
        return self.inner.now()


class DistributorInterrupts(PhysicalInterrupts):
    """The physical interrupts of a machine on a whole GIC.

    The vgic's requests are noted and carried out, in order, before anything else reaches the hardware
    (:meth:`carry_out`). ``active`` then shows what the distributor has.

    Parameters
    ----------
    system : System
        Out of reset, every input low.

    Attributes
    ----------
    ports : list of HostPort
        What the machine runs on.
    """

    def __init__(self, system: System) -> None:
        super().__init__()
        self._system = system
        self._gicv3 = system.physical.are
        self._queue: list[Callable[[], Awaitable[None]]] = []
        #: PPI -> PE whose input it is.
        self._place: dict[int, int] = {}
        #: Inputs that are high: INTID and PE, None of an SPI.
        self._high: set[tuple[int, int | None]] = set()
        self.ports = [HostPort(port, self) for port in system.ports]
        self._queue.append(self._boot)

    # -- what the vgic and devices ask for -------------------------------------------------------------

    def map(self, vcpu: Vcpu, hwintid: int, vintid: int, ops: IrqOps | None = None) -> None:
        """Map a physical interrupt to a virtual one of ``vcpu``, and let the distributor forward it."""
        super().map(vcpu, hwintid, vintid, ops)
        pe = self._pe_of(vcpu)
        if hwintid < _FIRST_SPI:
            self._place[hwintid] = pe
        self._queue.append(partial(self._enable, hwintid, pe, _PRIORITY))

    def set_line(self, intid: int, level: bool) -> None:
        """Set the level of a physical line."""
        super().set_line(intid, level)
        self._queue.append(partial(self._drive, intid, level))

    def vgic_v3_deactivate_phys(self, intid: int) -> None:
        """Deactivate a physical interrupt by software: ICC_DIR_EL1, GICC_DIR on a GICv2 host."""
        self.deactivated.append(intid)
        self._queue.append(partial(self._deactivate, intid))

    def set_active(self, intid: int, active: bool) -> None:
        """Set or clear the active state: ISACTIVER, ICACTIVER."""
        self._queue.append(partial(self._set_bit, "ISACTIVER" if active else "ICACTIVER", intid))

    def set_pending(self, intid: int, pending: bool) -> None:
        """Set or clear the pending state: ISPENDR, ICPENDR."""
        self._queue.append(partial(self._set_bit, "ISPENDR" if pending else "ICPENDR", intid))

    def moved(self, vcpu: Vcpu) -> None:
        """Let a vCPU's PPIs follow it to the CPU it was loaded on: their lines and their active states."""
        new = self._pe_of(vcpu)
        for hwintid, mapping in self.mappings.items():
            old = self._place.get(hwintid)
            if mapping.vcpu is vcpu and old not in (None, new):
                self._queue.append(partial(self._move, hwintid, old, new))

    def deactivated_by_hardware(self, intid: int) -> None:
        """Do nothing: the distributor was told by the list register itself (DIST-20)."""

    # -- carrying it out -------------------------------------------------------------------------------

    async def carry_out(self) -> None:
        """Make the hardware do what was asked of it, and look at the active states."""
        queue, self._queue = self._queue, []
        for action in queue:
            await action()
        for intid in self.mappings:
            word = await read(self._port(intid), 2, self._bits("ISACTIVER", intid))
            self.active[intid] = bool(word >> intid % 32 & 1)

    async def take_due(self, vm: Vm) -> list[int]:
        """Let every PE's host take what raises IRQ, and inject what it is mapped to. Return the INTIDs.

        Raises
        ------
        RuntimeError
            When something is taken that nothing is mapped to.
        """
        await self.carry_out()
        taken: list[int] = []
        for port in self._system.ports:
            while (await port.lines()).irq and await self.offered(port) != MAINTENANCE_PPI:
                intid = await self._cpu(port, "IAR1", "IAR") & 0x3FF
                if intid not in self.mappings:
                    raise RuntimeError(f"the host takes physical interrupt {intid}, which nobody asked for")
                await self._cpu(port, "EOIR1", "EOIR", intid)
                taken.append(intid)
                self.forward(vm, intid)
        await self.carry_out()
        return taken

    async def offered(self, port: MmioPort) -> int:
        """Return the INTID a PE is offered, without taking it; 1020 and above: none."""
        return await self._cpu(port, "HPPIR1", "HPPIR") & 0x3FF

    async def release(self) -> None:
        """Take back every input that is high, so that the system can serve another machine."""
        for intid, pe in sorted(self._high, key=str):
            await self._system.drive(intid, False, pe)
        self._high.clear()

    async def _boot(self) -> None:
        """Do what a host's kernel does: forward to every PE, drop priority and deactivate apart."""
        await write(self._system.ports[0], 2, lookup_mmio("GICD_CTLR"), 3)
        for pe, port in enumerate(self._system.ports):
            if self._gicv3:
                await write(port, 2, lookup_mmio("GICR_WAKER"), 0)
                await write(port, 2, lookup_mmio("GICR_IGROUPR0"), _ALL)
                await self._cpu(port, "CTLR", "", lookup("ICC_CTLR_EL1").field("EOImode").mask)
                await self._cpu(port, "IGRPEN1", "", 1)
            else:
                control = lookup_mmio("GICC_CTLR")
                value = control.field("EOImode").mask | control.field("EnableGrp0").mask
                await write(port, 2, control, value)
            await self._cpu(port, "PMR", "PMR", _PMR)
            await self._enable(MAINTENANCE_PPI, pe, _MAINTENANCE_PRIORITY)

    async def _enable(self, intid: int, pe: int, priority: int) -> None:
        """Let the distributor forward an interrupt to a PE: Group 1 on a GICv3, Group 0 on a GICv2."""
        port = self._system.ports[pe]
        if self._gicv3:
            group = self._bits("IGROUPR", intid)
            await write(port, 2, group, await read(port, 2, group) | 1 << intid % 32)
        await self._byte(port, pe, "IPRIORITYR", intid, priority)
        if intid >= _FIRST_SPI:
            if self._gicv3:
                await write(port, 2, lookup_mmio(f"GICD_IROUTER{intid}"), pe)
            else:
                await self._byte(port, pe, "ITARGETSR", intid, 1 << pe)
        await write(port, 2, self._bits("ISENABLER", intid), 1 << intid % 32)

    async def _drive(self, intid: int, level: bool) -> None:
        pe = self._place.get(intid) if intid < _FIRST_SPI else None
        await self._system.drive(intid, level, pe)
        (self._high.add if level else self._high.discard)((intid, pe))

    async def _deactivate(self, intid: int) -> None:
        await self._cpu(self._port(intid), "DIR", "DIR", intid)

    async def _set_bit(self, name: str, intid: int) -> None:
        await write(self._port(intid), 2, self._bits(name, intid), 1 << intid % 32)

    async def _move(self, intid: int, old: int, new: int) -> None:
        """Give a PPI to another PE: active there before its line is."""
        before = self._system.ports[old]
        active = await read(before, 2, self._bits("ISACTIVER", intid)) >> intid % 32 & 1
        level = self.line.get(intid, False)
        await self._drive(intid, False)
        await self._set_bit("ICACTIVER", intid)
        self._place[intid] = new
        await self._enable(intid, new, _PRIORITY)
        if active:
            await self._set_bit("ISACTIVER", intid)
        if level:
            await self._drive(intid, True)

    # -- registers by whatever name --------------------------------------------------------------------

    def _pe_of(self, vcpu: Vcpu) -> int:
        return vcpu.cpu % len(self._system.ports)

    def _port(self, intid: int) -> MmioPort:
        """Return the PE that an interrupt is dealt with on."""
        return self._system.ports[self._place.get(intid, 0)]

    def _bits(self, name: str, intid: int) -> MmioRegister:
        frame = "GICR" if self._gicv3 and intid < _FIRST_SPI else "GICD"
        return lookup_mmio(f"{frame}_{name}{intid // 32}")

    async def _byte(self, port: MmioPort, pe: int, name: str, intid: int, value: int) -> None:
        frame = Frame.GICR if self._gicv3 and intid < _FIRST_SPI else Frame.GICD
        offset = lookup_mmio(f"{frame.name}_{name}{intid // 4}").offset + intid % 4
        offset += pe * GICR_STRIDE if frame is Frame.GICR else 0
        await port.mmio(MmioAccess(frame, offset, 1, True, value))

    async def _cpu(self, port: CpuPort, icc: str, gicc: str, value: int | None = None) -> int:
        """Read a register of the physical CPU interface, or write it."""
        register: Register | MmioRegister
        register = lookup(f"ICC_{icc}_EL1") if self._gicv3 else lookup_mmio(f"GICC_{gicc}")
        if value is None:
            return await read(port, 2, register, _HOST)
        await write(port, 2, register, value, _HOST)
        return 0
