"""What the mailbox's answers say: their words, one after the other (``docs/mailbox.md``)."""

from amaranth.hdl import Array, Const, Module, Mux, Signal, Value
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from hw.bench import protocol
from hw.bench.engine_port import GuestState, Record, Report
from hw.bench.frames import probe_layout
from hw.bench.instruction import REGISTERS
from hw.bench.protocol import HelloWord, StatusWord
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.port import Response

__all__ = ["AnswerWords", "Source", "state_words"]

_WORD = 32
#: Words of which one is brought near before it is wanted.
_GROUP = 8


class Source(enum.Enum, shape=4):
    """What an answer's words are."""

    NONE = 0
    ERROR = 1
    HELLO = 2
    ACCESS = 3
    STATUS = 4
    STATE = 5
    REPORT = 6
    LOG = 7
    GUEST = 8


def state_words(config: GicConfig | GicV2Config) -> int:
    """Return how many words the answer to STATE has."""
    return -(-probe_layout(config).size // _WORD)


def _words(value, count):
    """Return ``count`` words of a value, the low one first."""
    return [value[_WORD * n : _WORD * (n + 1)] for n in range(count)]


class AnswerWords(wiring.Component):
    """Fetches the word that the sender wants next.

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
    source : In(Source)
        What the answer is made of; steady while it is sent.
    index, fetch, busy : In(8), In(1), In(1)
        The sender's: which word it wants, to be fetched now; it has not ended.
    hold : Out(1)
        The next word is not near yet: nothing may be fetched.
    word : Out(32)
        The word fetched last.
    offence, access : In(32), In(Response)
        A header that was refused; an access's response.
    status, pintid, operations, clock : In(StatusWord), In(13), In(32), In(32)
        What STATUS tells.
    report : In(Report)
        A stop.
    record, taken : In(Record), Out(1)
        The oldest record of the log; it is to be removed, for one cycle.
    guest, number, register : In(GuestState), Out(3), In(64)
        A guest's state, and its register of that number.
    storage : In(probe_layout(config))
        An interface's storage.
    """

    def __init__(self, config: GicConfig | GicV2Config, pes: int, program_depth: int, log_depth: int):
        self._config, self._pes = config, pes
        self._depths = program_depth, log_depth
        super().__init__({
            "source": In(Source), "index": In(8), "fetch": In(1), "busy": In(1), "hold": Out(1),
            "word": Out(_WORD), "offence": In(_WORD), "access": In(Response), "status": In(StatusWord),
            "pintid": In(13), "operations": In(32), "clock": In(32), "report": In(Report),
            "record": In(Record), "taken": Out(1), "guest": In(GuestState), "number": Out(3),
            "register": In(64), "storage": In(probe_layout(config)),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        words = {source: Array(words)[self.index] for source, words in self._near().items()}
        words |= {Source.LOG: self._log_word(m), **self._far(m)}
        # A register each: choosing a source's word takes one cycle, choosing the source another.
        fetched = {source: Signal(_WORD, name=f"word_{source.name.lower()}") for source in words}
        with m.If(self.fetch):
            m.d.sync += [fetched[source].eq(word) for source, word in words.items()]
        with m.Switch(self.source):
            for source, word in fetched.items():
                with m.Case(source):
                    m.d.comb += self.word.eq(word)
        return m

    def _near(self):
        """Return the words of the answers whose words are simply there."""
        config, access = self._config, self.access
        sizes = HelloWord.const({
            "pes": self._pes, "lrs": config.lrs, "state_words": state_words(config),
            "gicv2": isinstance(config, GicV2Config),
        })  # fmt: skip
        return {
            Source.ERROR: [self.offence],
            Source.HELLO: [
                Const(protocol.VERSION, _WORD), Const(config.vtr, _WORD), sizes.as_value(),
                *(Const(depth, _WORD) for depth in self._depths),
            ],
            Source.ACCESS: [access.outcome.as_value(), *_words(access.value, 2), access.esr],
            Source.STATUS: [self.status.as_value(), self.pintid, self.operations, self.clock],
            Source.REPORT: _words(self.report.as_value(), protocol.REPORT_WORDS),
        }  # fmt: skip

    def _log_word(self, m):
        """Return the next word of the log's oldest record; with its first word all of it is taken."""
        at, last = Signal(range(protocol.RECORD_WORDS)), protocol.RECORD_WORDS - 1
        record, rest = self.record.as_value(), Signal(last * _WORD)
        m.d.sync += self.taken.eq(self.fetch & (self.source == Source.LOG) & (at == 0))
        with m.If(~self.busy):
            m.d.sync += at.eq(0)
        with m.Elif(self.fetch):
            m.d.sync += [
                at.eq(Mux(at == last, 0, at + 1)), rest.eq(Mux(at == 0, record[_WORD:], rest >> _WORD)),
            ]  # fmt: skip
        return Mux(at == 0, record[:_WORD], rest[:_WORD])

    def _far(self, m):
        """Return the next word of a guest's state and registers, and of an interface's storage.

        They come from far away and seldom: the index goes there in one cycle, of each few words one comes
        back in the next, and of these one is chosen in the last.
        """
        at, late = Signal.like(self.index), Signal()
        far = (self.source == Source.GUEST) | (self.source == Source.STATE)
        m.d.sync += [at.eq(self.index), late.eq(self.fetch), self.hold.eq(far & (self.fetch | late))]
        low, high = at[: exact_log2(_GROUP)], at[exact_log2(_GROUP) :]

        def near(name, words):
            groups = [words[n : n + _GROUP] for n in range(0, len(words), _GROUP)]
            picked = [Signal(_WORD, name=f"{name}{n}") for n in range(len(groups))]
            m.d.sync += [one.eq(Array(group)[low]) for one, group in zip(picked, groups, strict=True)]
            return Array(picked)[high]

        guest, storage = self.guest.as_value(), Signal(state_words(self._config) * _WORD)
        m.d.comb += [storage.eq(Value.cast(self.storage)), self.number.eq(at[1:4])]
        # An engine shows one register at a time, the one that the index means.
        registers = _words(self.register, 2) * REGISTERS
        return {
            Source.GUEST: near("guest", _words(guest, len(guest) // _WORD) + registers),
            Source.STATE: near("state", _words(storage, len(storage) // _WORD)),
        }
