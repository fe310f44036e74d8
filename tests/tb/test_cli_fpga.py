"""``spillway fpga run``: the command for a board, at a simulated one's pins."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hw.config import GicConfig
from sim.bench.attached import Attached
from sim.bench.board import SimulatedBoard, SimulatedPort, pseudo_terminal
from tb.cli import main
from tb.scenarios import play_scenarios

DIRECTORY = Path(__file__).parents[2] / "sim" / "scenarios"
CONFIG = GicConfig(lrs=2)


@pytest.fixture
def board():
    board = SimulatedBoard(CONFIG)
    yield board
    board.close()


def _run(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main(["fpga", "run", *map(str, arguments)])
    captured = capsys.readouterr()
    return stop.value.code or 0, captured.out, captured.err


def _files(*names):
    return [DIRECTORY / f"{name}.scenario" for name in names]


def test_scenarios_on_a_board(capsys, board):
    """One that fits, one that needs a second CPU; twice, as two runs of a user would."""
    files = _files("A03", "A13")
    with pseudo_terminal(board) as device:
        for _ in range(2):
            status, out, err = _run(capsys, "--port", device, "--timeout", 20, "--profile", "7.3", *files)
            assert (status, err) == (0, "")
            assert f"board at {device}: 1 PE, 2 LRs, 100 MHz" in out
            assert "needs 2 CPUs; the board has 1" in out
        status, out, _ = _run(capsys, "--port", device, "--timeout", 20, "--json", files[0])
    report = json.loads(out)
    assert (status, report["command"], report["resent"]) == (0, "fpga run", 0)
    golden = play_scenarios(files[:1])
    assert report["results"] == json.loads(json.dumps([one.as_dict() for one in golden]))


def test_a_board_with_more_list_registers_is_used_as_one_with_fewer(board):
    """Every event is golden's, under every profile, with one list register of two."""
    attached = Attached(SimulatedPort(board))
    files = _files("A01", "A03", "A08", "A28", "F21_2")
    found = play_scenarios(files, "fpga", overrides="lrs 1", board=attached)
    golden = play_scenarios(files, overrides="lrs 1")
    assert [one.as_dict() for one in found] == [one.as_dict() for one in golden]


def test_a_board_without_a_guest_engine_shows_the_same():
    """The small boards: the host makes the guest's accesses."""
    board = SimulatedBoard(GicConfig(lrs=1), engine=False)
    try:
        files = _files("A01", "A03", "A08", "A28")
        found = play_scenarios(files, "fpga", overrides="lrs 1", board=Attached(SimulatedPort(board)))
    finally:
        board.close()
    golden = play_scenarios(files, overrides="lrs 1")
    assert [one.as_dict() for one in found] == [one.as_dict() for one in golden]


def test_a_scenario_that_fails_is_status_1(capsys, tmp_path, board):
    path = tmp_path / "x.scenario"
    path.write_text(
        "scenario x: Wrong\nmachine lrs 2\nSPI 32 prio 40\nsteps 7.3:\ninj 32\nENTER\nIAR -> 33\n"
    )
    with pseudo_terminal(board) as device:
        status, out, _ = _run(capsys, "--port", device, "--timeout", 20, path)
    assert status == 1
    assert "fail" in out


def test_simulate_prints_the_port_of_a_board():
    """Another process is the board, as the guide has it."""
    code = "from tb.cli import main; main()"
    command = [sys.executable, "-u", "-c", code, "fpga", "simulate", "--lrs", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            device = line.split("--port ")[1].split()[0]
            run = [sys.executable, "-c", code, "fpga", "run", "--port", device, "--timeout", "20"]
            done = subprocess.run([*run, *_files("A03")], capture_output=True, text=True, check=False)
        finally:
            process.terminate()
    assert (done.returncode, done.stderr) == (0, "")
    assert "passed" in done.stdout
