"""The distributor with its redistributors: one sequencer over one storage (DIST-1..36).

Everything that happens, a message of a PE, an access on the bus, an edge of an input, is done by the same
state machine, one at a time and each as a whole, so there is nothing to lock::

    CLEAR      after reset: one cycle for each word
    IDLE       choose what is next; between two of them the search runs if anything changed
    LOOK       fetch the storage word
    CHANGE     write it back: message, or edges of inputs
    DECODE     two cycles, then LOOK, ACCESS: bus
    SEARCH     :class:`hw.distributor_scan.DistributorScan`
    PUBLISH    the offers move

A PE waits for at most the work at hand, one piece of work of everybody else, and the searches after them.
A search takes ``3 * words + candidates + 4`` cycles, ``words`` as :func:`hw.distributor_storage.words_of`.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from hw.bus import BusRequest, BusSignature, Size
from hw.config_physical import MAX_PES, PhysicalConfig
from hw.distributor_decode import BITWISE, DistributorDecoder, Kind
from hw.distributor_inputs import DistributorInputs
from hw.distributor_registers import DistributorRegisters
from hw.distributor_scan import DistributorScan
from hw.distributor_storage import QUADS, DistributorStorage, InterruptWord, words_of
from hw.layouts import layout_of
from hw.link import Command, LinkSignature, Message, Offer
from hw.mmio_map import lookup_mmio

__all__ = ["Distributor"]

#: INTIDs below are SGIs.
_FIRST_PPI = 16
#: Edge configuration of a private word after reset: its SGIs (DIST-36).
_SGIS = 0xFFFF


class _Work(enum.Enum, shape=2):
    """What the sequencer is at."""

    MESSAGE = 0
    BUS = 1
    INPUTS = 2


class Distributor(wiring.Component):
    """GICD and GICR of a system with affinity routing, or GICD of a GICv2.

    Parameters
    ----------
    config : PhysicalConfig
        SPIs and priority bits.
    pes : int, 1..8
        Number of PEs.

    Members
    -------
    link0, link1, ... : In(LinkSignature())
        One for each PE.
    bus : In(BusSignature())
        GICD and GICR; latency 6 cycles and what is at work before.
    accessor : In(3)
        The PE that makes an access on the bus; a GICv2 alone looks at it (DIST-29).
    spi : In(spis)
        Levels of the SPIs, INTID 32 first, synchronous to the clock.
    ppi0, ppi1, ... : In(16)
        Levels of each PE's PPIs, INTID 16 first. PPI 25 is the maintenance interrupt (DIST-24).
    settled : Out(1)
        Nothing is left to do: every link's ``current`` is high and stays so until something happens.
    """

    def __init__(self, config: PhysicalConfig, pes: int):
        self.config = config
        self.pes = pes
        self._spi_words = config.spis // 32
        super().__init__({
            **{f"link{n}": In(LinkSignature()) for n in range(pes)},
            "bus": In(BusSignature()),
            "accessor": In(range(MAX_PES)),
            "spi": In(config.spis),
            **{f"ppi{n}": In(16) for n in range(pes)},
            "settled": Out(1),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        config, pes = self.config, self.pes
        self._links = [getattr(self, f"link{n}") for n in range(pes)]
        m.submodules.storage = self._storage = DistributorStorage(config, pes)
        m.submodules.inputs = self._inputs = DistributorInputs(words_of(config, pes))
        m.submodules.scan = self._scan = DistributorScan(config, pes)
        m.submodules.decoder = self._decoder = DistributorDecoder(config, pes)
        m.submodules.registers = self._registers = DistributorRegisters(config, pes)
        self._word = Signal(range(words_of(config, pes)))
        self._state = Signal(InterruptWord)
        self._line, self._rose = Signal(32), Signal(32)
        self._forward, self._asleep = Signal(2), Signal(pes, init=-1 if config.are else 0)
        self._used = [Signal(2, name=f"used{n}") for n in range(pes)]
        self._offers = [Signal(Offer, name=f"offer{n}") for n in range(pes)]
        self._dirty = Signal()
        self._request = Signal(BusRequest)
        self._accessor = Signal(range(MAX_PES))
        self._message, self._sender = Signal(Message), Signal(pes)  # one-hot
        self._targets = Signal(pes)
        self._work = Signal(_Work)
        self._connect(m)
        self._choose(m)
        self._sequence(m)
        return m

    def _connect(self, m):
        storage, scan, inputs, registers = self._storage, self._scan, self._inputs, self._registers
        for n in range(self._spi_words):
            m.d.comb += inputs.line[n].eq(self.spi[32 * n : 32 * n + 32])
        for n in range(self.pes):
            m.d.comb += inputs.line[self._spi_words + n].eq(getattr(self, f"ppi{n}") << 16)
            link = self._links[n]
            accepted = self._sender[n] & link.offer.valid & (link.offer.intid == self._message.intid)
            if not self.config.are:
                accepted &= link.offer.source == self._message.source
            m.d.comb += [
                scan.enable[n].eq(self._used[n]),
                link.accepted.eq(accepted),
                link.offer.eq(self._offers[n]),
            ]
        word = Mux(scan.busy, scan.word, self._word)
        self._clearing = Signal()
        self._quad = Signal(range(QUADS))  # of those being cleared
        own_quad = registers.quad
        if not self.config.are:
            own_quad = Mux(self._work == _Work.MESSAGE, self._message.intid[2:5], own_quad)
        own_quad = Mux(self._clearing, self._quad, own_quad)
        m.d.comb += [
            storage.word.eq(word),
            inputs.word.eq(word),
            storage.quad_word.eq(Mux(scan.busy, scan.quad_word, self._word)),
            storage.quad.eq(Mux(scan.busy, scan.quad, own_quad)),
            scan.state.eq(storage.state),
            scan.line.eq(inputs.level),
            scan.priority.eq(storage.priority),
            scan.route.eq(storage.route),
            scan.forward.eq(self._forward),
            scan.awake.eq(~self._asleep),
            self._decoder.request.eq(self._request),
            self._decoder.accessor.eq(self._accessor),
            registers.place.eq(self._decoder.place),
            registers.size.eq(self._request.size),
            registers.data.eq(self._request.data),
            registers.state.eq(self._state),
            registers.line.eq(self._line),
            registers.priority.eq(storage.priority),
            registers.route.eq(storage.route),
            registers.forward.eq(self._forward),
            registers.asleep.eq(self._asleep),
        ]
        with m.If(~self._clearing):
            m.d.comb += [
                storage.new_priority.eq(registers.new_priority),
                storage.new_route.eq(registers.new_route),
            ]

    def _choose(self, m):
        """Whose turn it is: the first that has work, counting from the one after the last served."""
        messages = [link.message.valid for link in self._links]
        # A response comes before the next access is taken.
        bus = self.bus.request.valid & ~self.bus.response.valid
        asking = Cat(*messages, bus, self._inputs.waiting)
        count = len(asking)
        later = Signal(count, init=-1)  # those who have not had their turn in this round
        preferred = Mux((asking & later).any(), asking & later, asking)
        self._granted = Signal(count)
        m.d.comb += self._granted.eq(preferred & (~preferred + 1)[:count])
        self._asking = asking.any()
        self._later = later

    def _sequence(self, m):
        links, storage, scan, inputs = self._links, self._storage, self._scan, self._inputs
        granted, pes = self._granted, self.pes
        unused = Cat(used != link.enable for used, link in zip(self._used, links, strict=True))
        with m.If(inputs.changing):
            m.d.sync += self._dirty.eq(1)
        fresh = Signal()  # a search ended and nothing was served since
        stale = self._dirty | inputs.changing | unused.any()
        payload = self.bus.response.payload
        m.d.sync += self.bus.response.valid.eq(0)
        count = Signal(2)
        with m.FSM(init="CLEAR") as fsm:
            idle, publish = fsm.ongoing("IDLE"), fsm.ongoing("PUBLISHED")
            still = idle & ~stale
            m.d.comb += self.settled.eq(still & ~self._asking)
            for n, link in enumerate(links):
                m.d.comb += link.current.eq(~unused[n] & (publish | still))
            with m.State("CLEAR"):
                self._clear(m)
            with m.State("IDLE"):
                with m.If(stale & ~(fresh & self._asking)):
                    self._search(m)
                with m.Elif(self._asking):
                    m.d.sync += [fresh.eq(0), self._later.eq(~(granted | (granted - 1)))]
                    m.d.sync += self._sender.eq(granted[:pes])
                    with m.If(granted[:pes].any()):
                        m.d.sync += self._work.eq(_Work.MESSAGE)
                        m.next = "MESSAGE"
                    with m.Elif(granted[pes]):
                        m.d.comb += self.bus.request.ready.eq(1)
                        m.d.sync += [self._request.eq(self.bus.request.payload), count.eq(2)]
                        m.d.sync += self._accessor.eq(self.accessor)
                        m.d.sync += self._work.eq(_Work.BUS)
                        m.next = "DECODE"
                    with m.Else():
                        m.d.sync += [self._word.eq(inputs.first), self._work.eq(_Work.INPUTS)]
                        m.next = "LOOK"
            with m.State("MESSAGE"):
                self._fetch_message(m)
            with m.State("PLACE"):
                self._place_message(m)
            with m.State("DECODE"):
                m.d.sync += [count.eq(count - 1), self._word.eq(self._decoder.place.word)]
                with m.If(count == 0):
                    m.next = "LOOK"
            with m.State("LOOK"):
                m.d.sync += [
                    self._state.eq(storage.state),
                    self._line.eq(inputs.level),
                    self._rose.eq(inputs.rose),
                ]
                m.d.comb += inputs.take.eq(self._work == _Work.INPUTS)
                m.next = "CHANGE"
                with m.If(self._work == _Work.BUS):
                    m.next = "ACCESS"
            with m.State("CHANGE"):
                self._change(m)
            with m.State("ACCESS"):
                m.d.sync += [self.bus.response.valid.eq(1), payload.error.eq(self._decoder.place.error)]
                self._access(m, payload)
            with m.State("SEARCH"):
                with m.If(scan.done):
                    m.next = "PUBLISH"
            with m.State("PUBLISH"):
                m.d.sync += [offer.eq(best) for offer, best in zip(self._offers, scan.best, strict=True)]
                m.d.sync += fresh.eq(1)
                m.next = "PUBLISHED"
            with m.State("PUBLISHED"):
                m.next = "IDLE"

    def _search(self, m):
        m.d.comb += self._scan.start.eq(1)
        m.d.sync += self._dirty.eq(self._inputs.changing)
        for used, link in zip(self._used, self._links, strict=True):
            m.d.sync += used.eq(link.enable)
        m.next = "SEARCH"

    def _clear(self, m):
        """Give every word and quad its reset value (DIST-36); memories have no reset."""
        storage, last = self._storage, words_of(self.config, self.pes) - 1
        private = self._word >= self._spi_words
        m.d.comb += [
            self._clearing.eq(1),
            self._inputs.forget.eq(1),
            storage.write.eq(1),
            storage.write_state.edge.eq(Mux(private, _SGIS, 0)),
            storage.write_priority.eq(-1),
            storage.write_route.eq(-1),
        ]
        m.d.sync += [self._quad.eq(self._quad + 1), self._dirty.eq(1)]
        with m.If(self._quad == QUADS - 1):
            m.d.sync += self._word.eq(self._word + 1)
            with m.If(self._word == last):
                m.d.sync += self._word.eq(0)
                m.next = "IDLE"

    def _fetch_message(self, m):
        """Take a message in; what an SGI's targets are depends on who sends it (DIST-22)."""
        message = Signal(Message)
        for n, link in enumerate(self._links):
            with m.If(self._sender[n]):
                m.d.comb += message.eq(link.message.payload)
        targets = Mux(message.others, ~self._sender, message.targets[: self.pes])
        is_sgi = message.command == Command.GENERATE_SGI
        m.d.sync += [self._message.eq(message), self._targets.eq(Mux(is_sgi, targets, self._sender))]
        m.next = "PLACE"

    def _place_message(self, m):
        """Find the word of the interrupt: a private one's is that of the next target."""
        message, targets = self._message, self._targets
        void = (message.command == Command.ACTIVATE) & ~Cat(link.accepted for link in self._links).any()
        with m.If(message.intid >= 32):
            m.d.sync += self._word.eq(message.intid[5:] - 1)
        with m.Else():
            for n in reversed(range(self.pes)):
                with m.If(targets[n]):
                    m.d.sync += self._word.eq(self._spi_words + n)
        m.d.sync += self._targets.eq(targets & (targets - 1))
        m.next = "LOOK"
        with m.If(void | ~targets.any()):
            self._finish_message(m)
            m.next = "IDLE"

    def _finish_message(self, m):
        for n, link in enumerate(self._links):
            m.d.comb += link.message.ready.eq(self._sender[n])

    def _change(self, m):
        """Write a word back: after an edge (DIST-2), or by a message (DIST-18..21)."""
        old, message, storage = self._state, self._message, self._storage
        new = storage.write_state
        bit = Const(1, 32) << message.intid[:5]
        m.d.comb += [new.eq(old), storage.write.eq(1)]
        with m.If(self._work == _Work.INPUTS):
            m.d.comb += new.latch.eq(old.latch | (self._rose & old.edge))
            self._search(m)
        with m.Else():
            with m.Switch(message.command):
                with m.Case(Command.ACTIVATE):
                    m.d.comb += [new.latch.eq(old.latch & ~bit), new.active.eq(old.active | bit)]
                    if not self.config.are:
                        self._change_sources(m, bit, activates=True)
                with m.Case(Command.DEACTIVATE):
                    m.d.comb += new.active.eq(old.active & ~bit)
                with m.Case(Command.GENERATE_SGI):
                    of_group = Mux(message.group, old.group, ~old.group) if self.config.are else bit
                    m.d.comb += new.latch.eq(old.latch | (bit & of_group))
                    if not self.config.are:
                        self._change_sources(m, bit, activates=False)
            with m.If(self._targets.any()):
                m.next = "PLACE"
            with m.Else():
                self._finish_message(m)
                self._search(m)

    def _change_sources(self, m, bit, activates):
        """Add a source to a GICv2's SGI, or take one from it; it is pending while it has any (DIST-26)."""
        message, storage = self._message, self._storage
        lane = message.intid[:2]
        source = (Const(1, MAX_PES) << message.source)[:MAX_PES]
        old = Signal(MAX_PES, name="old_sources" + ("_taken" if activates else ""))
        sources = Signal.like(old, name="sources" + ("_taken" if activates else ""))
        m.d.comb += [
            old.eq(Array(storage.route[n].pes for n in range(4))[lane]),
            sources.eq(old & ~source if activates else old | source),
        ]
        with m.If(message.intid < _FIRST_PPI):
            m.d.comb += storage.write_route.eq(Const(1, 4) << lane)
            m.d.comb += [storage.new_route[n].pes.eq(sources) for n in range(4)]
            with m.If(sources.any()):
                m.d.comb += storage.write_state.latch.eq(self._state.latch | bit)

    def _start_sgi(self, m):
        """Begin what GICD_SGIR asks for; the bus has its response before that is done (DIST-27)."""
        sgi = layout_of("GICD_SGIR")(self._request.data[:32])
        own = (Const(1, MAX_PES) << self._accessor)[: self.pes]
        chosen = Array([sgi.CPUTargetList[: self.pes], ~own, own, Const(0, self.pes)])[sgi.TargetListFilter]
        m.d.sync += [
            self._message.command.eq(Command.GENERATE_SGI),
            self._message.intid.eq(sgi.INTID),
            self._message.source.eq(self._accessor),
            self._targets.eq(chosen),
            self._sender.eq(0),
            self._work.eq(_Work.MESSAGE),
        ]
        m.next = "PLACE"

    def _access(self, m, payload):
        """Answer an access of the bus; a write changes storage in the same cycle (DIST-30, DIST-31)."""
        request, place, registers, storage = (
            self._request,
            self._decoder.place,
            self._registers,
            self._storage,
        )
        done = ~place.error
        m.d.sync += payload.data.eq(Mux(done & ~request.write, registers.read, 0))
        m.next = "IDLE"
        with m.If(done & request.write):
            m.d.comb += storage.write_state.eq(registers.new_state)
            with m.Switch(place.kind):
                with m.Case(*BITWISE, Kind.ICFGR):
                    m.d.comb += storage.write.eq(1)
                with m.Case(Kind.IPRIORITYR):
                    m.d.comb += storage.write_priority.eq(registers.lanes)
                with m.Case(Kind.IROUTER):  # The upper half has no bits.
                    lower = (request.size == Size.DOUBLE) | ~place.position[2]
                    m.d.comb += storage.write_route.eq(Mux(lower, registers.lanes, 0))
                if not self.config.are:
                    self._access_gicv2(m)
                with m.Case(Kind.CTLR):
                    m.d.sync += self._forward.eq(request.data)
                with m.Case(Kind.WAKER):
                    sleep = request.data[lookup_mmio("GICR_WAKER").field("ProcessorSleep").lsb]
                    for n in range(self.pes):
                        with m.If(place.pe == n):
                            m.d.sync += self._asleep[n].eq(sleep)
            if self.config.are:
                self._search(m)
            else:
                with m.If(place.kind == Kind.SGIR):
                    self._start_sgi(m)
                with m.Else():
                    self._search(m)

    def _access_gicv2(self, m):
        """Write a register of targets or sources (DIST-16, DIST-28)."""
        registers, storage, place = self._registers, self._storage, self._decoder.place
        with m.Case(Kind.ITARGETSR):
            if self.pes > 1:
                shared = place.word < self._spi_words
                m.d.comb += storage.write_route.eq(Mux(shared, registers.lanes, 0))
        with m.Case(Kind.SPENDSGIR, Kind.CPENDSGIR):
            m.d.comb += [storage.write.eq(1), storage.write_route.eq(registers.lanes)]
