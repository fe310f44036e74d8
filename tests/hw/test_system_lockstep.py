"""Whole systems of gateware: directed tests of the physical side, and lockstep with golden."""

from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from sim.directed_physical import load_physical
from sim.engines.amaranth_system import AmaranthSystemEngine
from sim.lockstep_physical import shrinkable_system_job
from tb.runner import run_job
from tests.simulators import PRESENT

#: One list of numbers is one operation; dropping it or making it smaller makes a simpler example.
DECISIONS = st.lists(st.lists(st.integers(0, (1 << 64) - 1), max_size=10), max_size=30)
BUILDS = sorted(
    {(t.profile.physical, t.profile.pes) for t in load_physical() if t.profile.physical.are}, key=str
)


@pytest.mark.parametrize(("physical", "pes"), BUILDS, ids=str)
def test_directed_on_gateware(physical, pes):
    """Every PHY-n and DIST-n test of a GICv3 build gives the rules' values on the gateware."""
    engine = PRESENT[0] if PRESENT else "amaranth"
    results = run_job("sim.directed_physical:run_all", engine=engine, physical=physical, pes=pes)
    assert results
    assert {number: found for number, found in results.items() if found} == {}


@pytest.mark.parametrize("seed", (1, 2))
def test_gateware_equals_golden_random(seed):
    """A seeded share of the soak, on the build of the directed tests."""
    arguments = {"operations": 4000, "seed": seed, "every": 32}
    result = run_job(
        "sim.lockstep_physical:random_system_job", arguments,
        engine="verilator", config=GicConfig(), physical=PhysicalConfig(), pes=2,
    )  # fmt: skip
    assert result["difference"] is None, result["difference"]["report"]
    assert result["operations"] == 4000


@cache
def engine():
    """Return an elaborated system; elaborating is the slow part."""
    return AmaranthSystemEngine(GicConfig(lrs=1), PhysicalConfig(), 2)


@settings(max_examples=3, deadline=None, print_blob=True)
@example(decisions=[])
@given(decisions=DECISIONS)
def test_gateware_equals_golden_shrinking(decisions):
    difference = engine().run(shrinkable_system_job, {"decisions": decisions})
    assert difference is None, difference.report


def test_icarus_equals_golden():
    arguments = {"operations": 150, "seed": 3, "every": 50}
    result = run_job(
        "sim.lockstep_physical:random_system_job", arguments,
        engine="icarus", config=GicConfig(), physical=PhysicalConfig(), pes=2,
    )  # fmt: skip
    assert result["difference"] is None, result["difference"]["report"]
