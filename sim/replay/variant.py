"""Which deviations the recorder of a trace has.

Most files say it in ``meta.qemu``. Some only say that it was QEMU, not whether the two repairs D2 and D3
were in: the recording itself tells, at the first operation where it matters. That operation decides once,
for the whole file; from then on the choice is as firm as if the file had stated it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import product

from hw.config import GicConfig
from hw.registers import Register
from sim.deviations import STRICT, Deviations
from sim.deviations_v2 import STRICT_V2, DeviationsV2
from sim.golden import Golden
from sim.port import Access, Outcome, Response
from sim.replay.platform import Pe
from sim.trace import Kind, OperationKind, QemuVariant, RegisterAccess, Trace, open_trace

__all__ = ["explain_deviation", "recorder_deviations"]

Check = Callable[[Golden, Response], bool]


def explain_deviation(name: str) -> str:
    """Return one line on the report name of a deviation, of either generation.

    Raises
    ------
    InputError
        When no switch has that name.
    """
    return (DeviationsV2 if name.startswith("W") else Deviations).explain(name)


def recorder_deviations(path: str) -> Deviations | DeviationsV2:
    """Return the deviations of the machine that recorded the trace at ``path``.

    None (:data:`sim.deviations.STRICT`, of a GICv2 :data:`sim.deviations_v2.STRICT_V2`) when its meta line
    names no QEMU. The repairs of some recorders are to GICv3 only.

    Raises
    ------
    InputError
        When the trace is not readable.
    """
    with open_trace(path) as trace:
        variant, pri_bits = trace.meta.variant, trace.config.pri_bits
        if trace.generation == 2:
            return STRICT_V2 if variant is QemuVariant.NONE else DeviationsV2.qemu_stock()
        if variant is QemuVariant.NONE:
            return STRICT
        known = {
            QemuVariant.FIXED: Deviations.qemu_fixed,
            QemuVariant.STOCK: Deviations.qemu_stock,
        }.get(variant)
        deviations = known(pri_bits) if known is not None else _decide(trace)
        return replace(deviations, late_maintenance=trace.meta.late_maintenance)


@dataclass
class _Candidate:
    """One possible recorder, with a model for each physical CPU."""

    config: GicConfig
    deviations: Deviations
    models: dict[int, Golden] = field(default_factory=dict)

    def model(self, cpu: int) -> Golden:
        if cpu not in self.models:
            self.models[cpu] = Golden(self.config, self.deviations)
        return self.models[cpu]


def _decide(trace: Trace) -> Deviations:
    """Drop the candidates that the recording contradicts, until one is left or the file ends."""
    fixed = Deviations.qemu_fixed(trace.config.pri_bits)
    candidates = [
        _Candidate(trace.config, replace(fixed, d2_count_in_mode1=d2, d3_vgrp0d_tests_veng1=d3))
        for d2, d3 in product((False, True), repeat=2)
    ]
    steps = _sequence_steps(trace) if trace.kind is Kind.SEQUENCES else _event_steps(trace)
    for cpu, access, check in steps:
        if access is None:
            for candidate in candidates:
                candidate.models.clear()
            continue
        verdicts = [check(one.model(cpu), one.model(cpu).access(access)) for one in candidates]
        # Where all are contradicted, something else is wrong, and the replay will show it.
        if any(verdicts) and not all(verdicts):
            candidates = [one for one, good in zip(candidates, verdicts, strict=True) if good]
            if len(candidates) == 1:
                break
    return candidates[0].deviations


def _sequence_steps(trace: Trace) -> Iterator[tuple[int, Access | None, Check]]:
    """Yield resets (no access) and accesses with what they must show."""
    for sequence in trace.sequences():
        yield 0, None, lambda golden, response: True
        pe = Pe()
        for op in sequence.operations:
            write = op.kind is OperationKind.WRITE
            if isinstance(op.register, Register):
                value = op.value or 0
                expected = 0 if write or op.outcome is not Outcome.OK else value
                rt = op.esr >> 5 & 31 if op.outcome is Outcome.TRAP_EL2 else 0
                access = Access(op.el, op.register, write, value if write else 0, rt, pe.context)
                answer = Response(op.outcome, expected, op.esr)
                yield 0, access, _matches(answer, op.changes.get("hcr"), op.changes.get("misr"))
            elif write and op.register is not None:
                pe.write(op.register, op.value or 0)


def _event_steps(trace: Trace) -> Iterator[tuple[int, Access | None, Check]]:
    """Yield the executed accesses of a recorded run; its reads are what they must show."""
    for event in trace.events():
        if isinstance(event, RegisterAccess):
            access = Access(event.el, event.register, event.write, event.value if event.write else 0)
            answer = Response(Outcome.OK, 0 if event.write else event.value)
            yield event.cpu, access, _matches(answer, None, None)


def _matches(answer: Response, hcr: int | None, misr: int | None) -> Check:
    def check(golden: Golden, response: Response) -> bool:
        if response != answer or (hcr is not None and golden.hcr != hcr):
            return False
        return misr is None or golden.read_misr() == misr

    return check
