"""What a replay found: counts, explanations by rule, and the first difference in full."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.mmio import MmioRegister
from hw.mmio_map import find_register
from hw.registers import MISR_BITS, LRState, Register
from sim.port import State
from sim.state_registers import state_registers

__all__ = ["Difference", "Explained", "FileReport", "difference", "field_lines", "state_lines"]

#: How many differences of a file are kept one line each.
_KEPT = 20
#: Recorded state key -> register, for each generation; list registers and AP<m>R<n> aside.
_SCALARS = {name.split("_")[1].lower(): name for name in
            ("ICH_HCR_EL2", "ICH_VMCR_EL2", "ICH_MISR_EL2", "ICH_EISR_EL2", "ICH_ELRSR_EL2")}  # fmt: skip
_SCALARS_V2 = {"hcr": "GICH_HCR", "vmcr": "GICH_VMCR", "misr": "GICH_MISR", "eisr": "GICH_EISR0",
               "elrsr": "GICH_ELRSR0", "apr": "GICH_APR"}  # fmt: skip


@dataclass
class Explained:
    """How often a deviation of the recorder took effect, against the architecture.

    ``reads``: a value read; ``outcomes``: executed, trapped or UNDEFINED; ``states``: storage, status or a
    line after the operation; ``sequences``: recorded sequences with at least one of these.
    ``resynchronised``: storage was set to the recorder's by register writes; ``cut``: storage could not be
    (bits that do not exist), and stayed different until written again.
    """

    reads: int = 0
    outcomes: int = 0
    states: int = 0
    sequences: int = 0
    resynchronised: int = 0
    cut: int = 0

    @property
    def text(self) -> str:
        """``41 reads, 3 states in 12 sequences; resynchronised 3 times``."""
        effects = ((self.reads, "read"), (self.outcomes, "outcome"), (self.states, "state"))
        text = ", ".join(_plural(n, name) for n, name in effects if n) or "no effect"
        text += f" in {_plural(self.sequences, 'sequence')}" if self.sequences else ""
        text += f"; resynchronised {_plural(self.resynchronised, 'time')}" if self.resynchronised else ""
        return text + (f"; cut until rewritten {_plural(self.cut, 'time')}" if self.cut else "")


def _plural(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"


@dataclass
class Difference:
    """One recorded value that the hardware did not reproduce.

    Attributes
    ----------
    place, operation : str
        Where in the file, and what was done.
    what : str
        What differs: ``value of ICC_IAR1_EL1``, ``state ICH_LR0_EL2``, ``line virq`` ...
    expected, got : str
    fields : list of (name, expected, got)
        The register split into fields, as far as they differ.
    state : list of str
        The state of the hardware after the operation.
    recent : list of str
        The operations before it, oldest first.
    """

    place: str
    operation: str
    what: str
    expected: str
    got: str
    fields: list[tuple[str, str, str]] = field(default_factory=list)
    state: list[str] = field(default_factory=list)
    recent: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """The difference on one line."""
        return f"{self.place}: {self.operation}: {self.what}: expected {self.expected}, got {self.got}"

    @property
    def lines(self) -> list[str]:
        """The difference in full."""
        out = [f"{self.place}: {self.operation}", f"  {self.what}: expected {self.expected}, got {self.got}"]
        if self.fields:
            width = max(len(name) for name, _, _ in self.fields)
            out += [f"    {name:<{width}}  expected {exp}, got {got}" for name, exp, got in self.fields]
        if self.recent:
            out += ["  operations before it:", *(f"    {text}" for text in self.recent)]
        if self.state:
            out += ["  state after it:", *(f"    {text}" for text in self.state)]
        return out


@dataclass
class FileReport:
    """The replay of one file.

    Attributes
    ----------
    operations : int
        Recorded operations applied: register accesses, trapped ones included, and changes of physical
        interrupts. A generator's ``skip`` is none.
    compared : int
        Those of them of which every recorded value was compared with what the hardware did.
    values : int
        Recorded values compared: results, syndromes, changed state, lines.
    line_events, trapped : int
        Recorded line changes compared; operations that trapped or were UNDEFINED.
    explained : dict
        Report name of a deviation -> how often it took effect.
    differences : int
        Differences nobody explains.
    first : Difference or None
    others : list of str
        The next differences, one line each.
    """

    path: str
    kind: str
    vtr: int
    recorder: str
    deviations: list[str]
    operations: int = 0
    compared: int = 0
    values: int = 0
    sequences: int = 0
    line_events: int = 0
    trapped: int = 0
    explained: dict[str, Explained] = field(default_factory=dict)
    differences: int = 0
    first: Difference | None = None
    others: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Share of the operations that were compared, 0..1."""
        return self.compared / self.operations if self.operations else 1.0

    def explain(self, name: str) -> Explained:
        """Return the counter of a deviation."""
        return self.explained.setdefault(name, Explained())

    def add(self, found: Difference) -> None:
        """Count a difference and keep it if it is among the first."""
        self.differences += 1
        if self.first is None:
            self.first = found
        elif len(self.others) < _KEPT:
            self.others.append(found.line)

    def renamed(self, path: str) -> FileReport:
        """Return the report with the file called ``path``, as whoever asked for it calls it."""
        first = self.first and replace(self.first, place=self.first.place.replace(self.path, path, 1))
        others = [text.replace(self.path, path, 1) for text in self.others]
        return replace(self, path=path, first=first, others=others)

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON can carry it."""
        data = asdict(self)
        data["vtr"] = f"{self.vtr:#010x}"
        data["share"] = round(self.share, 6)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FileReport:
        """Return the report that :meth:`to_json` gave."""
        rest = {key: value for key, value in data.items() if key != "share"}
        rest["vtr"] = int(rest["vtr"], 16)
        rest["explained"] = {name: Explained(**counts) for name, counts in rest["explained"].items()}
        if rest["first"] is not None:
            first = dict(rest["first"])
            first["fields"] = [tuple(item) for item in first["fields"]]
            rest["first"] = Difference(**first)
        return cls(**rest)


def _show(register: Register | MmioRegister, name: str, value: int) -> str:
    field_ = register.field(name)
    if field_.values is not None and value in list(field_.values):
        return f"{value:#x} {field_.values(value).name}"
    return f"{value:#x}"


def field_lines(
    register: Register | MmioRegister | None, expected: int, got: int
) -> list[tuple[str, str, str]]:
    """Return the fields of a register in which two values differ, and bits that belong to no field."""
    if register is None or expected == got:
        return []
    lines, covered = [], 0
    for field_ in register.fields:
        covered |= field_.mask
        if (expected ^ got) & field_.mask:
            name = field_.name
            lines.append((
                name,
                _show(register, name, field_.get(expected)),
                _show(register, name, field_.get(got)),
            ))  # fmt: skip
    if (expected ^ got) & ~covered:
        lines.append(("reserved bits", f"{expected & ~covered:#x}", f"{got & ~covered:#x}"))
    return lines


def register_of(config: GicConfig | GicV2Config, key: str, index: int = 0) -> Register | MmioRegister | None:
    """Return the register behind a recorded state key; None for lines and physical bits."""
    v2 = isinstance(config, GicV2Config)
    name = (_SCALARS_V2 if v2 else _SCALARS).get(key)
    if name is None and key.startswith("lr"):
        name = f"GICH_LR{key[2:]}" if v2 else f"ICH_LR{key[2:]}_EL2"
    if name is None and key in ("ap0", "ap1"):
        name = f"ICH_AP{key[2]}R{index}_EL2"
    return None if name is None else find_register(name)


def difference(
    place: str,
    operation: str,
    what: str,
    expected: int,
    got: int,
    *,
    register: Register | MmioRegister | None = None,
    recent: Iterable[str] = (),
    state: list[str] | None = None,
) -> Difference:
    """Build a :class:`Difference` of two numbers."""
    return Difference(
        place,
        operation,
        what,
        f"{expected:#x}",
        f"{got:#x}",
        field_lines(register, expected, got),
        list(state or ()),
        list(recent),
    )


def _words(register: Register | MmioRegister, value: int) -> str:
    """Return the fields that are not zero."""
    parts = [f"{n}={v:#x}" if v > 1 else n for n, v in register.decode(value).items() if v]
    return " ".join(parts) or "-"


def state_lines(config: GicConfig | GicV2Config, state: State) -> list[str]:
    """Return all storage in words, one register a line; empty list registers are left out."""
    if isinstance(config, GicV2Config):
        return [
            f"{name:<12} {value:#010x}  {_words(find_register(name), value)}"
            for name, value in state_registers(config, state).items()
            if value or not name.startswith("GICH_LR")
        ]
    hcr, vmcr, lr_register = map(find_register, ("ICH_HCR_EL2", "ICH_VMCR_EL2", "ICH_LR0_EL2"))

    misr = "+".join(name for bit, name in enumerate(MISR_BITS) if state.misr >> bit & 1) or "-"
    lines = [
        f"ICH_HCR_EL2   {state.hcr:#010x}  {_words(hcr, state.hcr)}",
        f"ICH_VMCR_EL2  {state.vmcr:#010x}  {_words(vmcr, state.vmcr)}",
        f"ICH_MISR_EL2  {state.misr:#04x}  {misr}",
        f"ICH_EISR_EL2  {state.eisr:#06x}  ICH_ELRSR_EL2 {state.elrsr:#06x}",
    ]
    for group, apr in ((0, state.ap0r), (1, state.ap1r)):
        lines.append(f"ICH_AP{group}R<n>_EL2 " + " ".join(f"{word:#010x}" for word in apr))
    for n, value in enumerate(state.lr):
        if value:
            fields = lr_register.decode(value)
            where = "pINTID" if fields["HW"] else "EOI/pINTID"
            lines.append(
                f"ICH_LR{n}_EL2 {value:#018x}  {LRState(fields['State']).name} vINTID {fields['vINTID']} "
                f"priority {fields['Priority']:#04x} group {fields['Group']}"
                + (f" {where} {fields['pINTID']:#x}" if fields["pINTID"] else "")
            )
    return lines[: 6 + config.lrs]
