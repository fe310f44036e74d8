"""Frames on a serial line: from bytes to words and back (``docs/uart.md``)."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.uart.protocol import CRC, ESCAPE, FLAG, FLIP, WORD_BYTES, Status

__all__ = ["FrameReceiver", "FrameSender", "OutgoingWord"]

_WORD = 8 * WORD_BYTES


class FrameReceiver(wiring.Component):
    """Takes frames apart. Words are handed on as they come; only the end tells whether they count.

    Members
    -------
    byte, valid, broken : In(8), In(1), In(1)
        From :class:`hw.uart.serial.Receiver`.
    word : Out(32)
        A word of the frame, the header first; the CRC is kept back.
    taken : Out(1)
        There is one, for one cycle.
    first : Out(1)
        With ``taken``: it is the header.
    end : Out(1)
        The frame has ended, for one cycle, some cycles after its flag. Never for an empty one.
    damage : Out(Status)
        With ``end``: CRC, LENGTH or LINE; DATA if the frame is whole.
    """

    byte: In(8)
    valid: In(1)
    broken: In(1)
    word: Out(_WORD)
    taken: Out(1)
    first: Out(1)
    end: Out(1)
    damage: Out(Status, init=Status.DATA)

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = CRC(data_width=8).create()
        escaped, line = Signal(), Signal()
        # Whole words seen, up to the two that every frame has; bytes of the word that is coming.
        words, count, anything = Signal(range(3)), Signal(range(WORD_BYTES)), Signal()
        word, plain = Signal(_WORD), Signal(8)
        flagged = Signal()
        m.d.comb += plain.eq(Mux(escaped, self.byte ^ FLIP, self.byte))
        # What comes in is looked at a cycle before it is used.
        use, ends = Signal(), Signal()
        byte = Signal(8)
        m.d.sync += [use.eq(0), ends.eq(0), self.taken.eq(0), self.end.eq(0), byte.eq(plain)]
        with m.If(self.valid):
            with m.If(self.broken):
                m.d.sync += line.eq(1)
            with m.If((self.byte == FLAG) & ~self.broken):
                m.d.sync += [ends.eq(1), flagged.eq(escaped), escaped.eq(0)]
            with m.Elif((self.byte == ESCAPE) & ~escaped):
                m.d.sync += escaped.eq(1)
            with m.Else():
                m.d.sync += [use.eq(1), escaped.eq(0)]
        m.d.comb += [crc.data.eq(byte), crc.valid.eq(use), crc.start.eq(ends)]
        with m.If(use):
            m.d.sync += [word.eq(Cat(word[8:], byte)), count.eq(count + 1), anything.eq(1)]
            # The word that is complete now goes out only when another follows: it may be the CRC.
            with m.If((count == 0) & (words != 0)):
                m.d.sync += [self.word.eq(word), self.taken.eq(1), self.first.eq(words == 1)]
            with m.If((count == WORD_BYTES - 1) & (words != 2)):
                m.d.sync += words.eq(words + 1)
        with m.If(ends):
            m.d.sync += [
                self.end.eq(anything | line | flagged),
                anything.eq(0), line.eq(0), words.eq(0), count.eq(0),
            ]  # fmt: skip
            with m.If(line):
                m.d.sync += self.damage.eq(Status.LINE)
            with m.Elif(flagged | (count != 0) | (words != 2)):
                m.d.sync += self.damage.eq(Status.LENGTH)
            with m.Elif(~crc.match_detected):
                m.d.sync += self.damage.eq(Status.CRC)
            with m.Else():
                m.d.sync += self.damage.eq(Status.DATA)
        return m


class OutgoingWord(data.Struct):
    """A word to send; the CRC and the closing flag follow the last one of a frame."""

    word: _WORD
    last: 1


class FrameSender(wiring.Component):
    """Puts frames together: a flag, the words, their CRC, a flag.

    Members
    -------
    words : In(stream.Signature(OutgoingWord))
        The frame's words.
    bytes : Out(stream.Signature(8))
        To :class:`hw.uart.serial.Transmitter`.
    """

    words: In(stream.Signature(OutgoingWord))
    bytes: Out(stream.Signature(8))

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = CRC(data_width=8).create()
        word, last, checks = Signal(_WORD), Signal(), Signal()
        left = Signal(range(WORD_BYTES))
        out, free = self.bytes, Signal()
        escapes = (word[:8] == FLAG) | (word[:8] == ESCAPE)
        m.d.comb += [free.eq(~out.valid | out.ready), crc.data.eq(word[:8])]
        with m.If(out.ready):
            m.d.sync += out.valid.eq(0)
        with m.FSM():
            with m.State("idle"):
                m.d.comb += crc.start.eq(1)
                with m.If(self.words.valid & free):
                    m.d.sync += [out.valid.eq(1), out.payload.eq(FLAG)]
                    m.next = "word"
            with m.State("word"):
                m.d.comb += self.words.ready.eq(1)
                m.d.sync += [
                    word.eq(self.words.payload.word), last.eq(self.words.payload.last), checks.eq(0),
                    left.eq(WORD_BYTES - 1),
                ]  # fmt: skip
                with m.If(self.words.valid):
                    m.next = "byte"
            with m.State("byte"):
                with m.If(free):
                    m.d.sync += [out.valid.eq(1), out.payload.eq(Mux(escapes, ESCAPE, word[:8]))]
                    m.next = "moved"
                    with m.If(escapes):
                        m.next = "escaped"
            with m.State("escaped"):
                with m.If(free):
                    m.d.sync += [out.valid.eq(1), out.payload.eq(word[:8] ^ FLIP)]
                    m.next = "moved"
            with m.State("moved"):
                # The CRC is complete a cycle after its last byte: that is when "crc" reads it.
                m.d.comb += crc.valid.eq(~checks)
                m.d.sync += [word.eq(word >> 8), left.eq(left - 1)]
                m.next = "byte"
                with m.If(left == 0):
                    m.next = "word"
                    with m.If(checks):
                        m.next = "flag"
                    with m.Elif(last):
                        m.next = "crc"
            with m.State("crc"):
                m.d.sync += [word.eq(crc.crc), checks.eq(1), left.eq(WORD_BYTES - 1)]
                m.next = "byte"
            with m.State("flag"):
                with m.If(free):
                    m.d.sync += [out.valid.eq(1), out.payload.eq(FLAG)]
                    m.next = "idle"
        return m
