"""The bridge: frames of a serial line on one side, the mailbox's words on the other (``docs/uart.md``)."""

from amaranth.hdl import Array, Const, Module, Mux, Signal
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.uart import protocol
from hw.uart.frames import FrameReceiver, FrameSender
from hw.uart.protocol import Kind, RequestWord, ResponseWord, Status
from hw.uart.queues import AnswerQueue, CommandQueue
from hw.uart.serial import Receiver, Transmitter

__all__ = ["UartBridge"]

_WORD = 8 * protocol.WORD_BYTES


class _Turn(enum.Enum, shape=2):
    """What a frame of the bridge is about."""

    REFUSAL = 0
    SYNC = 1
    DATA = 2


class UartBridge(wiring.Component):
    """Takes the words of every frame once, and keeps what it has answered until the host goes on.

    It speaks only when spoken to: every whole frame is answered by one frame, every damaged one by a refusal.

    Parameters
    ----------
    divisor : int, 2 or more
        Clock cycles of a bit.
    patience : int
        Clock cycles after which DATA is answered with fewer messages than asked for.
    clock : int
        Clock frequency in Hz, told to the host.
    command_depth, answer_depth : int
        Words that the queues hold, powers of two.

    Members
    -------
    rx, tx : In(1), Out(1)
        The line: 8 data bits, no parity, one stop bit.
    session : Out(1)
        A host has begun a session since reset.
    commands : Out(stream.Signature(32))
        To the mailbox.
    answers : In(stream.Signature(32))
        From it.
    """

    rx: In(1, init=1)
    tx: Out(1, init=1)
    session: Out(1)
    commands: Out(stream.Signature(_WORD))
    answers: In(stream.Signature(_WORD))

    def __init__(
        self,
        divisor: int,
        patience: int,
        clock: int,
        command_depth: int = protocol.COMMAND_DEPTH,
        answer_depth: int = protocol.ANSWER_DEPTH,
    ):
        self._divisor, self._patience, self._clock = divisor, patience, clock
        self._depths = command_depth, answer_depth
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver = receiver = Receiver(self._divisor)
        m.submodules.frames = self._frames = frames = FrameReceiver()
        m.submodules.commands = self._queue = queue = CommandQueue(self._depths[0])
        m.submodules.answers = self._kept = kept = AnswerQueue(self._depths[1])
        m.submodules.sender = self._sender = sender = FrameSender()
        m.submodules.transmitter = transmitter = Transmitter(self._divisor)
        connect(m, queue.commands, flipped(self.commands))
        connect(m, flipped(self.answers), kept.answers)
        connect(m, sender.bytes, transmitter.bytes)
        m.d.comb += [
            receiver.rx.eq(self.rx), self.tx.eq(transmitter.tx),
            frames.byte.eq(receiver.byte), frames.valid.eq(receiver.valid),
            frames.broken.eq(receiver.broken),
            queue.word.eq(frames.word), queue.write.eq(frames.taken & ~frames.first),
        ]  # fmt: skip
        self._sequence, self._data = Signal(8), Signal()
        self._waiting, self._again, self._turn = Signal(), Signal(), Signal(_Turn)
        self._refused, self._refusal = Signal(), Signal(Status)
        self._sent, self._sent_messages = Signal(16), Signal(16)
        self._asked, self._counting = Signal(RequestWord), Signal()
        self._timer = Signal(range(self._patience + 1))
        self._judge(m)
        self._respond(m)
        return m

    def _judge(self, m):
        """Decide about a frame at its end, whatever is being sent meanwhile."""
        frames, queue, kept = self._frames, self._queue, self._kept
        header = Signal(RequestWord)
        with m.If(frames.taken & frames.first):
            m.d.sync += header.eq(frames.word)
        # A header is there at least four bytes before its frame ends: what it is was found out by then.
        sync, data, follows, repeats, fits = Signal(), Signal(), Signal(), Signal(), Signal()
        m.d.sync += [
            sync.eq(header.kind == Kind.SYNC), data.eq(header.kind == Kind.DATA),
            follows.eq(header.sequence == (self._sequence + 1)[:8]),
            # A session's first DATA is not to be taken for a repetition of its SYNC.
            repeats.eq((header.sequence == self._sequence) & self._data),
            fits.eq(data & self.session & ~repeats & follows & ~queue.overflow),
        ]  # fmt: skip
        m.d.comb += [kept.drop.eq(self._sent), kept.drop_messages.eq(self._sent_messages)]

        def refuse(status):
            m.d.sync += [self._refused.eq(1), self._refusal.eq(status)]

        with m.If(frames.end):
            m.d.comb += queue.rewind.eq(1)
            with m.If(frames.damage != Status.DATA):
                refuse(frames.damage)
            with m.Elif(sync):
                m.d.comb += [queue.clear.eq(1), kept.clear.eq(1)]
                m.d.sync += [
                    self._sequence.eq(header.sequence), self.session.eq(1), self._data.eq(0),
                    self._waiting.eq(0), self._again.eq(1), self._turn.eq(_Turn.SYNC),
                    self._refused.eq(0), self._counting.eq(0),
                    self._sent.eq(0), self._sent_messages.eq(0),
                ]  # fmt: skip
            with m.Elif(fits):
                m.d.comb += [queue.rewind.eq(0), queue.commit.eq(1), kept.dropped.eq(1)]
                m.d.sync += [
                    self._sequence.eq(header.sequence), self._asked.eq(header), self._data.eq(1),
                    self._waiting.eq(1), self._again.eq(0), self._turn.eq(_Turn.DATA),
                    self._timer.eq(self._patience), self._counting.eq(0),
                    self._sent.eq(0), self._sent_messages.eq(0),
                ]  # fmt: skip
            with m.Elif(~data):
                refuse(Status.KIND)
            with m.Elif(~self.session):
                refuse(Status.SESSION)
            with m.Elif(repeats):
                # If it has not been answered yet, it will be.
                with m.If(~self._waiting):
                    m.d.sync += self._again.eq(1)
            with m.Elif(~follows):
                refuse(Status.SEQUENCE)
            with m.Else():
                refuse(Status.ROOM)

    def _respond(self, m):
        """Send a frame when one is due."""
        queue, kept, words = self._queue, self._kept, self._sender.words
        enough, armed = Signal(), Signal()
        m.d.sync += [
            armed.eq(self._waiting),
            enough.eq(
                (kept.messages >= self._asked.messages) | (kept.words >= self._asked.words)
                | (self._timer == 0)
            ),
        ]  # fmt: skip
        with m.If(self._waiting & (self._timer != 0)):
            m.d.sync += self._timer.eq(self._timer - 1)
        count = Signal(16)
        m.d.comb += count.eq(Mux(kept.words < self._asked.words, kept.words, self._asked.words))

        header, turn, index, left = Signal(ResponseWord), Signal(_Turn), Signal(16), Signal(16)
        told = [protocol.VERSION, *self._depths, self._clock, self._patience]
        assert len(told) == protocol.SYNC_WORDS
        told = Array(Const(value, _WORD) for value in told)

        def begin(turn_now, status, length):
            m.d.sync += [
                header.status.eq(status), header.sequence.eq(self._sequence), header.room.eq(queue.room),
                turn.eq(turn_now), left.eq(length), index.eq(0),
            ]  # fmt: skip
            m.next = "header"

        m.d.comb += [kept.at.eq(index), kept.hold.eq(0)]
        with m.FSM():
            with m.State("idle"):
                m.d.comb += kept.hold.eq(1)
                with m.If(self._frames.end):
                    pass  # first what has just come
                with m.Elif(self._refused):
                    m.d.sync += self._refused.eq(0)
                    begin(_Turn.REFUSAL, self._refusal, 0)
                with m.Elif(self._again):
                    m.d.sync += self._again.eq(0)
                    with m.If(self._turn == _Turn.SYNC):
                        begin(_Turn.SYNC, Status.SYNC, protocol.SYNC_WORDS)
                    with m.Else():
                        begin(_Turn.DATA, Status.DATA, self._sent)
                with m.Elif(self._waiting & armed & enough):
                    m.d.sync += [self._waiting.eq(0), self._sent.eq(count), self._counting.eq(1)]
                    begin(_Turn.DATA, Status.DATA, count)
            with m.State("header"):
                m.d.comb += [
                    words.valid.eq(1), words.payload.word.eq(header), words.payload.last.eq(left == 0),
                ]  # fmt: skip
                with m.If(words.ready):
                    m.next = "word"
                    with m.If(left == 0):
                        m.next = "idle"
            with m.State("word"):
                # The queue's word is there two cycles after its number, long before it is wanted.
                m.d.comb += [
                    words.valid.eq(1), words.payload.last.eq(left == 1),
                    words.payload.word.eq(Mux(turn == _Turn.SYNC, told[index[:3]], kept.word)),
                ]  # fmt: skip
                with m.If(words.ready):
                    m.d.sync += [index.eq(index + 1), left.eq(left - 1)]
                    with m.If(self._counting & ~self._frames.end):
                        m.d.sync += self._sent_messages.eq(self._sent_messages + kept.ends)
                    with m.If(left == 1):
                        m.d.sync += self._counting.eq(0)
                        m.next = "idle"
        return m
