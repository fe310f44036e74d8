"""The mailbox: commands of the host in, answers out (``docs/mailbox.md``)."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.bench import protocol
from hw.bench.answers import AnswerWords, Source, state_words
from hw.bench.check import HeaderCheck
from hw.bench.engine_port import EnginePortSignature
from hw.bench.frames import probe_layout
from hw.bench.protocol import AccessWord, Error, Header, Mark, Opcode
from hw.bench.sender import Sender
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.port import Outcome, Response

__all__ = ["Mailbox"]

_WORD = 32
#: Records in one answer, at most.
_RECORDS = protocol.MAX_LENGTH // protocol.RECORD_WORDS
_ARGUMENTS = 4
#: What the mailbox looks at of the command's engine; the flags of StatusWord, in order.
_SHOWN = ("running", "ready", "settled", "records", "deactivated", "pintid", "operations", "clock")
_STATUS = ("virq", "vfiq", "maintenance", "running", "waiting", "deactivated")
#: Commands that are always answered.
_TELLING = (Opcode.HELLO, Opcode.STATUS, Opcode.STATE, Opcode.GUEST)


class Mailbox(wiring.Component):
    """Takes a command, has it executed, answers; between commands it tells what guests have stopped.

    A word a cycle both ways, every third cycle of the answers to STATE and GUEST; a command takes two cycles
    more than it has words, an access a third and its latency, during which the next command comes in.

    Parameters
    ----------
    config : GicConfig or GicV2Config
        Configuration of the interfaces.
    pes : int, 1..8
        Number of PEs.
    program_depth, log_depth : int
        Of the engines.

    Members
    -------
    commands : In(stream.Signature(32))
        Words from the host.
    answers : Out(stream.Signature(32))
        Words to the host.
    pe0, pe1, ... : Out(EnginePortSignature())
        The engines.
    observe0, observe1, ... : In(probe_layout(config))
        Their interfaces' storage.
    """

    def __init__(self, config: GicConfig | GicV2Config, pes: int, program_depth: int, log_depth: int):
        self._config, self._pes = config, pes
        self._depths = program_depth, log_depth
        ports = {f"pe{n}": Out(EnginePortSignature()) for n in range(pes)}
        probes = {f"observe{n}": In(probe_layout(config)) for n in range(pes)}
        words = stream.Signature(_WORD)
        super().__init__({"commands": In(words), "answers": Out(words), **ports, **probes})

    def elaborate(self, platform):
        m = Module()
        self._engines = [getattr(self, f"pe{n}") for n in range(self._pes)]
        self._header = Signal(Header)
        self._arguments = [Signal(_WORD, name=f"argument{n}") for n in range(_ARGUMENTS)]
        self._index, self._pe = Signal(8), Signal(range(max(self._pes, 2)))
        self._selection(m)
        self._answering(m)
        self._accesses(m)
        self._commands(m)
        return m

    def _selection(self, m):
        """Pick the signals of the command's PE, and show the command's words to all of them."""
        m.d.comb += self._pe.eq(self._header.pe)
        words = self._arguments
        self._is = {}
        for name in _SHOWN:
            self._is[name] = Array(getattr(engine, name) for engine in self._engines)[self._pe]
        status = protocol.StatusWord
        shown = Array(Cat(getattr(engine, name) for name in _STATUS) for engine in self._engines)
        self._status = Signal(status)
        # It is looked at long after an access has begun, so that a cycle late does no harm.
        self._settled = Signal()
        m.d.sync += self._settled.eq(self._is["settled"])
        records = self._is["records"]
        m.d.comb += [self._status.eq(shown[self._pe]), self._status.records.eq(records)]
        # Of the log's records, what an answer takes: their words, known a cycle before a command is executed.
        self._batch = Signal(range(protocol.MAX_LENGTH + 1))
        low = records[: _RECORDS.bit_length()]
        # Only shifts and sums, beside the comparison and not behind it: this stands in a path of its own.
        taken = sum(low << bit for bit in range(3) if protocol.RECORD_WORDS >> bit & 1)
        m.d.sync += self._batch.eq(Mux(records > _RECORDS, _RECORDS * protocol.RECORD_WORDS, taken))
        for engine in self._engines:
            access, what = engine.access.payload, AccessWord(words[0])
            m.d.comb += [
                engine.address.eq(words[0]), engine.instruction.eq(Cat(words[1], self.commands.payload)),
                engine.mi_latency.eq(words[0]), engine.kick_latency.eq(words[1]),
                engine.options.eq(words[0]), engine.budget.eq(words[1]),
                engine.value.eq(Cat(words[2], words[3])),
                access.encoding.eq(what.encoding), access.write.eq(what.write), access.el.eq(what.el),
                access.rt.eq(what.rt), access.context.eq(what.context),
                access.value.eq(Mux(what.write, Cat(words[1], words[2]), 0)),
            ]  # fmt: skip

    def _strobe(self, m, name):
        """Raise a signal of the command's engine."""
        for n, engine in enumerate(self._engines):
            with m.If(self._pe == n):
                m.d.comb += getattr(engine, name).eq(1)

    def _answering(self, m):
        """Give the sender the words of every answer."""
        m.submodules.sender = self._sender = sender = Sender()
        m.submodules.words = self._words = words = AnswerWords(self._config, self._pes, *self._depths)
        connect(m, sender.answers, flipped(self.answers))
        self._source, self._busy = Signal(Source), sender.busy
        self._report_pe = Signal(range(max(self._pes, 2)))
        engines, pe = self._engines, self._pe
        m.d.comb += [
            words.source.eq(self._source), words.index.eq(sender.index), words.fetch.eq(sender.fetch),
            words.busy.eq(sender.busy), sender.hold.eq(words.hold), sender.word.eq(words.word),
            words.status.eq(self._status), words.pintid.eq(self._is["pintid"]),
            words.operations.eq(self._is["operations"]), words.clock.eq(self._is["clock"]),
        ]  # fmt: skip
        probes = [getattr(self, f"observe{n}") for n in range(self._pes)]
        for shown, theirs, which in (
            (words.report, [engine.report.payload for engine in engines], self._report_pe),
            (words.record, [engine.log.payload for engine in engines], pe),
            (words.guest, [engine.guest for engine in engines], pe),
            (words.register, [engine.register for engine in engines], pe),
            (words.storage, probes, pe),
        ):
            m.d.comb += Value.cast(shown).eq(Array(Value.cast(one) for one in theirs)[which])
        for n, engine in enumerate(engines):
            m.d.comb += [engine.index.eq(words.number), engine.log.ready.eq(words.taken & (pe == n))]

    def _tell(self, m, mark, opcode, length, header):
        """Show the sender the header that an answer has if one begins, which is known later."""
        told = self._sender.header
        m.d.comb += [
            told.mark.eq(mark), told.opcode.eq(opcode), told.length.eq(length), told.tag.eq(header.tag),
            told.pe.eq(header.pe),
        ]  # fmt: skip

    def _send(self, m, source):
        """Begin an answer of that; its header goes out in the next cycle at the earliest."""
        m.d.sync += self._source.eq(source)
        m.d.comb += self._sender.start.eq(1)

    def _accesses(self, m):
        """Wait for an access's response, and keep it; the next command may be on its way in."""
        self._flying, self._speaks = Signal(), Signal()
        self._access_header, self._response = Signal(Header), Signal(Response)
        m.d.comb += self._words.access.eq(self._response)
        pe = Signal.like(self._pe)
        m.d.comb += pe.eq(self._access_header.pe)
        responses = [engine.response for engine in self._engines]
        response = Array(r.payload.as_value() for r in responses)[pe]
        payload = Signal(Response)
        m.d.comb += payload.eq(response)
        with m.If(self._flying & Array(r.valid for r in responses)[pe]):
            quiet = (self._access_header.mark == Mark.QUIET) & (self._access_header.length != 1)
            m.d.sync += [
                self._flying.eq(0), self._speaks.eq(~quiet | (payload.outcome != Outcome.OK)),
                self._response.eq(payload),
            ]  # fmt: skip

    def _commands(self, m):
        commands, header, index = self.commands, self._header, self._index
        self._error = Signal(Error)
        self._does = {opcode: Signal(name=f"does_{opcode.name.lower()}") for opcode in Opcode}
        tags = [Signal(8, name=f"resume_tag{n}") for n in range(self._pes)]
        self._tags = tags
        quiet = header.mark == Mark.QUIET
        # What the command's answer is made of, and its length, which are known before whether there is one.
        self._answer_source, length = Signal(Source), Signal.like(self._sender.header.length)
        for opcode, (what, words) in self._telling().items():
            with m.If(self._does[opcode]):
                m.d.comb += [self._answer_source.eq(what), length.eq(words)]
        self._tell(m, Mark.ANSWER, header.opcode, length, header)
        # Where a LOAD of so many instructions may begin at the latest, a cycle before its address comes.
        count, depth = header.length >> 1, self._depths[0]
        self._load_fits, self._load_last = Signal(), Signal(range(depth + 1))
        m.d.sync += [self._load_fits.eq(count <= depth), self._load_last.eq(depth - count)]
        with m.FSM():
            with m.State("command"):
                # Judged as it comes in, and acted upon a cycle later.
                m.d.sync += [header.eq(commands.payload), index.eq(0), self._error.eq(self._judged(m))]
                waiting = Cat(engine.report.valid for engine in self._engines)
                with m.If(self._speaks & ~self._busy):
                    self._access_answer(m)
                with m.Elif(waiting.any()):
                    for n in reversed(range(self._pes)):
                        with m.If(waiting[n]):
                            m.d.sync += self._report_pe.eq(n)
                    with m.If(~self._busy & ~self._flying & ~self._speaks):
                        m.next = "report"
                with m.Else():
                    m.d.comb += commands.ready.eq(1)
                    with m.If(commands.valid):
                        m.next = "check"
            with m.State("report"):
                tag = Signal(Header)
                m.d.comb += [tag.tag.eq(Array(tags)[self._report_pe]), tag.pe.eq(self._report_pe)]
                self._tell(m, Mark.ANSWER, Opcode.RESUME, protocol.REPORT_WORDS, tag)
                self._send(m, Source.REPORT)
                m.next = "reporting"
            with m.State("reporting"):
                with m.If(~self._busy):
                    for n, engine in enumerate(self._engines):
                        m.d.comb += engine.report.ready.eq(self._report_pe == n)
                    m.next = "command"
            with m.State("check"):
                self._check(m)
            with m.State("skip"):
                m.d.comb += commands.ready.eq(1)
                with m.If(index == header.length):
                    m.d.comb += commands.ready.eq(0)
                    m.next = "error"
                with m.Elif(commands.valid):
                    m.d.sync += index.eq(index + 1)
            with m.State("error"):
                self._tell(m, Mark.ERROR, self._error, 1, header)
                with m.If(self._speaks & ~self._busy):
                    self._access_answer(m)
                with m.Elif(~self._flying & ~self._busy):
                    m.d.sync += self._words.offence.eq(header)
                    self._send(m, Source.ERROR)
                    m.next = "command"
            with m.State("collect"):
                m.d.comb += commands.ready.eq(1)
                with m.If(index == header.length):
                    m.d.comb += commands.ready.eq(0)
                    m.next = "execute"
                with m.Elif(commands.valid):
                    m.d.sync += index.eq(index + 1)
                # The word behind the last argument, should it be there, does no harm.
                for n, argument in enumerate(self._arguments):
                    with m.If(commands.valid & (index == n)):
                        m.d.sync += argument.eq(commands.payload)
            with m.State("load"):
                self._load(m)
            with m.State("execute"):
                with m.If(self._speaks & ~self._busy):
                    self._access_answer(m)
                with m.Elif(~self._flying & ~self._busy & self._is["ready"]):
                    self._execute(m, quiet)
            with m.State("issue"):
                with m.If(self._is["deactivated"]):
                    m.d.sync += self._error.eq(Error.PENDING)
                    m.next = "error"
                with m.Else():
                    self._issue(m)
            with m.State("status"):
                with m.If(~self._busy):
                    self._strobe(m, "take")
                    m.next = "command"
            with m.State("sending"):
                with m.If(~self._busy):
                    m.next = "command"

    def _access_answer(self, m):
        m.d.sync += self._speaks.eq(0)
        self._tell(m, Mark.ANSWER, Opcode.ACCESS, protocol.ACCESS_ANSWER_WORDS, self._access_header)
        self._send(m, Source.ACCESS)

    def _judged(self, m):
        """Return what is wrong with the word that comes, if it is a header."""
        m.submodules.check = check = HeaderCheck(self._pes)
        pe = Signal.like(self._pe)
        m.d.comb += [check.header.eq(self.commands.payload), pe.eq(check.header.pe)]
        m.d.comb += check.running.eq(Array(engine.running for engine in self._engines)[pe])
        return check.error

    def _check(self, m):
        """Act upon a header."""
        with m.If(self._header.as_value() == protocol.IDLE):
            m.next = "command"
        with m.Elif(self._error == Error.MARK):
            m.next = "error"
        with m.Elif(self._error != Error.NONE):
            m.next = "skip"
        with m.Elif(self._header.opcode == Opcode.LOAD):
            m.next = "load"
        with m.Else():
            m.next = "collect"
        m.d.sync += [is_now.eq(self._header.opcode == opcode) for opcode, is_now in self._does.items()]

    def _load(self, m):
        """Write instructions as their words come."""
        header, index, words = self._header, self._index, self._arguments
        address, depth = words[0], self._depths[0]
        beyond = Signal(init=depth == 0)  # there is no place for the last instruction
        m.d.comb += self.commands.ready.eq(1)
        with m.If((index == 1) & beyond):
            m.d.comb += self.commands.ready.eq(0)
            m.d.sync += self._error.eq(Error.RANGE)
            m.next = "skip"
        with m.Elif(index == header.length):
            m.d.comb += self.commands.ready.eq(0)
            m.next = "execute"
        with m.Elif(self.commands.valid):
            m.d.sync += index.eq(index + 1)
            with m.If(index == 0):
                first = self.commands.payload
                m.d.sync += address.eq(first)
                if depth:
                    m.d.sync += beyond.eq(~self._load_fits | (first > self._load_last))
            with m.Elif(index[0]):
                m.d.sync += words[1].eq(self.commands.payload)
            with m.Else():
                self._strobe(m, "write")
                m.d.sync += address.eq(address + 1)

    def _issue(self, m):
        """Present an access until it is taken."""
        for n, engine in enumerate(self._engines):
            with m.If(self._pe == n):
                m.d.comb += engine.access.valid.eq(1)
                with m.If(engine.access.ready):
                    m.d.sync += [self._flying.eq(1), self._access_header.eq(self._header)]
                    m.next = "command"

    def _execute(self, m, quiet):
        """Do what a whole and possible command says."""
        does, settled, running = self._does, self._settled, self._is["running"]
        later = (does[Opcode.STATUS] & ~settled & ~running) | (does[Opcode.STATE] & ~settled)
        done = Cat(
            does[opcode] for opcode in (Opcode.LOAD, Opcode.KICK, Opcode.CONFIGURE, Opcode.RESET)
        ).any()
        log = does[Opcode.LOG]
        told = Cat(does[opcode] for opcode in _TELLING).any() | (done & ~quiet)
        told |= log & (~quiet | (self._batch != 0))
        m.next = "command"
        with m.If(later):
            m.next = "execute"
        with m.Elif(told):
            self._send(m, self._answer_source)
        for opcode, name in (
            (Opcode.KICK, "kick"), (Opcode.CONFIGURE, "configure"), (Opcode.RESET, "reset"),
            (Opcode.RESUME, "resume"),
        ):  # fmt: skip
            with m.If(does[opcode]):
                self._strobe(m, name)
        for n, tag in enumerate(self._tags):
            with m.If(does[Opcode.RESUME] & (self._pe == n)):
                m.d.sync += tag.eq(self._header.tag)
        with m.If(does[Opcode.ACCESS]):
            m.next = "issue"
        with m.If(does[Opcode.STATUS] & ~later):
            m.next = "status"
        # The answer shows the PE of this command's header; what comes after a reset finds it done.
        shows = does[Opcode.STATE] | does[Opcode.GUEST] | (log & told)
        with m.If((shows & ~later) | does[Opcode.RESET]):
            m.next = "sending"

    def _telling(self):
        """Return the words of the commands' answers: what they are, and how many."""
        return {
            Opcode.HELLO: (Source.HELLO, protocol.HELLO_WORDS),
            Opcode.STATUS: (Source.STATUS, protocol.STATUS_WORDS),
            Opcode.STATE: (Source.STATE, state_words(self._config)),
            Opcode.GUEST: (Source.GUEST, protocol.GUEST_WORDS),
            Opcode.LOG: (Source.LOG, self._batch),
        }
