"""Bad accesses to whole systems of gateware: every one is answered, and as golden answers it."""

import re
from pathlib import Path

import pytest

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from sim.directed_physical import load_physical
from tb.runner import run_job

PAGE = Path(__file__).parents[2] / "docs" / "bad-accesses.md"


@pytest.mark.parametrize(
    ("config", "pes"), [(GicConfig(), 2), (GicV2Config(), 3)], ids=["GICv3", "GICv2"]
)  # the builds of the directed tests
def test_a_sweep_of_the_frames_is_answered(config, pes):
    """Around every register, at every size and alignment, reads and writes of all ones (DIST-30..34)."""
    physical = PhysicalConfig(are=isinstance(config, GicConfig))
    steps, report = run_job(
        "tests.jobs:sweep_frames", engine="verilator", config=config, physical=physical, pes=pes
    )
    assert report is None, report
    assert steps > 2000


def test_the_page_names_every_test():
    """Each BAD-n stands in docs/bad-accesses.md, and no test that is not there."""
    known = {test.number for test in load_physical()}
    named = set(re.findall(r"\b(?:BAD|DIST|PHY|GICC)-\d+[a-z]?\b", " ".join(
        line.rsplit("|", 2)[-2] for line in PAGE.read_text().splitlines() if line.startswith("| ")
    )))  # fmt: skip
    assert {number for number in known if number.startswith("BAD-")} <= named
    assert named <= known
