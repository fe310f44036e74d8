"""What bridge and host say to each other on a serial line: every number of ``docs/uart.md``.

A frame is a header word, words, and the CRC-32 of both, between flags, with flags and escapes inside it
escaped as HDLC does. Words have 32 bits and go out least significant byte first.
"""

from amaranth.lib import data, enum
from amaranth.lib.crc import Algorithm
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC

__all__ = [
    "ANSWER_DEPTH",
    "COMMAND_DEPTH",
    "CRC",
    "ESCAPE",
    "FLAG",
    "FLIP",
    "REFUSALS",
    "SYNC_WORDS",
    "VERSION",
    "WORD_BYTES",
    "Kind",
    "RequestWord",
    "ResponseWord",
    "Status",
]

#: Version of the line's protocol, first word of the answer to SYNC. Any change of meaning raises it.
VERSION = 1
#: Ends a frame and begins one; any number of them may stand between frames.
FLAG = 0x7E
#: The next byte stands for itself with :data:`FLIP` applied.
ESCAPE = 0x7D
#: Applied (exclusive or) to an escaped byte.
FLIP = 0x20
#: Guards header and words. The same as zlib's.
CRC: Algorithm = CRC32_ISO_HDLC
#: Bytes of a word.
WORD_BYTES = 4
#: Words that the bridge keeps of each direction, unless made otherwise.
COMMAND_DEPTH, ANSWER_DEPTH = 256, 256
#: Words of SYNC's answer: version, words of the command queue, of the answer queue, clock in Hz, patience.
SYNC_WORDS = 5


class Kind(enum.IntEnum, shape=8):
    """What a host's frame asks for. No status is equal to one, so an echoed frame is never an answer."""

    #: None of these; never sent.
    NONE = 0
    #: Begin anew: this sequence number, empty queues.
    SYNC = 0x01
    #: Take these words, give the answers' next.
    DATA = 0x02


class Status(enum.IntEnum, shape=8):
    """What a frame of the bridge is. From :attr:`CRC` on nothing of the host's frame was taken."""

    #: None of these; never sent.
    NONE = 0
    #: The answer to SYNC.
    SYNC = 0x81
    #: The answer to DATA: its words were taken, once.
    DATA = 0x82
    #: A frame arrived damaged: its CRC is wrong.
    CRC = 0xC1
    #: A frame arrived damaged: it is no number of words, or too few, or was broken off.
    LENGTH = 0xC2
    #: A frame arrived damaged: a byte without its stop bit.
    LINE = 0xC3
    #: The frame is whole, but its kind is unknown.
    KIND = 0xC4
    #: DATA that neither follows the one before it nor repeats it.
    SEQUENCE = 0xC5
    #: DATA with more words than there was room for.
    ROOM = 0xC6
    #: DATA before any SYNC since power came on.
    SESSION = 0xC7


#: Refusals, which carry no words.
REFUSALS = tuple(status for status in Status if status >= Status.CRC)


class RequestWord(data.Struct):
    """Header of a host's frame.

    ``messages``: DATA is answered when so many whole messages of the mailbox are there, or ``words`` words,
    or the bridge's patience is at an end. ``words``: how many words the answer may have.
    """

    kind: Kind
    sequence: 8
    messages: 8
    words: 8


class ResponseWord(data.Struct):
    """Header of the bridge's frame: ``room`` words are free in the command queue."""

    status: Status
    sequence: 8
    room: 16
