"""The parts of the run loop that concern the vgic: stopping vCPUs and serving requests (spec section 5)."""

from __future__ import annotations

from sim.kvm.ap_list import kvm_vgic_process_async_update
from sim.kvm.requests import kvm_make_all_cpus_request
from sim.kvm.vm import Request, Vcpu, Vm

__all__ = ["check_vcpu_requests", "kvm_arm_halt_guest", "kvm_arm_resume_guest"]


def kvm_arm_halt_guest(vm: Vm) -> None:
    """Pause every vCPU. The machine must make them exit and sync before it goes on."""
    for vcpu in vm.vcpus:
        vcpu.paused = True
    kvm_make_all_cpus_request(vm, Request.SLEEP)


def kvm_arm_resume_guest(vm: Vm) -> None:
    """Let the vCPUs stopped by ``kvm_arm_halt_guest`` run on; a blocked one is woken too."""
    for vcpu in vm.vcpus:
        vcpu.paused = False
        vcpu.kicked = True


def check_vcpu_requests(vcpu: Vcpu) -> None:
    """Serve the requests before an entry (section 5).

    KVM_REQ_SLEEP has no effect of its own here: a machine does not enter a paused vCPU.
    """
    vcpu.requests.discard(Request.SLEEP)
    vcpu.requests.discard(Request.IRQ_PENDING)
    if Request.VGIC_PROCESS_UPDATE in vcpu.requests:
        vcpu.requests.discard(Request.VGIC_PROCESS_UPDATE)
        kvm_vgic_process_async_update(vcpu)
