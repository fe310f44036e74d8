"""Functional coverage: which of the interesting situations a run has met, and which not.

The main point is the cross LR state x operation x EOImode x group x HW x LPI x trapped, where the list
register is the *subject* of the operation: the one an acknowledge selects, a completion names or a write
fills. A second one crosses operation x EOImode x in or out of the list registers x the trap bits of
ICH_HCR_EL2, a third the states present among the list registers x EOImode x the maintenance bits. Beside
them stand smaller points, one for each corner of the rules. Everything is made from
(storage before, access, response), so the same collector serves the scoreboard, the lockstep and a
replay. Coverage adds up over configurations: :meth:`Coverage.merge`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product

from hw.config import GicConfig
from hw.registers import BY_ENCODING, MISR_BITS, LRState, Space, lookup
from sim.port import Access, Outcome, Response, State

__all__ = ["POINTS", "Coverage"]

_LR = {field.name: field for field in lookup("ICH_LR0_EL2").fields}
_VMCR = {field.name: field for field in lookup("ICH_VMCR_EL2").fields}
_EOICOUNT = lookup("ICH_HCR_EL2").field("EOIcount")
_FIRST_LPI = 8192
_SELECTING = ("IAR0", "IAR1", "HPPIR0", "HPPIR1")
_NAMING = ("EOIR0", "EOIR1", "DIR")
_SPECIAL = range(1020, 1024)
_GUEST_REGISTERS = [r.name.split("_")[1] for r in BY_ENCODING.values() if r.virtual]
_DEPTHS = ("0", "1", "2", "3 or more")
_TRAPS = "operation and trap bits (TRP-1..3)"
_MAINTENANCE = "list registers and maintenance bits (MNT-1..6)"
_MAINTENANCE_BITS = {
    name: lookup("ICH_HCR_EL2").field(name).mask for name in ("En", "UIE", "LRENPIE", "NPIE")
}
_VALID = (LRState.PENDING, LRState.ACTIVE, LRState.PENDING_ACTIVE)
_TRAP_BITS = {name: lookup("ICH_HCR_EL2").field(name).mask for name in ("TC", "TALL0", "TALL1", "TDIR")}


def _lr_kinds(states: list[str], lpis: tuple[str, ...] = ("no", "yes")) -> Iterator[tuple[str, ...]]:
    return product(states, ("0", "1"), ("0", "1"), lpis)


def _cross() -> Iterator[str]:
    """Yield every bin of the main point."""

    def bins(operation, kinds, trapped):
        for (state, group, hw, lpi), mode, trap in product(list(kinds), ("0", "1"), trapped):
            yield _cross_name(operation, state, mode, group, hw, lpi, trap)

    both = ("no", "yes")
    for operation in _SELECTING:
        yield from bins(operation, [*_lr_kinds(["PENDING"]), ("none", "-", "-", "-")], both)
    for operation in _NAMING:
        absent = [("none", "-", "-", lpi) for lpi in ("no", "yes")]
        yield from bins(operation, [*_lr_kinds([s.name for s in LRState]), *absent], both)
    yield from bins("LR write", _lr_kinds([s.name for s in LRState]), ("no",))


def _cross_name(operation, state, mode, group, hw, lpi, trapped) -> str:
    return f"{operation} state={state} EOImode={mode} group={group} HW={hw} LPI={lpi} trapped={trapped}"


def _sets(masks: dict[str, int]) -> list[int]:
    """Return every set of some bits of a register, as its value."""
    return [sum(some) for some in product(*((0, mask) for mask in masks.values()))]


def _names(hcr: int, masks: dict[str, int]) -> str:
    return "+".join(name for name, mask in masks.items() if hcr & mask) or "none"


def _trap_cross() -> Iterator[str]:
    """Yield every bin of operation x EOImode x in a list register x trap bits of ICH_HCR_EL2."""
    for operation in (*_SELECTING, *_NAMING):
        for mode, inside, mask in product((0, 1), (True, False), _sets(_TRAP_BITS)):
            yield _trap_name(operation, mode, inside, mask)


def _trap_name(operation: str, mode: int, inside: bool, hcr: int) -> str:
    inside_name = "yes" if inside else "no"
    return f"{operation} EOImode={mode} in an LR={inside_name} traps={_names(hcr, _TRAP_BITS)}"


def _maintenance_cross() -> Iterator[str]:
    """Yield every bin of states present among the list registers x EOImode x maintenance bits."""
    for present in product(*((None, state) for state in _VALID)):
        for mode, mask in product((0, 1), _sets(_MAINTENANCE_BITS)):
            yield _maintenance_name(set(present), mode, mask)


def _maintenance_name(states: set[LRState | None], mode: int, hcr: int) -> str:
    present = "+".join(state.name for state in _VALID if state in states) or "none"
    return f"LRs={present} EOImode={mode} HCR={_names(hcr, _MAINTENANCE_BITS)}"


def _defined(name: str, write: bool) -> bool:
    return lookup(name).writable if write else lookup(name).readable


def _points() -> dict[str, tuple[str, ...]]:
    guest = [
        f"{'write' if write else 'read'} {name} {outcome}"
        for name in _GUEST_REGISTERS
        for write in (False, True)
        if _defined(f"ICC_{name}_EL1", write)
        for outcome in ("OK", "TRAP_EL2")
    ]
    return {
        "subject": tuple(_cross()),
        _TRAPS: tuple(_trap_cross()),
        _MAINTENANCE: tuple(_maintenance_cross()),
        "guest register": tuple(guest),
        "outcome": tuple(f"EL{el} {outcome.name}" for el, outcome in _POSSIBLE),
        # Every value of each, at an acknowledge where it decides the level (SIG-5, IAR-4).
        "BPR0 at acknowledge": tuple(map(str, range(8))),
        "BPR1 at acknowledge": tuple(map(str, range(1, 8))),
        "CBPR at acknowledge of group 1": ("0", "1"),
        "active priorities at acknowledge": _DEPTHS,
        "tie at acknowledge (SEL-4)": ("2", "3 or more"),
        # 1023 is left out: its acknowledge reads like none.
        "special INTID acknowledged (IAR-6)": tuple(map(str, _SPECIAL[:-1])),
        "special INTID ended (EOI-1)": tuple(map(str, _SPECIAL)),
        "levels in both groups at EOIR (EOI-3)": ("no", "yes"),
        "EOIcount before it moves (EOI-11)": ("0", "1..30", "31"),
        "MISR bit": tuple(f"{name} En={en}" for name in MISR_BITS for en in (0, 1)),
        "EISR and ELRSR": ("EISR", "ELRSR", "both", "neither"),
    }


#: Where an access may end, by exception level (TRP-6).
_POSSIBLE = (
    (0, Outcome.UNDEF), (1, Outcome.OK), (1, Outcome.UNDEF), (1, Outcome.TRAP_EL1), (1, Outcome.TRAP_EL2),
    (2, Outcome.OK), (2, Outcome.UNDEF), (2, Outcome.TRAP_EL2),
)  # fmt: skip
#: Every coverage point with all its bins.
POINTS: dict[str, tuple[str, ...]] = _points()
_BINS = {(point, name) for point, names in POINTS.items() for name in names}


def _priority(lr: int) -> int:
    return _LR["Priority"].get(lr)


def _candidates(state: State) -> list[int]:
    """Return the LRs that selection considers, the winner first (SEL-1..4)."""
    enables = state.vmcr & 3
    pending = [lr for lr in state.lr if lr >> 62 == LRState.PENDING and enables >> _LR["Group"].get(lr) & 1]
    return sorted((lr for lr in pending if _priority(lr) < 0xFF), key=_priority)


def _named(state: State, intid: int) -> int | None:
    """Return the LR that a completion of ``intid`` means: an active one, else any (EOI-4)."""
    same = [lr for lr in state.lr if _LR["vINTID"].get(lr) == intid]
    return next((lr for lr in same if lr >> 63), same[0] if same else None)


def _depth(state: State) -> int:
    return sum((word0 | word1).bit_count() for word0, word1 in zip(state.ap0r, state.ap1r, strict=True))


class Coverage:
    """Collector for one configuration.

    Parameters
    ----------
    config : GicConfig
        The build the samples come from. GICv2 builds have no points of their own.
    """

    def __init__(self, config: GicConfig):
        self.config = config
        self.hits: Counter[tuple[str, str]] = Counter()

    def sample(self, before: State, access: Access, response: Response) -> None:
        """Count one access: the storage it found, what it was, what became of it."""
        self._hit("outcome", f"EL{access.el} {response.outcome.name}")
        register = access.register
        name = register.name.split("_")[1] if "_" in register.name else register.name
        self._status(before)
        if register.space is Space.ICH:
            if access.write and name.startswith("LR") and response.outcome is Outcome.OK:
                self._subject("LR write", before, access.value, False)
            return
        if access.el != 1 or register.virtual is None:
            return
        if response.outcome not in (Outcome.OK, Outcome.TRAP_EL2):
            return
        trapped = response.outcome is Outcome.TRAP_EL2
        verb = "write" if access.write else "read"
        self._hit("guest register", f"{verb} {name} {response.outcome.name}")
        if name in _SELECTING and not access.write:
            self._selecting(name, before, response, trapped)
        elif name in _NAMING and access.write:
            self._naming(name, before, access.value & self.config.id_mask, trapped)

    def _hit(self, point: str, name: str) -> None:
        if (point, name) in _BINS:
            self.hits[point, name] += 1

    def _subject(
        self, operation: str, before: State, lr: int | None, trapped: bool, intid: int | None = None
    ) -> None:
        mode = _VMCR["VEOIM"].get(before.vmcr)
        state, group, hw = "none", "-", "-"
        if lr is not None:
            state, group, hw = LRState(lr >> 62).name, _LR["Group"].get(lr), _LR["HW"].get(lr)
            intid = _LR["vINTID"].get(lr) & self.config.id_mask
        lpi = "-" if intid is None else "yes" if intid >= _FIRST_LPI else "no"
        trap = "yes" if trapped else "no"
        self._hit(
            "operation and trap bits (TRP-1..3)", _trap_name(operation, mode, state != "none", before.hcr)
        )
        self._hit("subject", _cross_name(operation, state, mode, group, hw, lpi, trap))

    def _selecting(self, name: str, before: State, response: Response, trapped: bool) -> None:
        candidates = _candidates(before)
        self._subject(name, before, candidates[0] if candidates else None, trapped)
        # Acknowledged: the candidate came back, and it is not the answer "nothing".
        if not name.startswith("IAR") or trapped or not candidates or response.value == 1023:
            return
        best = candidates[0]
        if response.value in _SPECIAL:
            self._hit("special INTID acknowledged (IAR-6)", str(response.value))
            return
        group1, cbpr = _LR["Group"].get(best), _VMCR["VCBPR"].get(before.vmcr)
        if group1:
            self._hit("CBPR at acknowledge of group 1", str(cbpr))
        used = "VBPR1" if group1 and not cbpr else "VBPR0"
        self._hit(f"{used[1:]} at acknowledge", str(_VMCR[used].get(before.vmcr)))
        self._hit("active priorities at acknowledge", _DEPTHS[min(_depth(before), 3)])
        ties = sum(_priority(lr) == _priority(best) for lr in candidates)
        if ties > 1:
            self._hit("tie at acknowledge (SEL-4)", "2" if ties == 2 else "3 or more")

    def _naming(self, name: str, before: State, intid: int, trapped: bool) -> None:
        self._subject(name, before, _named(before, intid), trapped, intid)
        if trapped:
            return
        if name == "DIR":
            counts = _VMCR["VEOIM"].get(before.vmcr)
        else:
            counts = not _VMCR["VEOIM"].get(before.vmcr) and _depth(before)
            if intid in _SPECIAL:
                self._hit("special INTID ended (EOI-1)", str(intid))
            lowest = next((w for w in zip(before.ap0r, before.ap1r, strict=True) if any(w)), (0, 0))
            both = (lowest[0] | lowest[1]) & -(lowest[0] | lowest[1])
            if both:
                tied = lowest[0] & lowest[1] & both
                self._hit("levels in both groups at EOIR (EOI-3)", "yes" if tied else "no")
        found = _named(before, intid)
        if counts and (found is None or not found >> 63) and intid < _FIRST_LPI and intid not in _SPECIAL:
            count = _EOICOUNT.get(before.hcr)
            self._hit("EOIcount before it moves (EOI-11)", "1..30" if 0 < count < 31 else str(count))

    def _status(self, state: State) -> None:
        for n, name in enumerate(MISR_BITS):
            if state.misr >> n & 1:
                self._hit("MISR bit", f"{name} En={state.hcr & 1}")
        states = {LRState(lr >> 62) for lr in state.lr}
        self._hit(_MAINTENANCE, _maintenance_name(states, _VMCR["VEOIM"].get(state.vmcr), state.hcr))
        kind = ("neither", "EISR", "ELRSR", "both")[bool(state.eisr) | bool(state.elrsr) << 1]
        self._hit("EISR and ELRSR", kind)

    # -- results ---------------------------------------------------------------------------------------

    def merge(self, hits: list[list]) -> None:
        """Add what :meth:`to_json` of another collector returned."""
        for point, name, count in hits:
            self.hits[point, name] += count

    def to_json(self) -> list[list]:
        """Return the hits as lists that JSON can carry."""
        return [[point, name, count] for (point, name), count in sorted(self.hits.items())]

    def holes(self, point: str | None = None) -> list[str]:
        """Return the bins never hit, of one point or of all, as ``point: bin``."""
        points = POINTS if point is None else {point: POINTS[point]}
        return [f"{p}: {name}" for p, names in points.items() for name in names if not self.hits[p, name]]

    def ratio(self, point: str | None = None) -> float:
        """Return the share of bins hit, 0 to 1, of one point or of all."""
        total = sum(map(len, POINTS.values())) if point is None else len(POINTS[point])
        return 1 - len(self.holes(point)) / total

    def report(self, holes: int = 20) -> str:
        """Return a table of the points and the first ``holes`` bins never hit."""
        lines = []
        for point, names in POINTS.items():
            hit = sum(1 for name in names if self.hits[point, name])
            lines.append(f"{point:46} {hit:4} of {len(names):4}  {hit / len(names):4.0%}")
        missing = self.holes()
        lines.append(f"{'all':46} {self.ratio():14.1%}")
        lines += [f"  hole: {name}" for name in missing[:holes]]
        if len(missing) > holes:
            lines.append(f"  and {len(missing) - holes} more holes")
        return "\n".join(lines)
