"""The synthesizable bench: CPU interfaces, a guest engine on each, and the mailbox."""

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.bench.engine import LOG_DEPTH, PROGRAM_DEPTH
from hw.bench.frames import cpu_interface
from hw.bench.mailbox import Mailbox
from hw.bench.no_engine import engine_for
from hw.cluster import check_pes
from hw.config import GicConfig
from hw.config_v2 import GicV2Config

__all__ = ["Bench"]


class Bench(wiring.Component):
    """Everything behind two streams of words; see ``docs/mailbox.md``.

    Parameters
    ----------
    config : GicConfig or GicV2Config
        Implementation choices, the same for all PEs.
    pes : int, 1..8
        Number of PEs.
    program_depth : int, power of two, at most 65536
        Instructions of each engine's program memory, 64 bits each; 0: there are no engines.
    log_depth : int, 4..65535
        Records of each engine's log, 160 bits each.

    Members
    -------
    commands : In(stream.Signature(32))
        Words from the host.
    answers : Out(stream.Signature(32))
        Words to the host.

    Raises
    ------
    InputError
        When ``pes`` is out of range.
    """

    def __init__(
        self,
        config: GicConfig | GicV2Config,
        pes: int = 1,
        program_depth: int = PROGRAM_DEPTH,
        log_depth: int = LOG_DEPTH,
    ):
        check_pes(pes)
        self.config, self.pes = config, pes
        self._depths = program_depth, log_depth
        super().__init__({"commands": In(stream.Signature(32)), "answers": Out(stream.Signature(32))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.mailbox = mailbox = Mailbox(self.config, self.pes, *self._depths)
        connect(m, flipped(self.commands), mailbox.commands)
        connect(m, mailbox.answers, flipped(self.answers))
        for n in range(self.pes):
            port, reset = getattr(mailbox, f"pe{n}"), Signal(name=f"reset{n}")
            # One cycle later, so that no reset is at the end of a command's logic.
            m.d.sync += reset.eq(port.reset)
            m.submodules[f"engine{n}"] = ResetInserter(reset)(made := engine_for(self.config, *self._depths))
            m.submodules[f"pe{n}"] = ResetInserter(reset)(interface := cpu_interface(self.config))
            connect(m, port, made.host)
            connect(m, made.cpu, interface.cpu)
            m.d.comb += getattr(mailbox, f"observe{n}").eq(interface.cpu.observe)
        return m
