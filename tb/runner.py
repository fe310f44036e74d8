"""Runs jobs and cocotb test modules on any engine; users need to set nothing up.

A job (:mod:`sim.engines.job`) is written once, against :class:`sim.port.CpuPort`::

    async def identify(ports):
        return await read(ports[0], 2, lookup("ICH_VTR_EL2"))

    run_job("my_module:identify", {}, engine="verilator", config=GicConfig(lrs=8))
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cocotb_tools.check_results import get_results

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from sim import progress as progress_reports
from sim.engines.golden import golden_port
from sim.engines.job import config_to_json, find_function
from sim.generated import build_root
from sim.golden_physical import GoldenSystem
from sim.port import run
from tb.build import (
    TOP,
    bench_verilog_of,
    build_simulation,
    quiet_runner,
    verilog_of,
    wave_kind,
)
from tb.coverage import Coverage
from tb.engines import ENGINES, WAVELESS
from tb.tools import SIMULATORS, find_simulator

__all__ = ["ENGINES", "BenchResult", "JobError", "run_bench", "run_job"]

_BENCH = "bench-"
#: Engines that run in this process, by the module that has their ``run_job``.
_IN_PROCESS = {
    "amaranth": "sim.engines.amaranth",
    "bench-amaranth": "sim.bench.amaranth",
    "bench-compiled": "sim.bench.compiled",
    "bench-uart": "sim.bench.board",
}
#: Seconds between two looks at a running simulator's progress.
_POLL = 0.2
#: Seconds that the directory of a failed run is kept.
_KEPT = 24 * 3600


class JobError(RuntimeError):
    """A job failed inside the simulator with an exception that cannot be made again here."""


def run_job(
    job: str,
    arguments: dict[str, Any] | None = None,
    *,
    engine: str = "golden",
    config: GicConfig | GicV2Config | None = None,
    pes: int = 1,
    waves: Path | str | None = None,
    progress: Callable[[int, int], None] | None = None,
    verilog: str | None = None,
    physical: PhysicalConfig | None = None,
    counts: Path | None = None,
) -> Any:
    """Run ``await function(ports, **arguments)`` with one CPU port per PE and return its result.

    With ``physical`` the job gets a whole :class:`sim.system_port.System` instead of the ports.

    Parameters
    ----------
    job : str
        ``module:function``, importable from here.
    arguments : dict
        Keyword arguments; anything JSON can carry.
    engine : str
        One of :data:`ENGINES`.
    config : GicConfig or GicV2Config
        Parameters of the cluster; the defaults if None.
    pes : int, 1..8
        Number of PEs.
    waves : Path or None
        Wave file to write: ``.vcd`` (amaranth, verilator, icarus) or ``.fst`` (icarus, verilator).
    progress : callable or None
        Called with ``(done, total)`` now and then when the job reports (:mod:`sim.progress`).
    verilog : str or None
        Text to simulate instead of the exported cluster, for tests that break it. Simulators only.
    physical : PhysicalConfig or None
        Parameters of the physical side of a system; None for a cluster.
    counts : Path or None
        File for Verilator's counts of lines and toggles (:mod:`tb.coverage_rtl`). Engine verilator only.

    Returns
    -------
    Any
        What the job returned, as JSON carries it (tuples become lists), on every engine.

    Raises
    ------
    InputError
        For an unknown engine, a missing tool, a wave file the engine cannot write; and whatever
        InputError the job raised.
    Exception
        The job's own exception, type and message kept, wherever it ran; :class:`JobError` where the
        type cannot be made again.
    """
    config = config or GicConfig()
    if engine not in ENGINES:
        raise InputError(f"unknown engine {engine!r}; one of {', '.join(ENGINES)}")
    bench, simulator = engine.startswith(_BENCH), engine.removeprefix(_BENCH)
    if bench and physical is not None:
        raise InputError(f"engine {engine}: the bench has no physical side; choose another engine")
    path, kind = _wave_file(engine, waves)
    function = find_function(job)
    arguments = json.loads(json.dumps(arguments or {}))
    if simulator in SIMULATORS:
        if bench:
            text = verilog if verilog is not None else bench_verilog_of(config, pes)
        else:
            text = verilog if verilog is not None else verilog_of(config, pes, physical)
        simulation = build_simulation(simulator, text, kind, counts is not None)
        return _run_simulated(
            simulator, simulation, job, arguments, config, pes, physical, path, progress, bench, counts
        )
    with progress_reports.listening(progress):
        if physical is not None:
            result = _run_system(function, arguments, engine, config, physical, pes, path)
        elif engine == "golden":
            result = run(function([golden_port(config) for _ in range(pes)], **arguments))
        else:
            # These take long to import; most runs need none of them.
            module = importlib.import_module(_IN_PROCESS[engine])
            result = module.run_job(function, arguments, config, pes, path)
    return json.loads(json.dumps(result))


def _run_system(function, arguments, engine, config, physical, pes, waves) -> Any:
    """Run a job on a system inside this process."""
    if engine == "golden":
        return run(function(GoldenSystem(config, physical, pes), **arguments))
    from sim.engines.amaranth_system import AmaranthSystemEngine  # takes long to import

    return AmaranthSystemEngine(config, physical, pes).run(function, arguments, waves)


def _wave_file(engine: str, waves: Path | str | None) -> tuple[Path | None, str | None]:
    """Return the wave file's absolute path and its format."""
    if waves is None:
        return None, None
    if engine in WAVELESS:
        raise InputError(f"{waves}: {engine} writes no waves; use bench-verilator or bench-icarus")
    kind = wave_kind(engine.removeprefix(_BENCH), Path(waves))
    path = Path(waves).resolve()
    if not path.parent.is_dir():
        raise InputError(f"{waves}: there is no directory {path.parent}; create it first")
    return path, kind


@contextlib.contextmanager
def _run_directory(engine: str) -> Iterator[Path]:
    """Make a directory for one run; it is kept for a day when the run fails, for its log."""
    runs = build_root() / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    for old in runs.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - old.stat().st_mtime > _KEPT:
                shutil.rmtree(old)
    directory = Path(tempfile.mkdtemp(prefix=f"{engine}-", dir=runs))
    yield directory
    shutil.rmtree(directory)


def _simulate(
    engine: str,
    simulation: Path,
    module: str,
    directory: Path,
    waves: Path | None,
    environment: dict[str, str],
    testcase: str | None = None,
    seed: int | None = None,
) -> Path:
    """Run a cocotb module in a compiled simulation and return its results file, which may not exist."""
    simulator = find_simulator(engine)
    arguments: list[str] = []
    variables = {"COCOTB_TRUST_INERTIAL_WRITES": "1", **environment}
    suffix = {}
    if waves is not None and engine == "verilator":
        arguments = ["--trace-file", str(waves)]
    elif waves is not None:
        arguments = [f"+dumpfile_path={waves}"]
        # cocotb always asks vvp for FST; what comes last counts.
        suffix = {"SIM_CMD_SUFFIX": "-vcd"} if waves.suffix == ".vcd" else {}
    results = directory / "results.xml"
    with simulator.active(**suffix), contextlib.suppress(RuntimeError, SystemExit):
        quiet_runner(engine).test(
            test_module=module,
            hdl_toplevel=TOP,
            hdl_toplevel_lang="verilog",
            build_dir=simulation,
            test_dir=directory,
            test_args=arguments if engine == "verilator" else [],
            plusargs=arguments if engine == "icarus" else [],
            testcase=testcase,
            seed=seed,
            extra_env=variables,
            waves=waves is not None,
            results_xml=str(results),
            log_file=directory / "simulator.log",
        )
    return results


def _log_tail(directory: Path) -> str:
    log = directory / "simulator.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join([f"{log} ends with:", *lines[-40:]])


def _remake(error: dict[str, Any]) -> Exception:
    """Return the exception that a job raised in the simulator, its remote traceback as a note."""
    made: Exception | None = None
    module = builtins if error["module"] == "builtins" else None
    with contextlib.suppress(Exception):
        module = module or importlib.import_module(error["module"])
        kind = getattr(module, error["type"])
        if issubclass(kind, Exception):
            candidate = kind(*error["arguments"])
            # Some types make their message of other things: it must come out the same.
            made = candidate if str(candidate) == error["message"] else None
    if made is None:
        made = JobError(f"{error['type']}: {error['message']}")
    made.add_note("in the simulator:\n" + error["traceback"])
    return made


def _run_simulated(
    engine, simulation, job, arguments, config, pes, physical, waves, progress, bench=False, counts=None
) -> Any:
    with _run_directory(engine) as directory:
        description = {
            "function": job,
            "arguments": arguments,
            "config": config_to_json(config),
            "pes": pes,
            "physical": asdict(physical) if physical else None,
            "bench": bench,
            "answer": str(directory / "answer.json"),
            "progress": str(directory / "progress"),
        }
        (directory / "job.json").write_text(json.dumps(description))
        environment = {"SPILLWAY_JOB": str(directory / "job.json")}
        with _follow(directory / "progress", progress):
            _simulate(engine, simulation, "tb.job", directory, waves, environment)
        if counts is not None:
            shutil.move(directory / "coverage.dat", counts)
        answer = directory / "answer.json"
        if not answer.exists():
            raise RuntimeError(f"{engine} ended without an answer to {job}; {_log_tail(directory)}")
        outcome = json.loads(answer.read_text())
    if "error" in outcome:
        raise _remake(outcome["error"])
    return outcome["result"]


@contextlib.contextmanager
def _follow(path: Path, listener: Callable[[int, int], None] | None) -> Iterator[None]:
    """Tell ``listener`` what a running simulation writes to its progress file."""
    if listener is None:
        yield
        return
    stop = threading.Event()

    def watch() -> None:
        last, ended = "", False
        while not ended:
            ended = stop.wait(_POLL)  # what was written last is looked at, too
            text = path.read_text() if path.exists() else ""
            if text != last and len(text.split()) == 2:
                last = text
                listener(*map(int, text.split()))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@dataclass(frozen=True)
class BenchResult:
    """What a bench run gives back: number of tests, and the coverage of all of them."""

    tests: int
    coverage: Coverage


def run_bench(
    module: str,
    *,
    engine: str = "verilator",
    config: GicConfig | GicV2Config | None = None,
    pes: int = 1,
    operations: int = 1000,
    seed: int = 1,
    testcase: str | None = None,
    waves: Path | str | None = None,
    verilog: str | None = None,
) -> BenchResult:
    """Run the ``@cocotb.test`` functions of a module (:mod:`tb.benches`).

    Parameters
    ----------
    module : str
        Importable name of the cocotb module.
    engine : str
        ``verilator`` or ``icarus``.
    operations : int
        Random accesses on each PE, in benches that make any.
    seed : int
        cocotb's seed, from which all random choices come.
    testcase : str or None
        Run only the test of this name.
    config, pes, waves, verilog
        As for :func:`run_job`.

    Raises
    ------
    InputError
        When the engine is not a simulator or a tool is missing.
    AssertionError
        When a test failed; the text has the end of the log, which is kept.
    """
    config = config or GicConfig()
    if engine not in SIMULATORS:
        raise InputError(f"cocotb benches run on {' or '.join(SIMULATORS)}, not on {engine!r}")
    path, kind = _wave_file(engine, waves)
    simulation = build_simulation(engine, verilog if verilog is not None else verilog_of(config, pes), kind)
    with _run_directory(engine) as directory:
        settings = {
            "config": config_to_json(config),
            "pes": pes,
            "operations": operations,
            "coverage": str(directory / "coverage.json"),
        }
        bench = directory / "bench.json"
        bench.write_text(json.dumps(settings))
        variables = {"SPILLWAY_BENCH": str(bench)}
        results = _simulate(engine, simulation, module, directory, path, variables, testcase, seed)
        if not results.exists():
            raise RuntimeError(f"{engine} ended without results of {module}; {_log_tail(directory)}")
        tests, failures = get_results(results)
        if failures or not tests:
            raise AssertionError(
                f"{module}, seed {seed}: {failures} of {tests} tests failed; {_log_tail(directory)}"
            )
        coverage = Coverage(config)
        collected = directory / "coverage.json"
        if collected.exists():
            coverage.merge(json.loads(collected.read_text()))
    return BenchResult(tests, coverage)
