"""The bench behind a serial line: everything of a board's design that is not the board."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from hw.bench.bench import Bench
from hw.bench.engine import LOG_DEPTH, PROGRAM_DEPTH
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.uart.bridge import UartBridge

__all__ = ["UartBench"]


class UartBench(wiring.Component):
    """A bench whose words come and go over a serial line.

    Parameters
    ----------
    config, pes, program_depth, log_depth
        See :class:`hw.bench.bench.Bench`.
    divisor, patience, clock
        See :class:`hw.uart.bridge.UartBridge`.

    Members
    -------
    rx, tx : In(1), Out(1)
        The line.
    session : Out(1)
        A host has begun a session.
    """

    rx: In(1, init=1)
    tx: Out(1, init=1)
    session: Out(1)

    def __init__(
        self,
        config: GicConfig | GicV2Config,
        pes: int = 1,
        *,
        divisor: int,
        patience: int,
        clock: int,
        program_depth: int = PROGRAM_DEPTH,
        log_depth: int = LOG_DEPTH,
    ):
        self._bench = Bench(config, pes, program_depth, log_depth)
        self._bridge = UartBridge(divisor, patience, clock)
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.bridge = bridge = self._bridge
        m.submodules.bench = bench = self._bench
        connect(m, bridge.commands, bench.commands)
        connect(m, bench.answers, bridge.answers)
        m.d.comb += [bridge.rx.eq(self.rx), self.tx.eq(bridge.tx), self.session.eq(bridge.session)]
        return m
