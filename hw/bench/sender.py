"""Sending of answers: a header and its words, one a cycle."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.bench.protocol import Header

__all__ = ["Sender"]


class Sender(wiring.Component):
    """Sends ``header`` and then as many words as its ``length`` says.

    Members
    -------
    start : In(1)
        Begin, when not ``busy``; the header leaves two cycles later at the earliest.
    header : In(Header)
        Of the answer, with ``start``.
    index, fetch : Out(8), Out(1)
        Which word is wanted next; it is to be fetched in this cycle.
    hold : In(1)
        Nothing is fetched in this cycle, nor sent.
    word : In(32)
        The word fetched last, from the cycle after on.
    busy : Out(1)
        There is more to send, or to hand to the output register.
    answers : Out(stream.Signature(32))
        The words, from a register.
    """

    start: In(1)
    header: In(Header)
    index: Out(8)
    fetch: Out(1)
    hold: In(1)
    word: In(32)
    busy: Out(1)
    answers: Out(stream.Signature(32))

    def elaborate(self, platform):
        m = Module()
        answers = self.answers
        first, left, header = Signal(), Signal(8), Signal(Header)
        begins, sends, still = Signal(), Signal(), Signal()
        self._inside = first, left, header, begins, sends
        moves = sends & ~self.hold & (~answers.valid | answers.ready)
        m.d.comb += still.eq(Mux(moves, Mux(first, left != 0, left != 1), sends))
        m.d.sync += [sends.eq(begins | still), self.busy.eq(self.start | begins | still)]
        m.d.comb += self.fetch.eq(moves & Mux(first, left != 0, left != 1))
        with m.If(answers.ready):
            m.d.sync += answers.valid.eq(0)
        with m.If(moves):
            m.d.sync += [answers.valid.eq(1), answers.payload.eq(Mux(first, header, self.word)), first.eq(0)]
            with m.If(self.fetch):
                m.d.sync += self.index.eq(self.index + 1)
            with m.If(~first):
                m.d.sync += left.eq(left - 1)
        # Taken whether it begins or not, so that only one register waits for that.
        with m.If(~self.busy):
            m.d.sync += [first.eq(1), self.index.eq(0), header.eq(self.header)]
        m.d.sync += begins.eq(self.start)
        with m.If(begins):
            m.d.sync += left.eq(header.length)
        return m
