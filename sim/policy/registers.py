"""One vCPU's list registers, as a policy sees them, and the world switch that carries them there."""

from __future__ import annotations

from hw.mmio_map import MMIO_BY_NAME
from hw.registers import BY_NAME
from sim.kvm.interface import vgic_compute_inactive_lr, vgic_deactivate_phys, vgic_fold_lr
from sim.kvm.irq import VgicIrq
from sim.kvm.lr import claim_pending, vgic_v3_compute_lr
from sim.kvm.lr_v2 import vgic_v2_compute_lr
from sim.kvm.regs import HCR, LR_P, LR_STATE, hcr_eoicount
from sim.kvm.regs_v2 import GICH_LR_PENDING_BIT, GICH_LR_STATE
from sim.kvm.vm import Vcpu
from sim.notation import misr_names
from sim.port import CpuPort, read, write

__all__ = ["Exit", "ListRegisters"]


class Exit:
    """What an exit found.

    Attributes
    ----------
    causes : frozenset of str
        The bits of ICH_MISR_EL2: ``EOI``, ``U``, ``LRENP``, ``NP``, ``VGrp0E`` and so on; empty when no
        maintenance interrupt is due.
    eoicount : int, 0..31
        ICH_HCR_EL2.EOIcount: ends or deactivations that found no list register.
    """

    def __init__(self, misr: int, eoicount: int):
        self.causes = frozenset(misr_names(misr))
        self.eoicount = eoicount


class ListRegisters:
    """The list registers of one vCPU: which interrupt is in which.

    After an exit every register has been read back: an interrupt's ``active`` and its pending state say what
    the guest has done, and what it has finished has left its register. What a policy puts in, moves or takes
    out is written at the next entry; a register whose value has not changed is not written again.

    Attributes
    ----------
    irqs : list of VgicIrq or None
        The interrupt of each list register.
    """

    def __init__(self, vcpu: Vcpu):
        self._vcpu = vcpu
        self.irqs: list[VgicIrq | None] = [None] * vcpu.nr_lr
        #: What the hardware holds, as far as is known.
        self._held = [0] * vcpu.nr_lr
        self._v2 = vcpu.vm.host.gicv2
        table = MMIO_BY_NAME if self._v2 else BY_NAME
        prefix, suffix = ("GICH_", "") if self._v2 else ("ICH_", "_EL2")
        self._hcr = table[f"{prefix}HCR{suffix}"]
        self._misr = table[f"{prefix}MISR{suffix}"]
        self._lr = [table[f"{prefix}LR{n}{suffix}"] for n in range(vcpu.nr_lr)]
        names = [f"ELRSR{n}" for n in range(1 + (vcpu.nr_lr > 32))] if self._v2 else ["ELRSR"]
        self._elrsr = [table[f"{prefix}{name}{suffix}"] for name in names]
        self._state = GICH_LR_STATE if self._v2 else LR_STATE

    # -- for policies ----------------------------------------------------------------------------------

    def free(self) -> int | None:
        """Return the number of an unused list register, or None."""
        return next((n for n, irq in enumerate(self.irqs) if irq is None), None)

    def where(self, irq: VgicIrq) -> int | None:
        """Return the number of the list register an interrupt is in, or None."""
        return next((n for n, one in enumerate(self.irqs) if one is irq), None)

    def put(self, n: int, irq: VgicIrq) -> None:
        """Give list register ``n`` to an interrupt; whoever had it is outside from now on.

        Raises
        ------
        ValueError
            When there is no such register, or the interrupt is in one already.
        """
        if not 0 <= n < len(self.irqs):
            raise ValueError(f"list register {n}: there are {len(self.irqs)}")
        if self.where(irq) is not None:
            raise ValueError(f"interrupt {irq.intid} is in list register {self.where(irq)} already")
        self.irqs[n] = irq

    def take(self, n: int) -> VgicIrq | None:
        """Empty list register ``n`` and return who had it."""
        irq, self.irqs[n] = self.irqs[n], None
        return irq

    def deactivate(self, irq: VgicIrq) -> None:
        """End the active state of an interrupt outside the list registers, the physical one's with it."""
        value = vgic_compute_inactive_lr(self._vcpu, irq)
        vgic_deactivate_phys(self._vcpu, value)
        self._vcpu.vm.walked.append(irq.intid)
        vgic_fold_lr(self._vcpu, value)

    # -- the world switch ------------------------------------------------------------------------------

    async def read_back(self, port: CpuPort) -> Exit:
        """Read what the guest has left: every list register in use, EOIcount if it is of use, and MISR."""
        misr = await read(port, 2, self._misr)
        used = [n for n, irq in enumerate(self.irqs) if irq is not None]
        empty = 0
        if used:
            for n, register in enumerate(self._elrsr):
                empty |= await read(port, 2, register) << 32 * n
        for n in used:
            if empty >> n & 1:
                self._held[n] &= ~self._state
            else:
                self._held[n] = await read(port, 2, self._lr[n])
            vgic_fold_lr(self._vcpu, self._held[n])
            if not self._held[n] & self._state:
                self.irqs[n] = None
        shadow, count = self._vcpu.cpu_if, 0
        if shadow.vgic_hcr & HCR.LRENPIE:
            count = hcr_eoicount(await read(port, 2, self._hcr))
            shadow.vgic_hcr = shadow.vgic_hcr & ~HCR.EOIcount | count * (HCR.EOIcount & -HCR.EOIcount)
        return Exit(misr, count)

    def drop_strangers(self) -> None:
        """Take out what has left this vCPU's list: it is idle, or another vCPU's now."""
        for n, irq in enumerate(self.irqs):
            if irq is not None and irq.vcpu is not self._vcpu:
                self.irqs[n] = None

    async def write_out(self, port: CpuPort, hcr: int) -> None:
        """Write the list registers that changed, then HCR with EOIcount 0."""
        shadow = self._vcpu.cpu_if
        for n, irq in enumerate(self.irqs):
            value = 0 if irq is None else self._value(irq)
            if not value & self._state:
                self.irqs[n], value = None, 0
            if value != self._held[n]:
                await write(port, 2, self._lr[n], value)
            self._held[n] = shadow.vgic_lr[n] = value
        shadow.used_lrs = len(self.irqs)
        shadow.vgic_hcr = hcr
        await write(port, 2, self._hcr, hcr)

    def _value(self, irq: VgicIrq) -> int:
        """Return an interrupt's LR value; its pending state moves into the register."""
        value = (vgic_v2_compute_lr if self._v2 else vgic_v3_compute_lr)(self._vcpu, irq)
        if value & (GICH_LR_PENDING_BIT if self._v2 else LR_P):
            claim_pending(irq)
        irq.on_lr = bool(value & self._state)
        return value

    async def clear(self, port: CpuPort) -> None:
        """Leave the hardware empty for another vCPU; memory keeps everything."""
        for n, value in enumerate(self._held):
            if value:
                await write(port, 2, self._lr[n], 0)
        self._held = [0] * len(self._held)
        await write(port, 2, self._hcr, 0)
