"""Kept counter-examples, replayed on the gateware: with their bug it differs from golden, else never."""

from pathlib import Path

import pytest

from hw.errors import InputError
from sim.engines.amaranth import run_job
from sim.engines.golden import golden_port
from sim.port import run
from tb.formal.bugs import seeded
from tb.formal.proofs import PROOFS
from tb.formal.witness import load_witness

FILES = sorted((Path(__file__).parent / "witnesses").glob("*.json"))
BUGS = {(proof.name, bug.what): bug for proof in PROOFS for bug in proof.bugs}


async def _play(ports, witness):
    return await witness.play(ports[0])


def _on_gateware(witness):
    return run_job(_play, {"witness": witness}, witness.config)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_witness(path):
    witness = load_witness(path)
    expected = run(witness.play(golden_port(witness.config)))
    assert _on_gateware(witness) == expected
    if witness.bug is not None:
        with seeded(BUGS[witness.proof, witness.bug]):
            assert _on_gateware(witness) != expected


def test_there_are_some():
    assert len(FILES) >= 8


def test_no_witness(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("{}")
    with pytest.raises(InputError, match=r"x\.json: not a counter-example"):
        load_witness(path)
