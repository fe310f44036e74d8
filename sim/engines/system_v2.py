"""A gateware GICv2 system (:class:`hw.system.SystemV2`) as a :class:`sim.system_port.System`."""

from __future__ import annotations

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.mmio import Frame, MmioRegister
from hw.mmio_map import lookup_mmio
from sim.engines.system import Pins, SimulatedPort, SimulatedSystem
from sim.port import ESR_UNDEF, Access, MmioAccess, MmioResponse, Outcome, Response
from sim.system_port import PhysicalState

__all__ = ["SimulatedPortV2", "SimulatedSystemV2", "simulated_system"]

#: Cycles from an access to its response at the least: one that no frame takes.
_LATENCY = 3
#: Registers whose write can deactivate a physical interrupt (HW-1).
_DEACTIVATING = frozenset(lookup_mmio(f"GICV_{name}").offset for name in ("EOIR", "AEOIR", "DIR"))
_HERE = frozenset({Frame.GICH, Frame.GICV, Frame.GICC, Frame.GICD})


class SimulatedPortV2(SimulatedPort):
    """:class:`sim.port.MmioPort` of one PE of a :class:`SimulatedSystemV2`."""

    async def access(self, access: Access) -> Response:
        """Execute one access of a whole register; what a GICv2 does not have is UNDEFINED."""
        register = access.register
        if not isinstance(register, MmioRegister) or register.frame not in _HERE:
            return Response(Outcome.UNDEF, 0, ESR_UNDEF)
        value = access.value & (1 << register.width) - 1
        size = register.width // 8
        answer = await self.mmio(MmioAccess(register.frame, register.offset, size, access.write, value))
        return Response(Outcome.OK, answer.value)

    async def mmio(self, access: MmioAccess) -> MmioResponse:
        """Execute one access of this PE on its bus."""
        # Reads of GICV and GICC acknowledge; those of the others change nothing.
        if access.write or access.frame in (Frame.GICV, Frame.GICC):
            self._system.disturb()
        ending = access.write and access.frame is Frame.GICV and access.offset in _DEACTIVATING
        answer = await self._system.transfer(self._prefix, access, _LATENCY)
        if ending and self._get("deactivate__valid"):
            self._deactivated.append(self._get("deactivate__payload"))
        return answer


class SimulatedSystemV2(SimulatedSystem):
    """:class:`sim.system_port.System` over pins, of a GICv2; parameters as :class:`SimulatedSystem`."""

    _port_type = SimulatedPortV2
    ports: list[SimulatedPortV2]

    async def _read(self, name: str, pe: int = 0) -> int:
        register = lookup_mmio(name)
        access = MmioAccess(register.frame, register.offset, register.width // 8)
        return (await self.ports[pe].mmio(access)).value

    async def physical_state(self) -> PhysicalState:
        """Return everything visible of the physical side: probes, and reads that have no side effect."""
        await self.settle()
        words = await self._words("GICD", 1, self.physical.spis // 32)
        state = PhysicalState(ctlr=await self._read("GICD_CTLR"), **words)
        for n in range(8, self.physical.intids // 4):
            state.route += (await self._read(f"GICD_ITARGETSR{n}")).to_bytes(4, "little")
        for n, port in enumerate(self.ports):
            own = port.physical(self._layout, self.physical)
            for name, value in (await self._words("GICD", 0, 1, n)).items():
                setattr(own, name, value if name == "priority" else value[0])
            for quad in range(4):
                own.sources += (await self._read(f"GICD_CPENDSGIR{quad}", n)).to_bytes(4, "little")
            state.pes.append(own)
        return state


def simulated_system(
    pins: Pins, config: GicConfig | GicV2Config, physical: PhysicalConfig, pes: int
) -> SimulatedSystem:
    """Return the system of a build over its pins."""
    kind = SimulatedSystemV2 if isinstance(config, GicV2Config) else SimulatedSystem
    return kind(pins, config, physical, pes)
