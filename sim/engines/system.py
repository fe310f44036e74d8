"""A gateware system (:mod:`hw.system`) as a :class:`sim.system_port.System`, on any simulator.

Those of a GICv2 are in :mod:`sim.engines.system_v2`.

The simulators differ in how a pin is reached and how time passes; :class:`Pins` hides that, and everything
else is here once. Pin names are those of the exported Verilog (:func:`hw.export.system_to_verilog`).
"""

from __future__ import annotations

from typing import Any, Protocol

from amaranth.lib import data

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.interface import LATENCY
from hw.mmio import Frame, MmioRegister
from hw.mmio_map import lookup_mmio
from hw.physical_interface import physical_observe_layout
from hw.registers_dist import GICR_STRIDE
from sim.engines.codec_bus import BusCodec
from sim.engines.codec_v2 import codec_of
from sim.port import Access, Lines, MmioAccess, MmioResponse, Outcome, Response, State
from sim.system_port import PePhysicalState, PhysicalState, check_input

__all__ = ["Pins", "SimulatedPort", "SimulatedSystem"]

#: Cycles from an access on the bus to its response while nothing else is at work.
_BUS_LATENCY = 6
#: Cycles between two looks at whether everything has settled.
_STRIDE = 6
#: Registers whose write can deactivate a physical interrupt (HW-1).
_DEACTIVATING = ("ICC_EOIR0_EL1", "ICC_EOIR1_EL1", "ICC_DIR_EL1")
#: First INTID of the PPIs and of the SPIs.
_FIRST_PPI, _FIRST_SPI = 16, 32


class Pins(Protocol):
    """The pins of a simulated top, and its time."""

    def get(self, name: str) -> int:
        """Return the value of an output; an input set in this cycle has no effect on it yet."""

    def set(self, name: str, value: int) -> None:
        """Drive an input."""

    async def cycles(self, count: int) -> None:
        """Let clock cycles pass."""

    def now(self) -> int | None:
        """Return the simulated time in nanoseconds, None if it cannot be told."""


class SimulatedPort:
    """:class:`sim.port.MmioPort` of one PE of a :class:`SimulatedSystem`."""

    def __init__(self, system: SimulatedSystem, index: int):
        self.config = system.config
        self._system = system
        self._index = index
        self._pins = system.pins
        self._codec = codec_of(system.config)
        self._prefix = f"pe{index}__"
        self._deactivated: list[int] = []

    def _get(self, name: str) -> int:
        return self._pins.get(self._prefix + name)

    async def reset(self) -> None:
        """Return the whole system to its reset values: its PEs share one reset."""
        await self._system.reset()

    async def access(self, access: Access) -> Response:
        """Execute one register access; of a GICR register, this PE's own."""
        if isinstance(access.register, MmioRegister):
            return await self._whole_register(access.register, access)
        pins = self._pins
        self._system.disturb()
        pins.set(self._prefix + "request__payload", self._codec.request(access))
        pins.set(self._prefix + "request__valid", 1)
        await pins.cycles(LATENCY)
        while not self._get("response__valid"):
            await pins.cycles(1)
        # Until now the port was not ready for another request.
        pins.set(self._prefix + "request__valid", 0)
        response = self._codec.response(self._get("response__payload"))
        if access.write and access.register.name.replace("ICV", "ICC") in _DEACTIVATING:
            await pins.cycles(1)
            if self._get("deactivate__valid"):
                self._deactivated.append(self._get("deactivate__payload"))
        return response

    async def _whole_register(self, register: MmioRegister, access: Access) -> Response:
        own = self._index * GICR_STRIDE if register.frame is Frame.GICR else 0
        size = register.width // 8
        answer = await self.mmio(
            MmioAccess(register.frame, register.offset + own, size, access.write, access.value)
        )
        return Response(Outcome.OK, answer.value)

    async def mmio(self, access: MmioAccess) -> MmioResponse:
        """Execute one access on the bus, which all PEs share."""
        return await self._system.mmio(access)

    async def lines(self) -> Lines:
        """Return the settled output lines."""
        await self._system.settle()
        return Lines(*(bool(self._get(name)) for name in Lines._fields))

    async def deactivations(self) -> list[int]:
        """Return and forget the physical INTIDs deactivated through HW list registers (HW-1), in order."""
        taken, self._deactivated = self._deactivated, []
        return taken

    async def state(self) -> State:
        """Return the virtual interface's storage without an access."""
        await self._system.settle()
        return self._codec.state(self._get("observe"))

    def physical(self, layout: data.StructLayout, config: PhysicalConfig) -> PePhysicalState:
        """Return what the physical interface's probe shows."""
        packed = self._get("observe_physical")

        def member(name: str) -> int:
            field = layout[name]
            return packed >> field.offset & (1 << field.width) - 1

        names = ("pmr", "bpr0", "bpr1", "ctlr", "igrpen0", "igrpen1", "offered")
        words = range(config.apr_words)
        return PePhysicalState(
            ap0r=[member(f"ap0r{n}") for n in words],
            ap1r=[member(f"ap1r{n}") for n in words],
            **{name: member(name) for name in names},
        )

    def now(self) -> int | None:
        """Return the simulated time in nanoseconds, None if it cannot be told."""
        return self._pins.now()


class SimulatedSystem:
    """:class:`sim.system_port.System` over pins, of a GICv3.

    Parameters
    ----------
    pins : Pins
        Of a top made by :func:`hw.export.system_to_verilog`, out of reset.
    config, physical, pes
        What it was made from.
    """

    _port_type: type[SimulatedPort] = SimulatedPort

    def __init__(self, pins: Pins, config: GicConfig | GicV2Config, physical: PhysicalConfig, pes: int):
        self.pins = pins
        self.config = config
        self.physical = physical
        self.ports = [self._port_type(self, n) for n in range(pes)]
        self._bus = BusCodec()
        self._layout = physical_observe_layout(physical)
        self._levels: dict[str, int] = {}
        self._settled = False

    def disturb(self) -> None:
        """Note that something happens: the outputs have to settle again."""
        self._settled = False

    async def settle(self) -> None:
        """Wait until the outputs show everything that happened."""
        while not self._settled:
            # In strides: what is settled stays so until something happens.
            await self.pins.cycles(_STRIDE)
            self._settled = bool(self.pins.get("settled"))

    async def reset(self) -> None:
        """Return every register to its reset value (DIST-36); the inputs keep their levels."""
        self.disturb()
        self.pins.set("rst", 1)
        await self.pins.cycles(1)
        self.pins.set("rst", 0)
        await self.settle()
        for port in self.ports:
            await port.deactivations()

    async def drive(self, intid: int, level: bool, pe: int | None = None) -> None:
        """Set the level of an interrupt input, and wait until that has had its effect.

        A search that was under way may end without it, and an access would see its result.

        Raises
        ------
        InputError
            When there is no such input.
        """
        check_input(self.physical, len(self.ports), intid, pe)
        name, first = ("spi", _FIRST_SPI) if pe is None else (f"ppi{pe}", _FIRST_PPI)
        bit = 1 << intid - first
        before = self._levels.get(name, 0)
        self._levels[name] = before | bit if level else before & ~bit
        self.pins.set(name, self._levels[name])
        self.disturb()
        await self.settle()

    async def mmio(self, access: MmioAccess) -> MmioResponse:
        """Execute one access on the bus."""
        if access.write:
            self.disturb()
        return await self.transfer("bus__", access, _BUS_LATENCY)

    async def transfer(self, prefix: str, access: MmioAccess, latency: int) -> MmioResponse:
        """Execute an access on the bus whose pins begin with ``prefix``; it takes ``latency`` at least."""
        pins = self.pins
        pins.set(f"{prefix}request__payload", self._bus.mmio(access))
        pins.set(f"{prefix}request__valid", 1)
        await pins.cycles(latency)
        while not pins.get(f"{prefix}response__valid"):
            await pins.cycles(1)
        # Until now the port was not ready for another request.
        pins.set(f"{prefix}request__valid", 0)
        return self._bus.mmio_response(pins.get(f"{prefix}response__payload"))

    async def _read(self, name: str, pe: int = 0) -> int:
        """Read a register of the distributor, of those that are a PE's own PE ``pe``'s."""
        register = lookup_mmio(name)
        offset = register.offset + (pe * GICR_STRIDE if register.frame is Frame.GICR else 0)
        return (await self.mmio(MmioAccess(register.frame, offset, register.width // 8))).value

    async def _words(self, frame: str, first: int, count: int, pe: int = 0) -> dict[str, Any]:
        """Read the state of ``count`` words of 32 interrupts; none of these reads has a side effect."""
        found: dict[str, Any] = {}
        names = {"group": "IGROUPR", "enable": "ISENABLER", "pending": "ISPENDR", "active": "ISACTIVER"}
        for key, name in names.items():
            found[key] = [await self._read(f"{frame}_{name}{first + n}", pe) for n in range(count)]
        edge, priority = [], []
        for n in range(first, first + count):
            halves = [await self._read(f"{frame}_ICFGR{2 * n + upper}", pe) for upper in (0, 1)]
            pairs = halves[0] | halves[1] << 32
            edge.append(sum((pairs >> 2 * bit + 1 & 1) << bit for bit in range(32)))
            for quad in range(8):
                four = await self._read(f"{frame}_IPRIORITYR{8 * n + quad}", pe)
                priority += four.to_bytes(4, "little")
        return {**found, "edge": edge, "priority": priority}

    async def physical_state(self) -> PhysicalState:
        """Return everything visible of the physical side: probes, and reads that have no side effect."""
        await self.settle()
        words = await self._words("GICD", 1, self.physical.spis // 32)
        state = PhysicalState(ctlr=await self._read("GICD_CTLR"), **words)
        intids = range(_FIRST_SPI, self.physical.intids)
        state.route = [await self._read(f"GICD_IROUTER{intid}") for intid in intids]
        sleep = lookup_mmio("GICR_WAKER").field("ProcessorSleep")
        for n, port in enumerate(self.ports):
            own = port.physical(self._layout, self.physical)
            for name, value in (await self._words("GICR", 0, 1, n)).items():
                setattr(own, name, value if name == "priority" else value[0])
            own.asleep = bool(sleep.get(await self._read("GICR_WAKER", n)))
            state.pes.append(own)
        return state
