"""Traces for tests: the fixtures, and recordings made of a golden model."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hw.config import GicConfig
from hw.registers import Space
from sim.deviations import STRICT, Deviations
from sim.golden import Golden
from sim.port import Access, Outcome
from sim.stimulus import RandomChoices, Stimulus

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


def accesses(config: GicConfig, seed: int, count: int) -> list[Access]:
    """Return a random stream of accesses, aimed at the states of a strict model."""
    golden, stimulus = Golden(config), Stimulus(config, RandomChoices(seed))
    stream: list[Access] = []
    while len(stream) < count:
        access = stimulus.next(golden.state())
        golden.access(access)
        if access.el == 1 or (access.el == 2 and access.register.space is not Space.ICC):
            stream.append(access)
    return stream


def _hex(value: int) -> str:
    return f"{value:#x}"


def record_sequence(
    golden: Golden, number: int, stream: list[Access], active: tuple[int, ...] = ()
) -> dict[str, Any]:
    """Apply accesses to a model, from reset, and return them as a line of the sequence format."""
    golden.reset()
    physical, before, ops = set(active), {}, []
    for intid in active:
        ops.append({"el": 2, "op": "phys_active", "val": _hex(intid)})
    for access in stream:
        op: dict[str, Any] = {"el": access.el, "op": "wr" if access.write else "rd",
                              "reg": access.register.name}  # fmt: skip
        response = golden.access(access)
        physical -= set(golden.take_deactivations())
        if access.write:
            op["val"] = _hex(access.value)
        elif response.outcome is Outcome.OK:
            op["val"] = _hex(response.value)
        if response.outcome is not Outcome.OK:
            op["trap"] = "EL2" if response.outcome is Outcome.TRAP_EL2 else f"UNDEF_EL{access.el}"
            op["esr"] = _hex(response.esr)
        ops.append(op)
        _record_state(golden, physical, op, before)
    for op in ops:
        op.setdefault("st", {})
    first = next(op for op in ops if op["st"])
    ops[0]["st"] = {**first["st"], "pact": _words(set(active[:1]))} if ops[0] is not first else first["st"]
    return {"seq": number, "cls": "recorded", "ops": ops}


def _words(active: set[int]) -> list[int]:
    return [sum(1 << n - low for n in active if low <= n < low + 32) for low in (0, 32, 64)]


def _record_state(golden: Golden, active: set[int], op: dict[str, Any], before: dict[str, Any]) -> None:
    state, lines = golden.state(), golden.lines()
    now = {
        "hcr": _hex(state.hcr), "vmcr": _hex(state.vmcr), "misr": state.misr, "eisr": state.eisr,
        "elrsr": state.elrsr, "virq": int(lines.virq), "vfiq": int(lines.vfiq),
        "maint": int(lines.maintenance), "pact": _words(active), "ap0": state.ap0r, "ap1": state.ap1r,
        **{f"lr{n}": _hex(lr) for n, lr in enumerate(state.lr)},
    }  # fmt: skip
    op["st"] = {key: value for key, value in now.items() if before.get(key) != value}
    before.update(now)


def recorded_sequences(
    path: Path, config: GicConfig, deviations: Deviations = STRICT, qemu: str | None = None, *,
    seed: int = 1, sequences: int = 4, length: int = 60,
) -> str:  # fmt: skip
    """Record random sequences of a model, deviating or not, and return the trace's name."""
    golden = Golden(config, deviations)
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
