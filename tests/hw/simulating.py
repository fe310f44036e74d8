"""A cycle-level hand on the port of one interface, for tests that care about single cycles."""

from amaranth.sim import Simulator

from hw.config import GicConfig
from hw.interface import VirtualCpuInterface
from hw.registers import lookup

GUEST = {"imo": 1, "fmo": 1, "nv": 0, "sre_el1": 1, "sre_el2": 1}


class Port:
    """Drives requests of a :class:`VirtualCpuInterface` and counts cycles."""

    def __init__(self, dut, ctx):
        self.cpu = dut.cpu
        self.ctx = ctx

    def present(self, el, name, value=None, encoding=None, **context):
        """Put a request on the port, without waiting."""
        payload = {
            "encoding": lookup(name).encoding if encoding is None else encoding,
            "write": value is not None,
            "el": el,
            "rt": 0,
            "context": GUEST | context,
            "value": value or 0,
        }
        self.ctx.set(self.cpu.request.payload, payload)
        self.ctx.set(self.cpu.request.valid, 1)

    async def take(self):
        """Wait until the request is taken; return the cycles that took."""
        waited = 0
        while not self.ctx.get(self.cpu.request.ready):
            await self.ctx.tick()
            waited += 1
        await self.ctx.tick()
        self.ctx.set(self.cpu.request.valid, 0)
        return waited

    async def answer(self):
        """Wait for the response; return (cycles since taken, response)."""
        cycles = 1
        while not self.ctx.get(self.cpu.response.valid):
            await self.ctx.tick()
            cycles += 1
        return cycles, self.ctx.get(self.cpu.response.payload)

    async def access(self, el, name, value=None, **context):
        """Make one access; return its response."""
        self.present(el, name, value, **context)
        await self.take()
        return (await self.answer())[1]

    async def settle(self):
        """Wait until the lines reflect storage."""
        while not self.ctx.get(self.cpu.settled):
            await self.ctx.tick()

    def lines(self):
        """Return (vIRQ, vFIQ, maintenance) of this cycle."""
        return tuple(self.ctx.get(line) for line in (self.cpu.virq, self.cpu.vfiq, self.cpu.maintenance))


def simulate(test, config=None):
    """Run ``async test(port)`` on a fresh interface, deactivations taken at once."""
    dut = VirtualCpuInterface(config or GicConfig(id_bits=24))

    async def bench(ctx):
        ctx.set(dut.cpu.deactivate.ready, 1)
        await test(Port(dut, ctx))

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(bench)
    simulator.run()
