"""The virtual machine: vCPUs, their CPU-interface shadow, and the distributor (spec sections 3.2, 3.3).

Everything is memory. The effects that leave it are visible as data: ``Vcpu.requests`` and
``Vcpu.kicked`` (the machine must make a running vCPU exit, or wake a blocked one), ``Vm.acked`` (resample
notifications) and ``Host.irqs`` (physical deactivations).
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from sim.kvm.host import Host
from sim.kvm.irq import VGIC_NR_PRIVATE_IRQS, VGIC_NR_SGIS, Config, VgicIrq, VgicModel
from sim.kvm.profile import CURES, PROFILES, Profile
from sim.kvm.regs import HCR

if TYPE_CHECKING:
    from sim.port import CpuPort

__all__ = [
    "LrPolicy",
    "Mode",
    "Request",
    "Vcpu",
    "VgicDist",
    "VgicV2CpuIf",
    "VgicV3CpuIf",
    "Vm",
    "vgic_v2_reset",
    "vgic_v3_reset",
]


class Request(enum.Enum):
    """vCPU requests the vgic uses (KVM_REQ_*)."""

    IRQ_PENDING = "KVM_REQ_IRQ_PENDING"
    VGIC_PROCESS_UPDATE = "KVM_REQ_VGIC_PROCESS_UPDATE"
    SLEEP = "KVM_REQ_SLEEP"


class Mode(enum.Enum):
    """``vcpu->mode`` as far as it decides what a kick does."""

    OUTSIDE_GUEST_MODE = 0
    IN_GUEST_MODE = 1


@dataclass(slots=True)
class VgicV3CpuIf:
    """Shadow of the virtual CPU interface (``struct vgic_v3_cpu_if``): what KVM believes between runs."""

    vgic_hcr: int = 0
    vgic_vmcr: int = 0
    vgic_ap0r: list[int] = field(default_factory=lambda: [0] * 4)
    vgic_ap1r: list[int] = field(default_factory=lambda: [0] * 4)
    vgic_lr: list[int] = field(default_factory=lambda: [0] * 16)
    used_lrs: int = 0


@dataclass(slots=True)
class VgicV2CpuIf:
    """The same on a GICv2 host (``struct vgic_v2_cpu_if``).

    The bits of GICH_HCR and GICH_VMCR that KVM uses are where ICH_HCR_EL2 and ICH_VMCR_EL2 have them
    (section 2); list registers have 32 bits and a layout of their own.
    """

    vgic_hcr: int = 0
    vgic_vmcr: int = 0
    vgic_apr: int = 0
    vgic_lr: list[int] = field(default_factory=lambda: [0] * 64)
    used_lrs: int = 0


@dataclass(slots=True, eq=False)
class Vcpu:
    """One virtual CPU.

    Parameters
    ----------
    vcpu_id : int
        Number; its affinity is derived from it (``mpidr``).
    vm : Vm
        The VM it belongs to.
    cpu : int
        Physical CPU it is loaded on; decides which ``last_lr_irq`` it uses.
    requests : set of Request
        Pending requests; the run loop serves them before an entry.
    kicked : bool
        Set by ``kvm_vcpu_kick``: the machine must force an exit or wake the vCPU, and clear it.
    kicks : int
        How often it was kicked.
    awaited : bool
        Somebody waits until it has left its guest (``kvm_make_request_wait``).
    max_lrs : int or None, 1..16
        List registers it may use, as a realm's creation decides; None: all the host has.
    """

    vcpu_id: int
    vm: Vm
    cpu: int = 0
    private_irqs: list[VgicIrq] = field(default_factory=list)
    ap_list: list[VgicIrq] = field(default_factory=list)
    overflow_ap_list: list[VgicIrq] = field(default_factory=list)
    cpu_if: VgicV3CpuIf | VgicV2CpuIf = field(default_factory=VgicV3CpuIf)
    lpis_enabled: bool = False
    requests: set[Request] = field(default_factory=set)
    mode: Mode = Mode.OUTSIDE_GUEST_MODE
    kicked: bool = False
    kicks: int = 0
    awaited: bool = False
    paused: bool = False
    max_lrs: int | None = None

    @property
    def nr_lr(self) -> int:
        """Number of list registers it has: the host's, or fewer (cca-lrs)."""
        nr_lr = self.vm.host.nr_lr
        limited = self.max_lrs is not None and self.vm.profile.vcpu_nr_lr
        return min(nr_lr, self.max_lrs) if limited else nr_lr

    @property
    def mpidr(self) -> int:
        """Affinity as in MPIDR_EL1: sixteen vCPUs to a cluster."""
        return (self.vcpu_id & 0xF) | (self.vcpu_id >> 4 & 0xFF) << 8 | (self.vcpu_id >> 12 & 0xFF) << 16

    def __repr__(self) -> str:
        return f"<vCPU{self.vcpu_id}>"


@dataclass(slots=True)
class VgicDist:
    """The distributor (``struct vgic_dist``)."""

    enabled: bool = False
    initialized: bool = True
    nr_spis: int = 96
    spis: list[VgicIrq] = field(default_factory=list)
    lpis: dict[int, VgicIrq] = field(default_factory=dict)
    active_spis: int = 0
    #: Numbers of the vCPUs whose DIR must trap (cure ``tdir_by_route``); None: not decided yet.
    tdir_vcpus: frozenset[int] | None = None
    implementation_rev: int = 3
    has_its: bool = False
    vgic_dist_base: int = 0x0800_0000
    vgic_redist_base: int = 0x080A_0000
    vgic_cpu_base: int = 0x0801_0000


class LrPolicy(Protocol):
    """What the world switch asks of another hypervisor's algorithm (:mod:`sim.policy.interface`)."""

    marked: set[str]

    async def entering(self, port: CpuPort, vcpu: Vcpu) -> None:
        """Choose what goes into the list registers, and write it."""

    async def left(self, port: CpuPort, vcpu: Vcpu) -> None:
        """Read the list registers back and make something of the exit."""

    async def put(self, port: CpuPort, vcpu: Vcpu) -> None:
        """Leave the hardware empty."""

    def trapped_dir(self, vcpu: Vcpu, value: int) -> None:
        """Carry out a trapped write of ICV_DIR_EL1."""


@dataclass(eq=False)
class Vm:
    """A virtual machine.

    Parameters
    ----------
    host : Host
        The hardware below.
    profile : Profile
        The kernel's behaviour.
    nr_vcpus : int, 1..512
        Number of virtual CPUs; vCPU n starts on physical CPU n.
    nr_spis : int, 0..988, a multiple of 32 less reserved INTIDs
        SPIs 32 .. 31 + nr_spis.
    irqchip_in_kernel : bool
        False: the VM has no vgic; its guest must find no CPU interface (section 15.7).
    protected : bool
        A pKVM protected guest (section 15.5).
    vgic_model : VgicModel
        The GIC the guest has; on a GICv2 host always that one.
    race : callable(point, irq) or None
        Called where the kernel has dropped its locks, so that a test can act as the other CPU there.
    policy : LrPolicy or None
        Another hypervisor's list-register algorithm in place of KVM's.
    """

    host: Host = field(default_factory=Host)
    profile: Profile = PROFILES["7.3"]
    nr_vcpus: int = 1
    nr_spis: int = 96
    irqchip_in_kernel: bool = True
    protected: bool = False
    vgic_model: VgicModel = VgicModel.V3
    race: Callable[[str, VgicIrq], None] | None = None
    policy: LrPolicy | None = None

    dist: VgicDist = field(init=False)
    vcpus: list[Vcpu] = field(init=False)
    #: SPIs whose end was notified (``kvm_notify_acked_irq``), in order.
    acked: list[int] = field(default_factory=list, init=False)
    #: INTIDs the EOIcount walk deactivated (``vgic_v3_fold_lr_state``), in order.
    walked: list[int] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Create what ``kvm_vgic_create`` and ``vgic_init`` do, on a booted host."""
        self.host.boot(self.profile)
        if self.host.gicv2:
            self.vgic_model = VgicModel.V2
        if self.vgic_model is VgicModel.V2:  # the cures are written for vgic-v3.c and GICv3 guests
            self.profile = replace(self.profile, **dict.fromkeys(CURES, False))
        v2 = self.vgic_model is VgicModel.V2
        self.dist = VgicDist(nr_spis=self.nr_spis)
        self.vcpus = [Vcpu(n, self, n) for n in range(self.nr_vcpus)]
        for vcpu in self.vcpus:
            if self.host.gicv2:
                vcpu.cpu_if = VgicV2CpuIf()
            vcpu.private_irqs = [
                VgicIrq(
                    intid,
                    self,
                    target_vcpu=vcpu,
                    enabled=intid < VGIC_NR_SGIS,
                    config=Config.EDGE if intid < VGIC_NR_SGIS else Config.LEVEL,
                    group=0 if v2 else 1,
                    targets=1 << vcpu.vcpu_id if v2 else 0,
                )
                for intid in range(VGIC_NR_PRIVATE_IRQS)
            ]
            (vgic_v2_reset if self.host.gicv2 else vgic_v3_reset)(vcpu)
        first = self.vcpus[0]
        self.dist.spis = [
            VgicIrq(VGIC_NR_PRIVATE_IRQS + n, self, target_vcpu=first, group=0 if v2 else 1)
            for n in range(self.nr_spis)
        ]


def vgic_v2_reset(vcpu: Vcpu) -> None:
    """Reset the shadow on a GICv2 host, as ``vgic_v3_reset``."""
    vcpu.cpu_if.vgic_vmcr = 0
    if not vcpu.vm.profile.reset_hook:
        vcpu.cpu_if.vgic_hcr = HCR.En


def vgic_v3_reset(vcpu: Vcpu) -> None:
    """Reset the shadow: VMCR 0; HCR is left for configure_hcr to build (m22)."""
    vcpu.cpu_if.vgic_vmcr = 0
    if not vcpu.vm.profile.reset_hook:
        vcpu.cpu_if.vgic_hcr = HCR.En
        if not vcpu.vm.profile.constant_traps:
            vcpu.cpu_if.vgic_hcr |= vcpu.vm.host.trap_options
