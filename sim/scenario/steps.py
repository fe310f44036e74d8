"""Parsing of a scenario's step and expectation lines."""

from __future__ import annotations

import re
from collections.abc import Callable

from sim.guest.language import Where, parse_instruction
from sim.guest.program import Op
from sim.notation import HCR_NAMES, MISR_BITS, parse_entry
from sim.scenario.header import parse_numbers
from sim.scenario.model import (
    Abort,
    Discard,
    Enter,
    ExpectAll,
    ExpectEntry,
    ExpectExits,
    ExpectHardware,
    ExpectList,
    ExpectState,
    ExpectVerdict,
    GuestStep,
    Hammer,
    Inject,
    Maintenance,
    Physical,
    Probe,
    Run,
    Scenario,
    SetLine,
    Step,
    Steps,
    UserStep,
)

__all__ = ["EXIT_CAUSES", "STATE_WORDS", "VERDICTS", "parse_step"]

#: What an exit can be caused by, in X: lines.
EXIT_CAUSES = (*MISR_BITS, "TRAP", "KICK", "MMIO", "WFI", "EXIT", "SGI")
#: What can be said of an interrupt in S: and F: lines.
STATE_WORDS = (
    "idle", "pending", "active", "active+pending", "latch", "no-latch", "line", "no-line", "on_lr",
    "not-on_lr", "listed", "unlisted", "enabled", "disabled",
)  # fmt: skip
#: How a RUN, or a step, can end.
VERDICTS = ("finished", "asleep", "lost", "live-lock", "storm", "corruption", "running")

_GUARD = re.compile(r"\[([^\]]+)\]\s*(.*)$")
_VCPU = re.compile(r"vCPU(\d+)\s*:\s*(.*)$", re.IGNORECASE)
_EXPECT = re.compile(r"([EXSFHPDNVA])(?:\((\d+)\))?\s*:\s*(.*)$")
_LINE = re.compile(r"line\s+(\d+)\s*=\s*([01])$")
_PHYS = re.compile(r"phys\s+(\d+)\s+(.*)$")
_STEP_WORDS = (
    "a guest instruction, ENTER, ABORT, MI!, inj, line, phys, user, discard, hammer, probe, RUN, "
    "or E: X: S: F: A: H: P: D: N: V:"
)


def parse_step(text: str, steps: Steps, scenario: Scenario, where: Where) -> Step:
    """Parse one line of a steps section.

    Raises
    ------
    InputError
        ``file:line`` and what was expected there.
    """
    only: tuple[str, ...] = ()
    body = text
    if match := _GUARD.match(body):
        only, body = tuple(match[1].split()), match[2]
        for profile in only:
            if profile not in steps.profiles:
                raise where.error(f"[{profile}]: these steps are for {' '.join(steps.profiles)} only")
    common = {"where": where, "text": text, "only": only}
    if match := _EXPECT.match(body):
        vcpu = _vcpu(match[2] or "0", steps, where)
        return _EXPECTATIONS[match[1]](match[3], vcpu, common, where)
    vcpu = 0
    if match := _VCPU.match(body):
        vcpu, body = _vcpu(match[1], steps, where), match[2]
    word, _, rest = body.partition(" ")
    if word in _ACTIONS:
        return _ACTIONS[word](rest.strip(), vcpu, steps, scenario, common, where)
    return _guest_step(body, vcpu, common, where)


def _vcpu(text: str, steps: Steps, where: Where) -> int:
    if int(text) >= steps.machine.vcpus:
        raise where.error(f"no vCPU{text}: the machine has {steps.machine.vcpus} (say 'machine vcpus ...')")
    return int(text)


def _guest_step(body: str, vcpu: int, common: dict, where: Where) -> Step:
    sleeps = None
    if match := re.fullmatch(r"WFI\s*(?:->|→)\s*(\w+)", body):
        if match[1] not in ("sleeps", "returns"):
            raise where.error(f"expected 'sleeps' or 'returns' after WFI ->, found {match[1]!r}")
        sleeps, body = match[1] == "sleeps", "WFI"
    if re.match(r"[a-z]", body) and not body.startswith("vCPU"):
        raise where.error(f"expected {_STEP_WORDS}, found {body.split()[0]!r}")
    instructions = tuple(parse_instruction(body, where))
    for instruction in instructions:
        if instruction.op in (Op.LOG, Op.EXPECT, Op.CMP, Op.HALT):
            raise where.error(f"{instruction.op.name} needs a program: put it into a 'guest' block")
    return GuestStep(**common, vcpu=vcpu, instructions=instructions, sleeps=sleeps)


# -- what is done ------------------------------------------------------------------------------------------


def _enter(rest: str, vcpu: int, steps: Steps, scenario: Scenario, common: dict, where: Where) -> Step:
    if not rest:
        return Enter(**common, vcpus=(vcpu,))
    if rest == "all":
        return Enter(**common, vcpus=tuple(range(steps.machine.vcpus)))
    return Enter(**common, vcpus=parse_numbers(rest, "vCPU numbers or all", where, steps.machine.vcpus - 1))


def _abort(rest: str, vcpu: int, steps: Steps, scenario: Scenario, common: dict, where: Where) -> Step:
    _nothing(rest, "ABORT", where)
    return Abort(**common, vcpu=vcpu)


def _maintenance(rest: str, vcpu: int, steps: Steps, scenario: Scenario, common: dict, where: Where) -> Step:
    _nothing(rest, "MI!", where)
    return Maintenance(**common, vcpu=vcpu)


def _inject(rest: str, vcpu: int, steps: Steps, scenario: Scenario, common: dict, where: Where) -> Step:
    intids = parse_numbers(rest, "INTIDs to inject", where)
    for intid in intids:
        _known(intid, scenario, where)
    return Inject(**common, intids=intids, vcpu=vcpu)


def _set_line(rest: str, vcpu: int, steps: Steps, scenario: Scenario, common: dict, where: Where) -> Step:
    match = _LINE.match(f"line {rest}")
    if not match:
        raise where.error("expected 'line INTID = 0' or 'line INTID = 1'")
    _known(int(match[1]), scenario, where)
    return SetLine(**common, intid=int(match[1]), level=match[2] == "1", vcpu=vcpu)


def _physical(rest: str, vcpu: int, steps: Steps, scenario: Scenario, common: dict, where: Where) -> Step:
    match = _PHYS.match(f"phys {rest}")
    settings = dict.fromkeys(("line", "active"))
    if match:
        for word in match[2].replace(",", " ").split():
            name, equals, value = word.partition("=")
            if name not in settings or not equals or value not in ("0", "1"):
                match = None
                break
            settings[name] = value == "1"
    if not match or settings == {"line": None, "active": None}:
        raise where.error("expected 'phys INTID line=0|1 active=0|1'")
    return Physical(**common, intid=int(match[1]), **settings)


def _user(rest: str, vcpu: int, steps: Steps, scenario: Scenario, common: dict, where: Where) -> Step:
    instructions = tuple(parse_instruction(rest, where)) if rest else ()
    if not instructions or any(i.op not in (Op.LOAD, Op.STORE, Op.ORR, Op.BIC) for i in instructions):
        raise where.error("expected a distributor access after 'user', such as 'user ISACTIVER 32'")
    return UserStep(**common, instructions=instructions)


def _run(rest: str, vcpu: int, steps: Steps, scenario: Scenario, common: dict, where: Where) -> Step:
    if not scenario.guests:
        raise where.error("RUN needs a 'guest' program in the header")
    operations = parse_numbers(rest, "a number of operations", where, 10_000_000)[0] if rest else 0
    return Run(**common, operations=operations)


def _hammer(rest: str, vcpu: int, steps: Steps, scenario: Scenario, common: dict, where: Where) -> Step:
    match = re.fullmatch(r"(.+)\s+times\s+(\d+)", rest)
    if not match:
        raise where.error("expected 'hammer INTIDS times N'")
    intids = parse_numbers(match[1], "INTIDs", where)
    for intid in intids:
        _known(intid, scenario, where)
    return Hammer(**common, intids=intids, times=int(match[2]))


def _discard(rest: str, vcpu: int, steps: Steps, scenario: Scenario, common: dict, where: Where) -> Step:
    intids = parse_numbers(rest, "LPIs to unmap", where)
    for intid in intids:
        _known(intid, scenario, where)
    return Discard(**common, intids=intids)


_HOST = (
    "gicv3_cpuif", "gicv5", "apple", "vhe", "hyp", "tds", "seis", "cavium_30115",
    "group0_trap", "group1_trap", "common_trap",
)  # fmt: skip


def _probe(rest: str, vcpu: int, steps: Steps, scenario: Scenario, common: dict, where: Where) -> Step:
    left, arrow, right = rest.replace("→", "->").partition("->")
    settings = []
    for word in left.replace(",", " ").split():
        name, equals, value = word.partition("=")
        if name not in _HOST or not equals or value not in ("yes", "no"):
            raise where.error(
                f"expected host settings ({' '.join(_HOST)}) as name=yes or name=no, found {word!r}"
            )
        settings.append((name, value == "yes"))
    words = right.split()
    if not arrow or not words or words[0] not in ("yes", "no"):
        raise where.error("expected '-> yes' or '-> no' and the constant trap bits")
    for word in words[1:]:
        if word not in ("TALL0", "TALL1", "TC", "TDIR"):
            raise where.error(f"expected trap bits (TALL0 TALL1 TC TDIR), found {word!r}")
    return Probe(**common, settings=tuple(settings), found=words[0] == "yes", traps=tuple(words[1:]))


def _nothing(rest: str, word: str, where: Where) -> None:
    if rest:
        raise where.error(f"expected the end of the line after {word}, found {rest!r}")


def _known(intid: int, scenario: Scenario, where: Where) -> None:
    if all(interrupt.intid != intid for interrupt in scenario.interrupts):
        raise where.error(
            f"interrupt {intid} is not described; add 'SPI {intid} prio ...' (or PPI, SGI, LPI) above"
        )


_ACTIONS: dict[str, Callable[..., Step]] = {
    "ENTER": _enter, "ABORT": _abort, "MI!": _maintenance, "inj": _inject, "line": _set_line,
    "phys": _physical, "user": _user, "RUN": _run, "hammer": _hammer,
    "discard": _discard, "probe": _probe,
}  # fmt: skip


# -- what is expected --------------------------------------------------------------------------------------


def _entry(rest: str, vcpu: int, common: dict, where: Where) -> Step:
    try:
        return ExpectEntry(**common, vcpu=vcpu, pattern=parse_entry(rest))
    except ValueError as error:
        raise where.error(str(error)) from None


def _exits(rest: str, vcpu: int, common: dict, where: Where) -> Step:
    exits: list[frozenset[str]] = []
    absent: set[str] = set()
    if rest.strip() != "none":
        for part in rest.split(";"):
            words = part.replace("+", " ").split()
            if not words:
                raise where.error(f"expected exit causes ({' '.join(EXIT_CAUSES)}) or none")
            for word in words:
                if word.removeprefix("!") not in EXIT_CAUSES:
                    raise where.error(f"expected exit causes ({' '.join(EXIT_CAUSES)}), found {word!r}")
            absent |= {word[1:] for word in words if word.startswith("!")}
            if wanted := frozenset(word for word in words if not word.startswith("!")):
                exits.append(wanted)
    return ExpectExits(**common, vcpu=vcpu, exits=tuple(exits), absent=frozenset(absent))


def _items(rest: str, where: Where) -> list[list[str]]:
    items = [part.replace("=", " ").split() for part in rest.split(",")]
    if not all(items):
        raise where.error("expected statements separated by commas")
    return items


def _state(after: str) -> Callable[..., Step]:
    def parse(rest: str, vcpu: int, common: dict, where: Where) -> Step:
        items: list[tuple[str, ...]] = []
        for words in _items(rest, where):
            head, tail = words[0], words[1:]
            if head in ("list", "deactivated"):
                numbers = (
                    ()
                    if tail in (["empty"], ["none"])
                    else parse_numbers(" ".join(tail), "INTIDs or empty", where)
                )
                items.append((head, *map(str, numbers)))
            elif head == "active_spis":
                items.append((head, str(parse_numbers(" ".join(tail), "a number", where)[0])))
            elif head[:1].isdigit():
                for word in tail:
                    if word not in STATE_WORDS and not re.fullmatch(r"vCPU\d+", word):
                        raise where.error(f"expected one of {' '.join(STATE_WORDS)} or vCPUn, found {word!r}")
                if not tail:
                    raise where.error(f"expected what interrupt {head} is: {' '.join(STATE_WORDS)}")
                for number in parse_numbers(head, "INTIDs", where):
                    items.append((str(number), *tail))
            else:
                raise where.error(
                    f"expected INTIDs and their state, list, deactivated or active_spis, found {head!r}"
                )
        return ExpectState(**common, vcpu=vcpu, after=after, items=tuple(items))

    return parse


_HARDWARE = {"LRs": None, "EOIcount": 1, "MISR": None, "vIRQ": 1, "vFIQ": 1, "MI": 1, "emulated": 1}


def _hardware(rest: str, vcpu: int, common: dict, where: Where) -> Step:
    items = []
    for words in _items(rest, where):
        if words[0] not in _HARDWARE or (_HARDWARE[words[0]] == 1 and len(words) != 2):
            raise where.error(
                "expected 'LRs ...', 'MISR ...', 'EOIcount n', 'emulated n', or vIRQ, vFIQ or MI and 0 or 1"
            )
        if words[0] == "emulated":
            parse_numbers(words[1], "a number of accesses", where)
        if words[0] == "LRs":
            _entry(" ".join(words[1:]), vcpu, common, where)
        items.append(tuple(words))
    return ExpectHardware(**common, vcpu=vcpu, items=tuple(items))


def _physical_state(rest: str, vcpu: int, common: dict, where: Where) -> Step:
    items = []
    for words in _items(rest, where):
        if len(words) != 2 or not words[0].isdigit() or words[1] not in ("active", "inactive"):
            raise where.error("expected 'P: INTID active' or 'P: INTID inactive'")
        items.append(("phys", *words))
    return ExpectHardware(**common, vcpu=vcpu, items=tuple(items))


def _list(what: str) -> Callable[..., Step]:
    def parse(rest: str, vcpu: int, common: dict, where: Where) -> Step:
        intids = () if rest.strip() == "none" else parse_numbers(rest, "INTIDs or none", where)
        return ExpectList(**common, what=what, intids=intids)

    return parse


def _all(rest: str, vcpu: int, common: dict, where: Where) -> Step:
    bits: list[str] = []
    eoicount = None
    for words in _items(rest, where):
        if words[0] == "EOIcount" and len(words) == 2:
            eoicount = parse_numbers(words[1], "a number", where)[0]
            continue
        for word in words:
            if word.removeprefix("!") not in HCR_NAMES:
                raise where.error(f"expected HCR bits ({' '.join(HCR_NAMES)}) or EOIcount n, found {word!r}")
            bits.append(word)
    return ExpectAll(**common, vcpu=vcpu, bits=tuple(bits), eoicount=eoicount)


def _verdict(rest: str, vcpu: int, common: dict, where: Where) -> Step:
    if rest not in VERDICTS:
        raise where.error(f"expected one of {', '.join(VERDICTS)}, found {rest!r}")
    return ExpectVerdict(**common, verdict=rest)


_EXPECTATIONS: dict[str, Callable[..., Step]] = {
    "E": _entry, "X": _exits, "S": _state("S"), "F": _state("F"), "H": _hardware, "P": _physical_state,
    "D": _list("D"), "N": _list("N"), "V": _verdict, "A": _all,
}  # fmt: skip
