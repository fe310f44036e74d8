"""The bridge's two queues: words that do not count yet, and words that may have to be sent again."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.bench.protocol import Header
from hw.uart.protocol import WORD_BYTES

__all__ = ["AnswerQueue", "CommandQueue", "check_depth"]

_WORD = 8 * WORD_BYTES


def check_depth(depth: int) -> None:
    """Refuse a depth that is no power of two from 4 to 32768.

    Raises
    ------
    ValueError
        With the depth.
    """
    if not 4 <= depth <= 1 << 15 or depth & (depth - 1):
        raise ValueError(f"a queue holds a power of two of words from 4 to 32768, not {depth}")


class CommandQueue(wiring.Component):
    """Words for the mailbox. Those of a frame are let out when it has ended well, or never.

    Parameters
    ----------
    depth : int, power of two
        Words it holds.

    Members
    -------
    word, write : In(32), In(1)
        Keep a word of the frame that is coming in.
    commit, rewind, clear : In(1)
        Its words count; they do not; forget everything.
    overflow : Out(1)
        A word of the frame found no room.
    room : Out(16)
        Words that there is room for.
    commands : Out(stream.Signature(32))
        To the mailbox, from a register; a word every three cycles.
    """

    word: In(_WORD)
    write: In(1)
    commit: In(1)
    rewind: In(1)
    clear: In(1)
    overflow: Out(1)
    room: Out(16)
    commands: Out(stream.Signature(_WORD))

    def __init__(self, depth: int):
        check_depth(depth)
        self._depth = depth
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=_WORD, depth=self._depth, init=[])
        write, read = memory.write_port(), memory.read_port()
        # One more bit than an address has: all of it is occupied when only that differs.
        new, kept, old = (Signal(range(2 * self._depth), name=name) for name in ("new", "kept", "old"))
        used, level = Signal.like(new), Signal.like(new)
        m.d.comb += [
            used.eq(new - old), level.eq(kept - old),
            write.addr.eq(new[:-1]), write.data.eq(self.word), write.en.eq(self.write & ~used[-1]),
            read.addr.eq(old[:-1]), read.en.eq(0),
        ]  # fmt: skip
        commands, fetched = self.commands, Signal()  # the memory's output is a word that is yet to be offered
        m.d.sync += self.room.eq(self._depth - level)
        with m.If(self.write):
            with m.If(used[-1]):
                m.d.sync += self.overflow.eq(1)
            with m.Else():
                m.d.sync += new.eq(new + 1)
        with m.If(commands.ready):
            m.d.sync += commands.valid.eq(0)
        with m.If(fetched):
            with m.If(~commands.valid):
                m.d.sync += [commands.valid.eq(1), commands.payload.eq(read.data), fetched.eq(0)]
        with m.Elif(level != 0):
            m.d.comb += read.en.eq(1)
            m.d.sync += [old.eq(old + 1), fetched.eq(1)]
        with m.If(self.commit):
            m.d.sync += [kept.eq(new), self.overflow.eq(0)]
        with m.If(self.rewind):
            m.d.sync += [new.eq(kept), self.overflow.eq(0)]
        with m.If(self.clear):
            m.d.sync += [
                new.eq(0), kept.eq(0), old.eq(0), self.overflow.eq(0), commands.valid.eq(0), fetched.eq(0),
            ]  # fmt: skip
        return m


class AnswerQueue(wiring.Component):
    """Words of the mailbox, kept until the host has said that it has them; whole messages are counted.

    Parameters
    ----------
    depth : int, power of two
        Words it holds.

    Members
    -------
    answers : In(stream.Signature(32))
        From the mailbox.
    words : Out(16)
        Words that are kept.
    messages : Out(16)
        Of them, ends of messages.
    at : In(16)
        Which word is wanted; 0 is the oldest when ``hold`` was high last.
    hold : In(1)
        Take what is the oldest now for word 0.
    word, ends : Out(32), Out(1)
        It, and whether a message ends with it; two cycles after ``at``.
    drop, drop_messages, dropped : In(16), In(16), In(1)
        With ``dropped``: forget so many words, and so many ends with them.
    clear : In(1)
        Forget all words. A message that is half in goes on.
    """

    answers: In(stream.Signature(_WORD))
    words: Out(16)
    messages: Out(16)
    at: In(16)
    hold: In(1)
    word: Out(_WORD)
    ends: Out(1)
    drop: In(16)
    drop_messages: In(16)
    dropped: In(1)
    clear: In(1)

    def __init__(self, depth: int):
        check_depth(depth)
        self._depth = depth
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=_WORD + 1, depth=self._depth, init=[])
        write, read = memory.write_port(), memory.read_port()
        new, old, base = (Signal(range(2 * self._depth), name=name) for name in ("new", "old", "base"))
        level, rest, ends, takes = Signal.like(new), Signal(8), Signal(), Signal()
        answers = self.answers
        length = Header(answers.payload).length
        m.d.comb += [
            level.eq(new - old), self.words.eq(level),
            takes.eq(answers.valid & answers.ready),
            ends.eq(Mux(rest == 0, length == 0, rest == 1)),
            write.en.eq(takes), write.addr.eq(new[:-1]), write.data.eq(Cat(answers.payload, ends)),
            read.addr.eq((base + self.at)[: len(new) - 1]),
        ]  # fmt: skip
        m.d.sync += Cat(self.word, self.ends).eq(read.data)
        # One word may come while this is late by a cycle.
        m.d.sync += answers.ready.eq(level < self._depth - 1)
        with m.If(takes):
            m.d.sync += [new.eq(new + 1), rest.eq(Mux(rest == 0, length, rest - 1))]
        with m.If(self.hold):
            m.d.sync += base.eq(old)
        fewer = Signal(16)
        with m.If(self.dropped):
            m.d.comb += fewer.eq(self.drop_messages)
            m.d.sync += old.eq(old + self.drop)
        m.d.sync += self.messages.eq(self.messages + (takes & ends) - fewer)
        with m.If(self.clear):
            # What comes in this very cycle is gone, too.
            m.d.sync += [new.eq(0), old.eq(0), self.messages.eq(0)]
        return m
