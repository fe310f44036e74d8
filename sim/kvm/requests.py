"""vCPU requests and kicks (spec sections 4.4, 5).

A kick is recorded on the vCPU (``kicked``, ``kicks``); the machine turns it into an exit of a running
vCPU or the wake-up of a blocked one.
"""

from __future__ import annotations

from sim.kvm.vm import Mode, Request, Vcpu, Vm

__all__ = [
    "kvm_make_all_cpus_request",
    "kvm_make_request",
    "kvm_make_request_wait",
    "kvm_request_pending",
    "kvm_vcpu_kick",
]


def kvm_make_request(request: Request, vcpu: Vcpu) -> None:
    """Post a request; it is served before the vCPU's next entry. This alone forces no exit."""
    vcpu.requests.add(request)


def kvm_make_request_wait(request: Request, vcpu: Vcpu) -> None:
    """Post a request with KVM_REQUEST_WAIT: the caller goes on only when the vCPU has left its guest.

    The machine carries it out: a vCPU with ``awaited`` set exits and enters again before the caller's
    own handler ends.
    """
    kvm_make_request(request, vcpu)
    vcpu.awaited = vcpu.mode is Mode.IN_GUEST_MODE


def kvm_vcpu_kick(vcpu: Vcpu) -> None:
    """Ask for an exit of a running vCPU, or for the wake-up of a blocked one."""
    vcpu.kicked = True
    vcpu.kicks += 1


def kvm_make_all_cpus_request(vm: Vm, request: Request) -> None:
    """Post a request to every vCPU and kick them all."""
    for vcpu in vm.vcpus:
        kvm_make_request(request, vcpu)
        kvm_vcpu_kick(vcpu)


def kvm_request_pending(vcpu: Vcpu) -> bool:
    """Return whether a request stands: between flush and guest mode it aborts the entry (section 5)."""
    return bool(vcpu.requests)
