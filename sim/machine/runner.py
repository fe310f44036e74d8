"""One vCPU as the machine runs it."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field

from sim.guest.operation import Guest
from sim.kvm.vm import Vcpu

__all__ = ["Exit", "Place", "Runner"]


class Place(enum.Enum):
    """Where a vCPU is."""

    #: In the hypervisor, able to enter.
    OUT = "out"
    #: In its guest.
    GUEST = "guest"
    #: Blocked in WFI; a kick makes the hypervisor look whether it may wake.
    ASLEEP = "asleep"
    #: Its guest has finished.
    HALTED = "halted"


@dataclass(frozen=True)
class Exit:
    """One exit: its causes (MISR bits of a maintenance interrupt, or KICK, TRAP, SGI, MMIO, WFI, EXIT, HALT).

    ``detail`` names the trapped register or the address; ``misr`` is ICH_MISR_EL2 at the moment.
    """

    causes: frozenset[str]
    detail: str = ""
    misr: int = 0

    def __str__(self) -> str:
        text = "+".join(sorted(self.causes))
        return f"{text} {self.detail}" if self.detail else text


@dataclass(eq=False)
class Runner:
    """A vCPU, its guest, and what the run loop remembers of it.

    Attributes
    ----------
    cpu : int or None
        Physical CPU it is loaded on.
    mi_since, kick_since : int or None
        When the maintenance interrupt rose, or the kick came, on the clock of its latency; None: nothing due.
    mi_asked : bool
        The maintenance interrupt is to be taken now, however late it usually is.
    idle : int
        Guest operations that touched nothing.
    scheduled_out : bool
        The host has taken it off its CPU, and its timer with it; not so in a WFI that returns at once.
    stuck : list of str
        The loop of exits in which no guest operation is possible any more, empty if it runs.
    operations, entries : int
        Guest operations and entries so far.
    emulated : int
        Trapped accesses that hyp emulated, without a full exit.
    exits : list of Exit
        Exits so far; ``causes`` counts them.
    """

    vcpu: Vcpu
    guest: Guest | None = None
    place: Place = Place.OUT
    cpu: int | None = None
    mi_since: int | None = None
    kick_since: int | None = None
    mi_asked: bool = False
    idle: int = 0
    scheduled_out: bool = False
    stuck: list[str] = field(default_factory=list)
    operations: int = 0
    entries: int = 0
    emulated: int = 0
    exits: list[Exit] = field(default_factory=list)
    causes: Counter[str] = field(default_factory=Counter)

    @property
    def number(self) -> int:
        """The vCPU's number."""
        return self.vcpu.vcpu_id

    def left(self, one: Exit) -> None:
        """Record an exit."""
        self.exits.append(one)
        self.causes["+".join(sorted(one.causes))] += 1
