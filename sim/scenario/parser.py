"""Reading scenario files. The format is described in ``sim/scenarios/README.md``."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from hw.errors import InputError
from sim.guest.aarch64_image import Aarch64Program, read_elf
from sim.guest.language import Where, parse_program, strip_comment
from sim.guest.program import Program
from sim.policy.names import hypervisor_named
from sim.scenario.header import parse_interrupts, parse_machine, parse_numbers
from sim.scenario.model import MachineSpec, Scenario, Step, Steps
from sim.scenario.steps import parse_step

__all__ = ["SUFFIX", "find_scenarios", "parse_scenario", "read_scenario"]

#: File name ending of scenarios.
SUFFIX = ".scenario"
_STEPS = re.compile(r"steps(?P<profiles>(?:\s+[^\s:]+)*?)(?:\s+with\s+(?P<with>[^:]+))?\s*:\s*(?P<title>.*)$")
_NAME = re.compile(r"(?P<name>[\w.-]+)\s*:\s*(?P<title>.+)$")
#: What says that a guest is machine code, and the most arguments it takes.
_BINARY, _ARGUMENTS = "aarch64", 8
_HEADER = "scenario, origin, open, machine, SGI, PPI, SPI, LPI, guest or steps"


def _argument(word: str, where: Where) -> int:
    try:
        value = int(word, 0)
    except ValueError:
        value = -1
    if not 0 <= value < 1 << 64:
        raise where.error(f"expected an argument, a number of 64 bits, found {word!r}")
    return value


class _Parser:
    """State of one file's parsing: the scenario so far and the sequence being filled."""

    def __init__(self, file: str, lines: list[str], directory: Path):
        self.scenario = Scenario(file)
        self.directory = directory
        self.file = file
        self.lines = lines
        self.number = 0
        self.steps: list[Step] = []
        self.current: Steps | None = None

    def parse(self) -> Scenario:
        while self.number < len(self.lines):
            self.number += 1
            where = Where(self.file, self.number)
            text = strip_comment(self.lines[self.number - 1])
            if text:
                self.line(text, where)
        self.close()
        last = Where(self.file, max(1, self.number))
        if not self.scenario.name:
            raise last.error("expected 'scenario NAME: title' as the first line")
        if not self.scenario.sequences and self.scenario.open_reason is None:
            raise last.error("expected at least one 'steps' section")
        return self.scenario

    def line(self, text: str, where: Where) -> None:
        keyword, _, rest = text.partition(" ")
        rest = rest.strip()
        if not self.scenario.name and keyword != "scenario":
            raise where.error(f"expected 'scenario NAME: title' first, found {text!r}")
        if re.match(r"steps\b", text):
            self.open_steps(text, where)
        elif self.current is not None:
            self.steps.append(parse_step(text, self.current, self.scenario, where))
        elif keyword == "scenario":
            self.name(rest, where)
        elif keyword == "origin":
            self.scenario.origin = rest
        elif keyword == "open":
            if not rest:
                raise where.error("expected the reason why this scenario cannot run yet")
            self.scenario.open_reason = rest
        elif keyword == "machine":
            self.scenario.machine = parse_machine(rest, self.scenario.machine, where)
        elif keyword in ("SGI", "PPI", "SPI", "LPI"):
            self.interrupts(keyword, rest, where)
        elif keyword == "guest":
            self.guest(rest, where)
        else:
            raise where.error(f"expected {_HEADER}, found {keyword!r}")

    def name(self, rest: str, where: Where) -> None:
        match = _NAME.match(rest)
        if self.scenario.name or not match:
            raise where.error("expected one line 'scenario NAME: title'")
        self.scenario.name, self.scenario.title = match["name"], match["title"]

    def interrupts(self, keyword: str, rest: str, where: Where) -> None:
        machine = self.scenario.machine
        for interrupt in parse_interrupts(keyword, rest, where):
            if any(other.intid == interrupt.intid for other in self.scenario.interrupts):
                raise where.error(f"interrupt {interrupt.intid} is described twice")
            if keyword == "SPI" and interrupt.intid >= 32 + machine.spis:
                raise where.error(
                    f"SPI {interrupt.intid} is beyond the machine's {machine.spis}; say 'machine spis ...'"
                )
            if keyword == "LPI" and machine.gicv2_guest:
                raise where.error("a GICv2 has no LPIs; leave them out, or say 'machine gic 3'")
            if interrupt.vcpu >= machine.vcpus:
                raise where.error(
                    f"vcpu {interrupt.vcpu}: the machine has {machine.vcpus}; say 'machine vcpus ...'"
                )
            self.scenario.interrupts.append(interrupt)

    def guest(self, rest: str, where: Where) -> None:
        words = rest.split()
        at = words.index(_BINARY) if _BINARY in words else len(words)
        text = " ".join(words[:at]).rstrip(":")
        numbers = parse_numbers(text or "0", "vCPU numbers", where, self.scenario.machine.vcpus - 1)
        program = self.binary(words[at + 1 :], where) if at < len(words) else self.source(where)
        for number in numbers:
            if number in self.scenario.guests:
                raise where.error(f"vCPU {number} has a guest program already")
            self.scenario.guests[number] = program

    def source(self, where: Where) -> Program:
        start = self.number
        for index in range(start, len(self.lines)):
            if strip_comment(self.lines[index]) == "end":
                break
        else:
            raise where.error("the guest program has no 'end' line")
        self.number = index + 1
        return parse_program(self.lines[start:index], self.file, start + 1, f"guest of line {where.line}")

    def binary(self, words: list[str], where: Where) -> Aarch64Program:
        """Parse ``FILE [x0 x1 ...]``; the file is looked for beside the scenario."""
        if not words:
            raise where.error("expected an AArch64 ELF file after 'aarch64'")
        if len(words) > 1 + _ARGUMENTS:
            raise where.error(f"expected at most {_ARGUMENTS} arguments, x0 to x7, found {len(words) - 1}")
        arguments = tuple(_argument(word, where) for word in words[1:])
        try:
            return read_elf(self.directory / words[0], words[0], arguments)
        except InputError as error:
            raise where.error(str(error)) from None

    def open_steps(self, text: str, where: Where) -> None:
        match = _STEPS.match(text)
        if not match:
            raise where.error("expected 'steps [PROFILE...] [with SETTINGS]: [title]'")
        self.close()
        profiles = tuple((match["profiles"] or "").split()) or ("7.3",)
        for profile in profiles:
            try:
                hypervisor_named(profile, self.directory)
            except InputError as error:
                raise where.error(str(error)) from None
        machine: MachineSpec = self.scenario.machine
        if match["with"]:
            machine = parse_machine(match["with"], machine, where)
        self.current = Steps(profiles, (), where, match["title"].strip(), machine)
        self.steps = []

    def close(self) -> None:
        if self.current is None:
            return
        if not self.steps:
            raise self.current.where.error("these steps are empty")
        self.scenario.sequences.append(replace(self.current, steps=tuple(self.steps)))
        self.current = None


def parse_scenario(text: str, file: str, directory: Path = Path()) -> Scenario:
    """Parse a scenario; ``directory`` is where the guest binaries it names are looked for.

    Raises
    ------
    InputError
        ``file:line`` and what was expected there.
    """
    return _Parser(file, text.splitlines(), directory).parse()


def read_scenario(path: Path, name: str | None = None) -> Scenario:
    """Read a scenario file; ``name`` is what messages call it, by default the path.

    Raises
    ------
    InputError
        When it cannot be read, is not text, or is not a scenario.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file; scenarios are UTF-8 text") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give a scenario file or a directory of them") from None
    return parse_scenario(text, name or str(path), path.parent)


def find_scenarios(path: Path) -> list[Path]:
    """Return the scenario files of a directory in name order, or the file itself.

    Raises
    ------
    InputError
        When nothing is there.
    """
    if path.is_dir():
        found = sorted(path.glob(f"*{SUFFIX}"))
        if not found:
            raise InputError(f"{path}: no {SUFFIX} files in this directory")
        return found
    if not path.exists():
        raise InputError(f"{path}: no such file; give a scenario file or a directory of them")
    return [path]
