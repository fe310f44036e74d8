"""The list of a vCPU: counts, order, moves, and the walk by priority (sections 4, 6, 10)."""

import pytest

from sim.kvm.ap_list import (
    compute_ap_list_depth,
    summarize_ap_list,
    vgic_irq_cmp,
    vgic_prune_ap_list,
    vgic_queue_all,
    vgic_sort_ap_list,
)
from sim.kvm.flush_sync import _WalkByPriority, kvm_vgic_sync_hwstate, vgic_flush_lr_state
from sim.kvm.inject import (
    kvm_vgic_inject_irq,
)
from sim.kvm.irq import VgicModel
from sim.kvm.lpi import (
    vgic_add_lpi,
    vgic_enable_lpis,
)
from sim.kvm.lr import LR_PRIORITY_SHIFT
from sim.kvm.priorities import vgic_v3_level
from sim.kvm.profile import PROFILES, profile_named
from sim.kvm.regs import HCR, LR_A, LR_GROUP1, LR_P, VMCR
from sim.kvm.vm import Request
from tests.sim.kvm.rig import GICD, Rig


@pytest.fixture
def vm():
    """Two vCPUs of 7.3, everything enabled with priority 0xA0, nothing running."""
    return Rig(vcpus=2, enter=False).vm


def listed(vm, vcpu=0):
    return [irq.intid for irq in vm.vcpus[vcpu].ap_list]


def test_a_summary_counts_each_kind(vm):
    """Section 6.2: pending, active (with pending-and-active), SGIs; what is not eligible counts nowhere."""
    vcpu = vm.vcpus[0]
    for intid in (1, 2, 40, 41, 42, 43):
        kvm_vgic_inject_irq(vm, vcpu if intid < 32 else None, intid, True)
    vm.dist.spis[8].active = vm.dist.spis[9].active = True
    vm.dist.spis[9].pending_latch = False
    vm.dist.spis[10].enabled = False
    als = summarize_ap_list(vcpu)
    assert (als.nr_pend, als.nr_act, als.nr_sgi, als.nr_masked, als.nr_handled) == (3, 2, 2, 0, 0)
    assert [als.irqs_outside_lrs(n) for n in (4, 5)] == [True, False]
    assert [als.irqs_pending_outside_lrs(n) for n in (2, 3)] == [True, False]
    assert [als.irqs_active_outside_lrs(n) for n in (4, 5)] == [True, False]
    vm.dist.spis[8].active = vm.dist.spis[9].active = False
    assert not summarize_ap_list(vcpu).irqs_active_outside_lrs(1), "nothing is active"


def test_masked_and_handled_ones_are_counted_for_their_cures():
    """Cures ``npie_enabled_group`` and ``walk_by_priority``: disabled groups, ends by ICACTIVER."""
    vm = Rig(PROFILES["fixed"], vcpus=2, enter=False).vm
    vcpu = vm.vcpus[0]
    vcpu.cpu_if.vgic_vmcr = VMCR.VENG1
    for intid in (40, 41, 42):
        kvm_vgic_inject_irq(vm, None, intid, True)
    vm.dist.spis[8].group = vm.dist.spis[9].group = 0
    vm.dist.spis[9].active = True
    vm.dist.spis[10].acked = (0xA0, 1)
    als = summarize_ap_list(vcpu)
    assert (als.nr_pend, als.nr_act, als.nr_masked, als.nr_handled) == (2, 1, 1, 1)
    assert als.eoi_outside_lrs(16)
    assert [als.irqs_pending_outside_lrs(n) for n in (0, 1)] == [True, False]


def test_the_old_depth_counts_an_sgi_for_each_source():
    """Section 18: two sources and an active one need three list registers; an idle entry none."""
    vm = Rig(vcpus=3, enter=False, guest=VgicModel.V2).vm
    vcpu = vm.vcpus[0]
    sgi, spi, idle = vcpu.private_irqs[3], vm.dist.spis[8], vm.dist.spis[9]
    sgi.source, sgi.active, sgi.pending_latch = 0b101, True, True
    spi.active = spi.pending_latch = True
    vcpu.ap_list = [sgi, spi, idle]
    assert compute_ap_list_depth(vcpu) == 4


def test_queue_all_lists_what_waits_on_no_list(vm):
    """Cure ``requeue_on_enable``: private ones, SPIs and LPIs; not what is disabled, idle or listed."""
    vgic_enable_lpis(vm.vcpus[1])
    lpi = vgic_add_lpi(vm.vcpus[1], 8200)
    for irq in (vm.vcpus[1].private_irqs[20], vm.dist.spis[8], vm.dist.spis[9], lpi):
        irq.pending_latch = True
    vm.dist.spis[9].enabled = False
    kvm_vgic_inject_irq(vm, None, 50, True)
    kicks = vm.vcpus[0].kicks
    vgic_queue_all(vm)
    assert (listed(vm), listed(vm, 1)) == ([50, 40], [20, 8200])
    assert vm.vcpus[0].kicks - kicks == 1, "what is listed kicks nobody again"


@pytest.mark.parametrize(("profile", "gicv2"), [("legacy", False), ("legacy", True)])
def test_the_old_underflow_is_asked_for_when_something_is_left(profile, gicv2):
    """Section 18: UIE when the list registers are full and the last of them is not the last of the list."""
    rig = Rig(PROFILES[profile], lrs=2, enter=False, gicv2=gicv2)
    vcpu = rig.vm.vcpus[0]
    for count, wanted in ((1, 0), (2, 0), (3, HCR.UIE)):
        kvm_vgic_inject_irq(rig.vm, None, 39 + count, True)
        vgic_flush_lr_state(vcpu)
        assert vcpu.cpu_if.vgic_hcr & HCR.UIE == wanted, count
        assert vcpu.cpu_if.used_lrs == min(count, 2)
        for irq in vcpu.ap_list:
            irq.pending_latch, irq.on_lr = True, False


@pytest.mark.parametrize("bpr1", [3, 6])
def test_the_walk_by_priority_knows_what_was_acknowledged_in_this_run(bpr1):
    """Cure ``walk_by_priority``: a level is dropped though a later acknowledge has set it again (22.6)."""
    rig = Rig(PROFILES["fixed"], lrs=1, slow=True)
    rig.write("BPR1", bpr1)
    rig.nest(40)
    rig.inj(41)
    rig.exit()
    assert rig.lrs() == [41]
    rig.eoi(40)
    assert rig.iar() == 41
    rig.exit()
    assert rig.active(40, 41) == [False, True]
    rig.eoi(41)
    rig.exit()
    assert rig.active(40, 41) == [False, False]


def test_a_handler_that_has_not_ended_is_still_expected():
    """Cure ``walk_by_priority``: an ICACTIVER is forgotten only when the level of its handler drops."""
    rig = Rig(PROFILES["fixed"], lrs=1, slow=True)
    for intid, priority in ((40, 0xA0), (41, 0x80), (42, 0x60)):
        rig.setup(intid, priority)
        rig.nest(intid)
    rig.mmio(GICD + 0x384, 1 << 8)
    rig.eoi(42, 41)
    rig.exit()
    assert rig.active(40, 41, 42) == [False, False, False]
    assert rig.irq(40).acked == (0xA0, 1)
    rig.eoi(40)
    rig.exit()
    assert rig.irq(40).acked is None


@pytest.mark.parametrize(
    ("profile", "kept"),
    [("7.3", True), ("7.3,+skip_in_lrs", False), ("7.3,+serialise_replay", False), ("fixed", False),
     ("7.3,-walk_from_tail", False)],
)  # fmt: skip
def test_only_the_walk_from_the_tail_remembers_the_last_list_register(profile, kept):
    """Section 10.2: other forms of the EOIcount walk do not need ``last_lr_irq``."""
    rig = Rig(profile_named(profile), lrs=2, enter=False)
    vcpu = rig.vm.vcpus[0]
    for intid in (40, 41, 42):
        kvm_vgic_inject_irq(rig.vm, None, intid, True)
    vgic_flush_lr_state(vcpu)
    last = rig.vm.host.last_lr_irq.get(0)
    assert (last.intid if last else None) == (41 if kept else None)


@pytest.mark.parametrize(("name", "left"), [("7.3", 0), ("legacy", 1)])
def test_a_sync_with_an_empty_list(name, left):
    """An old kernel leaves at once (m19); today it folds what is in the list registers."""
    rig = Rig(PROFILES[name], enter=False)
    vcpu = rig.vm.vcpus[0]
    kvm_vgic_inject_irq(rig.vm, None, 40, True)
    vgic_flush_lr_state(vcpu)
    vcpu.ap_list.clear()
    kvm_vgic_sync_hwstate(vcpu)
    assert (vcpu.cpu_if.used_lrs, rig.irq(40).pending_latch) == (left, not left)


@pytest.mark.parametrize("what", ["moves", "is disabled", "stays"])
def test_a_move_looks_again_after_the_locks(vm, what):
    """Section 4.5: between dropping and taking the locks another CPU may act."""
    one, two = vm.vcpus
    kvm_vgic_inject_irq(vm, None, 40, True)
    irq, seen = vm.dist.spis[8], []
    irq.target_vcpu = two

    def other_cpu(point, raced):
        seen.append((point, raced))
        if what == "is disabled":
            irq.enabled = False

    vm.race = other_cpu if what != "moves" else None
    kicks = two.kicks
    two.requests.clear()
    if what == "stays":
        irq.active = True
    vgic_prune_ap_list(one)
    assert seen == ([("vgic_prune_ap_list", irq)] if what == "is disabled" else [])
    lists = {"moves": ([], [40]), "is disabled": ([], []), "stays": ([40], [])}
    assert (listed(vm), listed(vm, 1)) == lists[what]
    assert two.kicks - kicks == (what == "moves")
    assert (Request.IRQ_PENDING in two.requests) == (what == "moves")


#: What the sort sees of an entry: active, pending, enabled, priority, HW.
ENTRIES = {
    "pending 80": (False, True, True, 0x80, False), "pending 90": (False, True, True, 0x90, False),
    "pending 80 HW": (False, True, True, 0x80, True), "active 80": (True, False, True, 0x80, False),
    "both 90": (True, True, True, 0x90, False), "disabled 80": (False, True, False, 0x80, False),
    "idle 80": (False, False, True, 0x80, False),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "a", "b", "order"),
    [
        ("7.3", "pending 80", "pending 90", -1), ("7.3", "pending 90", "active 80", -1),
        ("7.3", "active 80", "both 90", -1), ("7.3", "pending 80 HW", "pending 80", -1),
        ("7.3", "pending 80 HW", "pending 90", -1), ("7.3", "pending 80", "pending 80", 0),
        ("7.3", "pending 90", "disabled 80", -1), ("7.3", "active 80", "disabled 80", -1),
        ("legacy", "active 80", "pending 80", -1), ("legacy", "both 90", "active 80", 0),
        ("legacy", "both 90", "pending 80", -1), ("legacy", "pending 80", "pending 90", -1),
        ("legacy", "pending 90", "disabled 80", -1), ("legacy", "pending 90", "idle 80", -1),
        ("legacy", "idle 80", "disabled 80", 0), ("legacy", "pending 80 HW", "pending 80", 0),
    ],
)  # fmt: skip
def test_the_order_of_two_entries(name, a, b, order):
    """Section 6.1: pending first, by priority, mapped before others; section 18: active first."""
    vm = Rig(PROFILES[name], enter=False).vm
    vcpu = vm.vcpus[0]
    vcpu.cpu_if.vgic_vmcr = VMCR.VENG0 | VMCR.VENG1
    pair = vm.dist.spis[:2]
    for irq, entry in zip(pair, (ENTRIES[a], ENTRIES[b]), strict=True):
        irq.active, irq.pending_latch, irq.enabled, irq.priority, irq.hw = entry
    compared = [
        vgic_irq_cmp(vcpu, *pair),
        vgic_irq_cmp(vcpu, *reversed(pair)),
        vgic_irq_cmp(vcpu, pair[0], pair[0]),
    ]
    assert [(value > 0) - (value < 0) for value in compared] == [order, -order, 0]


def test_what_cannot_be_delivered_sorts_last():
    """Section 6.1, keys 1 and 2: another vCPU's, and those of a disabled group, whatever their priority."""
    vm = Rig(PROFILES["7.3"], vcpus=2, enter=False).vm
    vcpu = vm.vcpus[0]
    vcpu.cpu_if.vgic_vmcr = VMCR.VENG1
    elsewhere, masked, active, pending = irqs = vm.dist.spis[:4]
    for irq, priority in zip(irqs, (0x00, 0x10, 0x20, 0x30), strict=True):
        irq.pending_latch, irq.priority = True, priority
    elsewhere.target_vcpu, masked.group, active.active = vm.vcpus[1], 0, True
    vcpu.ap_list = list(irqs)
    vgic_sort_ap_list(vcpu)
    assert vcpu.ap_list == [pending, active, masked, elsewhere]


@pytest.mark.parametrize(("enabled", "order"), [(False, [40, 42]), (True, [42, 40])])
def test_a_list_that_fits_is_not_sorted(enabled, order):
    """Section 7.2: only eligible entries count; what is disabled takes no list register."""
    rig = Rig(PROFILES["7.3"], lrs=2, enter=False)
    vcpu = rig.vm.vcpus[0]
    vcpu.cpu_if.vgic_vmcr = VMCR.VENG1
    for intid, priority in ((40, 0xB0), (41, 0xC0), (42, 0x80)):
        rig.setup(intid, priority)
        kvm_vgic_inject_irq(rig.vm, None, intid, True)
    rig.irq(41).enabled = enabled
    vgic_flush_lr_state(vcpu)
    assert [lr & 0x3FF for lr in vcpu.cpu_if.vgic_lr[:3]] == [*order, 0]


@pytest.mark.parametrize(("name", "order"), [("legacy", [5, 40]), ("7.3", [40, 5])])
def test_an_sgi_from_several_sources_sorts_an_old_list_that_fits(name, order):
    """Section 18: all of its sources go before others, so it has to come first; later it needs no order."""
    vm = Rig(PROFILES[name], guest=VgicModel.V2, vcpus=3, enter=False).vm
    vcpu = vm.vcpus[0]
    spi, sgi = vm.dist.spis[8], vcpu.private_irqs[5]
    sgi.priority, sgi.source = 0x80, 0b110
    for irq in (spi, sgi):
        irq.pending_latch, irq.vcpu = True, vcpu
        vcpu.ap_list.append(irq)
    vgic_flush_lr_state(vcpu)
    assert listed(vm) == order


def test_list_registers_beyond_the_last_entry_are_empty(vm):
    vcpu = vm.vcpus[0]
    vcpu.cpu_if.vgic_lr[:] = [LR_P | 99] * len(vcpu.cpu_if.vgic_lr)
    kvm_vgic_inject_irq(vm, None, 40, True)
    vgic_flush_lr_state(vcpu)
    assert vcpu.cpu_if.used_lrs == 1
    assert vcpu.cpu_if.vgic_lr[0] & 0xFFFF_FFFF == 40
    assert not any(vcpu.cpu_if.vgic_lr[1 : vm.host.nr_lr])


@pytest.mark.parametrize("group", [0, 1])
def test_the_level_of_what_is_in_a_list_register_is_not_one_outside(vm, group):
    """The walk by priority takes it from the levels of its own group."""
    vcpu = vm.vcpus[0]
    level = vgic_v3_level(vcpu, 0x50, group)
    for words in (vcpu.cpu_if.vgic_ap0r, vcpu.cpu_if.vgic_ap1r):
        words[0] = 1 << (level >> 3)
    vcpu.cpu_if.vgic_lr[0] = LR_A | (LR_GROUP1 if group else 0) | 0x50 << LR_PRIORITY_SHIFT | 40
    vcpu.cpu_if.used_lrs = 1
    walk = _WalkByPriority(vcpu)
    assert (walk.active[group], walk.active[not group]) == (set(), {level})
