"""The AArch64 guest on the gateware: every observation is the one made on the golden model."""

from pathlib import Path

import pytest

from sim.scenario.result import PASS
from tb.scenarios import play_scenarios
from tests.simulators import PRESENT

FIXTURE = Path(__file__).parents[2] / "sim" / "guest" / "aarch64" / "overflow.elf"
#: All phases but DEVICES, the last one on both vCPUs, six interrupts on two list registers each.
SCENARIO = f"""
scenario aarch64: overflow
machine lrs 2, id_bits 24, vcpus 2, pmr 00, group1 off
guest 0 1 aarch64 {FIXTURE} 0x5f 6

steps 7.3:
    RUN
    V: finished

steps 7.3 with mi 3:
    RUN
    V: finished

steps legacy:
    RUN
    V: live-lock
"""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    path = tmp_path_factory.mktemp("aarch64") / "guest.scenario"
    path.write_text(SCENARIO)
    return path


@pytest.fixture(scope="module")
def golden(scenario):
    return play_scenarios([scenario])


def test_the_workload_overflows(golden):
    """The driver ends with its checks passed, far beyond the list registers; the old kernel live-locks."""
    now, late, legacy = golden
    assert [result.status for result in golden] == [PASS] * 3
    for result in (now, late):
        passed = [line[-5:-1] for line in result.log if "the guest logs" in line and "(0x5ff" in line]
        assert passed == [f"{1 << phase:04x}" for phase in (0, 1, 2, 3, 4, 6)]
    assert now.exits["TRAP"] > 60 and now.exits["NP"] and now.exits["U"]
    assert any("LRENP" in cause for cause in late.exits)
    assert legacy.operations < now.operations


@pytest.mark.parametrize("engine", PRESENT)
def test_the_gateware_shows_what_golden_shows(engine, golden, scenario):
    """Every event: operations with results, entries with list registers, exits, and the guests' log."""
    found = play_scenarios([scenario], engine)
    assert [result.as_dict() for result in found] == [result.as_dict() for result in golden]
