"""The table of transports: the compiled bench is measured, and the page has a row for each."""

from pathlib import Path

from tb.transports import BEGIN, END, LOADS, Load, measure

PAGE = Path(__file__).parents[2] / "docs" / "fpga.md"


def test_a_transport_is_measured():
    """Twenty turns of eight accesses, each after nineteen other operations, and of the branch back."""
    found = measure("bench-compiled", Load(20, 30))
    assert found.operations == 20 * (8 * (19 + 1) + 1)
    assert found.exits == 30


def test_the_documentation_has_every_transport():
    text = PAGE.read_text()
    rows = [line for line in text[text.index(BEGIN) : text.index(END)].splitlines() if line.startswith("| `")]
    assert [line.split("`")[1] for line in rows] == list(LOADS)
