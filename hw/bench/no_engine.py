"""What stands in a guest engine's place on a part that has no room for one."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.bench.access import AccessSwitch
from hw.bench.engine import GuestEngine
from hw.bench.engine_port import EnginePortSignature
from hw.bench.frames import cpu_signature
from hw.bench.protocol import Cause
from hw.config import GicConfig
from hw.config_v2 import GicV2Config

__all__ = ["NoEngine", "engine_for"]


class NoEngine(wiring.Component):
    """Takes the host's accesses to the interface, those at EL1 as well; there is nothing to run.

    RESUME stops at once, as it does where no instruction is at ``pc``. Counters and the clock stay 0.

    Parameters
    ----------
    config : GicConfig or GicV2Config
        Configuration of the interface behind ``cpu``.

    Members
    -------
    host, cpu
        See :class:`hw.bench.engine.GuestEngine`.
    """

    def __init__(self, config: GicConfig | GicV2Config):
        self._config = config
        super().__init__({"host": In(EnginePortSignature()), "cpu": Out(cpu_signature(config))})

    def elaborate(self, platform):
        m = Module()
        host, cpu = self.host, self.cpu
        m.submodules.access = access = AccessSwitch(self._config)
        connect(m, access.cpu, flipped(cpu))
        connect(m, flipped(host.access), access.host)
        report, stopped = host.report.payload, host.report.valid
        with m.If(host.resume):
            m.d.sync += stopped.eq(1)
        with m.Elif(host.report.ready):
            m.d.sync += stopped.eq(0)
        m.d.comb += [
            access.take.eq(host.take | (stopped & host.report.ready)),
            host.response.valid.eq(cpu.response.valid), host.response.payload.eq(cpu.response.payload),
            host.ready.eq(1), host.running.eq(stopped), host.settled.eq(cpu.settled),
            host.virq.eq(cpu.virq), host.vfiq.eq(cpu.vfiq), host.maintenance.eq(cpu.maintenance),
            host.deactivated.eq(access.deactivated), host.pintid.eq(access.pintid.pintid),
            report.stop.cause.eq(Cause.PROGRAM), report.stop.virq.eq(cpu.virq),
            report.stop.vfiq.eq(cpu.vfiq), report.stop.maintenance.eq(cpu.maintenance),
            report.stop.deactivated.eq(access.deactivated), report.pintid.eq(access.pintid.pintid),
        ]  # fmt: skip
        return m


def engine_for(config: GicConfig | GicV2Config, program_depth: int, log_depth: int) -> GuestEngine | NoEngine:
    """Return the engine of a bench: none where the program memory is to hold nothing."""
    return GuestEngine(config, program_depth, log_depth) if program_depth else NoEngine(config)
