"""Whole systems of gateware: directed tests of the physical side, and lockstep with golden."""

from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from sim.directed_physical import load_physical
from sim.engines.amaranth_system import AmaranthSystemEngine
from sim.lockstep_physical import shrinkable_system_job
from tb.runner import run_job
from tests.simulators import PRESENT

GICV2 = PhysicalConfig(are=False)
#: One list of numbers is one operation; dropping it or making it smaller makes a simpler example.
DECISIONS = st.lists(st.lists(st.integers(0, (1 << 64) - 1), max_size=10), max_size=30)
BUILDS = sorted({(t.profile.physical, t.profile.pes) for t in load_physical()}, key=str)


def virtual(physical):
    """Return the default virtual side of a build."""
    return GicConfig() if physical.are else GicV2Config()


@pytest.mark.parametrize(("physical", "pes"), BUILDS, ids=str)
def test_directed_on_gateware(physical, pes):
    """Every PHY-n, DIST-n and GICC-n test gives the rules' values on the gateware."""
    engine = PRESENT[0] if PRESENT else "amaranth"
    results = run_job(
        "sim.directed_physical:run_all", engine=engine, config=virtual(physical), physical=physical, pes=pes
    )
    assert results
    assert {number: found for number, found in results.items() if found} == {}


@pytest.mark.parametrize(("physical", "pes", "seed"), [(PhysicalConfig(), 2, 1), (GICV2, 3, 2)], ids=str)
def test_gateware_equals_golden_random(physical, pes, seed):
    """A seeded share of the soak, on builds of the directed tests."""
    arguments = {"operations": 4000, "seed": seed, "every": 32}
    result = run_job(
        "sim.lockstep_physical:random_system_job", arguments,
        engine="verilator", config=virtual(physical), physical=physical, pes=pes,
    )  # fmt: skip
    assert result["difference"] is None, result["difference"]["report"]
    assert result["operations"] == 4000


@cache
def engine(gicv2):
    """Return an elaborated system; elaborating is the slow part."""
    if gicv2:
        return AmaranthSystemEngine(GicV2Config(lrs=1), GICV2, 2)
    return AmaranthSystemEngine(GicConfig(lrs=1), PhysicalConfig(), 2)


@pytest.mark.parametrize("gicv2", (False, True), ids=["v3", "v2"])
@settings(max_examples=3, deadline=None, print_blob=True)
@example(decisions=[])
@given(decisions=DECISIONS)
def test_gateware_equals_golden_shrinking(gicv2, decisions):
    difference = engine(gicv2).run(shrinkable_system_job, {"decisions": decisions})
    assert difference is None, difference.report


def test_icarus_equals_golden():
    arguments = {"operations": 150, "seed": 3, "every": 50}
    result = run_job(
        "sim.lockstep_physical:random_system_job", arguments,
        engine="icarus", config=GicConfig(), physical=PhysicalConfig(), pes=2,
    )  # fmt: skip
    assert result["difference"] is None, result["difference"]["report"]
