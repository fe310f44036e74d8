"""GICH_LR values, and LRs of GICv2 SGIs on either host (sections 7.1, 10.1, 17)."""

import pytest

from hw.config_v2 import GicV2Config
from sim.kvm.host import Host
from sim.kvm.irq import Config, IrqOps, VgicModel
from sim.kvm.lr import vgic_get_vcpu_irq, vgic_v3_compute_lr, vgic_v3_fold_lr, vgic_v3_populate_lr
from sim.kvm.lr_v2 import lr_signals_eoi, vgic_v2_compute_lr, vgic_v2_fold_lr, vgic_v2_populate_lr
from sim.kvm.vm import Vm
from sim.machine.hardware import wide_lr
from sim.notation import format_lr

INACTIVE, ACTIVE, BOTH = {"pending": True}, {"active": True}, {"active": True, "pending": True}
KINDS = {
    "edge": {},
    "level": {"config": Config.LEVEL},
    "hw": {"hw": True, "hwintid": 27},
    "resampled": {"hw": True, "hwintid": 27, "config": Config.LEVEL, "ops": IrqOps(sw_resample=True)},
}
TABLE = [
    ("edge", INACTIVE, "40P"), ("edge", ACTIVE, "40A"), ("edge", BOTH, "40PA"),
    ("level", INACTIVE, "40Pe"), ("level", ACTIVE, "40Ae"), ("level", BOTH, "40Ae"),
    ("hw", INACTIVE, "40Ph"), ("hw", ACTIVE, "40Ah"), ("hw", BOTH, "40Ah"),
    ("resampled", INACTIVE, "40Pe"), ("resampled", BOTH, "40Ae"),
]  # fmt: skip


def vm_on(gicv2: bool) -> Vm:
    vm = Vm(Host(GicV2Config()) if gicv2 else Host(), vgic_model=VgicModel.V2)
    vm.dist.enabled = True
    return vm


@pytest.mark.parametrize(("kind", "state", "text"), TABLE)
def test_compute(kind, state, text):
    """Section 7.1, GICv2: five bits of priority, ten of INTID; computing changes nothing (m18)."""
    vm = vm_on(True)
    irq = vgic_get_vcpu_irq(vm.vcpus[0], 40)
    irq.priority, irq.group, irq.active = 0x58, 1, state.get("active", False)
    for name, value in KINDS[kind].items():
        setattr(irq, name, value)
    irq.pending_latch = state.get("pending", False)
    lr = vgic_v2_compute_lr(vm.vcpus[0], irq)
    assert lr == vgic_v2_compute_lr(vm.vcpus[0], irq)
    assert format_lr(wide_lr(lr), True) == text
    assert (lr >> 23 & 0x1F, lr >> 30 & 1, lr & 0x3FF) == (0x58 >> 3, 1, 40)
    if "h" in text:
        assert lr >> 10 & 0x3FF == 27


@pytest.fixture(params=[True, False], ids=["gicv2 host", "gicv3 host"])
def sgi(request):
    """SGI 5 of a GICv2 guest, and the functions of its host."""
    vm = vm_on(request.param)
    functions = (
        (vgic_v2_compute_lr, vgic_v2_populate_lr, vgic_v2_fold_lr)
        if request.param
        else (vgic_v3_compute_lr, vgic_v3_populate_lr, vgic_v3_fold_lr)
    )
    irq = vm.vcpus[0].private_irqs[5]
    return vm.vcpus[0], irq, functions, wide_lr if request.param else (lambda lr: lr)


SGI_TABLE = [
    (0b100, False, "5P/c2"), (0b101, False, "5Pe/c0"), (0b110, False, "5Pe/c1"),
    (0, True, "5A/c3"), (0b001, True, "5Ae/c3"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "active", "text"), SGI_TABLE)
def test_compute_an_sgi(sgi, source, active, text):
    """Section 7.1: the lowest source first; EOI asks for an exit while there are others."""
    vcpu, irq, (compute, *_), wide = sgi
    irq.source, irq.pending_latch, irq.active, irq.active_source = source, bool(source), active, 3
    assert format_lr(wide(compute(vcpu, irq)), True) == text


def test_an_sgi_without_source_gets_no_list_register(sgi):
    """The kernel warns and writes 0."""
    vcpu, irq, (compute, *_), _ = sgi
    irq.pending_latch = True
    assert compute(vcpu, irq) == 0


def test_populate_takes_one_source_and_fold_gives_it_back(sgi):
    """A21: the other sources keep the SGI pending in memory."""
    vcpu, irq, (_, populate, fold), _ = sgi
    irq.source, irq.pending_latch = 0b110, True
    populate(vcpu, irq, 0)
    assert (irq.source, irq.pending_latch) == (0b100, True)
    fold(vcpu, vcpu.cpu_if.vgic_lr[0])
    assert (irq.source, irq.pending_latch, irq.on_lr) == (0b110, True, False)


def test_fold_remembers_whose_request_is_active(sgi):
    vcpu, irq, (compute, populate, fold), _ = sgi
    irq.source, irq.pending_latch = 0b100, True
    populate(vcpu, irq, 0)
    pending = vcpu.cpu_if.vgic_lr[0]
    irq.on_lr, irq.active, irq.active_source = False, True, 2
    active = compute(vcpu, irq)
    irq.active, irq.active_source = False, 0
    assert pending != active
    fold(vcpu, active)
    assert (irq.active, irq.active_source, irq.source) == (True, 2, 0)


@pytest.mark.parametrize("active", [True, False])
def test_a_gicv2_host_notifies_in_any_case(active):
    """A19: on GICv2 the resampler is told whether the interrupt was active at an earlier fold or not."""
    vm = vm_on(True)
    irq = vgic_get_vcpu_irq(vm.vcpus[0], 40)
    irq.config, irq.active = Config.LEVEL, active
    vgic_v2_fold_lr(vm.vcpus[0], 1 << 19 | 40)
    assert vm.acked == [40] and not irq.active


def test_fold_of_a_number_nobody_has():
    vm = vm_on(True)
    vgic_v2_fold_lr(vm.vcpus[0], 1 << 28 | 1000)
    assert not vm.acked


def test_group_0_sets_no_other_bit():
    vm = vm_on(True)
    irq = vgic_get_vcpu_irq(vm.vcpus[0], 40)
    irq.priority, irq.group, irq.active = 0x58, 0, True
    assert vgic_v2_compute_lr(vm.vcpus[0], irq) == 2 << 28 | 0x58 >> 3 << 23 | 40


@pytest.mark.parametrize("hw", (0, 1))
@pytest.mark.parametrize("state", range(4))
@pytest.mark.parametrize("eoi", (0, 1))
def test_what_signals_an_eoi(eoi, state, hw):
    """Section 10.1: ended, without HW, and asked for."""
    assert lr_signals_eoi(hw << 31 | state << 28 | eoi << 19 | 40) is (bool(eoi) and not state and not hw)


def test_what_was_not_active_is_not_deactivated():
    """Section 11.1: only after a deactivation is the line of a mapped interrupt looked at again."""
    vm = vm_on(True)
    irq = vgic_get_vcpu_irq(vm.vcpus[0], 40)
    irq.hw, irq.hwintid, irq.config, irq.line_level = True, 27, Config.LEVEL, True
    vgic_v2_fold_lr(vm.vcpus[0], 40)
    assert irq.line_level
