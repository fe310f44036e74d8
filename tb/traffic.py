"""What happened in a recorded run of a hypervisor and its guest, in numbers a reader understands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hw.errors import InputError
from sim.trace import (
    Entry,
    Event,
    ExceptionTaken,
    Injection,
    Kind,
    MaintenanceLine,
    Meta,
    RegisterAccess,
    open_trace,
)

__all__ = ["MAINTENANCE", "Traffic", "count_traffic", "read_traffic"]

#: The cause of exits taken while the maintenance interrupt was asserted.
MAINTENANCE = "maintenance interrupt"
#: INTIDs from here on are special: nothing was acknowledged.
_SPECIAL = range(1020, 1024)
#: INTIDs from here on belong to the VM, the lower ones to each vCPU.
_FIRST_SPI = 32
_PAGE = 4096


@dataclass
class Traffic:
    """Counts of one recorded run.

    Attributes
    ----------
    lrs : int
        List registers of the recorded hardware.
    guest, hypervisor : int
        Executed register accesses at EL1 and at EL2.
    traps : Counter
        Accesses of the guest that trapped, by register.
    exits : Counter
        Exits to the hypervisor by cause: :data:`MAINTENANCE`, ``other interrupt``, ``trapped ICC_DIR_EL1``,
        ``doorbell``, ``distributor access`` and the recorder's own words for the rest.
    entries : int
        Entries into the guest.
    injections : int
        Interrupt lines the VMM raised.
    acknowledged, spurious : int
        Interrupts the guest acknowledged, and acknowledges that found none.
    active : list of int
        Number of active interrupts after each acknowledge and each deactivation.
    """

    lrs: int
    guest: int = 0
    hypervisor: int = 0
    traps: Counter[str] = field(default_factory=Counter)
    exits: Counter[str] = field(default_factory=Counter)
    entries: int = 0
    injections: int = 0
    acknowledged: int = 0
    spurious: int = 0
    active: list[int] = field(default_factory=list)

    @property
    def accesses(self) -> int:
        """Register accesses, trapped ones included."""
        return self.guest + self.hypervisor + sum(self.traps.values())

    @property
    def peak(self) -> int:
        """Most interrupts active at once."""
        return max(self.active, default=0)

    @property
    def per_exit(self) -> float:
        """ICH accesses of the hypervisor for each exit."""
        total = sum(self.exits.values())
        return self.hypervisor / total if total else 0.0


class _Guest:
    """Follows which interrupts are active, from what the guest did itself.

    An interrupt becomes active when it is acknowledged; it stops being active at its EOIR in EOImode 0 and
    at its DIR in EOImode 1, whether that was executed or trapped and emulated. Deactivation by a write to
    the distributor is not followed.
    """

    def __init__(self, traffic: Traffic):
        self._traffic = traffic
        self._active: set[tuple[int, int]] = set()
        self._eoi_mode: dict[int, bool] = {}

    def access(self, cpu: int, name: str, write: bool, value: int) -> None:
        """Take one access to a CPU interface register that was executed or emulated."""
        name = name.partition("_")[2].removesuffix("_EL1")
        if write and name == "CTLR":
            self._eoi_mode[cpu] = bool(value & 2)
        elif not write and name in ("IAR0", "IAR1"):
            self._acknowledge(cpu, value & 0xFF_FFFF)
        elif write and name in self._deactivating(cpu):
            self._deactivate(cpu, value & 0xFF_FFFF)

    def _deactivating(self, cpu: int) -> tuple[str, ...]:
        return ("DIR",) if self._eoi_mode.get(cpu, False) else ("EOIR0", "EOIR1")

    def _acknowledge(self, cpu: int, intid: int) -> None:
        if intid in _SPECIAL:
            self._traffic.spurious += 1
            return
        self._traffic.acknowledged += 1
        self._active.add(self._key(cpu, intid))
        self._traffic.active.append(len(self._active))

    def _deactivate(self, cpu: int, intid: int) -> None:
        self._active.discard(self._key(cpu, intid))
        self._traffic.active.append(len(self._active))

    @staticmethod
    def _key(cpu: int, intid: int) -> tuple[int, int]:
        return (-1 if intid >= _FIRST_SPI else cpu, intid)


def count_traffic(events: Iterable[Event], lrs: int, doorbell: int = -1) -> Traffic:
    """Count what happens in the events of a recorded run.

    Parameters
    ----------
    events : iterable of Event
    lrs : int
        List registers of the recorded hardware.
    doorbell : int
        Address of the page through which the guest asks the VMM for interrupts; -1 if there is none.
    """
    traffic = Traffic(lrs)
    guest = _Guest(traffic)
    maintenance: dict[int, bool] = {}
    for event in events:
        match event:
            case RegisterAccess(el=2):
                traffic.hypervisor += event.count
            case RegisterAccess():
                traffic.guest += event.count
                guest.access(event.cpu, event.register.name, event.write, event.value)
            case MaintenanceLine():
                maintenance[event.cpu] = event.level
            case ExceptionTaken(to_el=2, host=False):
                traffic.exits[_cause(event, maintenance.get(event.cpu, False), doorbell)] += 1
                if event.kind == "sysreg" and event.register is not None:
                    traffic.traps[event.register.name] += 1
                    guest.access(event.cpu, event.register.name, bool(event.write), event.value or 0)
            case Entry():
                traffic.entries += 1
            case Injection(level=True):
                traffic.injections += 1
    return traffic


def _cause(event: ExceptionTaken, maintenance: bool, doorbell: int) -> str:
    match event.kind:
        case "irq":
            return MAINTENANCE if maintenance else "other interrupt"
        case "sysreg":
            return f"trapped {event.register_name or 'register'}"
        case "mmio":
            page = (event.address or 0) & ~(_PAGE - 1)
            return "doorbell" if page == doorbell else "distributor access"
        case kind:
            return kind


def read_traffic(path: Path) -> tuple[Meta, Traffic]:
    """Return the meta line and the counts of a recorded run.

    Raises
    ------
    InputError
        When the file is malformed or has no run of a hypervisor in it.
    """
    with open_trace(path) as trace:
        if trace.kind is not Kind.EVENTS:
            raise InputError(f"{path}: sequences of single operations, not a hypervisor's run; use replay")
        doorbell = trace.meta.raw.get("doorbell")
        page = int(doorbell, 16) if isinstance(doorbell, str) else -1
        return trace.meta, count_traffic(trace.events(), trace.config.lrs, page)
