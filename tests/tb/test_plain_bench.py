"""Exported modules under their own testbench in plain Verilog: no Python takes part in these simulations."""

import subprocess

import pytest

from tb.cli import main
from tb.plain_bench import PASSED
from tb.tools import find_simulator
from tests.simulators import PRESENT

#: The four that run under every simulator: both GICs, ports and buses, few and many list registers.
EVERYWHERE = {
    "v3-4": ["--lrs", "4"],
    "v3-16": ["--lrs", "16", "--pri-bits", "7", "--pre-bits", "7", "--id-bits", "24"],
    "v2-apb": ["--gic", "v2", "--lrs", "4", "--bus", "apb"],
    "v3-axi4lite": ["--lrs", "4", "--bus", "axi4lite"],
}
#: The rest of what can be exported, under Icarus.
MORE = {
    "v2": ["--gic", "v2", "--lrs", "17"],
    "v2-axi4lite": ["--gic", "v2", "--bus", "axi4lite"],
    "v2-wishbone": ["--gic", "v2", "--bus", "wishbone"],
    "v3-wishbone": ["--lrs", "1", "--bus", "wishbone"],
    "v3-apb": ["--lrs", "1", "--bus", "apb"],
    "system": ["--lrs", "2", "--spis", "32", "--pes", "2"],
    "system-v2-apb": ["--gic", "v2", "--lrs", "2", "--spis", "32", "--bus", "apb"],
    "system-v2": ["--gic", "v2", "--lrs", "2", "--spis", "32", "--pes", "2"],
}
#: How a user compiles and runs them.
COMMANDS = {
    "icarus": (
        ["iverilog", "-g2005", "-Wall", "-Wno-timescale", "-o", "top_tb.vvp", "top_tb.v", "top.v"],
        ["vvp", "-n", "top_tb.vvp"],
    ),
    "verilator": (
        ["verilator", "--binary", "-O0", "--top-module", "top_tb", "top_tb.v", "top.v"],
        ["obj_dir/Vtop_tb"],
    ),
}


def _export(directory, options, *more):
    suffix = "_tb" if "--testbench" in more else ""
    output = directory / f"top{suffix}.v"
    with pytest.raises(SystemExit) as stop:
        main(["export", "verilog", *options, "--name", "top", "-o", str(output), *more])
    assert not stop.value.code
    return output


def _simulate(directory, engine, warnings=False) -> str:
    """Compile, with no warning unless told so, run, and return what the testbench prints."""
    build, run = COMMANDS[engine]
    with find_simulator(engine).active():
        done = subprocess.run(build, cwd=directory, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert warnings or "warning" not in (done.stdout + done.stderr).lower(), done.stderr
        done = subprocess.run(run, cwd=directory, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout


@pytest.mark.parametrize("engine", PRESENT)
@pytest.mark.parametrize("build", EVERYWHERE)
def test_an_interrupt_is_acknowledged_on_an_exported_module(tmp_path, engine, build):
    _export(tmp_path, EVERYWHERE[build])
    _export(tmp_path, EVERYWHERE[build], "--testbench")
    out = _simulate(tmp_path, engine)
    assert PASSED in out
    assert "FAIL" not in out


@pytest.mark.parametrize("build", MORE if "icarus" in PRESENT else ())
def test_everything_else_that_can_be_exported(tmp_path, build):
    _export(tmp_path, MORE[build])
    _export(tmp_path, MORE[build], "--testbench")
    out = _simulate(tmp_path, "icarus")
    assert PASSED in out
    assert "FAIL" not in out


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("(pe0__virq)", "(pe0__vfiq)", "expected vIRQ 1, got"),
        ("(pe0__response__valid)", "()", "no end after 100000 cycles"),
        ("(pe0__response__payload)", "()", "expected 0000000000000025, got"),
        ("(pe0__response__payload)", "(pe0__observe[97:0])", "expected 0000000000000025, got"),
    ] if "icarus" in PRESENT else [],
)  # fmt: skip
def test_the_testbench_notices_a_broken_module(tmp_path, old, new, text):
    module = _export(tmp_path, EVERYWHERE["v3-4"])
    _export(tmp_path, EVERYWHERE["v3-4"], "--testbench")
    verilog = module.read_text()
    assert old in verilog
    module.write_text(verilog.replace(old, new, 1))
    out = _simulate(tmp_path, "icarus", warnings=True)
    assert "FAIL: " in out and text in out
    assert PASSED not in out


def test_the_testbench_dumps_a_waveform_when_asked(tmp_path):
    """``+vcd``, and ``spillway waves`` knows what is in it."""
    for more in ([], ["--testbench"]):
        _export(tmp_path, ["--lrs", "1"], *more)
    _simulate(tmp_path, PRESENT[-1])
    assert not (tmp_path / "top_tb.vcd").exists()
    build, run = COMMANDS[PRESENT[-1]]
    build = [*build, "--trace-vcd"] if PRESENT[-1] == "verilator" else build
    with find_simulator(PRESENT[-1]).active():
        for command in (build, [*run, "+vcd"]):
            subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    with pytest.raises(SystemExit) as stop:
        main(["waves", str(tmp_path / "top_tb.vcd")])
    assert not stop.value.code
    assert "top_tb.dut.pe0.lr0.state" in (tmp_path / "top_tb.gtkw").read_text()


@pytest.mark.parametrize(
    ("language", "options", "line"),
    [
        ("verilog", [], "spillway export verilog\n"),
        ("verilog", ["--lrs", "4", "--tds"], "spillway export verilog\n"),
        ("verilog", ["--no-tds", "--bus", "apb", "--testbench"],
         "spillway export verilog --bus apb --testbench --no-tds\n"),
        ("rtlil", ["--lrs", "1"], "spillway export rtlil --lrs 1\n"),
    ],
)  # fmt: skip
def test_the_first_line_makes_the_text_again(tmp_path, language, options, line):
    """What is not the default, in one order; the same text however it was asked for."""
    texts = []
    for words in ([language, *options], line.split()[2:]):
        with pytest.raises(SystemExit) as stop:
            main(["export", *words, "-o", str(tmp_path / "it")])
        assert not stop.value.code
        texts.append((tmp_path / "it").read_text())
    assert texts[0] == texts[1]
    first, second, _ = texts[0].split("\n", 2)
    assert f"{first}\n".endswith(f": {line}")
    assert second.endswith(" SPDX-License-Identifier: Apache-2.0")


def test_the_template_is_an_instance_that_compiles(tmp_path, capsys):
    """Pasted into an empty module beside the design, as --template is meant."""
    options = EVERYWHERE["v2-apb"]
    design = _export(tmp_path, options).read_text()
    template = _export(tmp_path, options, "--template").read_text()
    assert "top u_top (" in template
    assert "// pe0__deactivate__payload[12:0]: pintid".replace("// ", "//   ") in template
    source = tmp_path / "holder.v"
    source.write_text(f"module holder;\n{template}endmodule\n{design}")
    with find_simulator("verilator").active():
        command = ["verilator", "--lint-only", "-Wno-UNDRIVEN", "--top-module", "holder", "holder.v"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "Warning" in done.stderr) == (0, False), done.stderr
