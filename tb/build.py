"""Compiled simulations, made once: Verilog text in, a directory that cocotb can run out."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import time
from functools import lru_cache
from pathlib import Path

import cocotb
from cocotb_tools.runner import Runner, get_runner

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from hw.export import to_bench_verilog, to_verilog
from sim.generated import build_root
from tb.tools import find_simulator

__all__ = [
    "TOP",
    "bench_verilog_of",
    "build_root",
    "build_simulation",
    "explain_failure",
    "quiet_runner",
    "verilog_of",
    "wave_kind",
]

#: Options of Verilator that make it count, for :mod:`tb.coverage_rtl`.
_COVERAGE = ["--coverage-line", "--coverage-toggle"]
#: Name of the top module of every bench.
TOP = "cluster"

#: Wave formats an engine can write, by file suffix; the compiler options each needs.
_WAVES: dict[str, dict[str, list[str]]] = {
    "verilator": {".vcd": [], ".fst": ["--trace-fst"]},
    "icarus": {".fst": [], ".vcd": []},
    "amaranth": {".vcd": []},
}
_OPTIONS = {
    # Generated text: style warnings are the linter's business. The design has no delays.
    "verilator": ["-Wno-fatal", "-Wno-lint", "--no-timing", "-O3", "--x-initial", "0", "--no-public-flat-rw"],
    "icarus": [],
}
# cocotb makes every signal of the design public, which keeps Verilator from optimizing any away: three
# times the code and half the speed. The pins are enough; waveforms have every signal all the same.
_PINS = f"""`verilator_config
public_flat_rw -module "{TOP}" -var "clk"
public_flat_rw -module "{TOP}" -var "rst"
public_flat_rw -module "{TOP}" -var "pe*"
public_flat_rw -module "{TOP}" -var "bus*"
public_flat_rw -module "{TOP}" -var "spi"
public_flat_rw -module "{TOP}" -var "ppi*"
public_flat_rw -module "{TOP}" -var "settled"
public_flat_rw -module "{TOP}" -var "commands*"
public_flat_rw -module "{TOP}" -var "answers*"
"""


def wave_kind(engine: str, waves: Path) -> str:
    """Return the wave format that a file name asks for: ``.vcd`` or ``.fst``.

    Raises
    ------
    InputError
        When the engine has no cycles to record or cannot write that format.
    """
    kinds = _WAVES.get(engine)
    if kinds is None:
        raise InputError(f"engine {engine} has no cycles and so no waves; use one of {', '.join(_WAVES)}")
    if waves.suffix not in kinds:
        raise InputError(f"{waves}: engine {engine} writes {' or '.join(kinds)} files; rename the file")
    return waves.suffix


@lru_cache(maxsize=64)
def verilog_of(config: GicConfig | GicV2Config, pes: int = 1, physical: PhysicalConfig | None = None) -> str:
    """Return the Verilog of a cluster; remembered, because exporting takes about a second."""
    return to_verilog(config, pes, name=TOP, physical=physical)


@lru_cache(maxsize=16)
def bench_verilog_of(config: GicConfig | GicV2Config, pes: int = 1) -> str:
    """Return the Verilog of a bench; see :func:`verilog_of`."""
    return to_bench_verilog(config, pes, name=TOP)


def quiet_runner(engine: str) -> Runner:
    """Return cocotb's runner for a simulator, its own messages silenced (they are in the log file)."""
    runner = get_runner(engine)
    runner.log.propagate = False
    runner.log.disabled = True
    logging.getLogger("cocotb").setLevel(logging.ERROR)
    return runner


#: Suffixes of what a build leaves and a run does not need.
_LEFTOVERS = (".a", ".cpp", ".d", ".dat", ".gch", ".h", ".mk", ".o")


def explain_failure(engine: str, kind: str | None, log: Path) -> Exception:
    """Return the error for a build that failed: bad input where the user can mend it, else the log's end."""
    text = log.read_text(errors="replace") if log.exists() else ""
    if kind == ".fst" and engine == "verilator" and "lz4" in text:
        return InputError(
            "FST waves from Verilator need the lz4 headers: apt-get install liblz4-dev, or name a .vcd file"
        )
    tail = "\n".join(text.splitlines()[-40:])
    return RuntimeError(f"{engine} could not build the simulation; {log} ends with:\n{tail}")


def build_simulation(engine: str, verilog: str, waves: str | None = None, coverage: bool = False) -> Path:
    """Return the directory of a compiled simulation, building it if this text was not built before.

    Parameters
    ----------
    engine : str
        ``verilator`` or ``icarus``.
    verilog : str
        A module :data:`TOP`.
    waves : str or None
        ``.vcd`` or ``.fst`` to build in a wave writer.
    coverage : bool
        Verilator only: count lines and toggles, and leave the counts where it runs.

    Raises
    ------
    InputError
        When a tool is missing.
    RuntimeError
        When the tool refuses the text; its log is quoted and kept.
    """
    simulator = find_simulator(engine)
    options = [*_OPTIONS[engine], *(_WAVES[engine][waves] if waves else []), *(_COVERAGE if coverage else [])]
    makeflags = simulator.environment.get("MAKEFLAGS")
    settings = json.dumps([simulator.version, makeflags, cocotb.__version__, options, waves is not None])
    tools = hashlib.sha256(settings.encode()).hexdigest()[:8]
    name = f"{tools}-{hashlib.sha256(verilog.encode()).hexdigest()[:12]}"
    directory = build_root() / engine / name
    if directory.is_dir():
        return directory
    # Built beside its place and moved there whole: another process may want the same.
    work = directory.with_name(f"{name}.{os.getpid()}")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    sources = [work / f"{TOP}.v"]
    sources[0].write_text(verilog)
    if engine == "verilator":
        sources.insert(0, work / "pins.vlt")
        sources[0].write_text(_PINS)
    runtime = build_root() / engine / f"{tools}-runtime"
    _copy_objects(runtime, work)
    log = work / "build.log"
    with simulator.active():
        try:
            quiet_runner(engine).build(
                sources=sources,
                hdl_toplevel=TOP,
                build_args=options,
                build_dir=work,
                timescale=("1ns", "1ps"),
                waves=waves is not None,
                log_file=log,
            )
        except (RuntimeError, SystemExit):
            raise explain_failure(engine, waves, log) from None
    if engine == "verilator" and not runtime.is_dir():
        spare = runtime.with_name(f"{runtime.name}.{os.getpid()}")
        spare.mkdir()
        _copy_objects(work, spare)
        _move(spare, runtime)
    for leftover in work.iterdir():
        # Generated sources, precompiled headers and objects are a hundred times the size of what runs.
        if leftover.suffix in _LEFTOVERS:
            leftover.unlink()
    _move(work, directory)
    return directory


def _copy_objects(source: Path, target: Path) -> None:
    """Copy Verilator's compiled run-time library, the same in every build: four fifths of the time."""
    # The makefile compiles again what is older than itself, and it is written after this.
    later = time.time() + 3600
    for compiled in source.glob("verilated*.o"):
        copied = shutil.copyfile(compiled, target / compiled.name)
        os.utime(copied, (later, later))


def _move(source: Path, target: Path) -> None:
    """Give a finished directory its name, unless somebody else was quicker."""
    try:
        source.rename(target)
    except OSError:
        shutil.rmtree(source, ignore_errors=True)
