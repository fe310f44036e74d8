"""List register values: the result table of section 7.1, fold (10.1), resampling (11.1)."""

import pytest

from sim.kvm.irq import Config, IrqOps
from sim.kvm.lr import vgic_v3_compute_lr, vgic_v3_fold_lr, vgic_v3_populate_lr
from sim.kvm.regs import LR_A, LR_EOI, LR_GROUP1, LR_HW, LR_P, lr_intid, lr_pintid, lr_priority
from tests.sim.kvm.rig import Rig

INACTIVE, ACTIVE, BOTH = {"pending": True}, {"active": True}, {"active": True, "pending": True}
KINDS = {
    "edge": {},
    "level": {"config": Config.LEVEL},
    "hw": {"hw": True, "hwintid": 27},
    "hw level": {"hw": True, "hwintid": 27, "config": Config.LEVEL},
    "resampled": {"hw": True, "hwintid": 27, "config": Config.LEVEL, "ops": IrqOps(sw_resample=True)},
}
TABLE = [
    ("edge", INACTIVE, LR_P), ("edge", ACTIVE, LR_A), ("edge", BOTH, LR_P | LR_A),
    ("level", INACTIVE, LR_P | LR_EOI), ("level", ACTIVE, LR_A | LR_EOI), ("level", BOTH, LR_A | LR_EOI),
    ("hw", INACTIVE, LR_P | LR_HW), ("hw", ACTIVE, LR_A | LR_HW), ("hw", BOTH, LR_A | LR_HW),
    ("hw level", INACTIVE, LR_P | LR_HW), ("hw level", BOTH, LR_A | LR_HW),
    ("resampled", INACTIVE, LR_P | LR_EOI), ("resampled", BOTH, LR_A | LR_EOI),
]  # fmt: skip


def rig_with(kind="edge", pending=False, active=False, intid=40):
    rig = Rig(enter=False)
    rig.setup(intid, 0x58, active=active, **KINDS[kind])
    irq = rig.irq(intid)
    if pending and irq.config is Config.LEVEL:
        irq.line_level = True
    else:
        irq.pending_latch = pending
    return rig, rig.vm.vcpus[0], irq


@pytest.mark.parametrize(("kind", "state", "bits"), TABLE)
def test_compute(kind, state, bits):
    """Section 7.1: state, EOI and HW bits by kind of interrupt."""
    _, vcpu, irq = rig_with(kind, **state)
    lr = vgic_v3_compute_lr(vcpu, irq)
    mask = LR_P | LR_A | LR_HW | (0 if bits & LR_HW else LR_EOI)
    assert lr & mask == bits
    assert (lr_intid(lr), lr_priority(lr), bool(lr & LR_GROUP1)) == (40, 0x58, True)
    if bits & LR_HW:
        assert lr_pintid(lr) == 27


@pytest.mark.parametrize(("kind", "latch", "line"), [("edge", False, False), ("level", False, True)])
def test_populate_claims_the_pending_state(kind, latch, line):
    """An edge's latch goes into the LR, a level's line stays where it is."""
    _, vcpu, irq = rig_with(kind, pending=True)
    vgic_v3_populate_lr(vcpu, irq, 0)
    assert (irq.pending_latch, irq.line_level, irq.on_lr) == (latch, line, True)


def test_populate_drops_the_line_of_a_mapped_level_interrupt():
    _, vcpu, irq = rig_with("hw level", pending=True)
    vgic_v3_populate_lr(vcpu, irq, 0)
    assert not irq.line_level


def test_fold_gives_an_edge_its_latch_back():
    """A28: an aborted entry changes nothing."""
    _, vcpu, irq = rig_with(pending=True)
    vgic_v3_populate_lr(vcpu, irq, 0)
    vgic_v3_fold_lr(vcpu, vcpu.cpu_if.vgic_lr[0])
    assert (irq.pending_latch, irq.on_lr) == (True, False)


def test_fold_of_an_idle_level_interrupt_clears_its_soft_pending():
    """22.13: also a latch that was set while it was active."""
    _, vcpu, irq = rig_with("level", active=True)
    irq.pending_latch = True
    vgic_v3_fold_lr(vcpu, vgic_v3_compute_lr(vcpu, irq) & ~LR_A)
    assert not irq.pending_latch


def test_fold_of_an_lpi_that_is_gone():
    rig, vcpu, _ = rig_with()
    vgic_v3_fold_lr(vcpu, LR_A | 8192)
    assert rig.vm.dist.lpis == {}


@pytest.mark.parametrize(("line", "cleared"), [(True, False), (False, True)])
def test_an_untaken_mapped_interrupt_samples_its_line(line, cleared):
    """Section 11.1: P comes back; the line is looked at, and if it fell the physical one may fire again."""
    rig, vcpu, irq = rig_with("hw level", pending=True)
    rig.machine.physical.active[27] = True
    vgic_v3_populate_lr(vcpu, irq, 0)
    rig.machine.physical.line[27] = line
    vgic_v3_fold_lr(vcpu, vcpu.cpu_if.vgic_lr[0])
    assert irq.line_level == line
    assert rig.machine.physical.active[27] == (not cleared)


def test_software_resampling_waits_until_idle():
    """Apple: the physical active state is cleared when the virtual one is idle."""
    rig, vcpu, irq = rig_with("resampled", active=True)
    rig.machine.physical.active[27] = True
    vgic_v3_fold_lr(vcpu, vgic_v3_compute_lr(vcpu, irq))
    assert rig.machine.physical.active[27]
    vgic_v3_fold_lr(vcpu, vgic_v3_compute_lr(vcpu, irq) & ~LR_A)
    assert not rig.machine.physical.active[27]


@pytest.mark.parametrize("line", [True, False])
def test_a_deactivated_mapped_interrupt_samples_a_line_thought_high(line):
    """Section 11.1: active goes away with the line high in memory; if it fell, the physical one may fire."""
    rig, vcpu, irq = rig_with("hw level", active=True)
    irq.line_level = rig.machine.physical.active[27] = True
    rig.machine.physical.line[27] = line
    vgic_v3_fold_lr(vcpu, vgic_v3_compute_lr(vcpu, irq) & ~LR_A)
    assert (irq.line_level, rig.machine.physical.active[27]) == (line, line)
