"""The register-port driver: :class:`sim.port.CpuPort` on the pins of a simulated cluster.

Python is entered as rarely as the protocol allows, because that is what a simulation costs: once for an
access (the latency is constant), once more when somebody looks at lines or storage.

Time is divided so that no two parties race on any simulator: the gateware moves on the rising edge, the
driver acts half a period later, a monitor looks another quarter later (:data:`PERIOD`).
"""

from __future__ import annotations

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer
from cocotb.utils import get_sim_time

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.core import latency, settling
from sim import port
from sim.engines.amaranth import reset_by_writes
from sim.engines.codec_v2 import codec_of

__all__ = ["PERIOD", "CocotbPort", "bring_up"]

#: Clock period in nanoseconds; a multiple of 4.
PERIOD = port.CLOCK_NS
#: Cycles that a sequential port needs after its response until lines and storage may be looked at.
_SETTLE_MARGIN = 1


class CocotbPort:
    """:class:`sim.port.CpuPort` of one PE, inside a cocotb test.

    Call the methods one at a time, and from nothing that waits for anything but such methods, so that
    the driver stays half a period away from the clock edge.

    Parameters
    ----------
    dut : cocotb handle
        The top made by :func:`hw.export.to_verilog`.
    index : int
        Number of the PE.
    config : GicConfig or GicV2Config
        What ``dut`` was made from; with a GICv2 one this is a :class:`sim.port.MmioPort`.
    alone : bool
        No other PE shares the reset pin: :meth:`reset` may use it.
    strict : bool
        Take ``valid`` back in the cycle after the request was taken, as the stream protocol has it. Else
        it stands until the response, which the port cannot take for another request (it is not ready
        before that), and Python is entered once less.
    """

    def __init__(
        self,
        dut,
        index: int,
        config: GicConfig | GicV2Config,
        alone: bool = True,
        strict: bool = False,
    ):
        self.config = config
        self.alone = alone
        self.strict = strict
        self._codec = codec_of(config)

        def pin(name: str):
            return getattr(dut, f"pe{index}__{name}")

        self._rst = dut.rst
        self._valid, self._payload = pin("request__valid"), pin("request__payload")
        self._ready = pin("request__ready")
        self._response_valid, self._response = pin("response__valid"), pin("response__payload")
        self._lines = pin("virq"), pin("vfiq"), pin("maintenance")
        self._settled, self._observe = pin("settled"), pin("observe")
        self._deactivate, self._pintid = pin("deactivate__valid"), pin("deactivate__payload")
        self._deactivate_ready = pin("deactivate__ready")
        self._deactivated: list[int] = []
        self._quiet = False  # nothing has happened since the port was seen to be settled
        self._cycle = Timer(PERIOD, "ns")
        self._latency = Timer(PERIOD * latency(config), "ns")
        self._latency_rest = Timer(PERIOD * (latency(config) - 1), "ns")
        self._latency_after = Timer(PERIOD * (latency(config) + 1), "ns")
        self._settling = Timer(PERIOD * (settling(config) + _SETTLE_MARGIN), "ns")

    def idle(self) -> None:
        """Drive every input to rest and start collecting deactivations."""
        self._valid.value = 0
        self._payload.value = 0
        self._deactivate_ready.value = 1
        cocotb.start_soon(self._collect())

    async def _collect(self) -> None:
        half = Timer(PERIOD // 2, "ns")
        rise = RisingEdge(self._deactivate)
        while True:
            # One access is in flight at a time and makes at most one request, which stands for one cycle.
            await rise
            await half
            self._deactivated.append(int(self._pintid.value))

    async def reset(self) -> None:
        """Return every register to its reset value.

        A cluster has one reset pin. With several PEs the registers are written instead, which leaves
        the other PEs alone.
        """
        self._quiet = False
        if self.alone:
            self._rst.value = 1
            await self._cycle
            self._rst.value = 0
            await self._cycle
        else:
            await reset_by_writes(self)
        await self._settle()
        self._deactivated.clear()

    async def access(self, access: port.Access) -> port.Response:
        """Execute one register access."""
        return self._codec.response(await self._execute(self._codec.request(access)))

    async def perform(self, access: port.Access | port.MmioAccess) -> port.Response | port.MmioResponse:
        """Execute a register access or a bus access, whichever it is."""
        return await (self.mmio(access) if isinstance(access, port.MmioAccess) else self.access(access))

    async def mmio(self, access: port.MmioAccess) -> port.MmioResponse:
        """Execute one access on the bus of a GICv2 build."""
        return self._codec.mmio_response(await self._execute(self._codec.mmio(access)))

    async def _execute(self, packed: int) -> int:
        """Put a request on the pins and return the response."""
        self._payload.value = packed
        self._quiet = False
        self._valid.value = 1
        if self.strict:
            return await self._strictly()
        # In the cycle of a response the next request waits one cycle (and one more per deactivation).
        await (self._latency if self._ready.value else self._latency_after)
        while not self._response_valid.value:
            await self._cycle
        # Until now the port was not ready for another request.
        self._valid.value = 0
        return int(self._response.value)

    async def _strictly(self) -> int:
        """Finish an access whose request is on the pins, by the letter of the protocol."""
        while not self._ready.value:
            await self._cycle
        await self._cycle
        self._valid.value = 0
        await self._latency_rest
        while not self._response_valid.value:
            await self._cycle
        return int(self._response.value)

    async def wait(self, cycles: int) -> None:
        """Let at least one cycle pass without an access."""
        await Timer(PERIOD * max(cycles, 1), "ns")

    async def _settle(self) -> None:
        """Wait until the lines and the probe show what the last access left."""
        if self._quiet:
            return
        if not self._settled.value:
            await self._settling
            while not self._settled.value:
                await self._cycle
        self._quiet = True

    async def lines(self) -> port.Lines:
        """Return the settled output lines."""
        await self._settle()
        virq, vfiq, maintenance = self._lines
        return port.Lines(bool(virq.value), bool(vfiq.value), bool(maintenance.value))

    async def deactivations(self) -> list[int]:
        """Return and forget the physical INTIDs deactivated through HW list registers (HW-1), in order."""
        await self._settle()
        taken, self._deactivated = self._deactivated, []
        return taken

    async def state(self) -> port.State:
        """Return all storage without an access."""
        await self._settle()
        return self._codec.state(int(self._observe.value))

    def now(self) -> int:
        """Return the simulated time in nanoseconds."""
        return int(get_sim_time("ns"))


async def bring_up(
    dut, config: GicConfig | GicV2Config, pes: int = 1, strict: bool = False
) -> list[CocotbPort]:
    """Start the clock, reset the cluster and return its CPU ports."""
    ports = [CocotbPort(dut, n, config, alone=pes == 1, strict=strict) for n in range(pes)]
    dut.rst.value = 1
    for cpu in ports:
        cpu.idle()
    Clock(dut.clk, PERIOD, "ns", impl="gpi").start()
    await Timer(PERIOD * 2 + PERIOD // 2, "ns")
    dut.rst.value = 0
    await Timer(PERIOD, "ns")
    return ports
