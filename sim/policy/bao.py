"""A Bao-like policy: what does not fit is spilled, active interrupts too, and EOIcount brings back their end.

Written from the behaviour of Bao's Armv8 vGIC as of July 2026, not from its text. An interrupt gets a list
register when it is injected. If none is free it displaces one that is less urgent (a higher number counts as
less): a pending one while two or more are pending in the registers, else an active one. What is displaced, or
finds nobody to displace, goes to the list of the spilled: one for each vCPU's private interrupts, one of the
whole VM for SPIs. NPIE is set whenever something is spilled, UIE when a register was emptied for it, LRENPIE
always.

Only a maintenance interrupt brings the spilled back. No pending interrupt in the registers (NP), or at most
one interrupt (U): free registers are filled, most urgent first, for NP beginning with a pending one; when
nothing is left, NPIE and UIE are cleared. Ends that found no register (LRENP): for each of EOIcount the most
urgent spilled active interrupt is deactivated.

What follows from that, with the numbers of the reports:

* B1, the no-pending storm (bao-hypervisor pull request 398): with every register active and something spilled
  no register is free, so the refill does nothing, NPIE stays, and NP is true again before the guest can end
  anything.
* B2, the lost end (issue 371): an active interrupt that is disabled is taken out and not spilled; its EOI
  finds nobody, and when it is enabled again it is active for ever.
* B3, another lost end: the spilled list of SPIs is the VM's; when the most urgent active one is another
  vCPU's, nothing is deactivated.
* B4, and another: a late exit finds U or NP together with LRENP, and refills first. What the guest has ended
  is in a register again when its end is looked for.
* B5: DIR is not trapped; in EOImode 1 EOIcount says how many were deactivated, not which.
* B6: a lone pending interrupt is never displaced, and registers are refilled at NP and U only: a more urgent
  one may wait outside.

Left out: a refill that comes upon another vCPU's active interrupt looks at it again and again; here it passes
over. There is no Group 0, no ITS and no LPI.
"""

from __future__ import annotations

from typing import ClassVar

from sim.kvm.irq import VGIC_NR_PRIVATE_IRQS, VgicIrq
from sim.kvm.regs import HCR, VMCR
from sim.kvm.vm import Vcpu, Vm
from sim.policy.interface import Policy
from sim.policy.registers import Exit, ListRegisters

__all__ = ["Bao"]


def _rank(irq: VgicIrq) -> tuple[int, int]:
    """Return the place of an interrupt in the order of urgency: lower first."""
    return irq.priority, irq.intid


class Bao(Policy):
    """Spill the less urgent, active or pending; refill at maintenance interrupts only."""

    title: ClassVar[str] = "Bao-like: spills active interrupts, refills at NP and U"
    untrapped_dir: ClassVar[str] = "B5"

    def __init__(self, vm: Vm):
        super().__init__(vm)
        self._shared: list[VgicIrq] = []
        self._spiller: dict[VgicIrq, Vcpu] = {}
        self._private: dict[Vcpu, list[VgicIrq]] = {vcpu: [] for vcpu in vm.vcpus}
        self._hcr = dict.fromkeys(vm.vcpus, HCR.LRENPIE)

    # -- the spilled -----------------------------------------------------------------------------------

    def _spill(self, vcpu: Vcpu, irq: VgicIrq) -> None:
        self._list(vcpu, irq).append(irq)
        self._spiller[irq] = vcpu
        self._hcr[vcpu] |= HCR.NPIE

    def _list(self, vcpu: Vcpu, irq: VgicIrq) -> list[VgicIrq]:
        return self._private[vcpu] if irq.intid < VGIC_NR_PRIVATE_IRQS else self._shared

    def _spilled(self, vcpu: Vcpu) -> list[VgicIrq]:
        return [*self._private[vcpu], *self._shared]

    def _most_urgent(self, vcpu: Vcpu, active: bool, pending: bool, mine: bool = False) -> VgicIrq | None:
        """Return the most urgent spilled interrupt, active or pending as asked for, be it another vCPU's."""
        found = [
            irq for irq in self._spilled(vcpu)
            if ((active and irq.active) or (pending and self.pending(irq))) and (irq.vcpu is vcpu or not mine)
        ]  # fmt: skip
        return min(found, key=_rank, default=None)

    # -- an exit ---------------------------------------------------------------------------------------

    def leave(self, vcpu: Vcpu, lrs: ListRegisters, exit: Exit) -> None:
        """Do what the maintenance handler does, in its order: refill, then EOIcount."""
        if exit.causes & {"NP", "U"}:
            self._refill(vcpu, lrs, "NP" in exit.causes, exit.eoicount > 0)
        for _ in range(exit.eoicount):
            if vcpu.cpu_if.vgic_vmcr & VMCR.VEOIM:
                self.mark("B5", vcpu)
            irq = self._most_urgent(vcpu, active=True, pending=False)
            if irq is not None and irq.vcpu is vcpu:
                self._list(vcpu, irq).remove(irq)
                lrs.deactivate(irq)  # what is pending, too, is routed again at the entry
            elif irq is not None:
                self.mark("B3", vcpu, irq)

    def _refill(self, vcpu: Vcpu, lrs: ListRegisters, pending_first: bool, ended: bool) -> None:
        if lrs.free() is None and self._spilled(vcpu):
            self.mark("B1", vcpu)
        while (n := lrs.free()) is not None:
            irq = self._most_urgent(vcpu, active=not pending_first, pending=True, mine=True)
            if irq is None:
                self._hcr[vcpu] &= ~(HCR.NPIE | HCR.UIE)
                return
            pending_first = False
            self._list(vcpu, irq).remove(irq)
            lrs.put(n, irq)
            if irq.active and ended:
                self.mark("B4", vcpu, irq)

    # -- an entry --------------------------------------------------------------------------------------

    def enter(self, vcpu: Vcpu, lrs: ListRegisters) -> int:
        """Take out what was disabled, and inject what has come since the last run, in the order it came."""
        for n, irq in enumerate(lrs.irqs):
            if irq is not None and not irq.enabled:
                lrs.take(n)
                if irq.active:
                    self.mark("B2", vcpu, irq)  # it is not spilled either
        for spilled in (self._shared, self._private[vcpu]):  # idle, or routed elsewhere
            spilled[:] = [irq for irq in spilled if irq.vcpu is self._spiller[irq]]
        for irq in self.wanted(vcpu):
            if irq.enabled and lrs.where(irq) is None and irq not in self._spilled(vcpu):
                self._inject(vcpu, lrs, irq)
        self.unmark("B6", vcpu)
        for irq in self._spilled(vcpu):
            if self.pending(irq):
                self.mark("B6", vcpu, irq)
        return self._hcr[vcpu]

    def _inject(self, vcpu: Vcpu, lrs: ListRegisters, irq: VgicIrq) -> None:
        n = lrs.free()
        if n is None:
            n = self._victim(lrs, irq)
            if n is not None:
                self._spill(vcpu, lrs.take(n))
                self._hcr[vcpu] |= HCR.UIE
        if n is None:
            self._spill(vcpu, irq)
        else:
            lrs.put(n, irq)

    def _victim(self, lrs: ListRegisters, irq: VgicIrq) -> int | None:
        """Return the register to be emptied for ``irq``, or None when everything in them is more urgent."""
        active = [n for n, one in enumerate(lrs.irqs) if one.active]
        pending = [n for n, one in enumerate(lrs.irqs) if not one.active]
        candidates = pending if len(pending) > 1 else active
        worst = max(candidates, key=lambda n: _rank(lrs.irqs[n]), default=None)
        return None if worst is None or _rank(lrs.irqs[worst]) < _rank(irq) else worst
