"""Pictures for the documentation, drawn by WaveDrom's Python port: bit fields and timing.

Both come from the source of truth: bit fields from the register tables, timing from a run of the gateware in
Amaranth's simulator.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import wavedrom
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from hw.config import GicConfig
from hw.interface import INTERVAL, VirtualCpuInterface
from hw.mmio import MmioRegister
from hw.port import Outcome
from hw.registers import BY_NAME, Register
from sim.engines.codec import PortCodec
from sim.port import Access

__all__ = ["bit_fields", "timing"]

#: A guest's access: register, write or not, operand.
GuestAccess = tuple[str, bool, int]
#: Cycles that a timing diagram shows after the last access could be followed by another.
_AFTER = 5


def bit_fields(register: Register | MmioRegister, path: Path) -> None:
    """Draw a register's fields, 16 bits to a lane, with what is reserved left empty."""
    lanes: list[dict[str, Any]] = []
    at = 0
    for field in sorted(register.fields, key=lambda field: field.lsb):
        if field.lsb > at:
            lanes.append({"bits": field.lsb - at, "type": 1})
        lanes.append({"name": field.name, "bits": field.width})
        at = field.lsb + field.width
    if at < register.width:
        lanes.append({"bits": register.width - at, "type": 1})
    size = {"bits": register.width, "lanes": register.width // 16 or 1, "hspace": 1200, "fontsize": 11}
    picture = {"reg": lanes, "config": size}
    wavedrom.render(json.dumps(picture)).saveas(str(path))


def timing(accesses: list[GuestAccess], before: list[tuple[str, int]], title: str, path: Path) -> None:
    """Run accesses back to back on the gateware and draw what its pins do.

    Parameters
    ----------
    accesses : list of GuestAccess
        To show.
    before : list of (str, int)
        What the hypervisor writes first, unseen.
    title : str
        Above the picture.
    path : Path
        Where the SVG goes.
    """
    rows = _simulate(accesses, before)
    signals: list[Any] = [{"name": "clk", "wave": "p" + "." * (len(rows) - 1)}]
    for name in ("request.valid", "request.ready", "response.valid", "virq", "maintenance"):
        signals.append({"name": name, "wave": _bits([row[name] for row in rows])})
        if name in ("request.valid", "response.valid"):
            signals.append(_bus(name.replace("valid", "payload"), [row[name + " text"] for row in rows]))
    picture = {"signal": signals, "head": {"text": title, "tick": 0}, "config": {"hscale": 2}}
    wavedrom.render(json.dumps(picture)).saveas(str(path))


def _simulate(accesses: list[GuestAccess], before: list[tuple[str, int]]) -> list[dict[str, Any]]:
    """Return what the pins are in each cycle, from the one in which the first request is taken."""
    config = GicConfig()
    codec = PortCodec(config)
    module = Module()
    module.domains.sync = ClockDomain()
    module.submodules.interface = interface = VirtualCpuInterface(config)
    pins = interface.cpu
    rows: list[dict[str, Any]] = []

    def packed(name: str, write: bool, value: int, el: int) -> int:
        return codec.request(Access(el, BY_NAME[name], write, value))

    async def drive(ctx: Any) -> None:
        ctx.set(pins.deactivate.ready, 1)
        for name, value in before:
            ctx.set(pins.request.payload.as_value(), packed(name, True, value, 2))
            ctx.set(pins.request.valid, 1)
            while not ctx.get(pins.request.ready):
                await ctx.tick()
            await ctx.tick()
            ctx.set(pins.request.valid, 0)
            await ctx.tick().repeat(4 * INTERVAL)
        waiting = list(accesses)
        for _ in range(len(accesses) * INTERVAL + _AFTER):
            if waiting:
                name, write, value = waiting[0]
                ctx.set(pins.request.payload.as_value(), packed(name, write, value, 1))
            ctx.set(pins.request.valid, bool(waiting))
            rows.append(_sample(ctx, pins, waiting))
            if waiting and ctx.get(pins.request.ready):
                waiting.pop(0)
            await ctx.tick()

    simulator = Simulator(module)
    simulator.add_clock(8e-9)
    simulator.add_testbench(drive)
    simulator.run()
    return rows


def _sample(ctx: Any, pins: Any, waiting: list[GuestAccess]) -> dict[str, Any]:
    text = ""
    if waiting:
        name, write, value = waiting[0]
        short = name.removeprefix("ICC_").removesuffix("_EL1")
        text = f"{short} {value}" if write else short
    answered = bool(ctx.get(pins.response.valid))
    payload = pins.response.payload
    return {
        "request.valid": bool(ctx.get(pins.request.valid)),
        "request.valid text": text,
        "request.ready": bool(ctx.get(pins.request.ready)),
        "response.valid": answered,
        "response.valid text": _answer(ctx, payload) if answered else "",
        "virq": bool(ctx.get(pins.virq)),
        "maintenance": bool(ctx.get(pins.maintenance)),
    }


def _answer(ctx: Any, payload: Any) -> str:
    outcome = ctx.get(payload.outcome)
    return f"{ctx.get(payload.value):#x}" if outcome is Outcome.OK else outcome.name


def _bits(values: list[bool]) -> str:
    return "".join("." if n and value == values[n - 1] else "01"[value] for n, value in enumerate(values))


def _bus(name: str, values: list[str]) -> dict[str, Any]:
    wave, data = "", []
    for n, value in enumerate(values):
        if n and value == values[n - 1]:
            wave += "."
        else:
            wave += "=" if value else "x"
            data += [value] if value else []
    return {"name": name, "wave": wave, "data": data}
