"""Playing a scenario: its steps on a machine, its expectations judged as they come."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sim.guest.interpreter import ProgramGuest
from sim.guest.operation import Kind, Operation
from sim.guest.program import Program
from sim.kvm.ap_list import VgicCorruptionError
from sim.kvm.inject import kvm_vgic_inject_irq
from sim.kvm.irq import VGIC_MIN_LPI, VGIC_NR_PRIVATE_IRQS, VGIC_NR_SGIS
from sim.kvm.lpi import vgic_its_free_ite, vgic_its_trigger_msi
from sim.kvm.mmio_v2 import vgic_mmio_write_sgipends
from sim.kvm.profile import Profile
from sim.machine import handlers
from sim.machine.distributor import DistributorInterrupts
from sim.machine.hardware import hardware_state
from sim.machine.invariants import TEXTS, Invariants
from sim.machine.machine import Machine
from sim.machine.runner import Place, Runner
from sim.machine.schedule import Scheduler, Verdict, run_guests
from sim.port import CpuPort
from sim.scenario import check
from sim.scenario.build import build_machine, need_time
from sim.scenario.judged import judged_of, nearest
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
    MachineSpec,
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
from sim.scenario.result import FAIL, OBSERVED, PASS, Problem, Result
from sim.scenario.snapshots import Recorder
from sim.system_port import System

__all__ = ["CannotGoOnError", "Follower", "Play", "play"]


class CannotGoOnError(RuntimeError):
    """A step is impossible: its vCPU cannot run."""


class Follower:
    """Somebody who is told what a :class:`Play` does; every method may be left as it is."""

    def began(self, step: Step) -> None:
        """See an action before it happens."""

    def pulsed(self, intid: int, vcpu: int) -> None:
        """See an edge or a message of a device before the hypervisor does."""

    def lined(self, intid: int, level: bool, vcpu: int) -> None:
        """See a device change its line before the hypervisor does."""

    def accessed(self, operation: Operation) -> None:
        """See the virtual machine monitor access the distributor."""

    def checked(self, step: Step, problem: str | None) -> None:
        """See what was found of an expectation; None: it holds."""


class Play:
    """One sequence of a scenario on one machine.

    Parameters
    ----------
    scenario, steps : Scenario, Steps
        What is played.
    machine : Machine
        Made by :func:`sim.scenario.build.build_machine`.
    judge : str
        ``all``; ``guest``: only what guests see, the rest is noted; ``none``: expectations are only noted.
    seed : int or None
        Of the scheduler and of ``hammer``; None: round robin, and 0 for hammer.

    Attributes
    ----------
    followers : list of Follower
        Who is told about steps.
    """

    def __init__(self, scenario: Scenario, steps: Steps, machine: Machine, judge: str, seed: int | None):
        self.scenario, self.steps, self.machine, self.judge, self.seed = scenario, steps, machine, judge, seed
        self.recorder = Recorder([one.intid for one in scenario.interrupts])
        self.invariants = Invariants()
        machine.observers += [self.recorder, self.invariants]
        self.followers: list[Follower] = []
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.verdict: Verdict | None = None
        self.ended = ""
        self.hammer: Hammer | None = None
        self._marks = [0] * len(machine.runners)
        self._listed = {"D": 0, "N": 0}
        self._last: Step | None = None
        self._broken = 0

    async def run(self) -> None:
        """Play every step; stop early only where nothing can follow."""
        profile = nearest(self.machine.vm.profile, self.steps.profiles)
        for step in self.steps.steps:
            if step.only and profile not in step.only:
                continue
            try:
                await self._step(step)
            except CannotGoOnError as error:
                self._problem(step, str(error))
                break
            except VgicCorruptionError as error:
                if not self._corruption_expected(step):
                    self._problem(step, str(error), always=True)
                break
            finally:
                self._judge_invariants(step)
            if len(self.problems) >= 20:
                break
        else:
            self._all_announced()

    def _judge_invariants(self, step: Step) -> None:
        """Complain about invariants that a step has broken."""
        new, self._broken = self.invariants.broken[self._broken :], len(self.invariants.broken)
        for one in new:
            if one.hole is None:
                text = f"{step.text}: invariant {one.name}, {TEXTS[one.name]}"
                self.problems.append(Problem(f"{step.where.file}:{step.where.line}", text, one.text))
            else:
                self.notes.append(f"{one.name} does not hold (hole {one.hole}): {one.text}")

    async def _step(self, step: Step) -> None:
        if isinstance(step, tuple(_CHECKS)):
            problem = await _CHECKS[type(step)](self, step)
            for follower in self.followers:
                follower.checked(step, problem)
            if problem:
                self._problem(step, problem)
            return
        self._all_announced()
        self._last = step
        self.verdict = None
        self._marks = [len(runner.exits) for runner in self.machine.runners]
        if self.machine.log.enabled:
            self.machine.log.add(self.machine.time, -1, "step", step.text)
        for follower in self.followers:
            follower.began(step)
        await _ACTIONS[type(step)](self, step)

    def _corruption_expected(self, step: Step) -> bool:
        """Return whether the line behind ``step`` says ``V: corruption``; nothing can follow that."""
        profile = nearest(self.machine.vm.profile, self.steps.profiles)
        steps = [one for one in self.steps.steps if not one.only or profile in one.only]
        following = steps[steps.index(step) + 1 :]
        return (
            bool(following)
            and isinstance(following[0], ExpectVerdict)
            and following[0].verdict == "corruption"
        )

    def _problem(self, step: Step, found: str, always: bool = False) -> None:
        if not always and (self.judge == "none" or (self.judge == "guest" and not _guest_sees(step))):
            self.notes.append(f"{step.where.file}:{step.where.line}: {step.text}: {found}")
            return
        self.problems.append(Problem(f"{step.where.file}:{step.where.line}", step.text, found))

    def _all_announced(self) -> None:
        """Complain about maintenance interrupts and traps that no X: line has mentioned."""
        if self._last is None or self.judge != "all":
            return
        for runner, mark in zip(self.machine.runners, self._marks, strict=True):
            missed = check.unannounced(runner.exits[mark:])
            if missed and not runner.stuck:
                causes = "; ".join(" ".join(sorted(one.causes)) for one in missed)
                self._problem(
                    self._last, f"vCPU{runner.number} made an exit that no line mentions: X: {causes}"
                )
        self._last = None

    # -- actions ---------------------------------------------------------------------------------------

    def _runner(self, number: int) -> Runner:
        return self.machine.runners[number]

    async def _guest(self, step: GuestStep) -> None:
        runner = self._runner(step.vcpu)
        program = Program("step", step.instructions)
        guest = ProgramGuest(program, step.vcpu, step.where.file)
        while True:
            operation = guest.next(False, False)
            if operation.kind is Kind.HALT:
                break
            self._must_run(runner)
            if runner.place is Place.OUT:  # an entry can end in an exit storm
                await self.machine.enter(runner)
                await self.machine.settle()
                self._must_run(runner)
            value, fault = await self.machine.operate(runner, operation)
            guest.complete(operation, value, fault)
        for failure in guest.failures:
            self._problem(step, failure.rpartition(": ")[2])
        if step.sleeps is not None and (runner.place is Place.ASLEEP) != step.sleeps:
            self._problem(step, "the vCPU sleeps" if runner.place is Place.ASLEEP else "WFI returned")

    def _must_run(self, runner: Runner) -> None:
        if runner.stuck:
            loop = "; ".join(runner.stuck)
            raise CannotGoOnError(f"vCPU{runner.number} makes no progress: exit storm ({loop})")
        if runner.place in (Place.ASLEEP, Place.HALTED):
            raise CannotGoOnError(f"vCPU{runner.number} is {runner.place.value}")

    async def _enter(self, step: Enter) -> None:
        for number in step.vcpus:
            runner = self._runner(number)
            if runner.place is not Place.GUEST:
                self._must_run(runner)
                await self.machine.enter(runner)
        await self.machine.settle()

    async def _abort(self, step: Abort) -> None:
        await self.machine.abort(self._runner(step.vcpu))

    async def _maintenance(self, step: Maintenance) -> None:
        if not await self.machine.maintenance(self._runner(step.vcpu)):
            self._problem(step, "the maintenance interrupt is low, or the vCPU is not in its guest")

    async def _inject(self, step: Inject) -> None:
        for intid in step.intids:
            self._pulse(intid, step.vcpu)
        self.machine.stimulate()
        await self.machine.settle()

    def _pulse(self, intid: int, vcpu: int) -> None:
        vm = self.machine.vm
        for follower in self.followers:
            follower.pulsed(intid, vcpu)
        if intid >= VGIC_MIN_LPI:
            vgic_its_trigger_msi(vm, intid)
            return
        owner = vm.vcpus[vcpu] if intid < VGIC_NR_PRIVATE_IRQS else None
        if self.machine.gicv2_guest and intid < VGIC_NR_SGIS:  # somebody must have sent it: the vCPU itself
            vgic_mmio_write_sgipends(vm.vcpus[vcpu], intid, 1, 1 << vcpu)
            return
        kvm_vgic_inject_irq(vm, owner, intid, True)

    async def _set_line(self, step: SetLine) -> None:
        vm = self.machine.vm
        owner = vm.vcpus[step.vcpu] if step.intid < VGIC_NR_PRIVATE_IRQS else None
        for follower in self.followers:
            follower.lined(step.intid, step.level, step.vcpu)
        kvm_vgic_inject_irq(vm, owner, step.intid, step.level)
        self.machine.stimulate()
        await self.machine.settle()

    async def _physical(self, step: Physical) -> None:
        if step.active is not None:
            self.machine.physical.set_active(step.intid, step.active)
        if step.line is not None:
            self.machine.physical.set_line(step.intid, step.line)
        self.machine.stimulate()
        await self.machine.settle()

    async def _user(self, step: UserStep) -> None:
        guest = ProgramGuest(Program("user", step.instructions), 0, step.where.file)
        while (operation := guest.next(False, False)).kind is Kind.MMIO:
            for follower in self.followers:
                follower.accessed(operation)
            guest.complete(operation, handlers.access(operation, self.machine.vm.vcpus[0]), 0)
        for failure in guest.failures:
            self._problem(step, failure.rpartition(": ")[2])
        self.machine.stimulate()
        await self.machine.settle()

    async def _hammer(self, step: Hammer) -> None:
        self.hammer = step

    async def _run(self, step: Run) -> None:
        left = self.hammer.times if self.hammer else 0
        generator = random.Random(self.seed or 0)

        async def between() -> bool:
            nonlocal left
            if left and generator.random() < 0.5:
                left -= 1
                self._pulse(generator.choice(self.hammer.intids), 0)
                self.machine.stimulate()
                await self.machine.settle()
                return True
            return left > 0

        scheduler = Scheduler(self.seed)
        self.verdict = await run_guests(self.machine, scheduler, step.operations, between)
        self.ended = self._ending()
        for runner in self.machine.runners:
            if runner.guest is not None:
                for failure in runner.guest.failures:
                    self._problem(step, failure)
                runner.guest.failures.clear()
        # The guests chose these operations: their exits need no mention.
        self._marks = [len(runner.exits) for runner in self.machine.runners]

    async def _discard(self, step: Discard) -> None:
        for intid in step.intids:
            vgic_its_free_ite(self.machine.vm, intid)

    async def _probe(self, step: Probe) -> None:
        problem = check.check_probe(step, self.machine.vm.host.config, self.machine.vm.profile)
        if problem:
            self._problem(step, problem)

    # -- expectations ----------------------------------------------------------------------------------

    async def _expect_entry(self, step: ExpectEntry) -> str | None:
        return check.check_entry(step, self.recorder)

    async def _expect_exits(self, step: ExpectExits) -> str | None:
        runner = self._runner(step.vcpu)
        exits = runner.exits[self._marks[step.vcpu] :]
        self._marks[step.vcpu] = len(runner.exits)
        return check.check_exits(step, exits)

    async def _expect_state(self, step: ExpectState) -> str | None:
        memories = self.recorder.synced_memory if step.after == "S" else self.recorder.flushed
        return check.check_state(step, memories.get(step.vcpu))

    async def _expect_hardware(self, step: ExpectHardware) -> str | None:
        if step.items[0][0] == "phys":
            return check.check_physical(step, self.machine)
        runner = self._runner(step.vcpu)
        if runner.cpu is None:
            return f"vCPU{step.vcpu} is on no CPU"
        port = self.machine.port(runner)
        state, lines = await hardware_state(port), await port.lines()
        return check.check_hardware(step, state, lines, self.machine.gicv2_guest, runner.emulated)

    async def _expect_all(self, step: ExpectAll) -> str | None:
        return check.check_all(step, self.recorder)

    async def _expect_list(self, step: ExpectList) -> str | None:
        whole = self.machine.physical.deactivated if step.what == "D" else self.machine.vm.acked
        found = whole[self._listed[step.what] :]
        self._listed[step.what] = len(whole)
        return None if found == list(step.intids) else " ".join(map(str, found)) or "none"

    def _ending(self) -> str:
        """Return how the last RUN ended, in the words of ``V:``."""
        if any(runner.stuck for runner in self.machine.runners):
            return "storm"
        return self.verdict.kind if self.verdict else "running"

    async def _expect_verdict(self, step: ExpectVerdict) -> str | None:
        stuck = [runner for runner in self.machine.runners if runner.stuck]
        if stuck:
            self._marks[stuck[0].number] = len(stuck[0].exits)
        found = self._ending()
        if found == step.verdict:
            return None
        loop = (*(self.verdict.loop if self.verdict else ()), *(stuck[0].stuck if stuck else ()))
        return f"it is {found}{': ' if loop else ''}{' | '.join(loop)}"


_ACTIONS = {
    GuestStep: Play._guest, Enter: Play._enter, Abort: Play._abort, Maintenance: Play._maintenance,
    Inject: Play._inject, SetLine: Play._set_line, Physical: Play._physical, UserStep: Play._user,
    Hammer: Play._hammer, Run: Play._run,
    Discard: Play._discard, Probe: Play._probe,
}  # fmt: skip
_CHECKS = {
    ExpectEntry: Play._expect_entry, ExpectExits: Play._expect_exits, ExpectState: Play._expect_state,
    ExpectHardware: Play._expect_hardware, ExpectList: Play._expect_list,
    ExpectVerdict: Play._expect_verdict, ExpectAll: Play._expect_all,
}  # fmt: skip


def _guest_sees(step: Step) -> bool:
    """Return whether a step's expectation is about what a guest sees: values it reads, and how it ends."""
    return isinstance(step, GuestStep | Run | ExpectVerdict)


async def play(
    scenario: Scenario,
    steps: Steps,
    profile: Profile,
    ports: Sequence[CpuPort],
    spec: MachineSpec | None = None,
    seed: int | None = None,
    system: System | None = None,
) -> Result:
    """Play one sequence under one profile.

    With ``system`` the physical interrupts go through its distributor, and ``ports`` are not used.
    ``spec`` replaces the machine of the scenario; with it, or with a profile the steps are not written for,
    expectations are only noted. A policy that they do not name is judged by what its guests see.
    """
    irqs = None
    if system is not None:
        await system.reset()
        irqs = DistributorInterrupts(system)
        ports = irqs.ports
    else:
        for port in ports:
            await port.reset()
    wanted = spec or steps.machine
    need_time(scenario, steps, wanted, ports)
    machine = build_machine(scenario, wanted, profile, ports, irqs)
    judge = judged_of(profile, steps, spec)
    one = Play(scenario, steps, machine, judge, seed)
    try:
        await one.run()
    finally:
        if irqs is not None:
            await irqs.release()
    status = FAIL if one.problems else OBSERVED if judge == "none" else PASS
    exits = sum((runner.causes for runner in machine.runners), start=type(machine.runners[0].causes)())
    return Result(
        scenario.name, scenario.title, scenario.file, profile.name, status, steps.title, steps.where.line,
        problems=one.problems, notes=one.notes, operations=machine.time,
        entries=sum(runner.entries for runner in machine.runners),
        exits=dict(sorted(exits.items())), log=[str(event) for event in machine.log.events],
        marked=sorted(machine.vm.policy.marked) if machine.vm.policy is not None else [], verdict=one.ended,
    )  # fmt: skip
