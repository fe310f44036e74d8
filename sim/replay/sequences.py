"""Replay of bare-metal sequences: every result, and the whole state after every operation."""

from __future__ import annotations

from collections import deque
from typing import Any

from hw.config_v2 import GicV2Config
from hw.mmio import MmioRegister
from hw.registers import Register
from sim.golden import Golden
from sim.golden_v2 import GoldenV2
from sim.port import Access, Lines, Outcome, Response, State
from sim.replay.compare import compare_answer, executed
from sim.replay.platform import Pe, PhysicalInterrupts
from sim.replay.report import FileReport, difference, register_of, state_lines
from sim.replay.twins import Twins
from sim.trace import Operation, OperationKind, PeRegister, Sequence

__all__ = ["SequenceReplay"]

View = dict[str, Any]
#: Operations shown before a difference.
_RECENT = 8
_LINES = ("virq", "vfiq", "maint")
_LR_KEYS = tuple(f"lr{n}" for n in range(64))


def _apart(one: View, two: View) -> View:
    """Return the bits in which two states differ, by key."""
    return {
        key: tuple(a ^ b for a, b in zip(value, two[key], strict=True))
        if isinstance(value, tuple)
        else value ^ two[key]
        for key, value in one.items()
        if value != two[key]
    }


class SequenceReplay:
    """Replays the sequences of one file on one port.

    Parameters
    ----------
    twins : Twins
        The hardware and the models beside it.
    report : FileReport
        Where everything is counted.
    """

    def __init__(self, twins: Twins, report: FileReport):
        self.twins = twins
        self.report = report

    async def run(self, sequence: Sequence) -> None:
        """Reset the hardware and apply one sequence."""
        await self.twins.reset()
        self._name = f"sequence {sequence.number}, {sequence.cls}"
        self._recent: deque[str] = deque(maxlen=_RECENT)
        self._pe = Pe()
        self._hardware, self._recorder, self._strict = (PhysicalInterrupts() for _ in range(3))
        self._recorded: View = {}
        self._seen: View = {}
        self._apart: View = {}
        self._named: set[str] = set()
        self.report.sequences += 1
        for operation in sequence.operations:
            await self._apply(operation)
            self._recent.append(operation.text)

    # -- one operation ---------------------------------------------------------------------------------

    async def _apply(self, op: Operation) -> None:
        report, kind = self.report, op.kind
        if kind is OperationKind.SKIP:
            for key, value in op.changes.items():
                self._add_state(op, key, self._recorded.get(key, value), value, "the file")
            return
        self._recorded.update(op.changes)
        report.operations += 1
        report.values += len(op.changes)
        same = True
        if kind is OperationKind.PHYS_ACTIVE:
            for physical in (self._hardware, self._recorder, self._strict):
                physical.activate(op.value or 0)
        elif isinstance(op.register, Register | MmioRegister):
            same = await self._access(op, op.register)
        elif kind is OperationKind.WRITE and op.register is not None:
            self._pe.write(op.register, op.value or 0)
        hardware, recorder, strict = await self._views()
        if isinstance(op.register, PeRegister) and kind is OperationKind.READ:
            same = await self._read_pe(op, op.register)
        self._seen = hardware
        same &= self._compare_state(op, hardware, recorder, strict)
        report.compared += same
        if recorder != strict:
            await self._resynchronise()

    async def _access(self, op: Operation, register: Register | MmioRegister) -> bool:
        """Apply a register access and compare its answer; True if all of it could be compared."""
        write = op.kind is OperationKind.WRITE
        # The transfer register is the recorder's choice; it shows in the syndrome of a trap only.
        rt = op.esr >> 5 & 31 if op.outcome is Outcome.TRAP_EL2 else 0
        value = (op.value or 0) if write else 0
        access = Access(op.el, register, write, value, rt, self._pe.context)
        got, recorder, strict = await self.twins.access(access)
        self.report.values += 1
        self.report.trapped += op.outcome is not Outcome.OK
        recorded = Response(op.outcome, 0 if write or op.value is None else op.value, op.esr)
        if not executed(recorded):
            recorded = recorded._replace(value=0)
        found = compare_answer(access, recorded, got, recorder, strict, self.twins.faithful)
        if found is not None:
            await self._add(op, *found)
        if recorder == strict:
            return True
        self._explain("outcomes" if recorder.outcome != strict.outcome else "reads", op)
        return self.twins.faithful

    async def _read_pe(self, op: Operation, register: PeRegister) -> bool:
        """Compare a read of a PE register, made of the lines of each model."""
        twins = self.twins
        self.report.values += 1
        got = self._pe.read(register, await twins.port.lines())
        expected, same = op.value or 0, True
        if twins.strict is not None and twins.recorder is not None:
            recorder = self._pe.read(register, twins.recorder.lines())
            strict = self._pe.read(register, twins.strict.lines())
            if recorder != strict:
                self._explain("reads", op)
                same = twins.faithful
                expected = expected if same else strict
        if got != expected:
            await self._add(op, f"value of {register.name}", expected, got, None)
        return same

    # -- state -----------------------------------------------------------------------------------------

    async def _views(self) -> tuple[View, View | None, View | None]:
        """Return the state of the hardware, of the recorder's model and of the architecture's."""
        twins, port = self.twins, self.twins.port
        self._hardware.deactivate(await port.deactivations())
        hardware = self._view(await port.state(), await port.lines(), self._hardware)
        if twins.recorder is None or twins.strict is None:
            return hardware, None, None
        if twins.faithful:
            recorder = hardware
            self._recorder.copy_from(self._hardware)
        else:
            agree = twins.agree
            recorder = self._model(twins.recorder, self._recorder)
            # Status and lines are functions of storage, but a deviation may be in the function.
            if agree and not twins.recorder.effects:
                twins.strict.take_deactivations()
                self._strict.copy_from(self._recorder)
                return hardware, recorder, recorder
        return hardware, recorder, self._model(twins.strict, self._strict)

    def _model(self, golden: Golden | GoldenV2, physical: PhysicalInterrupts) -> View:
        physical.deactivate(golden.take_deactivations())
        return self._view(golden.state(), golden.lines(), physical)

    def _view(self, state: State, lines: Lines, physical: PhysicalInterrupts) -> View:
        virq, vfiq = self._pe.seen(lines)
        view = {
            "hcr": state.hcr,
            "vmcr": state.vmcr,
            "misr": state.misr,
            "eisr": state.eisr,
            "elrsr": state.elrsr,
            "virq": int(virq),
            "vfiq": int(vfiq),
            "maint": int(lines.maintenance),
            "pact": physical.words,
        }
        if isinstance(self.twins.config, GicV2Config):
            view["apr"] = state.ap0r[0]
        else:
            view |= {"ap0": tuple(state.ap0r), "ap1": tuple(state.ap1r)}
        view.update(zip(_LR_KEYS, state.lr, strict=False))
        return view

    def _compare_state(
        self, op: Operation, hardware: View, recorder: View | None, strict: View | None
    ) -> bool:
        """Compare the whole state; True if all that the operation changed could be compared."""
        recorded, same = self._recorded, True
        if recorder is None or strict is None or recorder == strict:
            self._apart = {}
            if hardware == recorded:
                return True
            keys = [key for key in recorded if hardware[key] != recorded[key]]
            expected = recorded
        else:
            apart = _apart(recorder, strict)
            if apart.items() - self._apart.items():
                self._explain("states", op)
            self._apart = apart
            if self.twins.faithful:
                expected = recorded
            else:
                expected = {key: strict[key] if key in apart else recorded[key] for key in recorded}
                same = apart.keys().isdisjoint(op.changes) and apart.keys().isdisjoint(_LINES)
                for key in apart:
                    if recorder[key] != recorded[key]:
                        self._add_state(op, key, recorded[key], recorder[key], "the recorder's model")
                        recorded[key] = recorder[key]
            keys = [key for key in recorded if hardware[key] != expected[key]]
        for key in keys:
            self._add_state(op, key, expected[key], hardware[key])
            # Counted once, not at every operation until the recorder changes it again.
            recorded[key] = hardware[key]
        return same

    async def _resynchronise(self) -> None:
        """Bring everything to the recorder's state where registers can."""
        twins = self.twins
        assert twins.recorder is not None and twins.strict is not None
        await twins.resynchronise(self.report)
        for physical in (self._hardware, self._strict):
            physical.copy_from(self._recorder)
        recorder = self._model(twins.recorder, self._recorder)
        strict = self._model(twins.strict, self._strict)
        self._apart = _apart(recorder, strict)

    # -- counting --------------------------------------------------------------------------------------

    def _explain(self, what: str, op: Operation) -> None:
        names = self.twins.newest
        if not names:
            self.report.add(
                difference(op.place, op.text, f"a {what[:-1]} in which the models part, no rule named", 0, 1)
            )
        for name in names:
            counter = self.report.explain(name)
            setattr(counter, what, getattr(counter, what) + 1)
            counter.sequences += name not in self._named
            self._named.add(name)

    def _add_state(self, op: Operation, key: str, expected: Any, got: Any, who: str = "") -> None:
        pairs = zip(expected, got, strict=True) if isinstance(expected, tuple) else [(expected, got)]
        for index, (wanted, value) in enumerate(pairs):
            if wanted == value:
                continue
            register = register_of(self.twins.config, key, index)
            name = register.name if register else (f"pact[{index}]" if key == "pact" else f"line {key}")
            what = f"{name} after it" + (f" in {who}" if who else "")
            self.report.add(
                difference(
                    f"{op.place} ({self._name})", op.text, what, wanted, value,
                    register=register, recent=self._recent, state=self._words(),
                )
            )  # fmt: skip

    async def _add(
        self, op: Operation, what: str, expected: int, got: int, register: Register | MmioRegister | None
    ) -> None:
        port = self.twins.port
        state = state_lines(port.config, await port.state())
        self.report.add(
            difference(
                f"{op.place} ({self._name})", op.text, what, expected, got,
                register=register, recent=self._recent, state=state,
            )
        )  # fmt: skip

    def _words(self) -> list[str]:
        """Return the state last seen, in words."""
        seen = self._seen
        config = self.twins.config
        ap0, ap1 = ((seen["apr"],), ()) if "apr" in seen else (seen["ap0"], seen["ap1"])
        state = State(
            seen["hcr"], seen["vmcr"], list(ap0), list(ap1),
            [seen[_LR_KEYS[n]] for n in range(config.lrs)], seen["misr"], seen["eisr"], seen["elrsr"],
        )  # fmt: skip
        lines = [f"virq {seen['virq']} vfiq {seen['vfiq']} maintenance {seen['maint']}"]
        return lines + state_lines(config, state)
