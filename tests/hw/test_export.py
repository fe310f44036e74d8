"""Export: every parameter value elaborates, exports and passes Verilator's lint.

``spillway lint --cover pairs`` and ``--cover all`` go further; ``make soak`` runs them.
"""

import subprocess
import sys
from importlib.metadata import version

import pytest

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from hw.export import to_rtlil, to_verilog
from tb.cli import main
from tb.configurations import VALUES, covering, covering_v2, every_configuration, every_v2
from tb.lint import lint_verilog

EVERY_VALUE = covering(1)


def test_there_are_as_many_configurations_as_section_0_allows():
    """16 LR counts, 9 pairs of priority and preemption bits, 3 of nV4 and DVIM, 2^5 of the rest."""
    every = list(every_configuration())
    assert len(every) == 16 * 9 * 3 * 2**5
    assert len(set(every)) == len(every)


def test_a_cover_has_every_value_and_every_pair():
    for name, values in VALUES.items():
        assert {getattr(config, name) for config in EVERY_VALUE} == set(values)
    pairs = covering(2)
    assert {(c.lrs, c.pri_bits) for c in pairs} == {
        (lrs, bits) for lrs in range(1, 17) for bits in range(5, 9)
    }
    assert {(c.nv4, c.dvim) for c in pairs} == {(True, False), (False, False), (False, True)}
    assert len(pairs) < 100


@pytest.mark.parametrize("config", EVERY_VALUE, ids=lambda c: f"{c.lrs}lr-{c.pri_bits}-{c.pre_bits}")
def test_every_value_exports_and_lints(config):
    assert lint_verilog(to_verilog(config)) == []


@pytest.mark.parametrize("lrs", (1, 3, 16, 17, 33, 64))
def test_gicv2_exports_and_lints(lrs):
    """Both sides of every change of structure; ``spillway lint --gic v2 --cover all`` has every number."""
    assert GicV2Config(lrs) in covering_v2() and len(every_v2()) == 64
    assert lint_verilog(to_verilog(GicV2Config(lrs))) == []


def test_several_pes_export_and_lint():
    text = to_verilog(GicConfig(), 2, "pair")
    assert "module pair(" in text
    assert "pe1__request__valid" in text
    assert lint_verilog(text, "pair") == []


def test_lint_sees_a_width_error_and_a_syntax_error():
    """The accepted kinds are not everything: what matters still shows."""
    latch = "module t(input a, input [1:0] b, output reg c); always @* if (a) c = b; endmodule\n"
    kinds = {line.partition(":")[0] for line in lint_verilog(latch, "t")}
    assert kinds == {"WIDTHTRUNC", "LATCH"}
    assert lint_verilog("module t(; endmodule\n", "t")[0].startswith("error: ")


def test_the_text_depends_on_the_parameters_only():
    """Another process, with another hash seed, writes the same."""
    code = "import hw.config, hw.export; print(hw.export.to_verilog(hw.config.GicConfig(lrs=2)))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert other.rstrip("\n") == to_verilog(GicConfig(lrs=2)).rstrip("\n")


def test_rtlil_names_the_top():
    assert "module \\core" in to_rtlil(GicConfig(lrs=1), name="core")


@pytest.mark.parametrize("pes", [0, 9])
def test_pes_out_of_range(pes):
    with pytest.raises(InputError, match="1 to 8 PEs"):
        to_verilog(GicConfig(), pes)


def _run(*arguments) -> int:
    with pytest.raises(SystemExit) as exit_:
        main([str(argument) for argument in arguments])
    return exit_.value.code


def test_export_command_writes_the_file(tmp_path, capsys):
    path = tmp_path / "out.v"
    assert _run("export", "verilog", "--lrs", 1, "--name", "vgic", "-o", path) == 0
    origin = [f"// Spillway {version('spillway')}: spillway export verilog --name vgic --lrs 1",
              "// SPDX-License-Identifier: Apache-2.0"]  # fmt: skip
    assert path.read_text() == "\n".join([*origin, to_verilog(GicConfig(lrs=1), 1, "vgic")])
    assert _run("export", "--lrs", 1, "--name", "vgic") == 0
    assert capsys.readouterr().out == path.read_text()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--lrs", 17], "lrs must be an integer from 1 to 16"),
        (["--pes", 9], "1 to 8 PEs"),
        (["--name", "1st"], "not a plain identifier"),
        (["vhdl"], "vhdl"),
    ],
)
def test_export_command_refuses(tmp_path, capsys, arguments, text):
    path = tmp_path / "out.v"
    assert _run("export", *arguments, "-o", path) == 2
    err = capsys.readouterr().err
    assert text in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_export_command_says_where_it_cannot_write(tmp_path, capsys):
    assert _run("export", "--lrs", 1, "-o", tmp_path / "none" / "out.v") == 2
    assert "there is no directory" in capsys.readouterr().err


def test_lint_command(capsys):
    assert _run("lint", "--lrs", 2) == 0
    assert capsys.readouterr().out.startswith("1 builds exported and linted, 0 with warnings")
    assert _run("lint", "--cover", "values", "--elaborate-only") == 0
    assert capsys.readouterr().out.startswith("16 builds elaborated, 0 with warnings")
