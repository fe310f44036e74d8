"""Storage of the distributor: one word of state for 32 interrupts, a priority and a route for each.

Word k holds the SPIs 32 + 32k and up, for k below ``spis / 32``; the words after them hold the private
interrupts (INTIDs 0..31) of PE 0, PE 1 and so on. A *quad* is four neighbouring interrupts of a word.
In a GICv2 the place of the route holds an SPI's targets, and the sources of an SGI.
"""

from amaranth.hdl import Module
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.config_physical import MAX_PES, PhysicalConfig

__all__ = ["QUADS", "DistributorStorage", "InterruptWord", "Route", "Senders", "route_of", "words_of"]

#: Quads of a word.
QUADS = 8


class InterruptWord(data.Struct):
    """State of 32 interrupts, bit n is the n-th of them: the words of :mod:`hw.distributor_rules`."""

    enable: 32
    group: 32
    latch: 32
    active: 32
    edge: 32


class Route(data.Struct):
    """Where an SPI goes: the implemented bits of GICD_IROUTER<n> (DIST-14, DIST-15)."""

    aff0: 4
    irm: 1


class Senders(data.Struct):
    """The same of a GICv2: PEs, bit n is PE n.

    Of an SPI those it goes to (GICD_ITARGETSR, DIST-16); of an SGI those that sent it (DIST-25).
    """

    pes: MAX_PES


def route_of(config: PhysicalConfig) -> type[data.Struct]:
    """Return what is stored beside an interrupt's priority."""
    return Route if config.are else Senders


def words_of(config: PhysicalConfig, pes: int) -> int:
    """Return the number of words: one for 32 SPIs, one for each PE."""
    return config.spis // 32 + pes


class DistributorStorage(wiring.Component):
    """Memories with one port each, read without a clock; a write shows in the next cycle.

    Parameters
    ----------
    config : PhysicalConfig
        SPIs and priority bits.
    pes : int, 1..8
        Number of PEs.

    Members
    -------
    word : In
        Number of the word.
    state, write, write_state : Out(InterruptWord), In(1), In(InterruptWord)
        Its state; replace it.
    quad_word, quad : In
        Word and quad of priorities and routes.
    priority, write_priority, new_priority : Out(8).array(4), In(4), In(8).array(4)
        The quad's priorities, unimplemented bits 0 (DIST-10); replace those whose bit is set.
    route, write_route, new_route : Out(route_of(config)).array(4), In(4), In(route_of(config)).array(4)
        The quad's routes, meaningless for private interrupts of a GICv3; replace those whose bit is set.
    """

    def __init__(self, config: PhysicalConfig, pes: int):
        self._config = config
        self._words = words_of(config, pes)
        word_bits = ceil_log2(self._words)
        self._route = data.ArrayLayout(route_of(config), 4)
        super().__init__({
            "word": In(word_bits),
            "state": Out(InterruptWord),
            "write": In(1),
            "write_state": In(InterruptWord),
            "quad_word": In(word_bits),
            "quad": In(range(QUADS)),
            "priority": Out(data.ArrayLayout(8, 4)),
            "write_priority": In(4),
            "new_priority": In(data.ArrayLayout(8, 4)),
            "route": Out(self._route),
            "write_route": In(4),
            "new_route": In(self._route),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        m.submodules.states = states = Memory(shape=InterruptWord, depth=self._words, init=[])
        read, write = states.read_port(domain="comb"), states.write_port()
        m.d.comb += [
            read.addr.eq(self.word),
            self.state.eq(read.data),
            write.addr.eq(self.word),
            write.en.eq(self.write),
            write.data.eq(self.write_state),
        ]
        implemented = data.ArrayLayout(self._config.pri_bits, 4)
        depth = self._words * QUADS
        m.submodules.priorities = priorities = Memory(shape=implemented, depth=depth, init=[])
        m.submodules.routes = routes = Memory(shape=self._route, depth=depth, init=[])
        address = self.quad_word * QUADS + self.quad
        read_priority, write_priority = (
            priorities.read_port(domain="comb"),
            priorities.write_port(granularity=1),
        )
        read_route, write_route = routes.read_port(domain="comb"), routes.write_port(granularity=1)
        for port in (read_priority, write_priority, read_route, write_route):
            m.d.comb += port.addr.eq(address)
        unimplemented = 8 - self._config.pri_bits
        m.d.comb += [write_priority.en.eq(self.write_priority), write_route.en.eq(self.write_route)]
        for lane in range(4):
            m.d.comb += [
                self.priority[lane].eq(read_priority.data[lane] << unimplemented),
                write_priority.data[lane].eq(self.new_priority[lane] >> unimplemented),
                self.route[lane].eq(read_route.data[lane]),
                write_route.data[lane].eq(self.new_route[lane]),
            ]
        return m
