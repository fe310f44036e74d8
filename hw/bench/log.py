"""The log of a guest engine."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from hw.bench.engine_port import Record

__all__ = ["Log"]

#: Records that may be on their way in when ``full`` is seen.
_MARGIN = 2


class Log(wiring.Component):
    """A FIFO of records with two writers. An operation never comes in the cycle after a note.

    Parameters
    ----------
    depth : int, 4..65535
        Records it holds.

    Members
    -------
    keep, operation : In(1), In(Record)
        Write an operation.
    notes, note : In(1), In(Record)
        Write what the guest records, a cycle later.
    full : Out(1)
        There may be no room for two more.
    records : Out(16)
        How many it holds.
    log : Out(stream.Signature(Record))
        The oldest.
    """

    keep: In(1)
    operation: In(Record)
    notes: In(1)
    note: In(Record)
    full: Out(1)
    records: Out(16)
    log: Out(stream.Signature(Record))

    def __init__(self, depth: int):
        self._depth = depth
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        width = Record.as_shape().size
        m.submodules.fifo = self._fifo = fifo = SyncFIFOBuffered(width=width, depth=self._depth)
        # Whether there is something to record is known late in a cycle.
        noted, note = self._noted, _ = Signal(), Signal(Record)
        m.d.sync += [noted.eq(self.notes), note.eq(self.note)]
        # Counted here: the FIFO's own level is a sum, and much is made of it within a cycle.
        written, read = fifo.w_en & fifo.w_rdy, fifo.r_en & fifo.r_rdy
        count = Signal(range(self._depth + 1))
        m.d.sync += count.eq(count + written - read)
        m.d.comb += [
            fifo.w_en.eq(self.keep | noted),
            fifo.w_data.eq(Mux(noted, note, self.operation)),
            self.log.valid.eq(fifo.r_rdy),
            self.log.payload.eq(fifo.r_data),
            fifo.r_en.eq(self.log.ready),
            self.records.eq(count),
            self.full.eq(count >= self._depth - _MARGIN),
        ]
        return m
