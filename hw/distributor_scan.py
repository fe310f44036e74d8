"""The search for the highest-priority pending interrupt of every PE, one interrupt a cycle (DIST-11..17).

A tree over all interrupts would grow with their number; this walks through storage, for all PEs at once:
three cycles for a word, one more for each interrupt in it that could be offered, three at the end.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.config_physical import PhysicalConfig
from hw.distributor_storage import QUADS, InterruptWord, route_of, words_of
from hw.link import Offer

__all__ = ["DistributorScan"]

#: Cycles in which the last candidate goes through the comparison.
_DRAIN = 3


class _Candidate(data.StructLayout):
    """An interrupt on its way to the comparison."""

    def __init__(self, words: int):
        super().__init__({"valid": 1, "word": ceil_log2(words), "bit": 5, "group": 1})


def _lowest(word):
    """Return the lowest set bit of ``word`` as a list of one-hot bits, made as a tree."""
    if len(word) == 1:
        return [word[0]]
    half = len(word) // 2
    above = [bit & ~word[:half].any() for bit in _lowest(word[half:])]
    return [*_lowest(word[:half]), *above]


class DistributorScan(wiring.Component):
    """Find each PE's offer.

    Parameters
    ----------
    config : PhysicalConfig
        SPIs.
    pes : int, 1..8
        Number of PEs.

    Members
    -------
    start : In(1)
        Begin, in a cycle in which ``busy`` is low.
    busy, done : Out(1)
        A search is under way; ``best`` is final, in the last cycle of ``busy``.
    word, state, line : Out, In(InterruptWord), In(32)
        Number of a word, its state and its input lines.
    quad_word, quad, priority, route : Out, Out, In, In
        A quad of storage.
    forward : In(2)
        GICD_CTLR.EnableGrp0 and EnableGrp1.
    enable : In(2).array(pes)
        Group enables of the PEs, steady while busy.
    awake : In(pes)
        ~GICR_WAKER.ProcessorSleep.
    best : Out(Offer).array(pes)
        The offers.
    """

    def __init__(self, config: PhysicalConfig, pes: int):
        self._config = config
        self._spi_words = config.spis // 32
        self._pes = pes
        self._words = words_of(config, pes)
        word_bits = ceil_log2(self._words)
        super().__init__({
            "start": In(1),
            "busy": Out(1),
            "done": Out(1),
            "word": Out(word_bits),
            "state": In(InterruptWord),
            "line": In(32),
            "quad_word": Out(word_bits),
            "quad": Out(range(QUADS)),
            "priority": In(data.ArrayLayout(8, 4)),
            "route": In(data.ArrayLayout(route_of(config), 4)),
            "forward": In(2),
            "enable": In(2).array(pes),
            "awake": In(pes),
            "best": Out(Offer).array(pes),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        self._walk(m)
        self._compare(m)
        return m

    def _walk(self, m):
        """Take the words one after another, private ones first, and put their candidates out."""
        word = Signal(range(self._words))
        state, line = Signal(InterruptWord), Signal(32)
        left = Signal(32)
        drain = Signal(range(_DRAIN + 1))
        self._candidate = candidate = Signal(_Candidate(self._words))
        lowest = Signal(32)
        m.d.comb += [lowest[n].eq(bit) for n, bit in enumerate(_lowest(left))]
        m.d.comb += self.word.eq(word)
        m.d.sync += candidate.valid.eq(0)
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("IDLE"))
            with m.State("IDLE"):
                m.d.sync += [word.eq(self._spi_words), drain.eq(_DRAIN)]
                with m.If(self.start):
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.sync += [state.eq(self.state), line.eq(self.line)]
                m.next = "FILTER"
            with m.State("FILTER"):
                pending = state.latch | (line & ~state.edge)
                group1, group0 = self.forward[1].replicate(32), self.forward[0].replicate(32)
                forwarded = (state.group & group1) | (~state.group & group0)
                m.d.sync += left.eq(pending & state.enable & ~state.active & forwarded)
                m.next = "WALK"
            with m.State("WALK"):
                bits = [_position_bit(lowest, n) for n in range(5)]
                m.d.sync += [
                    left.eq(left & ~lowest),
                    candidate.valid.eq(left.any()),
                    candidate.word.eq(word),
                    candidate.group.eq((lowest & state.group).any()),
                    *(candidate.bit[n].eq(bit) for n, bit in enumerate(bits)),
                ]
                with m.If((left & ~lowest) == 0):
                    m.d.sync += word.eq(word + 1)
                    m.next = "FETCH"
                    with m.If(word == self._words - 1):
                        m.d.sync += word.eq(0)
                    with m.If(word == self._spi_words - 1):
                        m.next = "DRAIN"
            with m.State("DRAIN"):
                m.d.sync += drain.eq(drain - 1)
                with m.If(drain == 0):
                    m.d.comb += self.done.eq(1)
                    m.next = "IDLE"

    def _compare(self, m):
        """Look up a candidate's priority and route, then compare it with every PE's best."""
        first = self._candidate
        second = Signal(_Candidate(self._words))
        priority, route = Signal(8), Signal(route_of(self._config))
        m.d.comb += [self.quad_word.eq(first.word), self.quad.eq(first.bit[2:])]
        lane = first.bit[:2]
        m.d.sync += [
            second.eq(first),
            priority.eq(Array(self.priority[n] for n in range(4))[lane]),
            route.eq(Array(self.route[n].as_value() for n in range(4))[lane]),
        ]
        private = second.word >= self._spi_words
        intid = Signal(10)
        m.d.comb += intid.eq(Mux(private, second.bit, ((second.word + 1) << 5) | second.bit))
        earlier = Const(0)  # some PE of a lower number could take it
        for n, best in enumerate(self.best):
            stored = Signal(Offer, name=f"best{n}")
            m.d.comb += best.eq(stored)
            ready = self.awake[n] & Mux(second.group, self.enable[n][1], self.enable[n][0])
            if self._config.are:
                # DIST-15: the first PE that could take it; DIST-14: the one named.
                spi = Mux(route.irm, ~earlier, route.aff0 == n)
            else:
                spi = route.pes[n] if self._pes > 1 else Const(1)  # DIST-16
            earlier = earlier | ready
            here = Mux(private, second.word == self._spi_words + n, spi)
            better = (priority < stored.priority) | (~stored.valid & (priority != 0xFF))
            with m.If(self.start & ~self.busy):
                m.d.sync += stored.eq(0)
            with m.Elif(second.valid & here & ready & better):
                m.d.sync += [
                    stored.valid.eq(1),
                    stored.group.eq(second.group),
                    stored.intid.eq(intid),
                    stored.priority.eq(priority),
                ]
                if not self._config.are:
                    lowest = Cat(_lowest(route.pes))
                    source = Cat(_position_bit(lowest, bit) for bit in range(3))
                    m.d.sync += stored.source.eq(Mux(private & ~second.bit[4], source, 0))


def _position_bit(one_hot, bit: int):
    """Return bit ``bit`` of the position that ``one_hot`` marks."""
    marked = [one_hot[n] for n in range(len(one_hot)) if n >> bit & 1]
    while len(marked) > 1:
        marked = [a | b for a, b in zip(marked[::2], marked[1::2], strict=True)]
    return marked[0]
