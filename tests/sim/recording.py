"""Traces for tests: the fixtures, and recordings made of a golden model."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.registers import BY_NAME, Space
from sim.deviations import STRICT, Deviations
from sim.deviations_v2 import DeviationsV2
from sim.engines.golden import golden_port
from sim.golden import Golden
from sim.golden_v2 import GoldenV2
from sim.golden_v2.deviating import make_golden_v2
from sim.port import GUEST, Access, Lines, Outcome, Response, State, run
from sim.replay import FileReport, replay
from sim.stimulus import RandomChoices, Stimulus
from sim.trace import check_trace

DATA = Path(__file__).parents[1] / "data"
TRACES = DATA / "traces"


def fixtures(pattern: str = "*") -> list[Path]:
    """Return the recorded traces of the repository."""
    found = sorted(TRACES.glob(f"{pattern}.jsonl.gz"))
    assert found, pattern
    return found


def lines_of(path: Path) -> list[dict[str, Any]]:
    """All lines of a trace as objects."""
    with gzip.open(path, "rt") as stream:
        return [json.loads(line) for line in stream]


def write_trace(path: Path, lines: Iterable[dict[str, Any]]) -> str:
    """Write objects as a trace and return its name."""
    path.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
    return str(path)


def edited(source: Path, target: Path, edit: Callable[[list[dict[str, Any]]], None]) -> str:
    """Write a copy of a trace that ``edit`` changed in place."""
    lines = lines_of(source)
    edit(lines)
    return write_trace(target, lines)


def accesses(config: GicConfig | GicV2Config, seed: int, count: int) -> list[Access]:
    """Return a random stream of accesses, aimed at the states of a strict model."""
    golden, stimulus = golden_port(config).golden, Stimulus(config, RandomChoices(seed))
    stream: list[Access] = []
    while len(stream) < count:
        access = stimulus.next(golden.state())
        if not isinstance(access, Access):
            continue  # a trace names registers, not offsets on a bus
        access = access._replace(context=GUEST)
        golden.access(access)
        if isinstance(config, GicV2Config):
            stream.append(access)
            continue
        # A trace names registers, and was recorded at EL1 and, for ICH registers, at EL2.
        if access.register.name in BY_NAME and (access.el == 1 or (access.el == 2 and _ich(access))):
            stream.append(access)
    return stream


def _ich(access: Access) -> bool:
    return access.register.space is Space.ICH


def _hex(value: int) -> str:
    return f"{value:#x}"


def record_sequence(golden: Golden | GoldenV2, number: int, stream: Iterable[Access | int]) -> dict[str, Any]:
    """Apply steps to a model, from reset, and return them as a line of the sequence format.

    A step is an access, or the number of a physical interrupt that becomes active.
    """
    golden.reset()
    active: set[int] = set()
    before: dict[str, Any] = {}
    ops = []
    for step in stream:
        if isinstance(step, int):
            active.add(step)
            op = {"el": 2, "op": "phys_active", "val": _hex(step)}
            if isinstance(golden, GoldenV2):
                del op["el"]
        else:
            op = _record_access(golden, step)
            active -= set(golden.take_deactivations())
        _record_state(golden, active, op, before)
        ops.append(op)
    return {"seq": number, "cls": "recorded", "ops": ops}


def _record_access(golden: Golden | GoldenV2, access: Access) -> dict[str, Any]:
    response = golden.access(access)
    op: dict[str, Any] = {"el": access.el, "op": "wr" if access.write else "rd", "reg": access.register.name}
    if isinstance(golden, GoldenV2):
        del op["el"]
    if access.write:
        op["val"] = _hex(access.value)
    elif response.outcome is Outcome.OK:
        op["val"] = _hex(response.value)
    if response.outcome is not Outcome.OK:
        op["trap"] = "EL2" if response.outcome is Outcome.TRAP_EL2 else f"UNDEF_EL{access.el}"
        op["esr"] = _hex(response.esr)
    return op


def _words(active: set[int]) -> list[int]:
    return [sum(1 << n - low for n in active if low <= n < low + 32) for low in (0, 32, 64)]


def _record_state(
    golden: Golden | GoldenV2, active: set[int], op: dict[str, Any], before: dict[str, Any]
) -> None:
    state, lines = golden.state(), golden.lines()
    now = {
        "hcr": _hex(state.hcr), "vmcr": _hex(state.vmcr), "misr": state.misr, "eisr": state.eisr,
        "elrsr": state.elrsr, "virq": int(lines.virq), "vfiq": int(lines.vfiq),
        "maint": int(lines.maintenance), "pact": _words(active),
        **{f"lr{n}": _hex(lr) for n, lr in enumerate(state.lr)},
    }  # fmt: skip
    if isinstance(golden, GoldenV2):
        now["apr"] = _hex(state.ap0r[0])
    else:
        now |= {"ap0": state.ap0r, "ap1": state.ap1r}
    op["st"] = {key: value for key, value in now.items() if before.get(key) != value}
    before.update(now)


def recorded_sequences(
    path: Path, config: GicConfig | GicV2Config, deviations: Deviations | DeviationsV2 = STRICT,
    qemu: str | None = None, *, seed: int = 1, sequences: int = 4, length: int = 60,
) -> str:  # fmt: skip
    """Record random sequences of a model, deviating or not, and return the trace's name."""
    v2 = isinstance(config, GicV2Config)
    golden = make_golden_v2(config, deviations) if v2 else Golden(config, deviations)
    meta: dict[str, Any] = {"vtr": _hex(config.vtr)} | ({"qemu": qemu} if qemu else {})
    lines = [record_sequence(golden, n, accesses(config, seed * 1000 + n, length)) for n in range(sequences)]
    return write_trace(path, [{"meta": meta}, *lines])


def recorded_events(
    path: Path, config: GicConfig, deviations: Deviations = STRICT, qemu: str | None = None, *,
    seed: int = 1, cpus: int = 2, length: int = 300,
) -> str:  # fmt: skip
    """Record a random run of several CPUs, lines and traps included, and return the trace's name."""
    models = [Golden(config, deviations) for _ in range(cpus)]
    streams = [iter(accesses(config, seed * 1000 + n, length)) for n in range(cpus)]
    shown = [(False, False, False)] * cpus
    meta: dict[str, Any] = {"vtr": _hex(config.vtr)} | ({"qemu": qemu} if qemu else {})
    lines: list[dict[str, Any]] = [{"meta": meta}]
    for step in range(length * cpus):
        cpu = step % cpus
        access = next(streams[cpu])
        response = models[cpu].access(access)
        name, op = access.register.name, "wr" if access.write else "rd"
        if response.outcome is Outcome.OK:
            value = access.value if access.write else response.value
            lines.append({"cpu": cpu, "el": access.el, "op": op, "reg": name, "val": _hex(value)})
        elif response.outcome is Outcome.TRAP_EL2:
            trap = {"kind": "sysreg", "esr": _hex(response.esr), "tr": f"{name}:{op}"}
            value = {"val": _hex(access.value)}
            lines.append({"cpu": cpu, "ev": "exc", "from": 1, "to": 2, **trap, **value})
        now = models[cpu].lines()
        if now[:2] != shown[cpu][:2]:
            lines.append({"cpu": cpu, "ev": "virq", "irq": int(now.virq), "fiq": int(now.vfiq)})
        if now.maintenance != shown[cpu][2]:
            lines.append({"cpu": cpu, "ev": "maint", "level": int(now.maintenance)})
        shown[cpu] = tuple(now)
    return write_trace(path, lines)


class Hardware:
    """A strict golden model behind a plain CPU port, as hardware looks to a replay."""

    def __init__(self, config: GicConfig | GicV2Config, golden: Golden | GoldenV2 | None = None):
        self.config = config
        self.golden = golden or golden_port(config).golden

    async def reset(self) -> None:
        """Reset it."""
        self.golden.reset()

    async def access(self, access: Access) -> Response:
        """Make an access."""
        return self.golden.access(access)

    async def lines(self) -> Lines:
        """Return the lines."""
        return self.golden.lines()

    async def deactivations(self) -> list[int]:
        """Take the deactivation requests."""
        return self.golden.take_deactivations()

    async def state(self) -> State:
        """Return all storage."""
        return self.golden.state()


def replayed(
    path: str | Path,
    deviations: Deviations | DeviationsV2 | None = None,
    hardware: Callable[[Any], Any] = golden_port,
    pes: int = 0,
) -> FileReport:
    """Replay a trace on ports made of its configuration."""
    summary = check_trace(path)
    ports = [hardware(summary.config) for _ in range(pes or summary.pes)]
    return run(replay(ports, str(path), deviations))
