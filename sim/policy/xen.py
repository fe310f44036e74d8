"""A Xen-like policy: an interrupt keeps its list register until the guest is done with it.

Written from the behaviour of Xen's default vGIC for Arm, not from its text. What waits has a queue in order
of priority. At an entry the queue is served into free list registers; when there is none, the least urgent
interrupt that is pending in one, and was not seen active, makes room for a more urgent one. Nothing active is
ever taken out, so no end and no deactivation can miss, and EOIcount is of no interest. While the queue is not
empty and every register is taken, UIE asks for an exit when at most one is left in use.

What follows from that:

* X1: with every list register active, a more urgent interrupt has no way in, and UIE does not fire either.
* X2: DIR is not trapped; one for an interrupt in another vCPU's list register is lost.
* X3: with one list register UIE is true at the entry it is set for: an exit storm.

Left out: Group 0, which guests are not offered; LRs are written at the next entry, not at once.
"""

from __future__ import annotations

from typing import ClassVar

from sim.kvm.irq import VgicIrq
from sim.kvm.regs import HCR
from sim.kvm.vm import Vcpu
from sim.policy.interface import Policy
from sim.policy.registers import ListRegisters

__all__ = ["Xen"]


class Xen(Policy):
    """Queue by priority, evict only what is pending, never what is active."""

    title: ClassVar[str] = "Xen-like: an active interrupt keeps its list register"
    untrapped_dir: ClassVar[str] = "X2"

    def enter(self, vcpu: Vcpu, lrs: ListRegisters) -> int:
        """Serve the queue, and ask for an underflow interrupt if something is left in it."""
        queue = self._queue(vcpu, lrs)
        while queue:
            n = lrs.free()
            if n is None:
                n = self._victim(lrs, queue[0])
                if n is None:
                    break
            evicted = lrs.take(n)
            lrs.put(n, queue.pop(0))
            if evicted is not None:
                queue.append(evicted)
                queue.sort(key=lambda irq: irq.priority)
        self.unmark("X1", vcpu)
        for irq in queue:
            self.mark("X1", vcpu, irq)
        if queue and len(lrs.irqs) == 1:
            self.mark("X3", vcpu)
        return HCR.UIE if queue else 0

    def _queue(self, vcpu: Vcpu, lrs: ListRegisters) -> list[VgicIrq]:
        """Return what waits outside the list registers, most urgent first, then in order of arrival."""
        outside = [irq for irq in self.wanted(vcpu) if lrs.where(irq) is None]
        return sorted(outside, key=lambda irq: irq.priority)

    def _victim(self, lrs: ListRegisters, irq: VgicIrq) -> int | None:
        """Return the register of the least urgent pending interrupt, if it is less urgent than ``irq``."""
        pending = [n for n, one in enumerate(lrs.irqs) if not one.active]
        worst = max(pending, key=lambda n: lrs.irqs[n].priority, default=None)
        if worst is None or lrs.irqs[worst].priority <= irq.priority:
            return None
        return worst
