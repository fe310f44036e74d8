"""Line and toggle coverage: Verilator's counts are read, constants left out, the rest listed."""

import pytest
from click.testing import CliRunner

from hw.config import GicConfig
from hw.errors import InputError
from tb.coverage_rtl import Point, constant_bits, measure, read_points
from tb.coverage_rtl_page import BEGIN, main, tables

VERILOG = """\
module cluster(input clk, input a, output [2:0] b);
  reg [1:0] held__x = 2'd0;
  always @(posedge clk) held__x <= {1'b0, a};
  assign b = {held__x, a};
  if (_auto__verilog_backend__cc__1 ) begin end
  else
endmodule
"""


def _entry(line, count, **keys):
    pairs = {"f": "cluster.v", "l": str(line), "n": "3", "h": "cluster", **keys}
    return "C '" + "".join(f"\x01{name}\x02{value}" for name, value in pairs.items()) + f"' {count}"


def test_counts_are_read_and_constants_marked():
    data = "\n".join([
        "# SystemC::Coverage-3",
        _entry(2, 7, t="toggle", o="held___05Fx[0]:0->1"),
        _entry(2, 0, t="toggle", o="held___05Fx[1]:1->0"),
        _entry(6, 0, t="line", o="else"),
        _entry(5, 0, t="branch", o="if"),
        _entry(3, 2, t="line", o="block", h="cluster.pe0.lr3"),
    ])  # fmt: skip
    points = list(read_points(data, VERILOG, {"held__x": {1}}))
    assert points == [
        Point("toggle", "", "held__x[0]:0->1", 7),
        Point("toggle", "", "held__x[1]:1->0", 0, constant=True),
        Point("line", "", "else: else", 0),
        Point("line", "pe0.lr3", "block: always @(posedge clk) held__x <= {1'b0, a};", 2),
    ]
    assert [point.block for point in points] == ["cluster", "cluster", "cluster", "lr"]


def test_constants_are_what_the_optimizer_finds():
    text = VERILOG.replace("  if (_auto__verilog_backend__cc__1 ) begin end\n  else\n", "")
    constants = constant_bits(text)
    assert constants["held__x"] == {1}
    assert constants["b"] == {2}
    assert "a" not in constants


def test_tables_count_what_can_be_met_and_list_what_was_not():
    points = [
        Point("line", "pe0.lr0", "if: a", 3),
        Point("toggle", "pe0.lr0", "x[0]:0->1", 1),
        Point("toggle", "pe0.lr1", "x[0]:0->1", 0),
        Point("toggle", "pe0.lr1", "x[0]:1->0", 0),
        Point("toggle", "pe0.lr1", "x[9]:1->0", 0, constant=True),
        Point("toggle", "pe0.lr1", "x[9]:0->1", 0, constant=True),
    ]
    text = tables("a build", points)
    assert "| `lr` | 1 of 1, 100.0 % | - | 1 of 3, 33.3 % | 1 |" in text
    assert "| `lr` | toggle | `x` | 2 |" in text


def test_a_real_build_is_counted():
    """Verilator counts; the directed tests need another build, so only lockstep runs here."""
    points = measure(GicConfig(lrs=1), 1500, 1)
    met = {kind: [point.count > 0 for point in points if point.kind == kind and not point.constant]
           for kind in ("line", "branch", "toggle")}  # fmt: skip
    assert all(met["branch"])
    assert 0.8 < sum(met["line"]) / len(met["line"]) <= 1
    assert 0.5 < sum(met["toggle"]) / len(met["toggle"]) < 1


def test_a_page_needs_its_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\nno end")
    with pytest.raises(InputError, match="have to stand there once each"):
        CliRunner().invoke(main, [str(page)], catch_exceptions=False)
