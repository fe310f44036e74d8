"""Parsing of a scenario's header: the machine, the interrupts, and lists of numbers."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import fields, replace

from hw.config import ConfigError, GicConfig
from hw.config_physical import MAINTENANCE_PPI
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from sim.guest.language import Where
from sim.machine.latency import IMMEDIATE, SLOW, Latency
from sim.machine.parts import Part, part_named
from sim.scenario.model import Interrupt, MachineSpec

__all__ = ["parse_interrupts", "parse_machine", "parse_numbers"]

_FLAGS = {"on": True, "off": False, "yes": True, "no": False}
#: Machine settings kept in GicConfig.
_CONFIG_NUMBERS = ("lrs", "pri_bits", "pre_bits", "id_bits")
_CONFIG_FLAGS = ("tds", "nv4", "seis", "a3v", "eoicnt_mode1")
_NUMBERS = {"vcpus": (1, 8), "pcpus": (1, 8), "eoimode": (0, 1), "spis": (32, 960), "guest": (2, 3)}
_SWITCHES = ("group0", "group1", "vgic", "fiq")
#: Machine settings of the host.
_HOST = ("vhe", "apple", "gicv3_cpuif", "cavium_30115", "group0_trap", "group1_trap", "common_trap")
_KEYS = (*_CONFIG_NUMBERS, *_CONFIG_FLAGS, *_NUMBERS, *_SWITCHES, *_HOST, "mi", "kick", "pmr", "gic", "part")


def _number(word: str, what: str, where: Where, low: int, high: int, base: int = 0) -> int:
    try:
        value = int(word, base)
    except ValueError:
        raise where.error(f"expected {what}, found {word!r}") from None
    if not low <= value <= high:
        raise where.error(f"expected {what} from {low} to {high}, found {word}")
    return value


def parse_numbers(text: str, what: str, where: Where, high: int = 65535) -> tuple[int, ...]:
    """Parse ``32 33, 40..43`` into numbers, in the order given.

    Raises
    ------
    InputError
        ``file:line`` and what was expected.
    """
    numbers: list[int] = []
    for word in text.replace(",", " ").split():
        first, dots, last = word.partition("..")
        start = _number(first, what, where, 0, high)
        end = _number(last, what, where, start, high) if dots else start
        numbers.extend(range(start, end + 1))
    if not numbers:
        raise where.error(f"expected {what}")
    return tuple(numbers)


def parse_machine(text: str, spec: MachineSpec, where: Where) -> MachineSpec:
    """Return ``spec`` changed by ``key value, key value``.

    Raises
    ------
    InputError
        ``file:line`` and what was expected: an unknown key, a value out of range, a GIC that cannot be.
    """
    config = {}
    changes: dict[str, object] = {}
    host = dict(spec.host)
    for setting in text.split(","):
        words = setting.replace("=", " ").split()
        if len(words) != 2:
            raise where.error(f"expected 'key value' settings separated by commas, found {setting.strip()!r}")
        key, word = words
        if key in _CONFIG_NUMBERS:
            config[key] = _number(word, key, where, 0, 64)
        elif key in _CONFIG_FLAGS:
            config[key] = _flag(key, word, where)
        elif key in _NUMBERS:
            changes[key] = _number(word, key, where, *_NUMBERS[key])
        elif key in ("mi", "kick"):
            changes[key] = _latency(word, where)
        elif key == "pmr":
            changes[key] = _number(word, "a priority (hexadecimal)", where, 0, 0xFF, 16)
        elif key in _SWITCHES:
            changes[key] = _flag(key, word, where)
        elif key in _HOST:
            host[key] = _flag(key, word, where)
        elif key == "gic":
            version = _number(word, "the version of the GIC", where, 2, 3)
            spec = replace(spec, config=GicV2Config() if version == 2 else GicConfig())
        elif key == "part":
            part = _part(word, where)
            spec = replace(spec, config=part.config)
            host = dict(part.host)
        else:
            close = difflib.get_close_matches(key, _KEYS, 1)
            hint = f"; did you mean {close[0]}?" if close else f"; known: {' '.join(_KEYS)}"
            raise where.error(f"unknown machine setting {key!r}{hint}")
    if config:
        known = {f.name for f in fields(spec.config)}
        for key in config:
            if key not in known:
                raise where.error(f"{key} is not a choice of a GICv2")
        try:
            changes["config"] = replace(spec.config, **config)
        except ConfigError as error:
            raise where.error(str(error)) from None
    return replace(spec, host=tuple(host.items()), **changes)


def _part(word: str, where: Where) -> Part:
    try:
        return part_named(word)
    except InputError as error:
        raise where.error(str(error)) from None


def _latency(word: str, where: Where) -> Latency:
    names = {"fast": IMMEDIATE, "slow": SLOW}
    if word in names:
        return names[word]
    cycles = word.endswith("cycles")
    what = "fast, slow, a number of guest operations, or of cycles such as 40cycles"
    return Latency(_number(word.removesuffix("cycles"), what, where, 0, 100_000), cycles)


def _flag(key: str, word: str, where: Where) -> bool:
    if word not in _FLAGS:
        raise where.error(f"expected on, off, yes or no for {key}, found {word!r}")
    return _FLAGS[word]


#: Kind -> (lowest INTID, highest, level by default).
_KINDS = {"SGI": (0, 15, False), "PPI": (16, 31, True), "SPI": (32, 1019, False), "LPI": (8192, 65535, False)}


def parse_interrupts(kind: str, text: str, where: Where) -> list[Interrupt]:
    """Parse what follows SPI, PPI, SGI or LPI: numbers, ``prio`` and other settings.

    ``32 33 prio 40 48`` pairs them in order; one priority serves all.

    Raises
    ------
    InputError
        ``file:line`` and what was expected.
    """
    low, high, level = _KINDS[kind]
    numbers_text, found, rest = text.partition("prio")
    if not found:
        raise where.error(f"expected 'prio' and hexadecimal priorities after the {kind} numbers")
    intids = parse_numbers(numbers_text, f"{kind} numbers, {low} to {high}", where)
    for intid in intids:
        if not low <= intid <= high:
            raise where.error(f"{intid} is not the INTID of an {kind} ({low} to {high})")
    words = rest.replace(",", " ").split()
    priorities: list[int] = []
    while words and _is_hex(words[0]):
        priorities.append(_priority(kind, words.pop(0), where))
    if len(priorities) == 1:
        priorities *= len(intids)
    if len(priorities) != len(intids):
        raise where.error(f"expected one priority or {len(intids)} (hexadecimal), found {len(priorities)}")
    settings = _settings(kind, words, where)
    settings.setdefault("level", level)
    return [
        Interrupt(intid, priority, **settings) for intid, priority in zip(intids, priorities, strict=True)
    ]


def _priority(kind: str, word: str, where: Where) -> int:
    """Return a priority that the distributor keeps whole: five bits of it, six of an LPI's."""
    priority = _number(word, "a priority (hexadecimal)", where, 0, 0xFF, 16)
    step = 4 if kind == "LPI" else 8
    if priority % step:
        decimal = int(word) if word.isdecimal() else 1
        hint = "" if decimal % step or decimal > 0xFF else f"; did you mean {decimal:x}, which is {decimal}?"
        raise where.error(f"expected a multiple of {step} as priority, hexadecimal, found {word}{hint}")
    return priority


def _is_hex(word: str) -> bool:
    return all(character in "0123456789abcdefABCDEFx" for character in word)


def _settings(kind: str, words: list[str], where: Where) -> dict[str, object]:
    """Parse the words behind the priorities."""
    settings: dict[str, object] = {}
    valued: dict[str, Callable[[str], object]] = {
        "group": lambda word: _number(word, "a group", where, 0, 1),
        "vcpu": lambda word: _number(word, "a vCPU", where, 0, 7),
        "hw": lambda word: _number(word, "a physical INTID", where, 16, 991),
        "timer": lambda word: _number(word, "a number of guest operations", where, 1, 10_000),
    }
    flags = {
        "level": ("level", True), "edge": ("level", False), "disabled": ("enabled", False),
        "resample": ("resample", True),
    }  # fmt: skip
    words = list(words)
    while words:
        word = words.pop(0)
        if word in flags:
            name, value = flags[word]
            settings[name] = value
        elif word in valued:
            if not words:
                raise where.error(f"expected a number after {word!r}")
            settings[word] = valued[word](words.pop(0))
        else:
            known = " ".join((*flags, *valued))
            raise where.error(f"expected an interrupt setting ({known}), found {word!r}")
    if kind == "SGI" and settings.get("level"):
        raise where.error("an SGI is always edge-triggered")
    if kind == "LPI" and (settings.get("level") or settings.get("group") == 0 or "hw" in settings):
        raise where.error("an LPI is always edge-triggered, Group 1 and not mapped")
    if settings.get("hw") == MAINTENANCE_PPI:
        raise where.error(f"physical {MAINTENANCE_PPI} is the maintenance interrupt; map to another one")
    if "timer" in settings and not ("hw" in settings and settings.get("level", kind == "PPI")):
        raise where.error("timer goes with a level interrupt that is mapped: hw P timer N")
    if settings.get("resample") and not (kind == "SPI" and settings.get("level")):
        raise where.error("resample goes with a level SPI: its device lowers the line when notified")
    return settings
