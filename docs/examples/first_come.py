"""The smallest policy: first come, first served, and nothing is ever taken out of a list register."""

from sim.kvm.regs import HCR
from sim.policy.interface import Policy


class FirstCome(Policy):
    """Fill free list registers in the order of arrival."""

    title = "first come, first served"

    def enter(self, vcpu, lrs):
        """Serve who waits, and ask for an exit when the registers run low while somebody still does."""
        waiting = [irq for irq in self.wanted(vcpu) if lrs.where(irq) is None]
        while waiting and (n := lrs.free()) is not None:
            lrs.put(n, waiting.pop(0))
        return HCR.UIE if waiting else 0
