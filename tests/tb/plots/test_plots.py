"""Plots: what is measured, and that both kinds of picture come of it."""

import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from sim.scenario.parser import parse_scenario
from tb.cli import main
from tb.plots.draw import draw_exits, draw_inversion
from tb.plots.exits import exits_by_flight, guest_of
from tb.plots.inversion import inversion_by_latency


@pytest.fixture(scope="module")
def exits():
    return exits_by_flight(["legacy", "7.3"], [4], [1, 4, 5, 12])


def _each(rows: list[dict], pattern: str, profile: str) -> list[float | None]:
    mine = [row for row in rows if (row["pattern"], row["profile"]) == (pattern, profile)]
    return [row["exits_per_interrupt"] for row in mine]


def test_legacy_locks_up_when_more_are_active_than_fit(exits):
    assert _each(exits, "nested", "legacy") == [0, 3 / 4, None, None]
    assert [row["verdict"] for row in exits[:4]] == ["finished", "finished", "live-lock", "live-lock"]


def test_today_each_arrival_is_a_kick_and_the_overflow_costs_refills(exits):
    # 4 and 11 kicks; one underflow for the fifth, three for the other eight.
    assert _each(exits, "nested", "7.3") == [0, 3 / 4, (4 + 1) / 5, (11 + 3) / 12]


def test_a_burst_costs_only_refills(exits):
    assert _each(exits, "burst", "7.3") == _each(exits, "burst", "legacy") == [0, 0, 1 / 5, 3 / 12]


@pytest.mark.parametrize("pattern", ["nested", "burst"])
def test_guests_are_scenarios_with_a_priority_for_each_interrupt(pattern):
    scenario = parse_scenario(guest_of(pattern, 30, 16), "text")
    priorities = [one.priority for one in scenario.interrupts]
    assert len(set(priorities)) == 30
    assert max(priorities) < 0xF8
    with pytest.raises(ValueError, match="1 to 30"):
        guest_of(pattern, 31, 16)


@pytest.fixture(scope="module")
def inversions():
    return inversion_by_latency(["7.3"], [0, 2, 6], guests=4)


def test_inversions_are_as_wide_as_exits_are_late(inversions):
    now, soon, late = inversions
    assert (now["inversions"], now["mean"], now["share"]) == ({}, None, 0.0)
    assert 0 < soon["widest"] < late["widest"] <= 2 * 6 + 2
    assert soon["mean"] < late["mean"]
    assert soon["share"] < late["share"]
    assert inversion_by_latency(["7.3"], [2], guests=4) == [soon]  # the same seed, the same numbers


def test_both_kinds_of_picture(exits, inversions, tmp_path):
    for draw, rows in ((draw_exits, exits), (draw_inversion, inversions)):
        picture, again = tmp_path / "a.svg", tmp_path / "b.svg"
        draw(rows, picture)
        draw(rows, again)
        assert picture.read_bytes() == again.read_bytes()
        texts = {
            "".join(one.itertext()).strip()
            for one in ET.parse(picture).iter("{http://www.w3.org/2000/svg}text")
        }
        assert "7.3" in texts or "7.3, mean" in texts
        assert any("interrupts in flight" in text or "guest operations" in text for text in texts)
        draw(rows, tmp_path / "a.png")
        assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.svg", "b.svg"]


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as exit_:
        main(["plot", *arguments])
    return exit_.value.code


def test_numbers_as_json_and_as_a_table(tmp_path, capsys):
    few = ["exits", "--profile", "7.3", "--lrs", "2", "--in-flight", "3", "--pattern", "burst"]
    assert _run(*few, "--json", "-o", str(tmp_path / "x.svg")) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["results"][0]["exits"] == {"HALT": 1, "U": 1}
    assert Path(report["picture"]).exists()
    assert _run(*few) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == [
        "burst",
        "7.3",
        "2",
        "3",
        "3",
        "finished",
        "0.33",
    ]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["exits", "-o", "x.pdf"], "x.pdf: not a kind of picture that is drawn; name a .svg or .png file"),
        (["exits", "-o", "nowhere/x.svg"], "there is no directory nowhere"),
        (["exits", "--profile", "nope"], "unknown hypervisor 'nope'"),
        (["inversion", "--profile", "nope"], "unknown profile 'nope'"),
    ],
)
def test_bad_input_is_one_line(tmp_path, monkeypatch, capsys, arguments, text):
    monkeypatch.chdir(tmp_path)
    assert _run(*arguments) == 2
    err = capsys.readouterr().err
    assert text in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_missing_library_says_how_to_get_it(exits, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ValueError, match=r"pip install 'spillway\[plot\]'"):
        draw_exits(exits, tmp_path / "x.svg")
