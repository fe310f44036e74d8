"""One vCPU's KVM_RUN loop, paced by the recorded lines of its physical CPU (spec section 5).

The thread is a coroutine that stops at every register access until the line that records it arrives. What the
host decided on its own (when to schedule out, when an entry was given up) is taken from the line that comes
next; everything else is our kernel's doing.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hw.config import GicConfig
from sim.hyp_cpuif import vgic_v3_perform_cpuif_access
from sim.kvm.ap_list import ApListSummary
from sim.kvm.arm import check_vcpu_requests, kvm_arm_halt_guest, kvm_arm_resume_guest
from sim.kvm.deactivate import CactiveWrite
from sim.kvm.flush_sync import summarize_and_sort
from sim.kvm.inject import kvm_vgic_inject_irq
from sim.kvm.mmio import vgic_mmio_write_cactive
from sim.kvm.mmio_redist import dispatch_mmio_read, dispatch_mmio_write, vgic_access_active_prepare
from sim.kvm.sysreg import access_gic_dir, access_gic_sgi
from sim.kvm.vm import Vcpu
from sim.port import Access, Lines, Outcome, Response, State
from sim.predict.setup import VTIMER
from sim.trace import Entry, Event, ExceptionTaken, RegisterAccess, RunVcpu
from sim.world_switch import flush_hwstate, kvm_vgic_load, kvm_vgic_put, sync_hwstate

if TYPE_CHECKING:
    from sim.predict.predictor import Predictor

__all__ = ["Halt", "Peek", "Until", "VcpuThread"]


class Peek:
    """The thread wants to see the next line of its CPU."""


class Halt:
    """The thread waits until every other vCPU is out of its guest and synced."""


@dataclass(frozen=True)
class Until:
    """The thread waits for line ``line`` of the recording, or for the next of its own CPU."""

    line: int


@dataclass
class _Wait:
    """Something the thread waits for, as an awaitable."""

    request: Any

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield self.request)


class _LinePort:
    """A CPU port whose accesses wait for their recorded line."""

    def __init__(self, config: GicConfig) -> None:
        self.config = config

    async def access(self, access: Access) -> Response:
        """Wait for the line of this access; its value is the answer."""
        return await _Wait(access)

    async def reset(self) -> None:
        """Do nothing: the recording starts where it starts."""

    async def lines(self) -> Lines:
        """Return idle lines: the recording decides about exits."""
        return Lines(False, False, False)

    async def deactivations(self) -> list[int]:
        """Return nothing: the recorded timer line shows the effect."""
        return []

    async def state(self) -> State:
        """Return an empty state."""
        return State()


class CollectingPort(_LinePort):
    """A CPU port that notes writes; used where nothing is read."""

    def __init__(self, config: GicConfig) -> None:
        super().__init__(config)
        self.accesses: list[Access] = []

    async def access(self, access: Access) -> Response:
        """Note the access and go on at once."""
        self.accesses.append(access)
        return Response(Outcome.OK)


class VcpuThread:
    """A vCPU's run loop.

    Attributes
    ----------
    waiting : Peek, Halt, Until or Access
        What the thread waits for.
    consumed : bool
        The line it was last shown is used up.
    outside : bool
        The vCPU is not in its guest and its list registers are folded.
    """

    def __init__(self, predictor: Predictor, vcpu: Vcpu) -> None:
        self.predictor = predictor
        self.vcpu = vcpu
        self.port = _LinePort(predictor.config)
        self.consumed = False
        self.outside = True
        self.loaded = False
        self.reload_timer = False
        self._summary: ApListSummary | None = None
        self._coroutine = self._run()
        self.waiting: Any = self._coroutine.send(None)

    def resume(self, answer: Any) -> None:
        """Go on with the answer to ``waiting`` up to the next wait."""
        self.waiting = self._coroutine.send(answer)

    async def _peek(self) -> Event:
        return await _Wait(Peek)

    async def _run(self) -> None:
        """Run for ever; what the next line is, says what the host did."""
        while True:
            event = await self._peek()
            if isinstance(event, RunVcpu):
                self.consumed = True
            elif isinstance(event, RegisterAccess):
                if not self.loaded:
                    await kvm_vgic_load(self.port, self.vcpu)
                    self.loaded = self.reload_timer = True
                elif event.write:
                    await self._enter()
                else:
                    await kvm_vgic_put(self.port, self.vcpu)
                    self.loaded = False
            elif isinstance(event, Entry):
                await self._enter()
            else:
                self.consumed = True  # an exception of the host's own

    async def _enter(self) -> None:
        """Flush, compare, and either run the guest up to its exit or give the entry up."""
        vcpu = self.vcpu
        if self.reload_timer:
            # kvm_timer_vcpu_load_gic: the timer's output is made to match what was restored.
            self.reload_timer = False
            level = self.predictor.timer_level(vcpu.vcpu_id)
            kvm_vgic_inject_irq(vcpu.vm, vcpu, VTIMER, level)
        check_vcpu_requests(vcpu)
        self.outside = False
        ours = CollectingPort(self.predictor.config)
        await flush_hwstate(ours, vcpu, self._summary)
        self._summary = None
        theirs: list[RegisterAccess] = []
        event = await self._peek()
        while isinstance(event, RegisterAccess) and event.write:
            theirs.append(event)
            self.consumed = True
            event = await self._peek()
        entered = isinstance(event, Entry)
        self.predictor.compare_entry(self, ours.accesses, theirs, event, entered)
        exit_cause: ExceptionTaken | None = None
        if entered:
            self.consumed = True
            exit_cause = await self._guest()
        await sync_hwstate(self.port, vcpu)
        self.outside = True
        if exit_cause is not None:
            await self._handle_exit(exit_cause)
            early = self.predictor.placements.get(-exit_cause.line)
            if early is not None:
                await _Wait(Until(early))
                check_vcpu_requests(vcpu)
                self._summary = summarize_and_sort(vcpu)

    async def _guest(self) -> ExceptionTaken | None:
        """Run the guest; hyp may handle a trapped access and go straight back."""
        while True:
            event = await self._peek()
            if not isinstance(event, ExceptionTaken) or event.to_el != 2:
                # No exit line: whatever comes next happens outside the guest.
                return None
            self.consumed = True
            if event.kind != "sysreg" or event.register is None:
                return event
            access = await vgic_v3_perform_cpuif_access(
                self.port, self.vcpu, event.register.name, bool(event.write), event.value or 0
            )
            if not access.handled:
                return event
            if not event.write:
                self.predictor.compare_emulated_read(event, access.value)
            after = await self._peek()
            if not isinstance(after, Entry):
                return None
            self.consumed = True

    async def _handle_exit(self, event: ExceptionTaken) -> None:
        """Do what the exit asks for; the list registers are folded by now."""
        vcpu = self.vcpu
        placed = self.predictor.placements.get(event.line)
        if placed is not None:
            await _Wait(Until(placed))
        if event.kind == "mmio" and event.address is not None and event.size is not None:
            await self._mmio(event, event.address, event.size)
        elif event.kind == "sysreg" and event.register is not None and event.write:
            name, value = event.register.name, event.value or 0
            if name == "ICC_DIR_EL1":
                rest = access_gic_dir(vcpu, value)
                if rest is not None:
                    await self._cactive(rest)
            elif name.startswith(("ICC_SGI", "ICC_ASGI")):
                access_gic_sgi(vcpu, name, value)

    async def _mmio(self, event: ExceptionTaken, address: int, size: int) -> None:
        vm = self.vcpu.vm
        stop = vgic_access_active_prepare(self.vcpu, address, size)
        if stop:
            await self._halt()
        if event.write:
            dispatch_mmio_write(self.vcpu, address, size, event.value or 0)
        else:
            value = dispatch_mmio_read(self.vcpu, address, size)
            if value is not None and event.value is not None:
                self.predictor.compare_mmio_read(event, value)
        if stop:
            kvm_arm_resume_guest(vm)

    async def _cactive(self, rest: CactiveWrite) -> None:
        await self._halt()
        vgic_mmio_write_cactive(self.vcpu, rest.offset, 4, rest.value)
        kvm_arm_resume_guest(self.vcpu.vm)

    async def _halt(self) -> None:
        kvm_arm_halt_guest(self.vcpu.vm)
        await _Wait(Halt)
