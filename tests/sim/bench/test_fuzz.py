"""Words of any kind, right and wrong, on the compiled bench: each is answered as docs/mailbox.md says."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hw.bench.answers import state_words
from hw.bench.protocol import (
    ACCESS_ANSWER_WORDS,
    GUEST_WORDS,
    HELLO_WORDS,
    LENGTHS,
    STATUS_WORDS,
    VERSION,
    Error,
    Mark,
    Opcode,
)
from hw.config import GicConfig
from hw.registers import REGISTERS
from sim.bench.compiled import CompiledLink, build
from sim.bench.words import access, answer, command, load
from sim.port import Access, run

#: The configuration of the other tests of the bench, so that there is one build.
CONFIG = GicConfig(lrs=2)
DEPTH, LOG = 512, 64
#: No answer takes as many cycles; a test of a hang ends here.
SILENCE = 20_000
LAST = 201
HELLO = command(Opcode.HELLO, 0, tag=LAST)
#: What completes any command that was begun.
ZEROS = [0] * 256
ANSWERS = {
    Opcode.HELLO: HELLO_WORDS, Opcode.ACCESS: ACCESS_ANSWER_WORDS, Opcode.STATUS: STATUS_WORDS,
    Opcode.STATE: state_words(CONFIG), Opcode.GUEST: GUEST_WORDS,
}  # fmt: skip

WORD = st.one_of(st.integers(0, (1 << 32) - 1), st.sampled_from([0, 1, 0xFFFF_FFFF]))
HEADER = st.builds(
    lambda mark, pe, opcode, tag, length: mark << 28 | pe << 24 | opcode << 16 | tag << 8 | length,
    st.sampled_from([Mark.COMMAND, Mark.QUIET, 0, 0xA, 0xE, 0xF]), st.integers(0, 2),
    st.one_of(st.sampled_from(list(map(int, Opcode))), st.integers(0, 255)), st.integers(0, 200),
    st.one_of(st.integers(0, 6), st.integers(0, 255)),
)  # fmt: skip
ACCESSES = st.builds(
    lambda el, register, write, value: access(Access(el, register, write, value)),
    st.integers(1, 2), st.sampled_from(REGISTERS), st.booleans(), st.integers(0, (1 << 64) - 1),
)  # fmt: skip
#: Commands as they should be; an access now and then of a register there is.
COMMANDS = st.one_of(
    st.sampled_from([one for one in Opcode if one is not Opcode.RESUME]).flatmap(
        lambda opcode: st.builds(
            lambda words, tag, quiet: command(opcode, 0, words, tag, quiet),
            st.sampled_from(LENGTHS[opcode][:6]).flatmap(lambda n: st.lists(WORD, min_size=n, max_size=n)),
            st.integers(0, 200),
            st.booleans(),
        )
    ),
    st.builds(
        lambda words, tag, quiet: command(Opcode.ACCESS, 0, words, tag, quiet),
        ACCESSES,
        st.integers(0, 200),
        st.booleans(),
    ),
    st.builds(
        lambda at, words: command(Opcode.LOAD, 0, load(at, words), 8),
        st.integers(500, 520),
        st.lists(st.integers(0, (1 << 64) - 1), min_size=1, max_size=8),
    ),
)
CUT = st.builds(lambda words, at: words[: at % len(words)], COMMANDS, st.integers(0, 300))
ANY = st.lists(st.one_of(COMMANDS, COMMANDS, st.builds(lambda one: [one], HEADER), CUT), max_size=12)


def expected(words):
    """Return what must be answered: (mark, opcode or error, tag, length) with None where that may differ.

    A message in brackets may be missing. None of the words lets a guest run.
    """
    at = 0
    while at < len(words):
        header = words[at]
        at += 1
        if header == 0:
            continue
        length, tag, opcode, pe, mark = (
            header & 0xFF, header >> 8 & 0xFF, header >> 16 & 0xFF, header >> 24 & 15, header >> 28,
        )  # fmt: skip
        if mark not in (Mark.COMMAND, Mark.QUIET):
            yield Mark.ERROR, Error.MARK, tag, header
            continue
        arguments = words[at : at + length]
        at += length
        if opcode not in list(Opcode):
            yield Mark.ERROR, Error.OPCODE, tag, header
        elif length not in LENGTHS[Opcode(opcode)]:
            yield Mark.ERROR, Error.LENGTH, tag, header
        elif pe != 0:
            yield Mark.ERROR, Error.PE, tag, header
        elif opcode == Opcode.LOAD and arguments[0] + (length - 1) // 2 > DEPTH:
            yield Mark.ERROR, Error.RANGE, tag, header
        elif opcode == Opcode.ACCESS:
            optional = mark == Mark.QUIET and length != 1
            yield Mark.ANSWER, opcode, tag, (ANSWERS[opcode], optional, header)
        elif mark == Mark.COMMAND or opcode in ANSWERS:
            yield Mark.ANSWER, opcode, tag, ANSWERS.get(opcode, 0)


def answers(one, mark, opcode, tag, more):
    """Whether a message is the one that must be answered."""
    if isinstance(more, tuple):
        length, optional, header = more
        if one.error:
            return (one.opcode, one.words) == (Error.PENDING, [header])
        # A quiet write that is done says nothing, so what it says is that it was not done.
        return (one.opcode, one.tag, len(one.words)) == (opcode, tag, length) and not (
            optional and one.words[0] == 0
        )
    if (one.error, one.opcode, one.tag) != (mark == Mark.ERROR, opcode, tag):
        return False
    return one.words == [more] if one.error else len(one.words) == more


def check(found, words):
    """Compare messages with what must be answered.

    Commands may share a tag, so a message can be that of a quiet write or of the command after it: all
    readings are followed, each by the number of messages it has used.
    """
    readings = {0}
    for must in expected(words):
        quiet = isinstance(must[3], tuple) and must[3][1]
        used = {at + 1 for at in readings if at < len(found) and answers(found[at], *must)}
        assert used or quiet, (must, sorted(readings), found)
        readings = used | readings if quiet else used
    assert len(found) in readings, (sorted(readings), found)


async def talk(link, words):
    """Send words and HELLO; return what is answered before HELLO's answer."""
    messages = await link.exchange([*words, *HELLO], 1)
    while answer(messages[-1])[:4] != (False, Opcode.HELLO, 0, LAST):
        messages += await link.exchange([], 1)
    assert messages[-1][1] == VERSION
    return [answer(one) for one in messages[:-1]]


LIBRARY = []


def bench():
    """Return a bench of its own; the library is built once."""
    if not LIBRARY:
        LIBRARY.append(build(CONFIG, 1, DEPTH, LOG))
    return CompiledLink(LIBRARY[0], SILENCE)


@settings(max_examples=400, deadline=None, print_blob=True)
@given(ANY)
def test_every_word_is_answered_as_specified(pieces):
    """The message for each command, the error for each wrong word; RESUME is left out."""
    words = [word for piece in pieces for word in piece] + ZEROS
    if any(one[1] == Opcode.RESUME and one[0] == Mark.ANSWER for one in expected(words)):
        return
    link = bench()
    check(run(talk(link, words)), words)
    link.close()


PROGRAMS = st.lists(
    st.one_of(
        st.integers(0, (1 << 64) - 1),
        # Instructions there are: an operation in bits 56 and up, and small operands.
        st.builds(lambda op, low: op << 56 | low, st.integers(0, 0x18), st.integers(0, (1 << 20) - 1)),
    ),
    min_size=1, max_size=12,
)  # fmt: skip
RESUMES = st.tuples(st.integers(0, 0x3F), st.integers(0, 1000), WORD, WORD).map(list)


@settings(max_examples=300, deadline=None, print_blob=True)
@given(PROGRAMS, ANY, RESUMES, ANY)
def test_no_guest_and_no_words_hang_it(program, before, start, after):
    """Whatever a guest does and whatever is said to it: zero words, RESET, and HELLO is answered."""
    link = bench()

    async def job():
        words = command(Opcode.LOAD, 0, load(0, program), quiet=True)
        words += [word for piece in before for word in piece] + ZEROS
        words += command(Opcode.RESUME, 0, start, 9)
        words += [word for piece in after for word in piece]
        found = await talk(link, words + ZEROS + command(Opcode.RESET, 0, quiet=True))
        assert all(one.opcode in (list(Error) if one.error else list(Opcode)) for one in found)
        assert (
            check(await talk(link, command(Opcode.STATUS, 0, (), 3)), command(Opcode.STATUS, 0, (), 3))
            is None
        )

    run(job())
    link.close()
