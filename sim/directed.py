"""The directed tests of the virtual CPU interface: data, reader and runner for any engine.

The data file says what its notation means. A test is a list of register accesses and looks at the output
lines, each with what must come back; :func:`run_directed` applies one to a CPU port.
"""

from __future__ import annotations

import enum
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from hw.mmio import Frame, MmioRegister
from hw.mmio_map import lookup_mmio
from hw.registers import LRState, Register, lookup
from hw.registers_v2 import LR_CPUID, LR_EOI
from sim.port import ESR_UNDEF, Access, CpuPort, MmioAccess, Outcome, sysreg_esr

__all__ = [
    "DIRECTED",
    "DIRECTED_V2",
    "DirectedTest",
    "Kind",
    "Mismatch",
    "Operation",
    "load_directed",
    "run_all",
    "run_directed",
]

#: The tests that come with the project.
DIRECTED = Path(__file__).with_name("directed.toml")

#: Those of GICv2.
DIRECTED_V2 = Path(__file__).with_name("directed_v2.toml")


@dataclass(frozen=True)
class _Dialect:
    """How the notation maps to one generation's registers.

    ``tokens``: pattern of a part of an LR value, how its number goes into the value, base. ``decimal``:
    registers whose operand is decimal.
    """

    register: Callable[[int, str], Register | MmioRegister]
    lr: Register | MmioRegister
    tokens: tuple[tuple[re.Pattern[str], Callable[[int, int], int], int], ...]
    eoi: int
    decimal: tuple[str, ...] = ()


def _dialect(
    register: Callable[[int, str], Register | MmioRegister],
    names: tuple[str, str, str],
    eoi: int,
    shift: int,
    decimal: tuple[str, ...] = (),
) -> _Dialect:
    """Make a dialect; ``names``: the LR's fields of INTID, group and physical INTID."""
    lr = register(2, "LR0")
    vintid, group, pintid = (lr.field(name).put for name in names)

    def priority(value: int, number: int) -> int:
        return lr.field("Priority").put(value, number >> shift)

    return _Dialect(
        register,
        lr,
        (
            (re.compile(r"v(\d+)"), vintid, 10),
            (re.compile(r"p([0-9A-F]+)"), priority, 16),
            (re.compile(r"G([01])"), group, 10),
            (re.compile(r"pid(\d+)"), pintid, 10),
            (re.compile(r"c([0-7])"), LR_CPUID.put, 10),
        )[: 5 if shift else 4],
        eoi,
        decimal,
    )


_V3 = _dialect(
    lambda el, name: lookup(f"ICC_{name}_EL1" if el == 1 else f"ICH_{name}_EL2"),
    ("vINTID", "Group", "pINTID"), 1 << 41, 0, ("EOIR0", "EOIR1", "DIR"),
)  # fmt: skip
_V2 = _dialect(
    lambda el, name: lookup_mmio(f"{'GICV' if el == 1 else 'GICH'}_{name}"),
    ("VirtualID", "Grp1", "PhysicalID"), LR_EOI.mask, 3,
)  # fmt: skip
_LR_STATES = {
    "I": LRState.INVALID,
    "P": LRState.PENDING,
    "A": LRState.ACTIVE,
    "PA": LRState.PENDING_ACTIVE,
}
_FAULTS = {"TRAP": Outcome.TRAP_EL2, "UNDEF": Outcome.UNDEF}
_LINES_VIRQ, _LINES_VFIQ = 0x80, 0x40
_EL1 = re.compile(r"v\.(\w+)(?: := (.+?))?(?: -> (.+))?")
_EL2 = re.compile(r"(\w+)(?: = (.+?))?(?: -> (.+))?")
_BUS = re.compile(r"(GIC[HV])\+([0-9A-F]+)/([1248])(?: = ([0-9A-F]+))? -> (ERROR|[0-9A-F]+)")
_ACTIVE = re.compile(r"(SETACT|ACT) (\d+)(?: -> ([01]))?")


class Kind(enum.Enum):
    """What an operation does."""

    ACCESS = "register access"
    BUS = "access of some size at some offset"
    LINES = "look at vIRQ and vFIQ"
    MAINTENANCE = "look at the maintenance interrupt"
    SET_ACTIVE = "make a physical interrupt active"
    IS_ACTIVE = "look at a physical interrupt"


@dataclass(frozen=True)
class Operation:
    """One step of a test.

    ``access`` belongs to ``Kind.ACCESS``, ``bus`` to ``Kind.BUS`` (``expected`` None: a bus error);
    ``intid`` to the physical interrupts; ``expected`` is the value that must be read, None where nothing
    is; ``outcome`` is what must become of an access.
    """

    text: str
    kind: Kind
    access: Access | None = None
    intid: int = 0
    expected: int | None = None
    outcome: Outcome = Outcome.OK
    bus: MmioAccess | None = None


@dataclass(frozen=True)
class DirectedTest:
    """A named test: its number, title, the rules it nails, its build and its steps."""

    number: str
    title: str
    rules: tuple[str, ...]
    config: GicConfig | GicV2Config
    operations: tuple[Operation, ...]


class Mismatch(NamedTuple):
    """A step that did not give what it must: test number, place (1 is the first operation), both values."""

    number: str
    place: int
    operation: str
    expected: str
    got: str

    def __str__(self) -> str:
        where = f"{self.number}, operation {self.place} ({self.operation})"
        return f"{where}: expected {self.expected}, got {self.got}"


def load_directed(path: Path | str = DIRECTED) -> list[DirectedTest]:
    """Read a file of directed tests.

    Raises
    ------
    InputError
        One line with the file, the test and the operation that cannot be understood.
    """
    try:
        data = tomllib.loads(Path(path).read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: cannot read directed tests: {error}") from None
    try:
        profiles = {name: _config(**values) for name, values in data.get("profile", {}).items()}
    except (TypeError, InputError) as error:
        raise InputError(f"{path}: profile: {error}") from None
    tests = data.get("test")
    if not isinstance(tests, list) or not tests:
        raise InputError(f"{path}: there is no [[test]]")
    return [_test(f"{path}: test {place}", entry, profiles) for place, entry in enumerate(tests, 1)]


def _config(gic: int = 3, **values: Any) -> GicConfig | GicV2Config:
    """Make a profile's configuration; ``gic`` is the generation."""
    if gic not in (2, 3):
        raise InputError(f"gic must be 2 or 3, not {gic!r}")
    return GicV2Config(**values) if gic == 2 else GicConfig(**values)


def _test(place: str, entry: dict[str, Any], profiles: dict[str, GicConfig | GicV2Config]) -> DirectedTest:
    """Read one [[test]] table."""
    for key in ("number", "title", "rules", "operations"):
        if key not in entry:
            raise InputError(f"{place}: {key} is missing")
    profile = entry.get("profile", "default")
    if profile not in profiles:
        raise InputError(f"{place}: unknown profile {profile!r}; defined: {', '.join(profiles)}")
    dialect = _V2 if isinstance(profiles[profile], GicV2Config) else _V3
    texts = [" ".join(text.split()) for text in entry["operations"].split(";")]
    operations = tuple(_operation(f"{place} ({entry['number']}), operation {i}", text, dialect)
                       for i, text in enumerate(texts, 1))  # fmt: skip
    return DirectedTest(entry["number"], entry["title"], tuple(entry["rules"]), profiles[profile], operations)


def _operation(place: str, text: str, dialect: _Dialect) -> Operation:
    """Read one operation."""
    if dialect is _V2 and (match := _BUS.fullmatch(text)):
        frame, offset, size, value, answer = match.groups()
        bus = MmioAccess(Frame[frame], int(offset, 16), int(size), value is not None, int(value or "0", 16))
        return Operation(text, Kind.BUS, expected=None if answer == "ERROR" else int(answer, 16), bus=bus)
    if match := _ACTIVE.fullmatch(text):
        kind = Kind.SET_ACTIVE if match[1] == "SETACT" else Kind.IS_ACTIVE
        if (match[3] is None) == (kind is Kind.SET_ACTIVE):
            return Operation(text, kind, intid=int(match[2]), expected=int(match[3]) if match[3] else None)
    for el, pattern in ((1, _EL1), (2, _EL2)):
        if match := pattern.fullmatch(text):
            name, operand, answer = match.groups()
            if name in ("LINES", "MI") and el == 2 and operand is None and answer:
                kind = Kind.LINES if name == "LINES" else Kind.MAINTENANCE
                return Operation(text, kind, expected=_number(place, answer, 16))
            return _access(place, text, dialect, el, name, operand, answer)
    raise InputError(
        f"{place}: cannot understand {text!r}; write like 'LR0 = P v40 p80 G1' or 'v.IAR1 -> 28'"
    )


def _access(
    place: str, text: str, dialect: _Dialect, el: int, name: str, operand: str | None, answer: str | None
) -> Operation:
    """Read a register access."""
    try:
        register = dialect.register(el, name)
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
    if operand is None and answer is None:
        raise InputError(f"{place}: {text!r} neither writes nor expects anything")
    base = 10 if name in dialect.decimal else 16
    value = 0 if operand is None else _value(place, operand, base, dialect)
    outcome = _FAULTS.get(answer or "", Outcome.OK)
    expected = None if answer is None or answer in _FAULTS else _value(place, answer, 16, dialect)
    if operand is not None and expected is not None:
        raise InputError(f"{place}: a write can only be expected to TRAP or be UNDEF, not to give {answer}")
    access = Access(el, register, operand is not None, value)
    return Operation(text, Kind.ACCESS, access, expected=expected, outcome=outcome)


def _value(place: str, text: str, base: int, dialect: _Dialect) -> int:
    """Read a number or an LR value."""
    state, *tokens = text.split()
    if state not in _LR_STATES or not (tokens or state in ("I", "P")):
        return _number(place, text, base)
    lr = dialect.lr
    value = lr.field("State").put(0, _LR_STATES[state])
    for token in tokens:
        if token == "HW":
            value = lr.field("HW").put(value, 1)
        elif token == "EOI":
            value |= dialect.eoi
        else:
            for pattern, put, digits in dialect.tokens:
                if match := pattern.fullmatch(token):
                    value = put(value, int(match[1], digits))
                    break
            else:
                raise InputError(
                    f"{place}: {token!r} is no part of an LR value (v40, p80, G1, HW, pid40, EOI)"
                )
    return value


def _number(place: str, text: str, base: int) -> int:
    try:
        return int(text, base)
    except ValueError:
        kind = "decimal" if base == 10 else "hexadecimal"
        raise InputError(f"{place}: {text!r} is not a {kind} number") from None


async def run_directed(port: CpuPort, test: DirectedTest) -> list[Mismatch]:
    """Run one test on a CPU port and return what did not come out as expected.

    The runner keeps the physical active state: it is set by SETACT and cleared by the port's deactivations.
    A fault must also carry the right syndrome and leave state and lines as they were (TRP-5, TRP-10).

    Raises
    ------
    InputError
        When the port is of another build than the test's.
    """
    if port.config != test.config:
        raise InputError(f"{test.number} is for {test.config}; this port is {port.config}")
    await port.reset()
    await port.deactivations()
    dialect = _V2 if isinstance(test.config, GicV2Config) else _V3
    await port.access(Access(2, dialect.register(2, "VMCR"), True, 0))
    active: set[int] = set()
    mismatches: list[Mismatch] = []
    for place, operation in enumerate(test.operations, 1):

        def expect(what: str, got: str, place: int = place, text: str = operation.text) -> None:
            if what != got:
                mismatches.append(Mismatch(test.number, place, text, what, got))

        if operation.kind is Kind.ACCESS:
            await _run_access(port, operation, expect)
            active.difference_update(await port.deactivations())
        elif operation.kind is Kind.BUS:
            await _run_bus(port, operation, expect)
        elif operation.kind is Kind.SET_ACTIVE:
            active.add(operation.intid)
        elif operation.kind is Kind.IS_ACTIVE:
            expect(str(operation.expected), str(int(operation.intid in active)))
        else:
            lines = await port.lines()
            got = int(lines.maintenance)
            if operation.kind is Kind.LINES:
                got = _LINES_VIRQ * lines.virq | _LINES_VFIQ * lines.vfiq
            expect(f"{operation.expected:#x}", f"{got:#x}")
    return mismatches


async def _run_access(port: CpuPort, operation: Operation, expect: Any) -> None:
    """Execute an access and check its answer; a fault also for having no effect."""
    access = operation.access
    assert access is not None
    faults = operation.outcome is not Outcome.OK
    before = (await port.state(), await port.lines()) if faults else None
    response = await port.access(access)
    expect(operation.outcome.name, Outcome(response.outcome).name)
    if operation.expected is not None and response.outcome == Outcome.OK:
        expect(f"{operation.expected:#x}", f"{response.value:#x}")
    if faults:
        esr = ESR_UNDEF
        if operation.outcome is Outcome.TRAP_EL2:
            esr = sysreg_esr(access.register.encoding, access.write, access.rt)
        expect(f"ESR {esr:#x}", f"ESR {response.esr:#x}")
        after = (await port.state(), await port.lines())
        expect("no effect", "no effect" if after == before else f"{before} changed to {after}")


async def _run_bus(port: CpuPort, operation: Operation, expect: Any) -> None:
    """Execute a bus access and check its answer; an error also for having no effect."""
    assert operation.bus is not None
    before = (await port.state(), await port.lines())
    response = await port.mmio(operation.bus)  # type: ignore[attr-defined]
    wanted = "error" if operation.expected is None else f"{operation.expected:#x}"
    expect(wanted, "error" if response.error else f"{response.value:#x}")
    if operation.expected is None:
        expect("reads 0", f"reads {response.value:x}")
        after = (await port.state(), await port.lines())
        expect("no effect", "no effect" if after == before else f"{before} changed to {after}")


async def run_all(ports: Sequence[CpuPort], numbers: Sequence[str] | None = None) -> dict[str, list[str]]:
    """Run every test that fits the build of the first port: a job for any engine.

    Parameters
    ----------
    ports : sequence of CpuPort
        Only the first is used.
    numbers : sequence of str or None
        Run only these tests; None runs all that fit.

    Returns
    -------
    dict
        Mismatches, as text, by test number; an empty list is a pass.
    """
    port = ports[0]
    results: dict[str, list[str]] = {}
    for test in load_directed() + load_directed(DIRECTED_V2):
        if test.config == port.config and (numbers is None or test.number in numbers):
            results[test.number] = [str(mismatch) for mismatch in await run_directed(port, test)]
    return results
