"""The scopes that are explored to their end.

Each is as small as the fault it looks for allows: the number of states grows with everything that can happen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hw.errors import InputError
from sim.explore.scope import Scope
from sim.explore.world import SmallSetup
from sim.refinement.actions import PRIORITIES, Action
from sim.scenario.model import Interrupt

__all__ = ["SCOPES", "scope_named", "with_profile"]

_LOW, _HIGH = 0x80, 0x40


def _actions(*texts: str) -> tuple[Action, ...]:
    """Return actions written as ``kind a b c``."""
    return tuple(
        Action(kind, *(int(number) for number in numbers))
        for kind, *numbers in (text.split() for text in texts)
    )


def _edges(*priorities: int, group: Iterable[int] | int = 1, first: int = 20) -> tuple[Interrupt, ...]:
    groups = [group] * len(priorities) if isinstance(group, int) else list(group)
    return tuple(
        Interrupt(first + n, priority, False, groups[n]) for n, priority in enumerate(priorities)
    )


def _level(intid: int = 32, resample: bool = False) -> Interrupt:
    return Interrupt(intid, _LOW, True, 1, resample=resample)


_GUEST = ("ack 0", "eoi 0", "exit 0")
_PULSES = ("edge 0", "edge 1", "edge 2", "edge 3")
_TO_HIGH = PRIORITIES.index(_HIGH)
_TO_LOW = PRIORITIES.index(_LOW)

SCOPES: tuple[Scope, ...] = (
    Scope(
        "nested", "two list registers, four edges of two priorities, EOImode 0",
        SmallSetup(interrupts=_edges(_LOW, _LOW, _HIGH, _HIGH)),
        _actions(*_PULSES, *_GUEST, "hppir 0 1", "wfi 0"),
        frozenset({"22.11"}),
    ),
    Scope(
        "nested-dir", "the same in EOImode 1",
        SmallSetup(eoimode=1, interrupts=_edges(_LOW, _LOW, _HIGH)),
        _actions(*_PULSES[:3], *_GUEST, "dir 0 0 1", "dir 0 1 1"),
        frozenset({"22.3"}),
    ),
    Scope(
        "one-lr", "a single list register",
        SmallSetup(lrs=1, interrupts=_edges(_LOW, _HIGH)),
        _actions(*_PULSES[:2], *_GUEST),
        frozenset({"22.1"}),
    ),
    Scope(
        "groups", "two groups, switched on and off, with one and two priorities",
        SmallSetup(interrupts=_edges(_LOW, _HIGH, _LOW, group=(0, 1, 1))),
        _actions(*_PULSES[:3], *_GUEST, "ack 0 1", "igrpen 0 0 0", "igrpen 0 0 1", "igrpen 0 1 0", "igrpen 0 1 1"),
        frozenset(),
    ),
    Scope(
        "late", "the maintenance interrupt comes at any moment after its line rose",
        SmallSetup(late=True, latency=1, interrupts=_edges(_LOW, _HIGH, _LOW)),
        _actions(*_PULSES[:3], *_GUEST, "mi 0"),
    ),
    Scope(
        "fold-6.19", "the same under Linux 6.19, whose walk began at the wrong end",
        SmallSetup(late=True, latency=1, profile="6.19", interrupts=_edges(_LOW, _HIGH, 0x88)),
        _actions(*_PULSES[:3], *_GUEST, "mi 0"),
    ),
    Scope(
        "legacy", "before the overflow work: is everything due ever signalled?",
        SmallSetup(progress=True, profile="legacy", interrupts=_edges(_LOW, 0x60, _HIGH)),
        _actions(*_PULSES[:3], *_GUEST),
        frozenset({"live-lock"}), drain=False,
    ),
)  # fmt: skip


def scope_named(name: str) -> Scope:
    """Return a scope by its name.

    Raises
    ------
    InputError
        When there is none; the message lists them.
    """
    for scope in SCOPES:
        if scope.name == name:
            return scope
    known = " ".join(scope.name for scope in SCOPES)
    raise InputError(f"there is no scope {name!r}; known: {known}")


def with_profile(scope: Scope, profile: str) -> Scope:
    """Return a scope under another kernel, of which it expects nothing."""
    return replace(scope, setup=replace(scope.setup, profile=profile), finds=frozenset())
