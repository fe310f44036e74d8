"""The cocotb benches pass on the gateware and fail on broken gateware."""

import subprocess
import sys

import pytest

from hw.config import GicConfig
from hw.errors import InputError
from tb.build import verilog_of
from tb.runner import run_bench
from tests.broken import BREAKAGES, broken_verilog, late_response
from tests.simulators import PRESENT

DEFAULT = GicConfig(id_bits=24)
SMALL = GicConfig(lrs=2, id_bits=24)


@pytest.mark.parametrize("engine", PRESENT)
@pytest.mark.parametrize("pes", (1, 2))
def test_smoke(engine, pes):
    assert run_bench("tb.benches.smoke", engine=engine, config=SMALL, pes=pes).tests == 3


@pytest.mark.parametrize("engine", PRESENT)
def test_directed_under_the_scoreboard(engine):
    result = run_bench("tb.benches.directed", engine=engine, config=DEFAULT)
    assert result.coverage.ratio() > 0.1


@pytest.mark.parametrize("engine", PRESENT)
def test_random_stream_on_two_pes(engine):
    """Random accesses with idle time, back-to-back, with and without stalled deactivations."""
    result = run_bench("tb.benches.random_stream", engine=engine, config=SMALL, pes=2, operations=900, seed=3)
    assert result.tests == 2
    assert result.coverage.ratio() > 0.4


@pytest.mark.parametrize("name", BREAKAGES)
def test_the_scoreboard_finds_a_broken_rule(name):
    verilog = broken_verilog(name, DEFAULT)
    with pytest.raises(AssertionError, match=r"seed 5: \d of 2 tests failed[^$]*ScoreboardError: "):
        run_bench(
            "tb.benches.random_stream",
            engine=PRESENT[-1],
            config=DEFAULT,
            operations=4000,
            seed=5,
            verilog=verilog,
        )


def test_the_monitor_finds_a_late_response():
    verilog = late_response(verilog_of(SMALL))
    with pytest.raises(AssertionError, match="a response must come exactly the latency after its request"):
        run_bench("tb.benches.smoke", engine=PRESENT[-1], config=SMALL, verilog=verilog)


def test_the_directed_bench_wants_a_build_with_tests():
    with pytest.raises(AssertionError, match="no directed test is made for"):
        run_bench("tb.benches.directed", engine=PRESENT[-1], config=GicConfig(lrs=3))


def test_benches_need_a_simulator():
    with pytest.raises(InputError, match="cocotb benches run on verilator or icarus, not on 'golden'"):
        run_bench("tb.benches.smoke", engine="golden")


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    (
        (["smoke", "--lrs", "2", "--engine", PRESENT[-1], "--holes", "1"], 0, "3 tests passed, seed 1"),
        (["smoke", "--lrs", "99"], 2, "tb.benches: lrs must be an integer from 1 to 16, not 99"),
        (
            ["directed", "--lrs", "3", "--engine", PRESENT[-1]],
            1,
            "tb.benches: tb.benches.directed, seed 1: 1 of 1",
        ),
    ),
)
def test_by_hand(arguments, status, text):
    done = subprocess.run(
        [sys.executable, "-m", "tb.benches", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == status
    assert text in done.stdout + done.stderr
    assert 'Traceback (most recent call last):\n  File "<frozen' not in done.stderr
