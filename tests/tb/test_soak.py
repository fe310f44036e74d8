"""The soak: its matrix, its report, its exit status; and the throughput figures."""

import pytest
from click.testing import CliRunner

from hw.config import GicConfig
from hw.errors import InputError
from tb import soak as soak_module
from tb.cli.soak import command
from tb.soak import CONFIGURATIONS, CONFIGURATIONS_V2, name_of, soak
from tb.throughput import measure
from tests.broken import broken


def test_the_matrix_has_what_is_asked_for():
    """At least 12 configurations; 1, 2, 4, 8, 16 LRs; 5/5, 6/5, 7/7 bits; 16/24 ID bits; TDS, nV4, mode 1."""
    assert len(set(CONFIGURATIONS)) == len(CONFIGURATIONS) >= 12
    assert {1, 2, 4, 8, 16} <= {config.lrs for config in CONFIGURATIONS}
    bits = {(config.pri_bits, config.pre_bits) for config in CONFIGURATIONS}
    assert {(5, 5), (6, 5), (7, 7), (8, 7)} <= bits
    for name, values in (("id_bits", {16, 24}), ("tds", {True, False}), ("nv4", {True, False})):
        assert {getattr(config, name) for config in CONFIGURATIONS} == values
    assert any(config.eoicnt_mode1 for config in CONFIGURATIONS)
    assert len({name_of(config) for config in CONFIGURATIONS}) == len(CONFIGURATIONS)


def test_operations_are_shared_out_and_every_share_has_its_seed():
    seen = []
    results = soak(1000, 4, "golden", CONFIGURATIONS[:3], progress=seen.append)
    assert [(result.operations, result.seed) for result in results] == [(334, 4000), (334, 4001), (334, 4002)]
    assert all(result.difference is None for result in results)
    assert seen == sorted(seen) and seen[-1] == 1002


def _soak(*arguments: str):
    """Run the command; its status is what it returns."""
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    result.exit_code = result.return_value
    return result


def test_the_report_of_a_clean_soak():
    result = _soak("--operations", "2800", "--engine", "golden", "--holes", "1")
    assert result.exit_code == 0, result.output
    assert "16 LRs 7/7 16-bit IDs" in result.output
    assert "seed 1: 2,800 operations on golden over 14 configurations, 0 with a difference" in result.output
    assert result.output.count("  hole: ") == 1


def test_gicv2_has_a_matrix_of_its_own():
    """1, 2, 4, 16, 32 and 64 list registers, and the first beyond a block and a status word."""
    assert {1, 2, 4, 16, 17, 32, 33, 64} == {config.lrs for config in CONFIGURATIONS_V2}
    result = _soak("--operations", "800", "--engine", "golden", "--gic", "v2")
    assert result.exit_code == 0, result.output
    assert "GICv2 64 LRs" in result.output and "hole" not in result.output
    assert "seed 1: 800 operations on golden over 8 configurations, 0 with a difference" in result.output


def test_a_difference_is_reported_and_fails(monkeypatch):
    monkeypatch.setattr(soak_module, "CONFIGURATIONS", (GicConfig(),))
    with broken("group masks swapped (SIG-5)"):
        result = _soak("--operations", "3000", "--engine", "amaranth")
    assert result.exit_code == 1
    assert "DIFFERS" in result.output and "1 with a difference" in result.output
    assert "seed 1000, mood any: difference at operation" in result.output


def test_no_operations_is_bad_input():
    with pytest.raises(InputError, match="operations must be at least 1, not 0"):
        soak(0, 1)


@pytest.mark.parametrize("engine", ("golden", "amaranth"))
def test_throughput_is_measured(engine):
    alone, observed = measure(engine, GicConfig(lrs=1), operations=60)
    assert alone > 0 and observed > 0
