"""CPU-interface registers emulated in hyp, between an exit and the re-entry (spec sections 12.2, 15.4).

Runs only where some trap bit is constant (``Host.cpuif_trap``). It works on the live ICH registers, in the
kernel's order of accesses; what it does not handle goes through a full exit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hw.registers import BY_NAME
from sim.kvm.irq import VGIC_MIN_LPI
from sim.kvm.regs import HCR, LR_A, LR_GROUP1, LR_HW, LR_P, LR_STATE, VMCR, lr_intid, lr_pintid, lr_priority
from sim.kvm.vm import Vcpu
from sim.port import CpuPort, read, write
from sim.world_switch import ICH_AP0R, ICH_AP1R, ICH_HCR, ICH_LR, ICH_VMCR, ICH_VTR

__all__ = ["Emulated", "vgic_v3_perform_cpuif_access"]

_SPURIOUS = 1023
_IDLE = 0xFF
_EOICOUNT_ONE = 1 << BY_NAME["ICH_HCR_EL2"].field("EOIcount").lsb
_VMCR_FIELDS = {field.name: field for field in BY_NAME["ICH_VMCR_EL2"].fields}


@dataclass(frozen=True)
class Emulated:
    """What became of a trapped access: ``undef`` when the guest gets an UNDEFINED exception for it."""

    handled: bool
    value: int = 0
    undef: bool = False


_FULL_EXIT = Emulated(False)


@dataclass
class _Access:
    """One access being emulated: the register file and the vCPU it concerns."""

    port: CpuPort
    vcpu: Vcpu
    group: int
    index: int
    value: int
    vmcr: int = 0

    @property
    def min_bpr1(self) -> int:
        """Smallest BPR1 (``__vgic_v3_bpr_min``)."""
        return self.port.config.min_bpr1

    async def vtr(self) -> None:
        """Read VTR where the kernel does not remember it."""
        if not self.vcpu.vm.profile.vtr_cached:
            await read(self.port, 2, ICH_VTR)

    def bpr(self, group: int) -> int:
        """Return the binary point of a group as it splits priorities."""
        bpr0 = _VMCR_FIELDS["VBPR0"].get(self.vmcr)
        if not group:
            return bpr0
        if self.vmcr & VMCR.VCBPR:
            return min(bpr0 + 1, 7)
        return _VMCR_FIELDS["VBPR1"].get(self.vmcr)

    def pri_to_pre(self, priority: int) -> int:
        """Return the preemption level of a priority in the access's group."""
        return priority & 0xFF << (self.bpr(self.group) + (0 if self.group else 1)) & 0xFF

    def put_vmcr(self, name: str, value: int) -> None:
        """Replace a field of VMCR."""
        self.vmcr = _VMCR_FIELDS[name].put(self.vmcr, value)

    async def write_vmcr(self) -> None:
        """Write VMCR to the hardware."""
        await write(self.port, 2, ICH_VMCR, self.vmcr)

    async def highest_priority_lr(self) -> tuple[int, int]:
        """Return (index, value) of the most urgent pending LR of an enabled group, or (-1, spurious)."""
        best, found = _IDLE, (-1, _SPURIOUS)
        for n in range(self.vcpu.cpu_if.used_lrs):
            lr = await read(self.port, 2, ICH_LR[n])
            if lr & LR_STATE != LR_P:
                continue
            if not self.vmcr & (VMCR.VENG1 if lr & LR_GROUP1 else VMCR.VENG0):
                continue
            if lr_priority(lr) < best:
                best, found = lr_priority(lr), (n, lr)
        return found

    async def find_active_lr(self, intid: int) -> tuple[int, int]:
        """Return (index, value) of the LR in which ``intid`` is active, or (-1, spurious)."""
        for n in range(self.vcpu.cpu_if.used_lrs):
            lr = await read(self.port, 2, ICH_LR[n])
            if lr_intid(lr) == intid and lr & LR_A:
                return n, lr
        return -1, _SPURIOUS

    async def clear_active_lr(self, n: int, lr: int) -> None:
        """Deactivate in an LR, and the physical interrupt behind it."""
        if lr & LR_HW:
            self.vcpu.vm.host.irqs.vgic_v3_deactivate_phys(lr_pintid(lr))
        await write(self.port, 2, ICH_LR[n], lr & ~LR_A)

    async def highest_active_priority(self) -> int:
        """Return the running priority, 0xFF when idle."""
        await self.vtr()
        for n in range(self.port.config.apr_words):
            bits = await read(self.port, 2, ICH_AP0R[n]) | await read(self.port, 2, ICH_AP1R[n])
            if bits:
                await self.vtr()
                return 32 * n + _lowest(bits) << self.min_bpr1
        return _IDLE

    async def clear_highest_active_priority(self) -> int:
        """Drop the running priority of whatever group; return what it was, 0xFF when idle."""
        await self.vtr()
        for n in range(self.port.config.apr_words):
            ap0 = await read(self.port, 2, ICH_AP0R[n])
            ap1 = await read(self.port, 2, ICH_AP1R[n])
            if not ap0 and not ap1:
                continue
            c0, c1 = _lowest(ap0), _lowest(ap1)
            if c0 < c1:
                await write(self.port, 2, ICH_AP0R[n], ap0 & ~(1 << c0))
            else:
                await write(self.port, 2, ICH_AP1R[n], ap1 & ~(1 << c1))
            await self.vtr()
            return 32 * n + min(c0, c1) << self.min_bpr1
        return _IDLE

    async def bump_eoicount(self) -> None:
        """Count a deactivation that found no LR."""
        hcr = await read(self.port, 2, ICH_HCR)
        await write(self.port, 2, ICH_HCR, hcr + _EOICOUNT_ONE & 0xFFFF_FFFF)


def _lowest(bits: int) -> int:
    """Return the number of the lowest set bit; 32 if there is none."""
    return (bits & -bits).bit_length() - 1 if bits else 32


async def _read_iar(a: _Access) -> Emulated:
    """IAR. The running priority is compared as it is (R9), unless ``emulated_preemption`` cures that."""
    n, lr = await a.highest_priority_lr()
    if n < 0 or bool(lr & LR_GROUP1) != bool(a.group):
        return Emulated(True, _SPURIOUS)
    priority = lr_priority(lr)
    if _VMCR_FIELDS["VPMR"].get(a.vmcr) <= priority:
        return Emulated(True, _SPURIOUS)
    running = await a.highest_active_priority()
    if running != _IDLE and a.vcpu.vm.profile.emulated_preemption:
        running = a.pri_to_pre(running)
    if running <= a.pri_to_pre(priority):
        return Emulated(True, _SPURIOUS)
    await write(a.port, 2, ICH_LR[n], lr & ~LR_STATE | LR_A)
    await a.vtr()
    word, bit = divmod(a.pri_to_pre(priority) >> a.min_bpr1, 32)
    register = (ICH_AP1R if a.group else ICH_AP0R)[word]
    await write(a.port, 2, register, await read(a.port, 2, register) | 1 << bit)
    return Emulated(True, lr_intid(lr))


async def _read_hppir(a: _Access) -> Emulated:
    n, lr = await a.highest_priority_lr()
    if n < 0 or bool(lr & LR_GROUP1) != bool(a.group):
        return Emulated(True, _SPURIOUS)
    return Emulated(True, lr_intid(lr))


async def _write_eoir(a: _Access) -> Emulated:
    """EOIR. The count rises before EOImode is looked at (22.7), unless ``emulated_eoicount`` cures that."""
    dropped = await a.clear_highest_active_priority()
    is_lpi = a.value >= VGIC_MIN_LPI
    n, lr = await a.find_active_lr(a.value)
    if n < 0:
        drop_only = a.vmcr & VMCR.VEOIM and a.vcpu.vm.profile.emulated_eoicount
        if not is_lpi and not drop_only:
            await a.bump_eoicount()
        return Emulated(True)
    if a.vmcr & VMCR.VEOIM and not is_lpi:
        return Emulated(True)
    if bool(lr & LR_GROUP1) == bool(a.group) and a.pri_to_pre(lr_priority(lr)) == dropped:
        await a.clear_active_lr(n, lr)
    return Emulated(True)


async def _write_dir(a: _Access) -> Emulated:
    """DIR: handled here if the interrupt is in one of our LRs; else the kernel looks for it (m32)."""
    profile = a.vcpu.vm.profile
    if not a.vmcr & VMCR.VEOIM or a.value >= VGIC_MIN_LPI:
        return Emulated(True)
    kernel = bool(a.vcpu.cpu_if.vgic_hcr & HCR.TDIR)
    if kernel and not profile.dir_in_hyp:
        return _FULL_EXIT
    n, lr = await a.find_active_lr(a.value)
    if n >= 0:
        await a.clear_active_lr(n, lr)
        return Emulated(True)
    if kernel:
        return _FULL_EXIT
    await a.bump_eoicount()
    return Emulated(True)


async def _read_rpr(a: _Access) -> Emulated:
    return Emulated(True, await a.highest_active_priority())


async def _read_ctlr(a: _Access) -> Emulated:
    config = a.port.config
    value = (
        (config.pri_bits - 1) << 8 | int(config.id_bits == 24) << 11 | config.seis << 14 | config.a3v << 15
    )
    value |= _VMCR_FIELDS["VCBPR"].get(a.vmcr) | _VMCR_FIELDS["VEOIM"].get(a.vmcr) << 1
    return Emulated(True, value)


async def _write_ctlr(a: _Access) -> Emulated:
    a.put_vmcr("VCBPR", a.value & 1)
    a.put_vmcr("VEOIM", a.value >> 1 & 1)
    await a.write_vmcr()
    return Emulated(True)


async def _read_pmr(a: _Access) -> Emulated:
    return Emulated(True, _VMCR_FIELDS["VPMR"].get(a.vmcr))


async def _write_pmr(a: _Access) -> Emulated:
    a.put_vmcr("VPMR", a.value & 0xFF)
    await a.write_vmcr()
    return Emulated(True)


async def _read_bpr(a: _Access) -> Emulated:
    return Emulated(True, a.bpr(a.group))


async def _write_bpr(a: _Access) -> Emulated:
    if a.group and a.vmcr & VMCR.VCBPR:
        return Emulated(True)
    await a.vtr()
    a.put_vmcr(f"VBPR{a.group}", max(a.value, a.min_bpr1 - (0 if a.group else 1)) & 7)
    await a.write_vmcr()
    return Emulated(True)


async def _read_igrpen(a: _Access) -> Emulated:
    return Emulated(True, _VMCR_FIELDS[f"VENG{a.group}"].get(a.vmcr))


async def _write_igrpen(a: _Access) -> Emulated:
    a.put_vmcr(f"VENG{a.group}", a.value & 1)
    await a.write_vmcr()
    return Emulated(True)


async def _read_apr(a: _Access) -> Emulated:
    return Emulated(True, await read(a.port, 2, (ICH_AP1R if a.group else ICH_AP0R)[a.index]))


async def _write_apr(a: _Access) -> Emulated:
    await write(a.port, 2, (ICH_AP1R if a.group else ICH_AP0R)[a.index], a.value)
    return Emulated(True)


_Handler = Callable[[_Access], Awaitable[Emulated]]
#: (register, direction) -> (handler, group, word).
_HANDLERS: dict[tuple[str, bool], tuple[_Handler, int, int]] = {
    ("ICC_PMR_EL1", False): (_read_pmr, 0, 0),
    ("ICC_PMR_EL1", True): (_write_pmr, 0, 0),
    ("ICC_CTLR_EL1", False): (_read_ctlr, 0, 0),
    ("ICC_CTLR_EL1", True): (_write_ctlr, 0, 0),
    ("ICC_RPR_EL1", False): (_read_rpr, 0, 0),
    ("ICC_DIR_EL1", True): (_write_dir, 0, 0),
}
for _group in (0, 1):
    _HANDLERS |= {
        (f"ICC_IAR{_group}_EL1", False): (_read_iar, _group, 0),
        (f"ICC_HPPIR{_group}_EL1", False): (_read_hppir, _group, 0),
        (f"ICC_EOIR{_group}_EL1", True): (_write_eoir, _group, 0),
        (f"ICC_BPR{_group}_EL1", False): (_read_bpr, _group, 0),
        (f"ICC_BPR{_group}_EL1", True): (_write_bpr, _group, 0),
        (f"ICC_IGRPEN{_group}_EL1", False): (_read_igrpen, _group, 0),
        (f"ICC_IGRPEN{_group}_EL1", True): (_write_igrpen, _group, 0),
    }
    for _word in range(4):
        _HANDLERS |= {
            (f"ICC_AP{_group}R{_word}_EL1", False): (_read_apr, _group, _word),
            (f"ICC_AP{_group}R{_word}_EL1", True): (_write_apr, _group, _word),
        }
#: The registers TC traps, which a protected guest got UNDEFINED before m05.
_COMMON = ("ICC_PMR_EL1", "ICC_CTLR_EL1", "ICC_RPR_EL1", "ICC_DIR_EL1")


async def vgic_v3_perform_cpuif_access(
    port: CpuPort, vcpu: Vcpu, register: str, is_write: bool, value: int = 0
) -> Emulated:
    """Emulate a trapped CPU-interface access of a GICv3 guest, if hyp can.

    Parameters
    ----------
    port : CpuPort
        The CPU the vCPU was running on; its ICH registers are live.
    vcpu : Vcpu
        The vCPU.
    register : str
        The trapped register's ICC name.
    is_write : bool
        Direction.
    value : int
        Operand of a write.

    Returns
    -------
    Emulated
        With ``handled`` False the access needs a full exit.
    """
    vm = vcpu.vm
    if vm.protected and register in _COMMON and not vm.profile.pkvm_traps:
        return Emulated(True, undef=True)
    if not vm.host.cpuif_trap or (register, is_write) not in _HANDLERS:
        return _FULL_EXIT
    handler, group, index = _HANDLERS[register, is_write]
    access = _Access(port, vcpu, group, index, value & 0xFFFF_FFFF)
    access.vmcr = await read(port, 2, ICH_VMCR)
    return await handler(access)
