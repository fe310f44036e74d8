"""The table of transports: the compiled bench is measured, and the page has a row for each."""

from pathlib import Path

from sim.bench.speed import mix
from tb.transports import BEGIN, END, LOADS, Load, measure

PAGE = Path(__file__).parents[2] / "docs" / "fpga.md"


def test_a_transport_is_measured():
    turns, exits = 20, 20
    found = measure("bench-compiled", Load(turns, exits))
    _, done, _ = mix(19)
    assert found.operations == turns * done
    assert found.exits == exits


def test_the_documentation_has_every_transport():
    text = PAGE.read_text()
    rows = [line for line in text[text.index(BEGIN) : text.index(END)].splitlines() if line.startswith("| `")]
    assert [line.split("`")[1] for line in rows] == list(LOADS)
