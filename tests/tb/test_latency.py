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
