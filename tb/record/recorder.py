"""What happens in a scenario, event by event, and what hardware, hypervisor and ideal GIC hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hw.registers import BY_NAME, LRState
from sim.guest import memory_map
from sim.guest.operation import Kind, Operation
from sim.ideal import NONE
from sim.kvm.irq import irq_is_pending
from sim.kvm.lr import vgic_get_vcpu_irq
from sim.kvm.regs import hcr_eoicount
from sim.machine.machine import Machine
from sim.machine.observer import Observer
from sim.machine.runner import Exit, Place, Runner
from sim.machine.view import running_priority
from sim.notation import format_hcr, format_lrs, misr_names
from sim.port import State
from sim.scenario.model import Step
from sim.scenario.play import Follower
from tb.record.port import RecordingPort
from tb.record.shadow import Shadow

__all__ = ["Recorder"]

_LR = {name.name: name for name in BY_NAME["ICH_LR0_EL2"].fields}
_STATES = {LRState.PENDING: "P", LRState.ACTIVE: "A", LRState.PENDING_ACTIVE: "PA"}
_SPECIAL = range(1020, 1024)
#: What an entry asks for that has to do with overflow.
_ASKED = ("UIE", "NPIE", "LRENPIE", "TDIR")
#: INTID bits of a list register or IAR that name the source CPU of a GICv2 guest's SGI.
_VIRTUAL_ID = 0x3FF


def _operation_text(operation: Operation, value: int) -> str:
    """Return a guest operation in the words of the guest language, with the value read."""
    if operation.kind is Kind.MMIO:
        name = memory_map.name_at(operation.address)
        return f"{name} := {operation.value:#x}" if operation.write else name
    if operation.kind is not Kind.SYSREG:
        return operation.kind.name
    name = operation.register.name.removeprefix("ICC_").removesuffix("_EL1")
    if operation.write:
        number = name.startswith(("EOIR", "DIR"))
        return f"{name} {operation.value}" if number else f"{name} := {operation.value:#x}"
    if name.startswith(("IAR", "HPPIR")):
        return f"{name} -> {value if value not in _SPECIAL else 'none'}"
    return f"{name} -> {value:#x}"


@dataclass
class Recorder(Observer, Follower):
    """Follows a machine and the play on it.

    Parameters
    ----------
    machine : Machine
        Its ports are ``watched``, plain or (GICv2 guest on GICv3) seen through another one.
    watched : list of RecordingPort
        One for each physical CPU.
    intids : list of int
        The interrupts of the scenario.
    limit : int
        How many events are kept.

    Attributes
    ----------
    events : list of dict
        The events (see :mod:`tb.record.job`).
    raised, delivered : list of int
        What devices raised and guests acknowledged, in order.
    wrong, kept : list of int
        What the hypervisor deactivated too early, and what it keeps active after its end.
    dropped : int
        Events beyond ``limit``, which are only counted.
    """

    machine: Machine
    watched: list[RecordingPort]
    intids: list[int]
    limit: int = 2000
    events: list[dict[str, Any]] = field(default_factory=list)
    raised: list[int] = field(default_factory=list)
    delivered: list[int] = field(default_factory=list)
    wrong: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    dropped: int = 0
    _step: int = -1
    _walks: int = 0
    _loaded: dict[int, set[int]] = field(default_factory=dict)
    _beliefs: dict[int, set[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin to follow."""
        self.shadow = None if self.machine.gicv2_guest else Shadow(self.machine, self.intids)
        self.machine.observers.append(self)
        for port in self.watched:
            port.on_lines = self.refresh

    # -- events ----------------------------------------------------------------------------------------

    def _add(self, kind: str, vcpu: int, text: str, **more: Any) -> dict[str, Any]:
        """Add an event; its views are filled in when the lines have settled."""
        now = [port.now() for port in self.watched]
        event = {"kind": kind, "vcpu": vcpu, "text": text, "op": self.machine.time, "step": self._step}
        event |= {"ns": None if now[0] is None else max(now), "views": {}, **more}
        if vcpu >= 0:
            event["cpu"] = self.machine.runners[vcpu].cpu
        if len(self.events) < self.limit:
            self.events.append(event)
        else:
            self.dropped += 1
        self.refresh()
        return event

    def refresh(self) -> None:
        """Bring the last event's views up to date."""
        if not self.events or self.dropped:
            return
        if self.shadow is not None:
            self._program()
            self.shadow.configure()
        event = self.events[-1]
        for runner in self.machine.runners:
            if event["kind"] == "exit" and event["vcpu"] == runner.number:
                continue  # as the exit found it
            inside = runner.place is Place.GUEST
            event["views"][runner.number] = self._view(runner, self._hardware(runner), inside)

    def _program(self) -> None:
        for runner in self.machine.runners:
            state = self._hardware(runner)
            self.shadow.program(runner, state.vmcr if state is not None else runner.vcpu.cpu_if.vgic_vmcr)

    def _hardware(self, runner: Runner) -> State | None:
        return None if runner.cpu is None else self.watched[runner.cpu].seen

    # -- what there is ---------------------------------------------------------------------------------

    def _view(self, runner: Runner, state: State | None, inside: bool) -> dict[str, Any]:
        """Return what a vCPU's hardware, its hypervisor's list and the ideal hold now.

        ``inside``: the guest runs, so that the hardware's lines mean something.
        """
        loaded = state is not None and runner.cpu is not None
        lines = self.watched[runner.cpu].levels if loaded else None
        inside = inside and loaded
        lrs = [self._lr(value) for value in state.lr] if loaded else [None] * runner.vcpu.vm.host.nr_lr
        held = {lr["id"] for lr in lrs if lr is not None}
        if inside:  # what had a list register and has ended is not known to have left it
            held |= self._loaded.get(runner.number, set())
        vcpu = runner.vcpu
        over = [
            {
                "id": irq.intid,
                "st": "P" * irq_is_pending(irq) * (not irq.active) or "A" + "P" * irq_is_pending(irq),
                "pr": irq.priority,
            }
            for irq in (*vcpu.ap_list, *vcpu.overflow_ap_list)
            if irq.intid not in held and (irq.active or irq_is_pending(irq))
        ]
        view: dict[str, Any] = {"place": runner.place.value, "lr": lrs, "over": over}
        view |= {
            "virq": bool(inside and lines.virq), "vfiq": bool(inside and lines.vfiq),
            "mi": bool(inside and lines.maintenance),
            "hcr": format_hcr(state.hcr) if inside else "",
            "eoi": hcr_eoicount(state.hcr) if inside else 0,
            "run": self._running(state) if loaded else 0xFF,
        }  # fmt: skip
        if self.shadow is not None:
            view["ideal"] = self._ideal(runner)
            view["diff"] = self._differences(runner, view, inside)
            view["due"] = runner.vcpu.kicked or any(one is not None for one in self.machine.waiting(runner))
        return view

    def _running(self, state: State) -> int:
        config = self.watched[0].config
        return running_priority(state, config.pre_bits) if hasattr(config, "pre_bits") else 0xFF

    def _lr(self, value: int) -> dict[str, Any] | None:
        state = _LR["State"].get(value)
        if state == LRState.INVALID:
            return None
        intid = _LR["vINTID"].get(value)
        if self.machine.gicv2_guest:
            intid &= _VIRTUAL_ID
        found = {"id": intid, "st": _STATES[LRState(state)], "pr": _LR["Priority"].get(value)}
        if _LR["HW"].get(value):
            found["hw"] = 1
        return found

    def _ideal(self, runner: Runner) -> dict[str, Any]:
        number = runner.number
        signalled = self.shadow.signalled(number)
        return {
            "sig": sorted(signalled - {NONE}),
            "maybe": NONE in signalled,
            "pend": [[irq.intid, irq.priority] for irq in self.shadow.waiting(number)],
            "act": [irq.intid for irq in self.shadow.handled(number)],
            "run": self.shadow.gic.interfaces[number].running_priority,
        }

    def _differences(self, runner: Runner, view: dict[str, Any], inside: bool) -> list[str]:
        """Return where a vCPU's guest, or the hypervisor's memory, is not as in the ideal."""
        found = [self._belief(intid, runner) for intid in sorted(self._beliefs.get(runner.number, set()))]
        found = [text for text in found if text]
        ideal, wanted = view["ideal"], view["ideal"]["sig"]
        due = " or ".join(map(str, wanted))
        if runner.place is Place.ASLEEP and wanted and not ideal["maybe"]:
            found.insert(0, f"asleep, although {due} is due")
        if not inside:
            return found
        offered = self._offered(view)
        if offered is None and wanted and not ideal["maybe"]:
            found.insert(0, f"{due} should be signalled; the hardware signals nothing")
        elif offered is not None and offered not in wanted:
            found.insert(0, f"{due or 'nothing'} should be signalled; the hardware signals {offered}")
        if view["run"] != ideal["run"]:
            found.append(f"running priority {view['run']:#04x}, should be {ideal['run']:#04x}")
        return found

    def _offered(self, view: dict[str, Any]) -> int | None:
        """Return the interrupt that the hardware signals."""
        if not view["virq"] and not view["vfiq"]:
            return None
        waiting = [lr for lr in view["lr"] if lr is not None and lr["st"] == "P"]
        return min(waiting, key=lambda lr: lr["pr"])["id"] if waiting else None

    # -- what the machine tells ------------------------------------------------------------------------

    def operated(self, machine: Machine, runner: Runner, operation: Operation, value: int) -> None:
        """See a guest operation."""
        more: dict[str, Any] = {"port": operation.kind is Kind.SYSREG}
        if self.shadow is not None:
            allowed = self.shadow.allowed(runner.number, operation)
            if allowed is not None and value not in allowed:
                due = " or ".join("none" if one == NONE else str(one) for one in sorted(allowed))
                more["bad"] = f"the ideal GIC gives {due}"
            self.shadow.follow(runner.number, operation, value)
        name = operation.register.name if operation.kind is Kind.SYSREG else ""
        if name.startswith("ICC_IAR") and value not in _SPECIAL:
            self.delivered.append(value & _VIRTUAL_ID if machine.gicv2_guest else value)
        self._add("op", runner.number, _operation_text(operation, value), **more)

    def synced(self, machine: Machine, runner: Runner, one: Exit, hardware: State) -> None:
        """See an exit: what the hardware held, and what the walk along the list deactivated."""
        causes = sorted(one.causes)
        walked, self._walks = machine.vm.walked[self._walks :], len(machine.vm.walked)
        more: dict[str, Any] = {"causes": causes}
        if one.detail:
            more["detail"] = one.detail
        if one.misr:
            more["misr"] = misr_names(one.misr)
        if walked:
            more["walked"] = walked
        event = self._add("exit", runner.number, " ".join(causes), **more)
        began = self.watched[runner.cpu].switch_began
        event["ns"] = event["ns"] if began is None else began  # old kernels leave an idle interface alone
        if self.shadow is not None:
            wrong = [n for n in walked if self.shadow.gic.irq(n, runner.number).active]
            self.wrong += wrong
            if wrong:
                event["bad"] = f"deactivates {', '.join(map(str, wrong))}, which the guest is handling"
        event["views"][runner.number] = self._view(runner, hardware, True)

    def entered(self, machine: Machine, runner: Runner, hardware: State) -> None:
        """See an entry: what the list registers hold, and what the hypervisor believes."""
        if self.shadow is not None:
            self._believe(runner)
        self.watched[runner.cpu].seen = hardware
        self.watched[runner.cpu].switch_began = None
        self._loaded[runner.number] = {lr["id"] for lr in map(self._lr, hardware.lr) if lr is not None}
        text = format_lrs(hardware.lr, machine.gicv2_guest)
        self._add("entry", runner.number, text, bits=format_hcr(runner.vcpu.cpu_if.vgic_hcr, _ASKED))

    def _believe(self, runner: Runner) -> None:
        """Compare the active states in memory with the ideal's; at an entry they must agree."""
        different = set()
        for irq in (*runner.vcpu.private_irqs, *self.machine.vm.dist.spis):
            if irq.intid not in self.shadow.intids or irq.vcpu not in (None, runner.vcpu):
                continue
            ideal = self.shadow.gic.irq(irq.intid, runner.number)
            if irq.active and not ideal.active:
                different.add(irq.intid)
                if irq.intid not in self.kept:
                    self.kept.append(irq.intid)
            elif ideal.active and not irq.active and ideal.owner == runner.number:
                different.add(irq.intid)
        self._beliefs[runner.number] = different

    def _belief(self, intid: int, runner: Runner) -> str:
        """Return in what memory differs from the ideal about an interrupt, nothing if it does not."""
        active = vgic_get_vcpu_irq(runner.vcpu, intid).active
        if active and not self.shadow.gic.irq(intid, runner.number).active:
            return f"{intid} has ended, but the hypervisor keeps it active"
        if not active and self.shadow.gic.irq(intid, runner.number).active:
            return f"{intid} is being handled, but the hypervisor has deactivated it"
        return ""

    def entering(self, machine: Machine, runner: Runner) -> None:
        """See a vCPU block in WFI."""
        if runner.place is Place.ASLEEP:
            self._add("note", runner.number, "sleeps")

    def stuck(self, machine: Machine, runner: Runner) -> None:
        """See a vCPU that can make no progress."""
        self._add("note", runner.number, "exit storm")

    # -- what the play tells ---------------------------------------------------------------------------

    def began(self, step: Step) -> None:
        """See a step."""
        self._step += 1
        self._add("step", -1, step.text, line=step.where.line)

    def pulsed(self, intid: int, vcpu: int) -> None:
        """See a device raise an interrupt."""
        self.raised.append(intid)
        if not self.events or self.events[-1]["kind"] != "step":  # in the middle of a run
            self._add("device", -1, f"{intid} arrives")
        if self.shadow is not None:
            self.shadow.pulse(intid, vcpu)
            self.refresh()

    def lined(self, intid: int, level: bool, vcpu: int) -> None:
        """See a device drive its line."""
        if level:
            self.raised.append(intid)
        if self.shadow is not None:
            self.shadow.line(intid, level, vcpu)
            self.refresh()

    def accessed(self, operation: Operation) -> None:
        """See the monitor access the distributor."""
        if self.shadow is not None:
            self.shadow.access(0, operation)
            self.refresh()

    def checked(self, step: Step, problem: str | None) -> None:
        """See an expectation judged."""
        if self.events:
            one = {"text": step.text, "line": step.where.line, "found": problem}
            self.events[-1].setdefault("expects", []).append(one)
