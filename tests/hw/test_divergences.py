"""The gateware has none of the bugs of the divergence table."""

import pytest

from sim.divergences import load_divergences
from tb.runner import run_job

CONFIGS = list(dict.fromkeys(row.test.config for row in load_divergences()))


@pytest.mark.parametrize("config", CONFIGS, ids=["v3", "v2"])
def test_the_gateware_passes_every_row(config):
    """Every row of the build (REG, EOI, MNT, TRP ... as the row says) on Amaranth's simulator."""
    results = run_job("sim.divergences:run_divergences", engine="amaranth", config=config)
    assert {name for name, mismatches in results.items() if mismatches} == set()
    assert set(results) == {row.name for row in load_divergences() if row.test.config == config}
