"""The directed tests of the physical side: data, reader and runner for any system.

The data file says what its notation means. A test is a list of accesses, input changes and looks at the
lines, each with what must come back; :func:`run_physical` applies one to a :class:`sim.system_port.System`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from hw.mmio import Frame
from hw.mmio_map import lookup_mmio
from hw.registers import lookup
from sim.directed import Mismatch
from sim.port import Access, MmioAccess, Outcome, PeContext
from sim.system_port import System

__all__ = [
    "DIRECTED_PHYSICAL",
    "PhysicalTest",
    "Profile",
    "Step",
    "fits",
    "load_physical",
    "run_all",
    "run_physical",
]

#: The tests that come with the project.
DIRECTED_PHYSICAL = Path(__file__).with_name("directed_physical.toml")

_HOST = PeContext(imo=False, fmo=False)
#: Prefix of an access -> exception level and redirection.
_WHO = {
    "": (2, _HOST),
    "v.": (1, PeContext()),
    "i.": (1, PeContext(fmo=False)),
    "f.": (1, PeContext(imo=False)),
    "k.": (1, _HOST),
}
_FAULTS = {"TRAP": Outcome.TRAP_EL2, "UNDEF": Outcome.UNDEF}
#: Registers whose values are INTIDs, in decimal.
_INTIDS = re.compile(r"(GICC_)?(A?IAR|A?HPPIR|A?EOIR|DIR)[01]?")
_INPUT = re.compile(r"(?:(\d)\.)?(\d+) (HIGH|LOW)")
_LINES = re.compile(r"(?:(\d)\.)?LINES -> (NONE|IRQ|FIQ)")
_BUS = re.compile(r"(?:(\d)\.)?BUS (GIC[A-Z]) ([0-9A-F]+) (\d)(?: := ([0-9A-F]+))?(?: -> (ERROR|[0-9A-F]+))?")
_ACCESS = re.compile(r"(?:(\d)\.)?([vifk]\.)?(\w+)(?: := (\S+))?(?: -> (\S+))?")


@dataclass(frozen=True)
class Profile:
    """A build: its parameters, its number of PEs, whether PEs have a virtual side, and how tests start."""

    physical: PhysicalConfig
    pes: int
    virtual: bool
    start: str

    @property
    def config(self) -> GicConfig | GicV2Config | None:
        """The virtual side: the default one, or none."""
        if not self.virtual:
            return None
        return GicConfig() if self.physical.are else GicV2Config()


@dataclass(frozen=True)
class Step:
    """One operation of a test on PE ``pe``.

    ``action`` is an access to a register or to the bus, a (INTID, level) of an input, or None to look at
    IRQ and FIQ. ``expected`` is the value that must be read, the name of the lines, or None; ``outcome``
    and ``error`` are what must become of an access.
    """

    text: str
    pe: int | None
    action: Access | MmioAccess | tuple[int, bool] | None
    expected: int | str | None = None
    outcome: Outcome = Outcome.OK
    error: bool = False


@dataclass(frozen=True)
class PhysicalTest:
    """A named test: its number, title, the rules it nails, its build and its steps."""

    number: str
    title: str
    rules: tuple[str, ...]
    profile: Profile
    steps: tuple[Step, ...]


def load_physical(path: Path | str = DIRECTED_PHYSICAL) -> list[PhysicalTest]:
    """Read a file of directed tests.

    Raises
    ------
    InputError
        One line with the file, the test and the operation that cannot be understood.
    """
    try:
        data = tomllib.loads(Path(path).read_text())
        profiles = {name: _profile(dict(values)) for name, values in data["profile"].items()}
        tests = list(data["test"])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError, InputError) as error:
        raise InputError(f"{path}: cannot read directed tests: {error}") from None
    except KeyError as error:
        raise InputError(f"{path}: there is no [{error.args[0]}]") from None
    return [_test(f"{path}: test {place}", entry, profiles) for place, entry in enumerate(tests, 1)]


def _profile(values: dict[str, Any]) -> Profile:
    pes, start, virtual = values.pop("pes", 1), values.pop("start", ""), values.pop("virtual", True)
    return Profile(PhysicalConfig(**values), pes, virtual, start)


def _test(place: str, entry: dict[str, Any], profiles: dict[str, Profile]) -> PhysicalTest:
    for key in ("number", "title", "rules", "operations"):
        if key not in entry:
            raise InputError(f"{place}: {key} is missing")
    name = entry.get("profile", "default")
    if name not in profiles:
        raise InputError(f"{place}: unknown profile {name!r}; defined: {', '.join(profiles)}")
    profile = profiles[name]
    text = entry["operations"]
    if entry.get("start", True):
        text = f"{profile.start}; {text}" if profile.start else text
    texts = [" ".join(part.split()) for part in text.split(";")]
    steps = tuple(_step(f"{place} ({entry['number']}), operation {i}", part)
                  for i, part in enumerate(texts, 1))  # fmt: skip
    return PhysicalTest(entry["number"], entry["title"], tuple(entry["rules"]), profile, steps)


def _step(place: str, text: str) -> Step:
    """Read one operation."""
    if match := _INPUT.fullmatch(text):
        pe = None if match[1] is None else int(match[1])
        return Step(text, pe, (int(match[2]), match[3] == "HIGH"))
    if match := _LINES.fullmatch(text):
        return Step(text, int(match[1] or 0), None, match[2])
    if match := _BUS.fullmatch(text):
        pe, frame, offset, size, operand, answer = match.groups()
        access = MmioAccess(Frame[frame], int(offset, 16), int(size), operand is not None,
                            int(operand or "0", 16))  # fmt: skip
        expected = None if answer in (None, "ERROR") else int(answer, 16)
        return Step(text, int(pe or 0), access, expected, error=answer == "ERROR")
    if match := _ACCESS.fullmatch(text):
        return _access(place, text, match)
    raise InputError(
        f"{place}: cannot understand {text!r}; write like 'PMR := F8', '1.IAR1 -> 40' or '40 HIGH'"
    )


def _access(place: str, text: str, match: re.Match[str]) -> Step:
    """Read a register access."""
    pe, who, name, operand, answer = match.groups()
    try:
        if name.startswith("GIC"):
            register = lookup_mmio(name)
        else:
            register = lookup(f"{name}_EL2" if name.startswith("ICH_") else f"ICC_{name}_EL1")
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
    if (operand is None) == (answer is None) and answer not in _FAULTS:
        raise InputError(f"{place}: {text!r} must either write or expect a value")
    el, context = _WHO[who or ""]
    decimal = bool(_INTIDS.fullmatch(name))
    value = 0 if operand is None else _value(place, operand, decimal)
    outcome = _FAULTS.get(answer or "", Outcome.OK)
    expected = None if answer is None or answer in _FAULTS else _value(place, answer, decimal)
    access = Access(el, register, operand is not None, value, context=context)
    return Step(text, int(pe or 0), access, expected, outcome)


def _value(place: str, text: str, decimal: bool) -> int:
    """Read a number; an INTID may have the source PE of an SGI behind it: 5/c3."""
    intid, _, source = text.partition("/c") if decimal else (text, "", "")
    try:
        return int(intid, 10 if decimal else 16) | int(source or "0") << 10
    except ValueError:
        raise InputError(
            f"{place}: {text!r} is not a {'decimal' if decimal else 'hexadecimal'} number"
        ) from None


def fits(profile: Profile, system: System) -> bool:
    """Whether a system is of a profile's build; a virtual side that the profile does not use may be there."""
    has_virtual = system.ports[0].config is not None
    return (
        (system.physical, len(system.ports)) == (profile.physical, profile.pes)
        and has_virtual >= profile.virtual
    )  # fmt: skip


async def run_physical(system: System, test: PhysicalTest) -> list[Mismatch]:
    """Run one test on a system and return what did not come out as expected.

    Raises
    ------
    InputError
        When the system is of another build than the test's.
    """
    if not fits(test.profile, system):
        profile = test.profile
        raise InputError(
            f"{test.number} is for {profile.pes} PEs of {profile.physical}; "
            f"this system has {len(system.ports)} of {system.physical}"
        )
    await system.reset()
    inputs: set[tuple[int, int | None]] = set()
    mismatches: list[Mismatch] = []
    for place, step in enumerate(test.steps, 1):
        for what, got in await _run_step(system, step, inputs):
            if what != got:
                mismatches.append(Mismatch(test.number, place, step.text, what, got))
    for intid, pe in inputs:
        await system.drive(intid, False, pe)
    return mismatches


async def _run_step(system: System, step: Step, inputs: set[tuple[int, int | None]]) -> list[tuple[str, str]]:
    """Execute one step and return (expected, got) pairs."""
    if isinstance(step.action, MmioAccess):
        response = await system.ports[step.pe or 0].mmio(step.action)
        found = [(f"error {int(step.error)}", f"error {int(response.error)}")]
        if step.expected is not None or step.error:
            found.append((f"{step.expected or 0:#x}", f"{response.value:#x}"))
        return found
    if isinstance(step.action, Access):
        answer = await system.ports[step.pe or 0].access(step.action)
        found = [(step.outcome.name, Outcome(answer.outcome).name)]
        if step.expected is not None:
            found.append((f"{step.expected:#x}", f"{answer.value:#x}"))
        return found
    if step.action is None:
        lines = await system.ports[step.pe or 0].lines()
        high = [name for name, level in (("IRQ", lines.irq), ("FIQ", lines.fiq)) if level]
        return [(str(step.expected), "+".join(high) or "NONE")]
    intid, level = step.action
    inputs.add((intid, step.pe))
    await system.drive(intid, level, step.pe)
    return []


async def run_all(system: System, numbers: Sequence[str] | None = None) -> dict[str, list[str]]:
    """Run every test that fits the system's build; return mismatches, as text, by test number.

    ``numbers`` names the tests to run; None runs all that fit.
    """
    results: dict[str, list[str]] = {}
    for test in load_physical():
        if fits(test.profile, system) and (numbers is None or test.number in numbers):
            results[test.number] = [str(mismatch) for mismatch in await run_physical(system, test)]
    return results
