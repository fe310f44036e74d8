"""The GICv2 gateware in lockstep with its golden: response, storage, lines, deactivations, bus errors."""

from functools import cache
from pathlib import Path
from unittest import mock

import pytest
from amaranth.hdl import Const
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hw.config_v2 import GicV2Config
from hw.control import Control
from hw.control_v2 import ControlV2
from hw.gicv2 import GicV2Interface
from hw.operations import Operations
from hw.operations_v2 import OperationsV2
from sim.directed import DIRECTED_V2, load_directed
from sim.engines.amaranth import AmaranthEngine
from sim.lockstep import random_job, shrinkable_job
from tb.replay import replay_traces
from tb.runner import run_bench, run_job
from tests.simulators import PRESENT

DIRECTED = load_directed(DIRECTED_V2)
#: One list of numbers is one access; dropping it or making it smaller makes a simpler example.
DECISIONS = st.lists(st.lists(st.integers(0, (1 << 64) - 1), max_size=10), max_size=60)

#: Rule -> class, method and what to put in its place.
BREAKAGES = {
    "AckCtl does not open IAR (V2-2)": (OperationsV2, "_serves", Operations._serves),
    "no 1022 (V2-2)": (OperationsV2, "_withheld", Operations._withheld),
    "no CPUID (V2-3)": (GicV2Interface, "_cpuid", lambda self, lr: Const(0)),
    "CPUID of a HW entry (V2-3)": (GicV2Interface, "_cpuid", lambda self, lr: lr.pINTID[:3]),
    "two active-priority words (V2-1)": (GicV2Interface, "_ap_group", lambda self, group: group),
    "Group 0 always is FIQ (V2-4)": (GicV2Interface, "_is_fiq", lambda self, group: ~group),
    "SGIs are deactivated physically (HW-3)": (
        OperationsV2,
        "_physical_exists",
        Operations._physical_exists,
    ),
    "VMCR keeps no AckCtl (1.9)": (ControlV2, "_from_vmcr", Control._from_vmcr),
}


@cache
def engine_of(lrs):
    """Return an elaborated cluster; elaborating is the slow part."""
    return AmaranthEngine(GicV2Config(lrs))


@pytest.mark.parametrize("lrs", [1, 4])
@settings(max_examples=12, deadline=None, print_blob=True)
@example(decisions=[])
@given(decisions=DECISIONS)
def test_gateware_equals_golden_shrinking(lrs, decisions):
    difference = engine_of(lrs).run(shrinkable_job, {"decisions": decisions})
    assert difference is None, difference.report


@pytest.mark.parametrize(
    ("lrs", "engine", "operations"),
    [
        (4, "verilator", 4000),
        (17, "verilator", 4000),
        *[(2, engine, 500) for engine in PRESENT if engine != "verilator"],
        (33, "amaranth", 150),
    ],
)
def test_gateware_equals_golden_random(lrs, engine, operations):
    """A seeded share of ``spillway soak --gic v2``."""
    result = run_job(
        "sim.lockstep:random_job",
        {"operations": operations, "seed": lrs},
        engine=engine,
        config=GicV2Config(lrs),
    )
    assert result["difference"] is None, result["difference"]["report"]
    assert result["operations"] == operations


def test_scoreboard_follows_two_pes_by_their_pins():
    """Idle time, accesses back to back, bad ones among them, deactivations taken late."""
    config = GicV2Config(lrs=4)
    result = run_bench("tb.benches.random_stream", config=config, pes=2, operations=300, seed=3)
    assert result.tests == 2


@pytest.mark.parametrize("rule", BREAKAGES)
def test_a_broken_rule_is_found(rule):
    kind, method, replacement = BREAKAGES[rule]
    with mock.patch.object(kind, method, replacement):
        engine = AmaranthEngine(GicV2Config(2))
    found = engine.run(random_job, {"operations": 1000, "seed": 1})
    assert found["difference"] is not None


@pytest.mark.parametrize("config", sorted({test.config for test in DIRECTED}, key=lambda c: c.lrs))
def test_directed_on_the_gateware(config):
    """G01 and on: every directed test of GICv2 gives the architecture's values on Verilator too."""
    assert not any(run_job("sim.directed:run_all", engine="verilator", config=config).values())


def test_recorded_traffic_has_no_unexplained_difference_on_the_gateware():
    """QEMU's GICv2 traffic, cut where one of its deviations takes effect."""
    traces = sorted((Path(__file__).parents[1] / "data" / "traces").glob("qemu-gicv2*"))
    replays = replay_traces(traces, "verilator")
    assert len(replays.reports) == len(traces) == 2
    assert (replays.status, replays.differences, replays.refused) == (0, 0, [])
