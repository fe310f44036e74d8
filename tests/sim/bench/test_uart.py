"""The serial line: every refusal, frames taken once, a host that dies, and noise (docs/uart.md)."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.bench.protocol import Error, Mark, Opcode
from hw.config import GicConfig
from hw.errors import InputError
from hw.registers import lookup
from hw.uart.protocol import COMMAND_DEPTH, SYNC_WORDS, VERSION, Kind, Status
from sim.bench.board import SimulatedBoard, SimulatedPort, pseudo_terminal
from sim.bench.frames import FrameReader, frame, request_word, response_fields
from sim.bench.link import Host
from sim.bench.port import bench_ports
from sim.bench.uart import LineError, SerialLink, open_port
from sim.bench.words import access, command
from sim.port import Access, run
from tests.bench_jobs import clocks
from tests.noisy_line import Noise, session

CONFIG = GicConfig(lrs=2)
HELLO = command(Opcode.HELLO, 0, tag=9)
WORDS = st.lists(st.integers(0, (1 << 32) - 1), min_size=1, max_size=20)


@pytest.fixture
def board():
    board = SimulatedBoard(CONFIG)
    yield board
    board.close()


def data(sequence, words=(), messages=0, limit=255):
    return frame([request_word(Kind.DATA, sequence, messages, limit), *words])


def told(board, sent):
    """Return (status, sequence number, words) of the frames that answer what is sent."""
    reader, found, rest = FrameReader(), [], sent
    while rest or not board.rest:
        count, came = board.run(rest)
        rest = rest[count:]
        found += reader.feed(came)
    assert not reader.damaged
    return [(*response_fields(words[0])[:2], words[1:]) for words in found]


@given(st.lists(WORDS, min_size=1, max_size=4), st.integers(1, 9))
def test_frames_come_apart_as_they_were_put_together(frames, piece):
    stream, reader, found = b"".join(map(frame, frames)), FrameReader(), []
    for at in range(0, len(stream), piece):
        found += reader.feed(stream[at : at + piece])
    whole = [words for words in frames if len(words) > 0]
    assert (found, reader.damaged) == (whole, 0)


@given(WORDS, st.data())
def test_a_changed_byte_is_noticed(words, choice):
    stream = bytearray(frame(words))
    at = choice.draw(st.integers(0, len(stream) - 1))
    stream[at] ^= choice.draw(st.integers(1, 255))
    assert words not in FrameReader().feed(bytes(stream) + b"\x7e") or at in (0, len(stream) - 1)


def test_sync_tells_version_and_sizes(board):
    ((status, sequence, words),) = told(board, frame([request_word(Kind.SYNC, 77)]))
    assert (status, sequence, len(words)) == (Status.SYNC, 77, SYNC_WORDS)
    assert words[:2] == [VERSION, COMMAND_DEPTH]


def test_every_refusal_has_its_name_and_changes_nothing(board):
    """After each the session goes on where it was."""
    sync = frame([request_word(Kind.SYNC, 10)])
    whole = data(11, HELLO)
    for sent, status in (
        (whole, Status.SESSION),
        (sync, Status.SYNC),
        (bytes([*whole[:6], whole[6] ^ 0x10, *whole[7:]]), Status.CRC),
        (b"\x7e\x01\x02\x03\x7e", Status.LENGTH),
        (whole[:-1] + b"\x7d\x7e", Status.LENGTH),
        (frame([request_word(Kind.SYNC, 11)])[:6] + b"\x7e", Status.LENGTH),
        (frame([0x0000_0B77]), Status.KIND),
        (data(10, HELLO), Status.SEQUENCE),
        (data(13, HELLO), Status.SEQUENCE),
        (data(11, [0] * (COMMAND_DEPTH + 1)), Status.ROOM),
        (whole, Status.DATA),
    ):
        assert [one[0] for one in told(board, sent)] == [status], (sent, status)
    ((status, sequence, words),) = told(board, data(12, messages=1))
    assert (status, sequence) == (Status.DATA, 12)
    assert words[0] >> 28 == Mark.ANSWER


def test_a_repeated_frame_is_answered_alike_and_executed_once(board):
    """An acknowledge that is sent three times takes one interrupt, and is not undone."""
    write = [(lookup(f"ICH_LR{n}_EL2"), 0x5080_0000_0000_0020 + n) for n in range(2)]
    write += [(lookup("ICH_VMCR_EL2"), 0xF84C_0003), (lookup("ICH_HCR_EL2"), 1)]
    words = [
        w for reg, value in write for w in command(Opcode.ACCESS, 0, access(Access(2, reg, True, value)))
    ]
    read = command(Opcode.ACCESS, 0, access(Access(1, lookup("ICC_IAR1_EL1"))))
    told(board, frame([request_word(Kind.SYNC, 0)]) + data(1, words, messages=4))
    answers = told(board, data(2, read, messages=1) * 3)
    assert len(answers) == 3
    assert all(one == answers[0] for one in answers)
    assert answers[0][2][2] == 0x20
    second = command(Opcode.ACCESS, 0, access(Access(2, lookup("ICH_LR1_EL2"))))
    ((_, _, words),) = told(board, data(3, second, messages=1))
    assert words[3] >> 30 == 1  # still pending


def test_what_was_not_asked_for_is_kept_until_it_is(board):
    """Answers longer than a frame may be, and a question that the bridge loses patience with."""
    told(board, frame([request_word(Kind.SYNC, 0)]))
    ((_, _, first),) = told(board, data(1, HELLO, messages=1, limit=2))
    ((_, _, second),) = told(board, data(2, messages=1, limit=9))
    assert [len(first), len(second)] == [2, 4]
    before = board.cycles
    assert told(board, data(3, messages=1)) == [(Status.DATA, 3, [])]
    assert board.cycles - before >= 500_000


def test_a_host_that_dies_in_mid_frame_and_mid_command_leaves_a_board_for_the_next(board):
    """Also one that leaves a guest running that never ends, and answers that nobody took."""
    port = SimulatedPort(board)
    SerialLink(port).begin()
    told(board, data(0, HELLO)[:9])
    link = SerialLink(port)
    link.begin()
    unfinished = command(Opcode.RESUME, 0, [0, 0, 0, 0], tag=3) + command(Opcode.LOAD, 0, [0] * 101)[:50]
    port.write(data(link.sequence + 1, HELLO * 40 + unfinished) + data(0, HELLO)[:11])
    port.read(1)
    link = SerialLink(port)
    link.begin()
    assert run(job_of(link)) == run(job_of(link))


async def job_of(link):
    return await clocks(await bench_ports(Host(link), CONFIG, 1))


def test_a_long_list_needs_no_more_room_than_there_is(board):
    """More commands than the queue holds, with more answers than the other holds."""
    link = SerialLink(SimulatedPort(board))
    link.begin()
    words = [word for tag in range(1, 200) for word in command(Opcode.HELLO, 0, tag=tag)]
    found = run(link.exchange(words, 199))
    assert [message[0] >> 8 & 0xFF for message in found] == list(range(1, 200))
    refused = run(link.exchange([0x1234_5678], 1))
    assert refused[0][0] >> 16 & 0xFF == Error.MARK


@pytest.mark.parametrize("seed", [1, 2])
def test_on_a_noisy_line_every_command_is_executed_once_or_reported(board, seed):
    """Ten thousand frames between the two, a byte in a hundred changed, dropped or doubled each way."""
    print(f"seed {seed}")
    done = session(board, CONFIG, seed, frames=5_000, rate=0.01)
    assert done.resent > 500
    assert done.commands > 1000
    assert not done.wrong


def test_a_line_that_is_too_noisy_is_reported(board):
    print("seed 3")
    noise = Noise(random.Random(3), 0.3)
    with pytest.raises(LineError, match=r"^simulated board: "):
        SerialLink(SimulatedPort(board, noise, noise)).begin()


def test_nobody_at_the_other_end_is_one_line_with_the_remedy():
    with pytest.raises(LineError, match=r"no board answers; is the bitstream loaded.*--baud"):
        link = SerialLink(open_port("loop://", timeout=0.01))
        link.begin()
    with pytest.raises(
        InputError, match=r"/dev/spillway-none cannot be opened: name the board's serial device"
    ):
        open_port("/dev/spillway-none")


def test_a_board_behind_a_pseudo_terminal_is_a_serial_port(board):
    with pseudo_terminal(board) as device, open_port(device, timeout=20) as port:
        link = SerialLink(port)
        link.begin()
        assert run(job_of(link))[1][0] == "HALT"
        assert link.clock == 100_000_000
        assert not link.resent
