"""The gateware in lockstep with golden: response, storage, lines, deactivations after every access."""

from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hw.config import GicConfig
from sim.directed import load_directed
from sim.engines.amaranth import AmaranthEngine
from sim.lockstep import apply, random_job, shrinkable_job
from tb.runner import run_job
from tests.broken import BREAKAGES, broken, broken_verilog
from tests.simulators import PRESENT

#: One list of numbers is one access; dropping it or making it smaller makes a simpler example.
DECISIONS = st.lists(st.lists(st.integers(0, (1 << 64) - 1), max_size=10), max_size=60)

SHRUNK_ON = {
    "default": GicConfig(),
    "smallest": GicConfig(lrs=1, tds=False, nv4=False),
    "widest": GicConfig(lrs=16, pri_bits=8, pre_bits=7, id_bits=24, seis=True, nv4=False, dvim=True),
}
#: A seeded share of the soak for every test run; the seeds are those that the report prints.
SHARE = {
    "1 LR": GicConfig(lrs=1, id_bits=24),
    "2 LRs 6/5, no TDS": GicConfig(lrs=2, pri_bits=6, pre_bits=5, tds=False),
    "4 LRs": GicConfig(id_bits=24),
    "8 LRs 7/6, EOIcount in mode 1": GicConfig(lrs=8, pri_bits=7, pre_bits=6, eoicnt_mode1=True),
    "16 LRs 7/7": GicConfig(lrs=16, pri_bits=7, pre_bits=7, nv4=False),
}


@cache
def engine_of(name):
    """Return the elaborated cluster of a configuration; elaborating is the slow part."""
    return AmaranthEngine(SHRUNK_ON[name])


@pytest.mark.parametrize("name", SHRUNK_ON)
@settings(max_examples=12, deadline=None, print_blob=True)
@example(decisions=[])
@given(decisions=DECISIONS)
def test_gateware_equals_golden_shrinking(name, decisions):
    difference = engine_of(name).run(shrinkable_job, {"decisions": decisions})
    assert difference is None, difference.report


@pytest.mark.parametrize("engine", PRESENT)
@pytest.mark.parametrize("seed", (1, 2))
@pytest.mark.parametrize("name", SHARE)
def test_gateware_equals_golden_random(name, engine, seed):
    operations = 4000 if engine == "verilator" else 500
    result = run_job(
        "sim.lockstep:random_job", {"operations": operations, "seed": seed}, engine=engine, config=SHARE[name]
    )
    assert result["difference"] is None, result["difference"]["report"]
    assert result["operations"] == operations


def test_several_pes_share_nothing():
    """Two PEs of one cluster, accesses in turn, each with its own golden."""
    result = run_job(
        "sim.lockstep:random_job",
        {"operations": 2000, "seed": 3},
        engine="verilator",
        config=GicConfig(lrs=2),
        pes=2,
    )
    assert result["difference"] is None, result["difference"]["report"]


@pytest.mark.parametrize("test", load_directed(), ids=lambda test: test.number)
def test_directed_accesses_in_lockstep(test):
    """The directed tests once more, compared after every access instead of where they look."""
    accesses = [operation.access for operation in test.operations if operation.access]
    difference = directed_engine(test.config).run(apply_job, {"accesses": accesses})
    assert difference is None, difference.report


@cache
def directed_engine(config):
    """Return the elaborated cluster of a directed test."""
    return AmaranthEngine(config)


async def apply_job(ports, accesses):
    """Apply accesses to the first port and to golden."""
    return await apply(ports[0], accesses)


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_broken_rule_is_found_by_every_engine(name):
    """At the same operation with the same report: a seed means the same accesses everywhere."""
    arguments = {"operations": 3000, "seed": 1, "mood": "control"}
    with broken(name):
        found = AmaranthEngine(GicConfig()).run(random_job, arguments)["difference"]
    assert found is not None
    verilog = broken_verilog(name, GicConfig())
    for engine in PRESENT:
        result = run_job("sim.lockstep:random_job", arguments, engine=engine, verilog=verilog)
        assert result["difference"] == found
