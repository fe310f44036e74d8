"""The scopes that are explored to their end.

Each is as small as the fault it looks for allows: the number of states grows with everything that can happen.
Private interrupts stand where nothing is asked of shared ones, since those are counted (``active_spis``).
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
    return tuple(Interrupt(first + n, priority, False, groups[n]) for n, priority in enumerate(priorities))


def _level(intid: int = 32, resample: bool = False) -> Interrupt:
    return Interrupt(intid, _LOW, True, 1, resample=resample)


_GUEST = ("ack 0", "eoi 0", "exit 0")
_PULSES = ("edge 0", "edge 1", "edge 2", "edge 3")


def _spis(*priorities: int) -> tuple[Interrupt, ...]:
    return _edges(*priorities, first=32)


#: Under Linux 7.3 unless said otherwise.
SCOPES: tuple[Scope, ...] = (
    Scope(
        "nested", "two list registers, edges of two priorities, EOImode 0",
        SmallSetup(interrupts=_edges(_LOW, _LOW, _HIGH)),
        _actions(*_PULSES[:3], *_GUEST, "hppir 0 1", "wfi 0"),
        frozenset({"22.11"}),
    ),
    Scope(
        "nested-dir", "the same in EOImode 1",
        SmallSetup(eoimode=1, interrupts=_edges(_LOW, _LOW, _HIGH)),
        _actions(*_PULSES[:3], *_GUEST, "dir 0 0 1", "dir 0 1 1"),
    ),
    Scope(
        "late", "the maintenance interrupt comes at any moment after its line rose",
        SmallSetup(late=True, latency=1, interrupts=_edges(_LOW, _LOW, _HIGH)),
        _actions(*_PULSES[:3], *_GUEST, "mi 0"),
    ),
    Scope(
        "late-dir", "the same in EOImode 1",
        SmallSetup(late=True, latency=1, eoimode=1, interrupts=_edges(_LOW, _LOW, _HIGH)),
        _actions(*_PULSES[:3], *_GUEST, "dir 0 0 1", "dir 0 1 1", "mi 0"),
    ),
    Scope(
        "fold", "late, under Linux 6.19, whose walk begins at the wrong end of the list",
        SmallSetup(late=True, latency=1, profile="6.19", interrupts=_edges(_LOW, _HIGH, 0x88)),
        _actions(*_PULSES[:3], *_GUEST, "mi 0"),
        frozenset({"A08"}),
    ),
    Scope(
        "legacy", "before the overflow work: is everything due ever signalled?",
        SmallSetup(progress=True, profile="legacy", interrupts=_edges(_LOW, 0x60, _HIGH)),
        _actions(*_PULSES[:3], *_GUEST),
        frozenset({"live-lock"}), drain=False,
    ),
    Scope(
        "one-lr", "a single list register",
        SmallSetup(lrs=1, interrupts=_edges(_LOW, _HIGH)),
        _actions(*_PULSES[:2], *_GUEST),
        frozenset({"22.1"}),
    ),
    Scope(
        "groups", "two groups, switched on and off while nothing is in flight",
        SmallSetup(interrupts=_edges(_LOW, _HIGH, _LOW, group=(0, 1, 1))),
        _actions(*_PULSES[:3], *_GUEST, "igrpen 0 0 0", "igrpen 0 0 1", "igrpen 0 1 0", "igrpen 0 1 1"),
    ),
    Scope(
        "disabled-group", "more interrupts of a disabled group than list registers; it needs five",
        SmallSetup(trouble=True, interrupts=_edges(_LOW, _HIGH, 0xA0, 0xA0, 0xA0, group=(0, 0, 1, 1, 1))),
        _actions("edge 0", "edge 1", "edge 2", "edge 3", "edge 4", "ack 0", "eoi 0", "igrpen 0 1 0"),
        frozenset({"22.2"}), drain=False,
    ),
    Scope(
        "reordered", "the priority of an interrupt in flight is written",
        SmallSetup(trouble=True, interrupts=_edges(_LOW, 0x48, 0xA0, 0xA0)),
        _actions(*_PULSES, "ack 0", "eoi 0", f"prio 0 1 {PRIORITIES.index(0x88)}"),
        frozenset({"22.6"}), drain=False,
    ),
    Scope(
        "spi-dir", "one edge-triggered SPI in EOImode 1",
        SmallSetup(eoimode=1, interrupts=_spis(_LOW)),
        _actions("edge 0", *_GUEST, "dir 0 0 1"),
        frozenset({"22.3"}),
    ),
    Scope(
        "alias", "DIR of a number that is no interrupt's",
        SmallSetup(eoimode=1, trouble=True, interrupts=_spis(_LOW)),
        _actions("edge 0", *_GUEST, "dir 0 0 1", "alias 0 0 0"),
        frozenset({"22.3", "22.8"}),
    ),
    Scope(
        "resample", "a level SPI whose device waits to be told of the end",
        SmallSetup(interrupts=(_level(resample=True),)),
        _actions("raise 0", *_GUEST),
        frozenset({"22.4"}),
    ),
    Scope(
        "elsewhere", "a level SPI deactivated by the other vCPU",
        SmallSetup(vcpus=2, eoimode=1, trouble=True, interrupts=(_level(),)),
        _actions("raise 0", "lower 0", *_GUEST, "exit 1", "dir 0 0 1", "dir 1 0 0", "wfi 0"),
        frozenset({"22.3", "22.5", "22.9"}),
    ),
    Scope(
        "soft-level", "a level interrupt made pending by software",
        SmallSetup(trouble=True, interrupts=(Interrupt(20, _LOW, True),)),
        _actions("raise 0", "lower 0", "pend 0 0", "unpend 0 0", *_GUEST),
        frozenset({"22.13"}),
    ),
    Scope(
        "distributor", "the distributor switched off and on, one interrupt disabled and enabled",
        SmallSetup(trouble=True, interrupts=_edges(_LOW)),
        _actions("edge 0", *_GUEST, "gicd 0 0", "gicd 0 1", "enable 0 0 0", "enable 0 0 1"),
        frozenset({"22.14", "R1"}),
    ),
    Scope(
        "trapped", "every access of the CPU interface emulated, EOImode 1",
        SmallSetup(trouble=True, trapped=True, eoimode=1, interrupts=_edges(_LOW, _HIGH, _HIGH)),
        _actions(*_PULSES[:3], *_GUEST, "dir 0 0 1", "dir 0 1 1"),
        frozenset({"22.7"}),
    ),
    Scope(
        "routed", "an SPI routed to and fro by the vCPU that does not handle it",
        SmallSetup(vcpus=2, trouble=True, interrupts=_spis(_LOW)),
        _actions("edge 0", "ack 0", "ack 1", "eoi 0", "exit 0", "exit 1", "wfi 0", "pmr 0 7", "pmr 0 0",
                 "route 1 0 1", "route 1 0 0"),
        frozenset({"22.3", "R2"}),
    ),
    Scope(
        "disabled-elsewhere", "an SPI disabled and enabled by the vCPU that does not handle it",
        SmallSetup(vcpus=2, trouble=True, interrupts=_spis(_LOW)),
        _actions("edge 0", "ack 0", "eoi 0", "exit 0", "enable 1 0 0", "enable 1 0 1"),
        frozenset({"22.3", "R1", "R3"}),
    ),
    Scope(
        "unpended-elsewhere", "the pending state of an SPI cleared by the vCPU that does not handle it",
        SmallSetup(vcpus=2, trouble=True, interrupts=_spis(_LOW)),
        _actions("edge 0", "ack 0", "eoi 0", "exit 0", "unpend 1 0"),
        frozenset({"22.3", "R5"}),
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
