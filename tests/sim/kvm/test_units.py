"""Functions of the vgic by themselves: counts, levels, injection, LPIs, requests, what a host starts with."""

import errno

import pytest

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from sim.kvm.arm import kvm_arm_halt_guest, kvm_arm_resume_guest
from sim.kvm.host import Host, HotplugHangError, PhysicalIrqs
from sim.kvm.inject import (
    kvm_vgic_inject_irq,
    kvm_vgic_map_is_active,
    kvm_vgic_map_phys_irq,
    kvm_vgic_unmap_phys_irq,
)
from sim.kvm.interface import vgic_compute_inactive_lr, vgic_deactivate_phys
from sim.kvm.irq import Config, IrqOps
from sim.kvm.lpi import (
    update_affinity,
    update_lpi_config,
    vgic_add_lpi,
    vgic_enable_lpis,
    vgic_its_cmd_handle_movall,
    vgic_its_free_ite,
    vgic_its_trigger_msi,
)
from sim.kvm.lr import vgic_get_phys_line_level
from sim.kvm.priorities import active_levels, vgic_v3_level, vgic_v3_preempts
from sim.kvm.profile import PROFILES
from sim.kvm.regs import HCR, LR_A, LR_HW, LR_P, LR_PINTID_SHIFT, VMCR
from sim.kvm.regs_v2 import GICH_LR_ACTIVE_BIT, GICH_LR_HW, GICH_LR_PENDING_BIT, GICH_LR_PHYSID_SHIFT
from sim.kvm.requests import (
    kvm_make_all_cpus_request,
    kvm_make_request,
    kvm_make_request_wait,
    kvm_request_pending,
)
from sim.kvm.sysreg import access_gic_sgi
from sim.kvm.vm import Mode, Request, Vm
from tests.sim.kvm.rig import Rig


@pytest.fixture
def vm():
    """Two vCPUs of 7.3, everything enabled with priority 0xA0, nothing running."""
    return Rig(vcpus=2, enter=False).vm


def listed(vm, vcpu=0):
    return [irq.intid for irq in vm.vcpus[vcpu].ap_list]


# -- priorities --------------------------------------------------------------------------------------------


def vmcr(bpr0=2, bpr1=3, cbpr=False):
    return bpr0 << 21 | bpr1 << 18 | (VMCR.VCBPR if cbpr else 0)


@pytest.mark.parametrize(
    ("word", "group", "level"),
    [
        (vmcr(2, 3), 0, 0xB8), (vmcr(2, 3), 1, 0xB8), (vmcr(4, 3), 0, 0xA0), (vmcr(4, 3), 1, 0xB8),
        (vmcr(2, 5), 1, 0xA0), (vmcr(2, 6), 1, 0x80), (vmcr(5, 3, True), 1, 0x80), (vmcr(5, 3), 0, 0x80),
        (vmcr(7, 3), 0, 0),
    ],
)  # fmt: skip
def test_a_level_is_what_the_binary_point_leaves(vm, word, group, level):
    """SIG-5: BPR1 for group 1 unless CBPR, BPR0 + 1 bits otherwise; unimplemented bits read 0."""
    vcpu = vm.vcpus[0]
    vcpu.cpu_if.vgic_vmcr = word
    assert vgic_v3_level(vcpu, 0xBF, group) == level


def test_active_levels_are_read_from_every_word():
    """REG-9: bit n of word m is level 32m + n, in steps of the preemption bits."""
    assert active_levels([0x8000_0001, 0, 0, 0], 5) == {0, 31 << 3}
    assert active_levels([1 << 4, 1 << 3, 0, 1 << 31], 7) == {4 << 1, 35 << 1, 127 << 1}
    assert active_levels([2, 1, 0, 0], 6) == {1 << 2, 32 << 2}
    assert active_levels([0] * 4, 5) == set()


def test_what_preempts_is_above_the_lowest_active_level_of_both_groups(vm):
    """SIG-4: strictly above; equal after masking is not."""
    vcpu = vm.vcpus[0]
    cpu_if = vcpu.cpu_if
    cpu_if.vgic_vmcr = vmcr(2, 3)
    assert vgic_v3_preempts(vcpu, 0xF8, 1), "nothing is active"
    cpu_if.vgic_ap0r[0], cpu_if.vgic_ap1r[0] = 1 << 20, 1 << 16
    assert [vgic_v3_preempts(vcpu, priority, 1) for priority in (0x78, 0x80, 0x88)] == [True, False, False]
    cpu_if.vgic_ap1r[0] = 0
    assert [vgic_v3_preempts(vcpu, priority, 0) for priority in (0x98, 0xA0)] == [True, False]
    cpu_if.vgic_vmcr = vmcr(2, 7)
    assert [vgic_v3_preempts(vcpu, priority, 1) for priority in (0x78, 0x98)] == [True, False]


# -- injection ---------------------------------------------------------------------------------------------


def test_injection_refuses_what_is_not_there(vm):
    assert kvm_vgic_inject_irq(vm, None, 20, True) == -errno.EINVAL
    assert kvm_vgic_inject_irq(vm, None, 128, True) == -errno.EINVAL
    assert kvm_vgic_inject_irq(vm, vm.vcpus[1], 31, True) == 0
    assert kvm_vgic_inject_irq(vm, None, 127, True) == 0
    assert kvm_vgic_inject_irq(vm, None, 32, True) == 0
    assert (listed(vm), listed(vm, 1)) == ([127, 32], [31])


@pytest.mark.parametrize(("name", "answer"), [("7.3", 0), ("legacy", -errno.EBUSY)])
def test_injection_before_the_vgic_is_there(name, answer):
    vm = Rig(PROFILES[name], enter=False).vm
    vm.dist.initialized = False
    assert kvm_vgic_inject_irq(vm, None, 40, True) == answer
    assert listed(vm) == []


def test_only_the_owner_injects_and_only_changes_count(vm):
    """vgic_validate_injection: an edge rises, a line changes; anything else is dropped without a kick."""
    vcpu, timer = vm.vcpus[0], object()
    ppi = vcpu.private_irqs[27]
    ppi.owner, ppi.config = timer, Config.LEVEL
    assert kvm_vgic_inject_irq(vm, vcpu, 27, True) == 0
    assert (ppi.line_level, listed(vm)) == (False, [])
    for level, seen in ((False, 0), (True, 1), (True, 1), (False, 1), (True, 2)):
        kvm_vgic_inject_irq(vm, vcpu, 27, level, timer)
        assert (ppi.line_level, vcpu.kicks) == (level, seen), (level, seen)
    assert not ppi.pending_latch
    kvm_vgic_inject_irq(vm, None, 40, False)
    assert listed(vm) == [27]
    kvm_vgic_inject_irq(vm, None, 40, True)
    assert vm.dist.spis[8].pending_latch and not vm.dist.spis[8].line_level


def test_an_edge_counts_whatever_its_line_was_as_a_level_interrupt(vm):
    irq = vm.dist.spis[8]
    irq.line_level = True
    kvm_vgic_inject_irq(vm, None, 40, False)
    assert not irq.pending_latch
    kvm_vgic_inject_irq(vm, None, 40, True)
    assert irq.pending_latch


def test_a_mapped_line_is_asked_for_by_its_intid(vm):
    """vgic_get_phys_line_level: the hook of the owner, or the host's line of that number."""
    vcpu = vm.vcpus[0]
    kvm_vgic_map_phys_irq(vcpu, 77, 27, IrqOps(get_input_level=lambda intid: intid == 27))
    vm.host.irqs = PhysicalIrqs(line={77: False, 78: True})
    assert vgic_get_phys_line_level(vcpu.private_irqs[27])
    for hwintid, level in ((77, False), (78, True), (79, False)):
        kvm_vgic_map_phys_irq(vcpu, hwintid, 27)
        assert vgic_get_phys_line_level(vcpu.private_irqs[27]) is level


def test_mapping_and_unmapping(vm):
    vcpu, ops = vm.vcpus[1], IrqOps(sw_resample=True)
    kvm_vgic_map_phys_irq(vcpu, 77, 27, ops)
    irq = vcpu.private_irqs[27]
    assert (irq.hw, irq.hwintid, irq.ops) == (True, 77, ops)
    assert not kvm_vgic_map_is_active(vcpu, 27)
    irq.active = True
    assert kvm_vgic_map_is_active(vcpu, 27)
    kvm_vgic_unmap_phys_irq(vcpu, 27)
    assert (irq.hw, irq.hwintid, irq.ops) == (False, 0, None)
    with pytest.raises(ValueError, match="vCPU1 has no interrupt 500"):
        kvm_vgic_map_phys_irq(vcpu, 77, 500)


# -- LPIs --------------------------------------------------------------------------------------------------


def test_an_lpi_is_refused_below_the_first_and_twice(vm):
    for intid in (8191, 31):
        with pytest.raises(ValueError, match=f"LPI {intid} is below 8192 or mapped already"):
            vgic_add_lpi(vm.vcpus[0], intid)
    irq = vgic_add_lpi(vm.vcpus[0], 8192)
    assert (irq.priority, irq.enabled, irq.refcount, irq.target_vcpu) == (0xA0, True, 1, vm.vcpus[0])
    assert vm.dist.has_its and vm.dist.lpis == {8192: irq}
    with pytest.raises(ValueError, match="LPI 8192"):
        vgic_add_lpi(vm.vcpus[1], 8192)


def test_an_msi_needs_a_mapped_lpi_and_a_vcpu_with_lpis(vm):
    irq = vgic_add_lpi(vm.vcpus[0], 8200)
    assert not vgic_its_trigger_msi(vm, 8201)
    assert not vgic_its_trigger_msi(vm, 8200) and not irq.pending_latch
    vgic_enable_lpis(vm.vcpus[0])
    irq.target_vcpu = None
    assert not vgic_its_trigger_msi(vm, 8200)
    irq.target_vcpu = vm.vcpus[0]
    assert vgic_its_trigger_msi(vm, 8200)
    assert (irq.pending_latch, irq.refcount, listed(vm)) == (True, 2, [8200])


def test_inv_takes_priority_and_enable_and_queues(vm):
    """update_lpi_config: six bits of priority; one that has become enabled is queued."""
    vgic_enable_lpis(vm.vcpus[0])
    irq = vgic_add_lpi(vm.vcpus[0], 8200, enabled=False)
    vgic_its_trigger_msi(vm, 8200)
    assert listed(vm) == []
    update_lpi_config(irq, 0x5F, True)
    assert (irq.priority, irq.enabled, listed(vm)) == (0x5C, True, [8200])
    update_lpi_config(irq, 0xA0, False)
    assert (irq.priority, irq.enabled, listed(vm)) == (0xA0, False, [8200])


@pytest.mark.parametrize("only", [True, False])
def test_movall_moves_what_is_at_the_source(only):
    """Switch ``movall_source``: without it the LPIs of everybody move."""
    profile = PROFILES["7.3"] if only else PROFILES["legacy"]
    assert profile.movall_source is only
    vm = Rig(profile, vcpus=3, enter=False).vm
    lpis = [vgic_add_lpi(vm.vcpus[n], 8200 + n) for n in range(3)]
    vgic_its_cmd_handle_movall(vm, vm.vcpus[1], vm.vcpus[1])
    assert [lpi.target_vcpu.vcpu_id for lpi in lpis] == [0, 1, 2]
    vgic_its_cmd_handle_movall(vm, vm.vcpus[1], vm.vcpus[2])
    assert [lpi.target_vcpu.vcpu_id for lpi in lpis] == ([0, 2, 2] if only else [2, 2, 2])
    update_affinity(lpis[0], vm.vcpus[1])
    assert lpis[0].target_vcpu is vm.vcpus[1]


def test_an_unmapped_lpi_is_freed_when_its_list_lets_go(vm):
    vgic_enable_lpis(vm.vcpus[0])
    irq = vgic_add_lpi(vm.vcpus[0], 8200)
    vgic_its_trigger_msi(vm, 8200)
    vgic_its_free_ite(vm, 8200)
    assert (irq.refcount, irq.freed, 8200 in vm.dist.lpis) == (1, False, True)
    vgic_its_free_ite(vm, 8200)
    assert (irq.refcount, irq.freed, 8200 in vm.dist.lpis) == (0, True, False)


# -- SGIs, requests ----------------------------------------------------------------------------------------


def test_an_sgi_goes_to_the_named_cluster():
    """ICC_SGI1R_EL1: Aff1 to Aff3 name the cluster, the range selector and the list the CPU in it."""
    rig = Rig(vcpus=18, enter=False)
    sender = rig.vm.vcpus[0]

    def reached(value: int) -> list[int]:
        for vcpu in rig.vm.vcpus:
            vcpu.private_irqs[7].pending_latch = False
        access_gic_sgi(sender, "ICC_SGI1R_EL1", 7 << 24 | value)
        return [vcpu.vcpu_id for vcpu in rig.vm.vcpus if vcpu.private_irqs[7].pending_latch]

    assert reached(1 << 16 | 0b11) == [16, 17]
    assert reached(0b11) == [0, 1]
    assert reached(1 << 15) == [15]
    assert reached(2 << 16 | 1) == reached(1 << 32 | 1) == reached(1 << 48 | 1) == reached(1 << 44 | 1) == []
    assert reached(1 << 40) == list(range(1, 18))
    access_gic_sgi(sender, "ICC_ASGI1R_EL1", 6 << 24 | 1)
    assert not sender.private_irqs[6].pending_latch, "group 1 SGIs are not for ASGI1R"


def test_requests_stand_until_they_are_served(vm):
    one, two = vm.vcpus
    assert not kvm_request_pending(one)
    kvm_make_request(Request.IRQ_PENDING, one)
    assert (kvm_request_pending(one), kvm_request_pending(two), one.kicks) == (True, False, 0)
    for mode, awaited in ((Mode.IN_GUEST_MODE, True), (Mode.OUTSIDE_GUEST_MODE, False)):
        two.mode = mode
        kvm_make_request_wait(Request.VGIC_PROCESS_UPDATE, two)
        assert (two.requests, two.awaited) == ({Request.VGIC_PROCESS_UPDATE}, awaited)
    kvm_make_all_cpus_request(vm, Request.SLEEP)
    assert all(Request.SLEEP in vcpu.requests and vcpu.kicked and vcpu.kicks == 1 for vcpu in vm.vcpus)


# -- the host ----------------------------------------------------------------------------------------------


def test_a_reset_shadow_has_the_traps_of_the_command_line_on_gicv3_only():
    """Before the reset hook the word is made at reset; a GICv2 host has nothing to trap with."""
    profile = PROFILES["legacy"]
    assert not profile.reset_hook and not profile.constant_traps
    for config, traps in ((GicConfig(), HCR.TC | HCR.TALL0), (GicV2Config(), 0)):
        vm = Vm(Host(config, common_trap=True, group0_trap=True), profile)
        assert vm.vcpus[0].cpu_if.vgic_hcr == HCR.En | traps
        assert vm.vcpus[0].cpu_if.vgic_vmcr == 0
    assert Vm(Host(), PROFILES["7.3"]).vcpus[0].cpu_if.vgic_hcr == 0


HW_BITS = {
    False: (LR_A, LR_P, LR_HW, LR_PINTID_SHIFT),
    True: (GICH_LR_ACTIVE_BIT, GICH_LR_PENDING_BIT, GICH_LR_HW, GICH_LR_PHYSID_SHIFT),
}


@pytest.mark.parametrize("gicv2", HW_BITS)
def test_an_inactive_value_keeps_everything_but_the_active_state(gicv2):
    active, pending, hw, shift = HW_BITS[gicv2]
    rig = Rig(enter=False, gicv2=gicv2)
    rig.setup(40, active=True, hw=True, hwintid=77)
    value = vgic_compute_inactive_lr(rig.vm.vcpus[0], rig.irq(40))
    assert value & (active | hw) == hw and value >> shift & 0x3FF == 77 and value & 0x3FF == 40
    rig.irq(40).active, rig.irq(40).pending_latch = False, True
    assert vgic_compute_inactive_lr(rig.vm.vcpus[0], rig.irq(40)) & pending


@pytest.mark.parametrize(
    ("name", "gicv2", "done"),
    [("7.3", False, True), ("7.3", True, True), ("legacy", True, False), ("legacy", False, True)],
)
def test_a_physical_deactivation_needs_hw_and_on_gicv2_the_mapping_of_gicc(name, gicv2, done):
    """m02: without the mapping GICC_DIR cannot be written."""
    *_, hw, shift = HW_BITS[gicv2]
    vm = Rig(PROFILES[name], enter=False, gicv2=gicv2).vm
    irqs = vm.host.irqs = PhysicalIrqs()
    irqs.active[77] = True
    vgic_deactivate_phys(vm.vcpus[0], 40)
    assert irqs.deactivated == []
    vgic_deactivate_phys(vm.vcpus[0], hw | 77 << shift)
    assert (irqs.deactivated, irqs.active) == (([77], {77: False}) if done else ([], {77: True}))


def test_halting_and_resuming_a_guest(vm):
    """kvm_arm_halt_guest: every vCPU is paused and asked to sleep; resuming undoes both."""
    kvm_arm_halt_guest(vm)
    assert [(vcpu.paused, Request.SLEEP in vcpu.requests) for vcpu in vm.vcpus] == [(True, True)] * 2
    kvm_arm_resume_guest(vm)
    assert [vcpu.paused for vcpu in vm.vcpus] == [False] * 2


def test_a_cpu_that_hangs_says_why():
    """21.10: under pKVM nobody answers when a CPU comes up late."""
    host = Host(protected=True)
    host.boot(PROFILES["legacy"])
    with pytest.raises(HotplugHangError, match="HVC stub"):
        host.hotplug(PROFILES["legacy"])
