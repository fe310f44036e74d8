"""Counter-examples of the interface as files that any engine can replay.

All of an interface's storage can be written by EL2. So a counter-example, though the solver begins it in the
middle, is a state to program and one access to make.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from amaranth.lib import data

from hw.config import GicConfig
from hw.errors import InputError
from hw.port import Request
from hw.registers import lookup
from sim.encoding import register_at
from sim.port import Access, CpuPort, Lines, PeContext, Response, State, write
from sim.state_registers import storage_registers
from tb.formal.proof import Outcome
from tb.formal.reference import Storage

__all__ = ["Witness", "keep", "load_witness", "witness_of"]

#: Numbers of an access that files have in hexadecimal.
_HEX = ("encoding", "value")


@dataclass(frozen=True)
class Witness:
    """A state and an access on which gateware and rules have differed.

    ``proof``, ``bug``, ``failed``: of the proof that found it (``bug`` None: the gateware itself was wrong).
    ``storage``: writable registers by name. ``access``: encoding, write, el, rt, value and context.
    """

    proof: str
    bug: str | None
    failed: str
    config: GicConfig
    storage: dict[str, int]
    access: dict[str, Any]

    async def play(self, port: CpuPort) -> tuple[Response, State, Lines, list[int]]:
        """Program the state, make the access; return all that may be seen of it."""
        await port.reset()
        for name, value in self.storage.items():
            await write(port, 2, lookup(name), value)
        await port.deactivations()
        one = self.access
        access = Access(one["el"], register_at(one["encoding"]), one["write"], one["value"], one["rt"],
                        PeContext(**one["context"]))  # fmt: skip
        response = await port.access(access)
        return response, await port.state(), await port.lines(), await port.deactivations()


def witness_of(outcome: Outcome) -> Witness | None:
    """Return the witness in a counter-example: its last access; None if there is none in it."""
    trace = outcome.result.trace
    if trace is None or not {"now", "held", "flight"} <= set(trace.signals):
        return None
    flight = trace.signals["flight"]
    answered = [n for n in range(trace.cycles) if flight[n] == max(flight)]
    if not answered or not max(flight):
        return None
    config, at = outcome.proof.config, answered[-1]
    layout = Storage(config)
    packed = {name: _field(layout, name, trace.signals["now"][at]) for name, _ in layout}
    state = State(
        hcr=packed["hcr"], vmcr=packed["vmcr"], misr=0, eisr=0, elrsr=0,
        ap0r=[packed[f"ap0r{n}"] for n in range(config.apr_words)],
        ap1r=[packed[f"ap1r{n}"] for n in range(config.apr_words)],
        lr=[packed[f"lr{n}"] for n in range(config.lrs)],
    )  # fmt: skip
    request = Request.from_bits(trace.signals["held"][at])
    context = {name: bool(getattr(request.context, name)) for name in PeContext._fields}
    access = {"encoding": request.encoding, "write": bool(request.write), "el": request.el, "rt": request.rt,
              "value": request.value, "context": context}  # fmt: skip
    bug = outcome.bug.what if outcome.bug else None
    storage = storage_registers(config, state)
    return Witness(outcome.proof.name, bug, outcome.result.failed, config, storage, access)


def _field(layout: data.StructLayout, name: str, packed: int) -> int:
    field = layout[name]
    return packed >> field.offset & (1 << field.width) - 1


def keep(folder: Path, outcome: Outcome) -> Path | None:
    """Write the witness of a counter-example into a folder, which is made; return the file."""
    found = witness_of(outcome)
    if found is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"\W+", "-", f"{found.proof} {found.bug or found.failed}").strip("-").lower()
    path = folder / f"{name}.json"
    content = asdict(found) | {"storage": {name: hex(value) for name, value in found.storage.items()}}
    content["access"] |= {name: hex(found.access[name]) for name in _HEX}
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def load_witness(path: Path) -> Witness:
    """Read a witness.

    Raises
    ------
    InputError
        When the file is none.
    """
    try:
        content = json.loads(path.read_text())
        content["config"] = GicConfig(**content["config"])
        content["storage"] = {name: int(value, 16) for name, value in content["storage"].items()}
        content["access"] |= {name: int(content["access"][name], 16) for name in _HEX}
        return Witness(**content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a counter-example: {error}") from None
