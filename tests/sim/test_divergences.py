"""The divergence table: the architecture passes every row, a model with the row's bug fails it."""

from dataclasses import fields

import pytest

from sim.deviations_peers import PeersV2, PeersV3
from sim.directed import run_directed
from sim.divergences import load_divergences
from sim.engines.golden import GoldenPort
from sim.golden.peers import PeerGolden
from sim.port import run

ROWS = load_divergences()
IDS = [f"{row.name}-{row.test.rules[0]}" for row in ROWS]


def _mismatches(port, row) -> list[str]:
    return [str(mismatch) for mismatch in run(run_directed(port, row.test))]


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_the_architecture_passes(row):
    """The strict golden model gives every value of the row."""
    assert _mismatches(row.strict(), row) == []


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_model_with_the_bug_fails(row):
    """The same operations on a model that has the bug, and no other, do not."""
    assert _mismatches(row.deviating(), row) != []


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_named_after_its_switch(row):
    """A row's number is its switch's report name."""
    assert row.name == row.switch.partition("_")[0].upper()
    assert row.finding


def test_every_switch_of_the_other_models_has_a_row():
    """All switches of both sets; RENODE2 has its own test below, because a row starts from a reset."""
    switches = {f.name for s in (PeersV3, PeersV2) for f in fields(s)}
    assert switches - {row.switch for row in ROWS} == {"renode2_count_survives_reset"}


@pytest.mark.parametrize("survives", [False, True])
def test_renode2_count_survives_a_reset(survives: bool):
    """RENODE2 against REG-13: EOIcount is 0 after a reset, and 2 on a model with the bug."""
    port = GoldenPort(ROWS[0].test.config)
    port.golden = PeerGolden(port.config, PeersV3(renode2_count_survives_reset=survives))
    port.golden.write_hcr(0x1000_0001)
    run(port.reset())
    assert port.golden.hcr == (0x1000_0000 if survives else 0)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_without_its_switch_a_peer_is_strict(row):
    """The classes that carry the bugs pass every row while all switches are off."""
    port = row.deviating()
    if type(port.golden).__name__.startswith("Peer"):
        port.golden = type(port.golden)(port.config)
        assert _mismatches(port, row) == []
