"""Exported Verilog as others use it: no X at time 0, no warning of Verilator, nothing hidden from lint."""

import re
import subprocess

import pytest

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.export import to_verilog
from hw.verilog_text import WAIVED, unwaived
from tb.lint import lint_verilog
from tb.tools import find_simulator
from tests.simulators import PRESENT

BUILDS = {
    "v3": lambda: to_verilog(GicConfig(lrs=2)),
    "v2": lambda: to_verilog(GicV2Config(17)),
    "system": lambda: to_verilog(GicConfig(lrs=1), physical=PhysicalConfig(5, 32)),
}
#: What Icarus is told a file is written in; the order of events at time 0 is not the same.
STANDARDS = ("2005", "2012") if "icarus" in PRESENT else ()


def _unknown(text, standard, directory):
    """Return the signals that are X after time 0 with all inputs 0, before any clock."""
    inputs = re.findall(r"^  input (?:\[\d+:0\] )?(\w+);", text.partition("endmodule")[0], re.MULTILINE)
    inputs = [name for name in inputs if name in re.search(r"module cluster\((.*?)\);", text, re.DOTALL)[1]]
    pins = ", ".join(f".{name}(0)" for name in inputs)
    bench = f"module bench; cluster dut({pins}); initial begin $dumpvars(0, dut); #1 $finish; end endmodule\n"
    (directory / "design.v").write_text(text + bench)
    for command in (
        ["iverilog", f"-g{standard}", "-o", "design.vvp", "-s", "bench", "design.v"],
        ["vvp", "-n", "design.vvp"],
    ):
        subprocess.run(command, cwd=directory, check=True, capture_output=True)
    names, values = {}, {}
    for line in (directory / "dump.vcd").read_text().splitlines():
        words = line.split()
        if line.startswith("$var"):
            names[words[3]] = words[4]
        elif line[0] in "01xz":
            values[line[1:]] = line[0]
        elif line[0] == "b":
            values[words[1]] = words[0][1:]
    assert len(values) > 200
    return {names[code] for code, value in values.items() if "x" in value}


@pytest.mark.parametrize("standard", STANDARDS)
@pytest.mark.parametrize("build", BUILDS)
def test_nothing_is_unknown_before_the_first_clock(build, standard, tmp_path):
    assert _unknown(BUILDS[build](), standard, tmp_path) == set()


@pytest.mark.parametrize("build", BUILDS)
def test_verilator_accepts_the_text_as_it_is(build, tmp_path):
    """Of all that -Wall says, nothing is left for who includes the file in a design."""
    text = BUILDS[build]()
    (tmp_path / "design.v").write_text(text)
    with find_simulator("verilator").active():
        done = subprocess.run(
            ["verilator", "--lint-only", "-Wall", "--top-module", "cluster", "design.v"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, "%Warning" in done.stdout + done.stderr) == (0, False), done.stderr


def test_the_waivers_end_with_the_file():
    text = to_verilog(GicConfig(lrs=1))
    assert text.startswith("/* verilator lint_save */\n")
    assert text.endswith("/* verilator lint_restore */\n")
    assert not [kind for kind in WAIVED if kind in unwaived(text)]


def test_our_own_lint_sees_what_the_header_hides():
    """A truncation that is no LOGNOT is an error of ours, header or not."""
    narrow = "module t(input [1:0] b, output c); assign c = b; endmodule\n"
    end = "/* verilator lint_restore"
    text = to_verilog(GicConfig(lrs=1)).replace(end, narrow + end)
    assert [line.partition(":")[0] for line in lint_verilog(text, "t")] == ["WIDTHTRUNC"]
