"""The time scale of a VCD dump: how many of its units a nanosecond has."""

import pytest

from hw.errors import InputError
from tb.waves.vcd import units_per_ns


@pytest.mark.parametrize(
    ("scale", "units"),
    [("1ns", 1), ("1ps", 1000), ("10 ps", 100), ("100ps", 10), ("1 fs", 1_000_000)],
)
def test_units(tmp_path, scale, units):
    dump = tmp_path / "a.vcd"
    dump.write_text(f"$version x $end\n$timescale {scale} $end\n$enddefinitions $end\n")
    assert units_per_ns(dump) == units


@pytest.mark.parametrize("scale", ["$timescale 1us $end", "$timescale 10 ns $end", "$timescale 2ps $end", ""])
def test_no_units(tmp_path, scale):
    """Coarser than a nanosecond, not a scale at all, or none."""
    dump = tmp_path / "a.vcd"
    dump.write_text(f"{scale}\n$enddefinitions $end\n")
    with pytest.raises(InputError, match="no time scale"):
        units_per_ns(dump)
