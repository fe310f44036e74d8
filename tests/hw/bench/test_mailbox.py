"""The mailbox: every command's errors, and that no words whatever make it hang (docs/mailbox.md)."""

import pytest
from amaranth.lib import data
from amaranth.sim import Simulator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hw.bench.bench import Bench
from hw.bench.engine_port import GuestState
from hw.bench.instruction import Instruction, Op
from hw.bench.protocol import VERSION, Cause, Error, Mark, Opcode, members
from hw.config import GicConfig
from hw.registers import lookup
from sim.bench.amaranth import AmaranthLink
from sim.bench.assembler import assemble
from sim.bench.words import access, answer, command, load, report, resume
from sim.guest.language import parse_program
from sim.port import Access

CONFIG = GicConfig(lrs=1)
DEPTH, LOG = 16, 8
HELLO = command(Opcode.HELLO, 0, tag=200)
#: A branch to itself.
ENDLESS = Op.B << members(Instruction)["op"][0]


def talk(*exchanges):
    """Send each list of words and return the messages that come until as many as asked for have."""
    bench = Bench(CONFIG, 1, DEPTH, LOG)
    found = []

    async def testbench(ctx):
        link = AmaranthLink(bench, ctx)
        for words, messages in exchanges:
            found.append([answer(one) for one in await link.exchange(words, messages)])

    simulator = Simulator(bench)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.run()
    return found


def test_hello_tells_version_identity_and_sizes():
    ((hello,),) = talk((HELLO, 1))
    assert (hello.tag, hello.error) == (200, False)
    assert hello.words[:2] == [VERSION, CONFIG.vtr]
    assert hello.words[2] & 0xFFFF == CONFIG.lrs << 8 | 1
    assert hello.words[3:] == [DEPTH, LOG]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ([0x1234_5678], Error.MARK),
        ([Mark.COMMAND << 28 | 0x7F << 16 | 2, 1, 2], Error.OPCODE),
        (command(Opcode.CONFIGURE, 0, [1]), Error.LENGTH),
        (command(Opcode.LOAD, 0, [0, 1]), Error.LENGTH),
        (command(Opcode.STATUS, 5), Error.PE),
        (command(Opcode.LOAD, 0, load(DEPTH - 1, [0, 0])), Error.RANGE),
        (command(Opcode.LOAD, 0, load(DEPTH, [0])), Error.RANGE),
        (command(Opcode.LOAD, 0, load(0xFFFF_FFFF, [0])), Error.RANGE),
        # More instructions than there are places, wherever they begin.
        (command(Opcode.LOAD, 0, load(0, [0] * (DEPTH + 1))), Error.RANGE),
        (command(Opcode.LOAD, 0, load(DEPTH, [0] * (DEPTH + 4))), Error.RANGE),
    ],
    ids=lambda value: value.name if isinstance(value, Error) else "",
)
def test_a_wrong_command_is_refused_by_name_and_the_next_one_is_answered(words, error):
    refused, hello = talk((words + HELLO, 2))[0]
    assert (refused.error, refused.opcode, refused.words) == (True, error, [words[0]])
    assert (hello.error, hello.tag) == (False, 200)


@pytest.mark.parametrize(("address", "count"), [(0, DEPTH), (DEPTH - 1, 1), (3, DEPTH - 3)])
def test_a_program_that_just_fits_is_loaded(address, count):
    """Up to the last place; a refused one before it leaves nothing behind."""
    refused = command(Opcode.LOAD, 0, load(address, [0] * (count + 1)), tag=1)
    one, other = talk((refused + command(Opcode.LOAD, 0, load(address, [0] * count), tag=2), 2))[0]
    assert (one.error, one.opcode) == (True, Error.RANGE)
    assert (other.error, other.opcode, other.tag) == (False, Opcode.LOAD, 2)


def test_a_running_guest_can_be_reset_and_nothing_else_is_done_to_it():
    """BUSY; RESUME is never answered after RESET, and the mailbox goes on."""
    start = command(Opcode.LOAD, 0, load(0, [ENDLESS]), quiet=True)
    start += command(Opcode.RESUME, 0, resume(), tag=1)
    state = command(Opcode.STATE, 0, tag=2)
    messages = talk((start + state + command(Opcode.RESET, 0, tag=3) + state + HELLO, 4))[0]
    assert [one.tag for one in messages] == [2, 3, 2, 200]
    assert [one.error for one in messages] == [True, False, False, False]
    assert messages[0].opcode == Error.BUSY


def test_a_kick_stops_a_guest_at_once_by_default():
    start = command(Opcode.LOAD, 0, load(0, [ENDLESS]), quiet=True)
    start += command(Opcode.RESUME, 0, resume(exact=1, entry=1), tag=1)
    ((kicked,),) = talk((start + command(Opcode.KICK, 0, quiet=True), 1))
    assert report(kicked.words).cause is Cause.KICK


def test_a_word_that_is_no_instruction_stops_the_guest():
    bad = 0x1F << members(Instruction)["op"][0]
    start = command(Opcode.LOAD, 0, load(0, [bad]), quiet=True)
    ((stopped,),) = talk((start + command(Opcode.RESUME, 0, resume()), 1))
    assert report(stopped.words).cause is Cause.PROGRAM


WORDS = st.one_of(
    st.integers(0, (1 << 32) - 1),
    st.builds(
        lambda mark, opcode, pe, length: mark << 28 | pe << 24 | opcode << 16 | length,
        st.sampled_from([Mark.COMMAND, Mark.QUIET]),
        st.integers(0, 0x0B),
        st.integers(0, 1),
        st.integers(0, 6),
    ),
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(WORDS, max_size=60))
def test_no_words_make_it_hang(words):
    """After anything: 256 zero words, RESET, and HELLO is answered."""
    bench = Bench(CONFIG, 1, DEPTH, LOG)
    answered = []

    async def testbench(ctx):
        link = AmaranthLink(bench, ctx)
        await link.exchange(words, 0)
        found = await link.exchange([0] * 256 + command(Opcode.RESET, 0) + HELLO, 1)
        while not answered:
            answered.extend(one for one in map(answer, found) if one.tag == 200 and not one.error)
            if not answered:
                found = await link.exchange([], 1)

    simulator = Simulator(bench)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.run()
    assert answered[-1].words[0] == VERSION


def test_guest_tells_registers_flags_and_where_the_guest_is():
    program = assemble(
        parse_program("MOV r3, 0x1234\nMOV r7, 0xffffffffffffffff\nCMP r3, 0x2000\nNOP 9\nHALT", "guest")
    )
    start = command(Opcode.LOAD, 0, load(0, program.words), quiet=True)
    start += command(Opcode.RESUME, 0, resume(4, entry=1), tag=1)
    _, guest = talk((start, 1), (command(Opcode.GUEST, 0, tag=2), 1))
    (state,) = guest
    layout = data.Layout.cast(GuestState)
    packed = sum(word << 32 * n for n, word in enumerate(state.words[: layout.size // 32]))

    def member(name):
        return packed >> layout[name].offset & (1 << layout[name].width) - 1

    assert [member(name) for name in ("equal", "lower", "delay")] == [0, 1, 9 - 4]
    assert member("pc") == len(program.words) - 2  # of the HALT, behind the pause
    registers = [low | high << 32 for low, high in zip(state.words[16::2], state.words[17::2], strict=True)]
    assert registers == [0, 0, 0, 0x1234, 0, 0, 0, (1 << 64) - 1]


def test_without_an_engine_there_is_nothing_to_load_or_run_and_el1_is_the_hosts():
    """RANGE for LOAD, PROGRAM for RESUME, and an acknowledge by ACCESS."""
    bench = Bench(CONFIG, 1, 0, 0)
    found = []
    setup = [("ICH_LR0_EL2", 0x5080_0000_0000_0020), ("ICH_VMCR_EL2", 0xF84C_0003), ("ICH_HCR_EL2", 1)]
    words = [
        word
        for name, value in setup
        for word in command(Opcode.ACCESS, 0, access(Access(2, lookup(name), True, value)), quiet=True)
    ]
    words += command(Opcode.LOAD, 0, load(0, [ENDLESS]), tag=1)
    words += command(Opcode.ACCESS, 0, access(Access(1, lookup("ICC_IAR1_EL1"))), tag=2)
    words += command(Opcode.RESUME, 0, resume(), tag=3)

    async def testbench(ctx):
        found.extend(answer(one) for one in await AmaranthLink(bench, ctx).exchange(words + HELLO, 4))

    simulator = Simulator(bench)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.run()
    by_tag = {one.tag: one for one in found}
    assert (by_tag[1].error, by_tag[1].opcode) == (True, Error.RANGE)
    assert by_tag[2].words[1] == 0x20
    assert report(by_tag[3].words).cause is Cause.PROGRAM
    assert by_tag[200].words[3:] == [0, 0]
