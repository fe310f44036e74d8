"""Interrupt inputs: the level of every line and the rising edges not yet recorded (DIST-2, DIST-36)."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

__all__ = ["DistributorInputs"]


class DistributorInputs(wiring.Component):
    """Registers of all lines, 32 to a word as in :mod:`hw.distributor_storage`.

    Parameters
    ----------
    words : int
        Number of words.

    Members
    -------
    line : In(32).array(words)
        The inputs, synchronous to the clock; a pulse of one cycle is an edge.
    forget : In(1)
        Drop all edges (reset).
    word, level, rose : In, Out(32), Out(32)
        A word, its levels and its edges; ``take`` removes the edges.
    take : In(1)
        See ``rose``.
    waiting, first : Out
        There are edges, in this word and in no lower one.
    changing : Out(1)
        A level moves at the end of this cycle.
    """

    def __init__(self, words: int):
        self._words = words
        super().__init__({
            "line": In(32).array(words),
            "forget": In(1),
            "word": In(ceil_log2(words)),
            "level": Out(32),
            "rose": Out(32),
            "take": In(1),
            "waiting": Out(1),
            "first": Out(ceil_log2(words)),
            "changing": Out(1),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        # Levels outlive a reset, so that a line that is high during it does not rise after it.
        levels = [Signal(32, name=f"level{n}", reset_less=True) for n in range(self._words)]
        edges = [Signal(32, name=f"edges{n}") for n in range(self._words)]
        for n, (line, level, edge) in enumerate(zip(self.line, levels, edges, strict=True)):
            taken = self.forget | (self.take & (self.word == n))
            m.d.sync += [level.eq(line), edge.eq(Mux(taken, 0, edge) | Mux(self.forget, 0, line & ~level))]
        for n, edge in reversed(list(enumerate(edges))):
            with m.If(edge.any()):
                m.d.comb += self.first.eq(n)
        m.d.comb += [
            self.level.eq(Array(levels)[self.word]),
            self.rose.eq(Array(edges)[self.word]),
            self.waiting.eq(Cat(edge.any() for edge in edges).any()),
            self.changing.eq(Cat(a != b for a, b in zip(self.line, levels, strict=True)).any()),
        ]
        return m
