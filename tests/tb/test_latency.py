"""Latencies in clock cycles, on the engines that tell the time."""

import pytest

from hw.errors import InputError
from tb.scenarios import play_scenarios
from tests.simulators import PRESENT

#: A late maintenance interrupt, and a guest that goes on acknowledging meanwhile.
SCENARIO = """
scenario late: A maintenance interrupt, counted in cycles
machine lrs 2
SPI 32 33 34 prio 40 48 50

steps 7.3 with mi {mi}:
    inj 32 33 34
    ENTER
    IAR -> 32
    EOI 32
    NOP 200
    X: U
"""


def _exits(tmp_path, mi, engine):
    """Return how many guest operations had passed at the exit."""
    path = tmp_path / "late.scenario"
    path.write_text(SCENARIO.format(mi=mi))
    (result,) = play_scenarios([path], engine)
    assert result.status == "pass", result.problems
    return next(int(line.split()[0]) for line in result.log if " exit " in line)


def test_golden_has_no_cycles(tmp_path):
    with pytest.raises(InputError, match=r"late\.scenario:6: a latency in cycles needs an engine"):
        _exits(tmp_path, "40cycles", "golden")


@pytest.mark.parametrize("engine", PRESENT)
def test_idle_operations_take_a_cycle_each(tmp_path, engine):
    """The line rises with the EOI, operation 2; every NOP after it is one cycle."""
    early, late = (_exits(tmp_path, f"{cycles}cycles", engine) for cycles in (50, 150))
    assert 2 < early <= 52
    assert late - early == 100


#: A kick of a vCPU that idles, made in the middle of another one's exit.
KICKED = """
scenario kicked: A kick, counted in cycles
machine lrs 2, vcpus 2, kick {kick}
SPI 33 prio 40 vcpu 1

steps 7.3:
    ENTER all
    ISPENDR 33
    vCPU1: NOP 400
    X(1): KICK
"""


def test_a_kick_is_as_late_as_asked_from_the_moment_it_is_made(tmp_path):
    """The kicking vCPU's way back into its guest is part of the delay."""
    passed = {}
    for kick in (150, 300):
        path = tmp_path / "kicked.scenario"
        path.write_text(KICKED.format(kick=f"{kick}cycles"))
        (result,) = play_scenarios([path], "verilator")
        assert result.status == "pass", result.problems
        exits = [line.split() for line in result.log if "vCPU1 exit" in line and "KICK" in line]
        passed[kick] = int(exits[-1][0]) - 1
    assert passed[300] - passed[150] == 150
    assert passed[150] < 150
