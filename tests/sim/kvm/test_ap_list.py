"""Injection, queueing, prune, "has pending" (spec sections 4, 12.3)."""

import errno

import pytest

from sim.kvm.ap_list import (
    VgicCorruptionError,
    kvm_vgic_vcpu_pending_irq,
    vgic_prune_ap_list,
    vgic_queue_irq_unlock,
)
from sim.kvm.arm import check_vcpu_requests
from sim.kvm.deactivate import vgic_v3_deactivate
from sim.kvm.inject import kvm_vgic_inject_irq, kvm_vgic_map_is_active, kvm_vgic_unmap_phys_irq
from sim.kvm.irq import Config, IrqOps
from sim.kvm.profile import PROFILES
from sim.kvm.regs import VMCR
from sim.kvm.vm import Request
from tests.sim.kvm.rig import Rig


@pytest.fixture
def rig():
    return Rig(vcpus=2, enter=False)


def test_unknown_interrupts_are_refused(rig):
    assert kvm_vgic_inject_irq(rig.vm, None, 5, True) == -errno.EINVAL
    assert kvm_vgic_inject_irq(rig.vm, None, 1019, True) == -errno.EINVAL


def test_injection_is_validated(rig):
    """Section 4.1: the owner only; a level only if it changes; an edge only rising."""
    rig.setup(33, owner="timer")
    rig.setup(34, config=Config.LEVEL)
    for intid, level in ((32, False), (33, True), (34, False)):
        assert kvm_vgic_inject_irq(rig.vm, None, intid, level) == 0
        assert rig.irq(intid).vcpu is None
    assert kvm_vgic_inject_irq(rig.vm, None, 33, True, owner="timer") == 0
    assert rig.irq(33).pending_latch


def test_a_listed_interrupt_still_kicks(rig):
    """Section 4.3: the guest may have finished an edge interrupt unseen."""
    rig.inj(40)
    kicks = rig.vm.vcpus[0].kicks
    rig.inj(40)
    assert rig.vm.vcpus[0].kicks == kicks + 1
    assert rig.vm.vcpus[0].ap_list == [rig.irq(40)]


def test_queueing_looks_again_after_the_lock(rig):
    """Section 4.3: re-routed in between, it goes to the new target."""
    first, second = rig.vm.vcpus
    seen = []

    def other_cpu(point, irq):
        if not seen:
            irq.target_vcpu = second
        seen.append(point)

    rig.vm.race = other_cpu
    rig.inj(40)
    assert seen == ["vgic_queue_irq_unlock"] * 2
    assert (first.ap_list, second.ap_list) == ([], [rig.irq(40)])


def test_a_hook_replaces_queueing(rig):
    seen = []
    rig.setup(40, ops=IrqOps(queue_irq_unlock=lambda vm, irq: not seen.append((vm, irq))))
    rig.irq(40).pending_latch = True
    assert vgic_queue_irq_unlock(rig.vm, rig.irq(40))
    assert seen == [(rig.vm, rig.irq(40))]
    assert rig.vm.vcpus[0].ap_list == []


def test_nothing_is_queued_while_the_distributor_is_off(rig):
    rig.vm.dist.enabled = False
    rig.inj(40)
    assert rig.irq(40).pending_latch and rig.irq(40).vcpu is None


def test_prune_moves_to_the_new_target_and_kicks_it(rig):
    """A16."""
    first, second = rig.vm.vcpus
    rig.inj(40, 41)
    rig.irq(40).target_vcpu = second
    kicks = second.kicks
    vgic_prune_ap_list(first)
    assert (first.ap_list, second.ap_list) == ([rig.irq(41)], [rig.irq(40)])
    assert second.kicks == kicks + 1


def test_prune_pins_what_is_active(rig):
    first, second = rig.vm.vcpus
    rig.inj(40)
    rig.irq(40).active = True
    rig.irq(40).target_vcpu = second
    vgic_prune_ap_list(first)
    assert first.ap_list == [rig.irq(40)]


def test_unlinking_twice_is_corruption():
    """21.15: without the owner test, and the entry on no list any more."""
    rig = Rig(PROFILES["7.3"].with_(prune_checks_owner=False), vcpus=2, enter=False)
    first, second = rig.vm.vcpus
    rig.inj(40)
    rig.irq(40).target_vcpu = second

    def other_cpu(point, irq):
        if irq in first.ap_list:
            first.ap_list.remove(irq)
            irq.vcpu = None

    rig.vm.race = other_cpu
    with pytest.raises(VgicCorruptionError, match="unlinked twice"):
        vgic_prune_ap_list(first)


@pytest.mark.parametrize(
    ("fields", "pmr", "pending"),
    [
        ({}, 0xF8, True),
        ({}, 0xA0, False),
        ({"group": 0}, 0xF8, True),
        ({"enabled": False}, 0xF8, False),
        ({"active": True}, 0xF8, False),
    ],
)
def test_has_pending(rig, fields, pmr, pending):
    """Section 4.6, 22.11: the mask counts; the group enable does not."""
    rig.vm.vcpus[0].cpu_if.vgic_vmcr = pmr << 24
    rig.inj(40)
    rig.setup(40, **fields)
    assert kvm_vgic_vcpu_pending_irq(rig.vm.vcpus[0]) is pending


def test_dir_posts_a_request_without_a_kick(rig):
    """Section 12.3, 22.9: the owner prunes when it happens to come by."""
    first, second = rig.vm.vcpus
    second.cpu_if.vgic_vmcr = VMCR.VEOIM
    rig.inj(40)
    rig.irq(40).active, rig.irq(40).pending_latch = True, False
    kicks = first.kicks
    assert vgic_v3_deactivate(second, 40) is None
    assert (first.kicks, Request.VGIC_PROCESS_UPDATE in first.requests) == (kicks, True)
    check_vcpu_requests(first)
    assert (first.ap_list, first.requests) == ([], set())


@pytest.mark.parametrize("intid", [32 + 96, 8192, 1020])
def test_dir_of_what_is_not_there(rig, intid):
    rig.vm.vcpus[0].cpu_if.vgic_vmcr = VMCR.VEOIM
    assert vgic_v3_deactivate(rig.vm.vcpus[0], intid) is None


def test_dir_of_a_pending_hw_interrupt(rig):
    """22.10: the physical one is deactivated although the virtual one still pends."""
    vcpu = rig.vm.vcpus[0]
    vcpu.cpu_if.vgic_vmcr = VMCR.VEOIM
    rig.map(27)
    rig.line(27, True)
    rig.machine.physical.line[27] = True
    vgic_v3_deactivate(vcpu, 27)
    assert rig.machine.physical.deactivated == [27]
    assert rig.irq(27).line_level and not kvm_vgic_map_is_active(vcpu, 27)
    kvm_vgic_unmap_phys_irq(vcpu, 27)
    assert not rig.irq(27).hw


def test_an_unchanged_line_is_no_injection(rig):
    """Section 4.1: a level counts when it changes; nobody is kicked for the same level again."""
    rig.setup(34, config=Config.LEVEL)
    rig.line(34, True)
    kicks = rig.vm.vcpus[0].kicks
    rig.line(34, True)
    assert rig.vm.vcpus[0].kicks == kicks


def test_queueing_tells_whether_it_was_new(rig):
    irq = rig.irq(40)
    irq.pending_latch = True
    assert vgic_queue_irq_unlock(rig.vm, irq) is True
    assert vgic_queue_irq_unlock(rig.vm, irq) is False
    disabled = rig.irq(41)
    disabled.pending_latch, disabled.enabled = True, False
    assert vgic_queue_irq_unlock(rig.vm, disabled) is False


@pytest.mark.parametrize(("intid", "counted"), [(31, 0), (32, 1), (127, 1), (8192, 0)])
def test_spis_only_are_counted(intid, counted):
    """m31: private interrupts and LPIs, the first of them too, make nobody trap DIR."""
    rig = Rig(enter=False)
    rig.setup(intid, enabled=True, group=1, pending_latch=True)
    vgic_queue_irq_unlock(rig.vm, rig.irq(intid))
    assert [irq.intid for irq in rig.vm.vcpus[0].ap_list] == [intid]
    assert rig.vm.dist.active_spis == counted
