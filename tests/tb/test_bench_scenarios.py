"""The comparison of every scenario on the bench with golden."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from hw.errors import InputError
from tb import bench_scenarios
from tb.bench_scenarios import compare, main
from tb.scenarios import play_scenarios

SCENARIO = Path(__file__).parents[2] / "sim" / "scenarios" / "A03.scenario"


def test_a_result_that_is_not_goldens_is_named(monkeypatch):
    golden = play_scenarios([SCENARIO])
    assert compare(golden, golden) == []
    changed = [replace(golden[0], status="changed"), *golden[1:]]
    (line,) = compare(golden, changed)
    assert line.endswith("under 7.3: another status than golden's") and "A03.scenario:" in line
    monkeypatch.setattr(
        bench_scenarios, "play_scenarios", lambda paths, engine="": changed if engine else golden
    )
    outcome = CliRunner().invoke(main, ["bench-compiled", "--file", str(SCENARIO)])
    assert outcome.exit_code == 1
    assert f"bench-compiled: {len(golden)} results of 1 files, 1 differ" in outcome.output


def test_an_unknown_engine_is_refused():
    with pytest.raises(InputError, match="unknown engine 'bench-none'; one of golden"):
        main(["bench-none"], standalone_mode=False)
