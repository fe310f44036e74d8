"""The bench's guest engine and mailbox: nothing that is asked goes unanswered, nothing is answered twice."""

from __future__ import annotations

from amaranth.hdl import Fragment, Module, Mux, Signal, Value

from hw.bench.access import AccessSwitch
from hw.bench.engine import GuestEngine
from hw.bench.instruction import Instruction
from hw.bench.protocol import Header, LatencyWord, ResumeWord
from hw.bench.sender import Sender
from hw.config import GicConfig
from hw.port import Deactivation, Request, Response
from tb.formal.spec import Spec

__all__ = ["EngineSpec", "SenderSpec", "SwitchSpec"]

#: Records of the log under proof.
_LOG_DEPTH = 4


class SenderSpec(Spec):
    """Each message leaves as its header and as many words as it says, once each and in order.

    A word is fetched while what is before it leaves; here, as in the mailbox, a register holds it until then.
    """

    def __init__(self, config: GicConfig):
        super().__init__()

    def _describe(self, m: Module) -> None:
        sender = Sender()
        m.submodules.sender = Fragment.get(sender, None)
        its_first, its_left, its_header, begins, sends = sender._inside
        start, header, word = self.free(1, "start"), self.free(Header, "header"), self.free(32, "word")
        ready, hold = self.free(1, "ready"), self.free(1, "hold")
        answers = sender.answers
        fetched = Signal(32, name="fetched")
        with m.If(sender.fetch):
            m.d.sync += fetched.eq(word)
        m.d.comb += [
            sender.start.eq(start), sender.header.eq(header), sender.word.eq(fetched),
            answers.ready.eq(ready), sender.hold.eq(hold),
        ]  # fmt: skip
        self.assume(m, ~start | ~sender.busy)

        # Words of the message that the sender has not yet put into its output register, the header as one.
        left = Signal(9, name="left")
        leaves = sends & ~hold & (~answers.valid | ready)
        with m.If(start):
            m.d.sync += left.eq(header.length + 1)
        with m.Elif(leaves):
            m.d.sync += left.eq(left - 1)
        told, total, count = Signal(32, name="told"), Signal(8, name="total"), Signal(8, name="count")
        first = left == total + 1
        with m.If(start):
            m.d.sync += [told.eq(header), total.eq(header.length), count.eq(0)]
        with m.Elif(leaves & ~first):
            m.d.sync += count.eq(count + 1)
        known = (
            (its_first == first) & (its_left == left - first) & (~first | (Value.cast(its_header) == told))
        )
        its_start = its_first & (Value.cast(its_header) == told) & (left == total + 1)
        self.claim(m, (left == 0) | Mux(begins, its_start, known), "it knows where it is")
        self.claim(m, ~(begins & sends) & (sender.busy == (begins | sends)), "it begins, then it sends")
        self.claim(m, sender.busy == (left != 0), "busy until all words have left")
        self.claim(m, left <= total + 1, "no more words than there are")
        self.claim(m, ~first | (count == 0), "and begins at the first")
        self.claim(m, (left == 0) | (sender.index == Mux(first, 0, count + 1)), "words are fetched in order")
        self.claim(m, (left == 0) | first | (count + left == total), "each once")
        self.claim(m, sender.fetch == (leaves & (left > 1)), "while what is before them leaves")

        due, held = Signal(name="due"), Signal(32, name="held")
        with m.If(leaves):
            m.d.sync += [due.eq(1), held.eq(Mux(first, told, fetched))]
        with m.Elif(ready):
            m.d.sync += due.eq(0)
        self.claim(m, answers.valid == due, "a word is offered until it is taken, and once")
        self.claim(m, ~due | (answers.payload == held), "it is the right one")


class SwitchSpec(Spec):
    """Requests and deactivations pass the switch between guest and host whole and once."""

    def __init__(self, config: GicConfig):
        super().__init__()
        self.config = config

    def _describe(self, m: Module) -> None:
        m.submodules.switch = switch = AccessSwitch(self.config)
        running, take = self.free(1, "running"), self.free(1, "take")
        guest, host = self.free(Request, "guest"), self.free(Request, "host")
        guest_valid, host_valid = self.free(1, "guest_valid"), self.free(1, "host_valid")
        ready, asks, names = self.free(1, "ready"), self.free(1, "asks"), self.free(Deactivation, "names")
        request, deactivate = switch.cpu.request, switch.cpu.deactivate
        m.d.comb += [
            switch.running.eq(running), switch.take.eq(take),
            switch.guest.valid.eq(guest_valid), switch.guest.payload.eq(guest),
            switch.host.valid.eq(host_valid), switch.host.payload.eq(host), request.ready.eq(ready),
            deactivate.valid.eq(asks), deactivate.payload.eq(names),
        ]  # fmt: skip
        given, taken = guest_valid & switch.guest.ready, host_valid & switch.host.ready
        passed = request.valid & request.ready
        self.claim(m, passed == (given | taken), "what one gives the interface takes")
        self.claim(m, ~(given & taken), "of one of them")
        right = Mux(given, Value.cast(guest), Value.cast(host)) == Value.cast(request.payload)
        self.claim(m, ~passed | right, "and unchanged")
        self.claim(m, ~given | running, "of the guest only while it runs")
        self.claim(m, ~taken | ~running, "of the host only while it does not")

        kept, pintid = Signal(name="kept"), Signal(13, name="pintid")
        with m.If(asks & deactivate.ready):
            m.d.sync += [kept.eq(1), pintid.eq(names.pintid)]
        with m.Elif(take):
            m.d.sync += kept.eq(0)
        self.claim(m, switch.deactivated == kept, "a deactivation is kept until it is taken")
        self.claim(m, ~kept | (switch.pintid.pintid == pintid), "with its number")
        self.claim(m, ~(kept & deactivate.ready), "and none overwrites it")


class EngineSpec(Spec):
    """One report for each RESUME, each response to whom it belongs, and no record without room.

    The interface behind it takes accesses when it likes, and answers each once, as late as it likes; the host
    keeps to the mailbox's rules: it resumes and accesses while the guest does not run, one access at a time.
    """

    def __init__(self, config: GicConfig):
        super().__init__()
        self.config = config

    def _describe(self, m: Module) -> None:
        engine = GuestEngine(self.config, program_depth=4, log_depth=_LOG_DEPTH)
        m.submodules.engine = Fragment.get(engine, None)
        host, cpu = engine.host, engine.cpu
        self._drive(m, host, cpu)
        guest_flight, host_flight = Signal(name="guest_flight"), Signal(name="host_flight")
        request, response = cpu.request, cpu.response
        taken = request.valid & request.ready
        mine = engine._running
        for flight, who in ((guest_flight, mine), (host_flight, ~mine)):
            with m.If(taken & who):
                m.d.sync += flight.eq(1)
            with m.Elif(response.valid):
                m.d.sync += flight.eq(0)
        self.assume(m, ~taken | ~(guest_flight | host_flight))
        self.assume(m, ~response.valid | guest_flight | host_flight)
        # A deactivation belongs to an access of the one who has the port.
        resumed = Signal(name="resumed")
        idle = ~resumed & host.ready & ~host_flight & ~(host.access.valid)
        self.assume(m, ~host.resume | idle)
        self.assume(m, ~host.access.valid | ~(resumed | host_flight))
        reported = host.report.valid & host.report.ready
        with m.If(host.resume):
            m.d.sync += resumed.eq(1)
        with m.Elif(reported):
            m.d.sync += resumed.eq(0)

        self.claim(m, host.running == resumed, "running from RESUME to its report")
        self.claim(m, ~host.report.valid | resumed, "a report only of a RESUME, once")
        self.claim(m, ~(engine._running & engine._reporting), "running or reporting")
        self.claim(m, ~(engine._resumed & (engine._running | engine._reporting)), "or about to run")
        self.claim(m, host.response.valid == (response.valid & host_flight), "the host gets its responses")
        self.claim(m, ~guest_flight | mine, "the guest waits for its own")
        self.claim(m, ~host_flight | ~mine, "and does not run while the host's is under way")
        waiting = engine._in_state["wait"]
        self.claim(m, waiting == guest_flight, "a response to the guest is waited for")
        stopped = engine._in_state["stopped"] | engine._in_state["clear"]
        ending = engine._ending
        self.claim(m, stopped == (~mine | ending), "stopped unless running, or about to report")
        self.claim(m, ~ending | mine, "which ends its run")
        open_end = ~engine._waiting | stopped | engine._in_state["start"]
        self.claim(m, open_end, "only a stopped guest's operation waits for its completion")
        log, fifo = engine._log, engine._log._fifo
        noted = log._noted
        self.claim(m, ~(log.keep & noted), "one record at a time")
        self.claim(m, ~(log.keep | noted) | fifo.w_rdy, "no record without room")
        # An operation that waits for its completion has its record still to come.
        busy = engine._in_state["execute"] | waiting | engine._waiting
        used = log.records + log.keep + noted
        self.claim(m, used <= Mux(busy, _LOG_DEPTH - 2, _LOG_DEPTH - 1), "room for two at each instruction")
        self.claim(m, log.records == fifo.r_level, "records are counted")
        self.claim(m, fifo.w_rdy | (log.records >= _LOG_DEPTH - 1), "and the log takes what it has room for")

    def _drive(self, m: Module, host, cpu) -> None:
        """Let the solver drive both sides."""
        for name, shape in (
            ("write", 1), ("address", 16), ("instruction", Instruction), ("kick", 1), ("take", 1),
            ("configure", 1), ("mi_latency", LatencyWord), ("kick_latency", LatencyWord), ("resume", 1),
            ("options", ResumeWord), ("budget", 32), ("value", 64),
        ):  # fmt: skip
            m.d.comb += Value.cast(getattr(host, name)).eq(self.free(shape, name))
        m.d.comb += [
            host.access.valid.eq(self.free(1, "access_valid")),
            Value.cast(host.access.payload).eq(self.free(Request, "access")),
            host.report.ready.eq(self.free(1, "report_ready")), host.log.ready.eq(self.free(1, "log_ready")),
            cpu.request.ready.eq(self.free(1, "cpu_ready")),
            cpu.response.valid.eq(self.free(1, "response_valid")),
            Value.cast(cpu.response.payload).eq(self.free(Response, "response")),
            cpu.virq.eq(self.free(1, "virq")), cpu.vfiq.eq(self.free(1, "vfiq")),
            cpu.maintenance.eq(self.free(1, "maintenance")), cpu.settled.eq(self.free(1, "settled")),
            cpu.deactivate.valid.eq(self.free(1, "deactivate")),
            Value.cast(cpu.deactivate.payload).eq(self.free(Deactivation, "deactivation")),
        ]  # fmt: skip
