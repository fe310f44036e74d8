"""What happens in an act, in words and at the simulation's time: lines to print, marks for the waveform."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from hw.config import GicConfig
from sim.guest.operation import Kind, Operation
from sim.kvm.lr import vgic_get_vcpu_irq
from sim.kvm.regs import lr_intid
from sim.machine.events import EventLog
from sim.machine.machine import Machine
from sim.machine.observer import Observer
from sim.machine.runner import Exit, Runner
from sim.notation import format_lr, misr_names
from sim.port import Access, CpuPort, Lines, Response, State

__all__ = ["Chronicle", "Line", "Mark", "WatchedPort"]

#: INTIDs from here on mean that there was nothing to acknowledge.
_SPECIAL = range(1020, 1024)
_CAUSES = {"KICK": "kick"}


def _numbers(intids: list[int]) -> str:
    return " ".join(map(str, intids))


class Line(NamedTuple):
    """One line of the story.

    ``ns``: simulated time, None on engines without; ``operation``: guest operations so far; ``lane``:
    hardware, guest or hypervisor; ``tone``: good, bad, or nothing.
    """

    ns: int | None
    operation: int
    lane: str
    text: str
    tone: str = ""


class Mark(NamedTuple):
    """A moment to mark in the waveform; the view opens at the one with ``focus``."""

    ns: int
    text: str
    focus: bool = False


class WatchedPort:
    """A :class:`sim.port.CpuPort` that counts the hypervisor's accesses and notes when things begin.

    Attributes
    ----------
    hypervisor : int
        Accesses at EL2.
    guest_began, switch_began : int or None
        Time at which the last guest access began, and at which the hypervisor's first one after it did.
    on_rise : callable or None
        Called when the maintenance line, looked at after each guest operation, is seen to have risen.
    """

    def __init__(self, port: CpuPort):
        self.config: GicConfig = port.config
        self._port = port
        self.hypervisor = 0
        self.guest_began: int | None = None
        self.switch_began: int | None = None
        self.on_rise: Callable[[], None] | None = None
        self._high = False

    def now(self) -> int | None:
        """Return the simulated time in nanoseconds."""
        return self._port.now()

    async def reset(self) -> None:
        """Reset the interface."""
        await self._port.reset()

    async def access(self, access: Access) -> Response:
        """Execute an access, and count it if it is the hypervisor's."""
        if access.el == 2:
            self.hypervisor += 1
            if self.switch_began is None:
                self.switch_began = self.now()
        else:
            self.guest_began = self.now()
        return await self._port.access(access)

    async def lines(self) -> Lines:
        """Return the settled lines."""
        lines = await self._port.lines()
        if lines.maintenance and not self._high and self.on_rise is not None:
            self.on_rise()
        self._high = lines.maintenance
        return lines

    async def deactivations(self) -> list[int]:
        """Return and forget the physical deactivations."""
        return await self._port.deactivations()

    async def state(self) -> State:
        """Return all storage."""
        return await self._port.state()


@dataclass
class Chronicle(Observer):
    """Follows vCPU 0 of a machine on a :class:`WatchedPort`.

    Attributes
    ----------
    lines, marks : list
        The story so far.
    raised, delivered : list of int
        Interrupts that devices raised, and that the guest acknowledged, in order.
    handling, ended : list of int
        Interrupts the guest has acknowledged and not ended; and ended.
    wrong : list of int
        Interrupts the hypervisor has deactivated while the guest was handling them.
    stuck : list of int
        Interrupts that the guest has ended and that were still active after the exit that should have
        deactivated them.
    """

    lines: list[Line] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    raised: list[int] = field(default_factory=list)
    delivered: list[int] = field(default_factory=list)
    handling: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    wrong: list[int] = field(default_factory=list)
    stuck: list[int] = field(default_factory=list)
    _walked: int = 0

    def say(self, machine: Machine, ns: int | None, lane: str, text: str, tone: str = "") -> None:
        """Add a line."""
        self.lines.append(Line(ns, machine.time, lane, text, tone))

    def mark(self, ns: int | None, text: str, focus: bool = False) -> None:
        """Add a mark, if there is time."""
        if ns is not None:
            self.marks.append(Mark(ns, text, focus))

    def watch(self, machine: Machine) -> None:
        """Begin to follow a machine."""
        machine.observers.append(self)
        machine.log = ChronicleLog(machine=machine, chronicle=self)
        for port in machine.ports:
            port.on_rise = functools.partial(self._rose, machine, port)

    def _rose(self, machine: Machine, port: WatchedPort) -> None:
        self.say(machine, port.now(), "hardware", "MI rises")
        self.mark(port.now(), "maintenance interrupt")

    # -- what the machine tells ------------------------------------------------------------------------

    def operated(self, machine: Machine, runner: Runner, operation: Operation, value: int) -> None:
        """Tell what the guest does."""
        port = machine.port(runner)
        if operation.kind is Kind.WFI:
            self.say(machine, port.now(), "guest", "waits (WFI)")
        if operation.kind is not Kind.SYSREG:
            return
        name, tone = operation.register.name, ""
        if name.startswith("ICC_IAR") and value in _SPECIAL:
            text = "acknowledges none"
        elif name.startswith("ICC_IAR"):
            self.delivered.append(value)
            self.handling.append(value)
            text, tone = f"acknowledges {value}", "good"
        elif name.startswith("ICC_EOIR"):
            self.ended.append(operation.value)
            if operation.value in self.handling:
                self.handling.remove(operation.value)
            text = f"ends {operation.value}"
        else:
            text = str(operation)
        self.say(machine, port.guest_began, "guest", text, tone)

    def synced(self, machine: Machine, runner: Runner, one: Exit, hardware: State) -> None:
        """Tell why the guest was left, and what the walk along the ap_list deactivated."""
        port = machine.port(runner)
        causes = [_CAUSES.get(cause, cause) for cause in sorted(one.causes)]
        if one.misr and one.causes == frozenset(misr_names(one.misr)):
            causes = [f"MI ({' '.join(misr_names(one.misr))})"]
        self.say(machine, port.switch_began, "hypervisor", f"exit: {', '.join(causes)}")
        if one.causes != {"KICK"}:  # that is marked as what has arrived
            self.mark(port.switch_began, f"exit: {causes[0]}")
        walked, self._walked = machine.vm.walked[self._walked :], len(machine.vm.walked)
        wrong = [intid for intid in walked if intid in self.handling]
        self.wrong += wrong
        for intid in walked:
            if intid in wrong:
                self._decide(machine, port, f"deactivates {intid}: WRONG, it is in use", "bad")
            else:
                self._decide(machine, port, f"deactivates {intid}, which has ended", "good")
        if walked:
            text = f"wrong deactivation: {_numbers(wrong)}" if wrong else f"{_numbers(walked)} deactivated"
            self.mark(port.now(), text, True)
        for intid in sorted(set(self.ended) - set(self.handling)):
            irq = vgic_get_vcpu_irq(runner.vcpu, intid)
            if irq is not None and irq.active and intid not in self.stuck:
                self.stuck.append(intid)
                self._decide(machine, port, f"leaves {intid} active: WRONG, it has ended", "bad")

    def _decide(self, machine: Machine, port: WatchedPort, text: str, tone: str) -> None:
        self.say(machine, port.now(), "hypervisor", text, tone)

    def entered(self, machine: Machine, runner: Runner, hardware: State) -> None:
        """Tell what the list registers hold, and what does not fit."""
        port = machine.port(runner)
        port.switch_began = None
        held = [text for text in map(format_lr, hardware.lr) if text != "-"]
        inside = {lr_intid(lr) for lr in hardware.lr if format_lr(lr) != "-"}
        vcpu = runner.vcpu
        outside = [
            f"{irq.intid}{'A' * irq.active or 'P'}"
            for irq in (*vcpu.ap_list, *vcpu.overflow_ap_list)
            if irq.intid not in inside
        ]
        text = f"enter: {' '.join(held) or 'none'}"
        self.say(machine, port.now(), "hypervisor", f"{text} | {' '.join(outside)}" if outside else text)
        self.mark(port.now(), "entry")


@dataclass
class ChronicleLog(EventLog):
    """The machine's log, which also tells the chronicle when a scenario's device raises an interrupt."""

    machine: Machine | None = None
    chronicle: Chronicle | None = None

    def add(self, time: int, vcpu: int, kind: str, text: str) -> None:
        """Record an event."""
        super().add(time, vcpu, kind, text)
        verb, *intids = text.split()
        if kind == "step" and verb == "inj" and self.chronicle is not None:
            self.chronicle.raised += map(int, intids)
            now = self.machine.ports[0].now()
            self.chronicle.say(self.machine, now, "hardware", f"{' '.join(intids)} arrives")
            self.chronicle.mark(now, f"{' '.join(intids)} arrives")
