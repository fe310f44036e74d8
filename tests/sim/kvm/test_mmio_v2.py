"""The distributor of a GICv2 guest (kernel: vgic-mmio-v2.c), and its trapped GICV_DIR (section 13)."""

import pytest

from sim.kvm.deactivate import vgic_v2_deactivate, vgic_v3_deactivate
from sim.kvm.irq import VgicModel
from sim.kvm.mmio_redist import dispatch_mmio_read, dispatch_mmio_write, vgic_access_active_prepare
from sim.kvm.mmio_v2 import GICD_SGIR, SgirFilter, sgir_value
from sim.kvm.regs import VMCR
from sim.kvm.vm import Request
from tests.sim.kvm.rig import GICD, GICR, Rig

ITARGETSR, CPENDSGIR, SPENDSGIR = GICD + 0x800, GICD + 0xF10, GICD + 0xF20


@pytest.fixture
def rig():
    return Rig(vcpus=3, enter=False, guest=VgicModel.V2)


def write(rig, address, value, size=4, vcpu=0):
    assert dispatch_mmio_write(rig.vm.vcpus[vcpu], address, size, value)


def read(rig, address, size=4, vcpu=0):
    return dispatch_mmio_read(rig.vm.vcpus[vcpu], address, size)


def test_identification(rig):
    """Three CPUs, 128 interrupts, KVM's product; the redistributors are not there."""
    assert read(rig, GICD) == 1
    assert read(rig, GICD + 4) == 2 << 5 | 3
    assert read(rig, GICD + 8) == 0x4B00343B
    assert read(rig, GICR) is None


@pytest.mark.parametrize(
    ("which", "targets", "who"),
    [
        (SgirFilter.LIST, 0b110, [1, 2]),
        (SgirFilter.OTHERS, 0b001, [1, 2]),
        (SgirFilter.SELF, 0b110, [0]),
        (3, 7, []),
    ],
)
def test_sgir_reaches_its_targets(rig, which, targets, who):
    """GICD_SGIR: the list, all others, the sender alone; the reserved filter nobody."""
    write(rig, GICD + GICD_SGIR, sgir_value(5, which, targets))
    assert [vcpu.vcpu_id for vcpu in rig.vm.vcpus if vcpu.private_irqs[5].pending_latch] == who
    assert [vcpu.vcpu_id for vcpu in rig.vm.vcpus if vcpu.ap_list] == who


def test_an_sgi_gathers_its_sources(rig):
    """A21: one bit for each sender; SPENDSGIR and CPENDSGIR add and take away."""
    for vcpu in (2, 0):
        write(rig, GICD + GICD_SGIR, sgir_value(5, SgirFilter.LIST, 1), vcpu=vcpu)
    irq = rig.irq(5)
    assert (irq.source, irq.pending_latch) == (0b101, True)
    write(rig, SPENDSGIR + 5, 0b010, 1)
    assert read(rig, SPENDSGIR + 4) == 0b111 << 8
    write(rig, CPENDSGIR + 4, 0b101 << 8)
    assert (irq.source, irq.pending_latch) == (0b010, True)
    write(rig, CPENDSGIR + 5, 0b010, 1)
    assert (irq.source, irq.pending_latch) == (0, False)


def test_ispendr_of_an_sgi_is_ignored(rig):
    """A GICv2 guest must name a source."""
    write(rig, GICD + 0x200, 1 << 5 | 1 << 20)
    assert [rig.irq(n).pending_latch for n in (5, 20)] == [False, True]
    write(rig, GICD + GICD_SGIR, sgir_value(5, SgirFilter.SELF))
    write(rig, GICD + 0x280, 1 << 5 | 1 << 20)
    assert [rig.irq(n).pending_latch for n in (5, 20)] == [True, False]


def test_private_registers_are_banked(rig):
    write(rig, GICD + 0x100, 1 << 20, vcpu=1)
    write(rig, GICD + 0x180, 1 << 20, vcpu=2)
    assert [rig.irq(20, vcpu).enabled for vcpu in (1, 2)] == [True, False]
    assert read(rig, GICD + 0x100, vcpu=1) >> 20 & 1


def test_targets(rig):
    """The lowest target gets an SPI; an SGI's or PPI's register tells the vCPU its own number."""
    write(rig, ITARGETSR + 40, 0b110, 1)
    assert rig.irq(40).target_vcpu.vcpu_id == 1
    assert read(rig, ITARGETSR + 40) == 0b110
    write(rig, ITARGETSR + 40, 0xF8, 1)
    assert read(rig, ITARGETSR + 40, 1) == 0, "vCPUs that do not exist are no targets"
    write(rig, ITARGETSR + 4, 0)
    assert read(rig, ITARGETSR + 4, vcpu=2) == 0x04040404


def test_who_made_an_sgi_active(rig):
    """Section 14: ISACTIVER names no source, so it is the vCPU that wrote."""
    write(rig, GICD + 0x300, 1 << 5, vcpu=2)
    irq = rig.irq(5, 2)
    assert (irq.active, irq.active_source) == (True, 2)


def test_only_spis_stop_the_vcpus(rig):
    """Section 14: a GICv2 guest reaches nobody else's private interrupts."""
    vcpu = rig.vm.vcpus[0]
    stops = [vgic_access_active_prepare(vcpu, GICD + offset, 4) for offset in (0x300, 0x304, 0x380, 0x384)]
    assert stops == [False, True, False, True]
    assert not vgic_access_active_prepare(vcpu, GICD + 0x204, 4)


@pytest.mark.parametrize("deactivate", [vgic_v3_deactivate, vgic_v2_deactivate])
def test_dir_needs_the_source_of_an_sgi(rig, deactivate):
    """A13: CPUID 1 is not the active one, so nothing changes and no prune is requested."""
    vcpu = rig.vm.vcpus[0]
    vcpu.cpu_if.vgic_vmcr = VMCR.VEOIM
    write(rig, GICD + 0x300, 1 << 3)
    vcpu.requests.clear()
    assert deactivate(vcpu, 0x403) is None
    assert rig.irq(3).active and not vcpu.requests
    if deactivate is vgic_v3_deactivate:  # the other one folds GICH_LR values
        deactivate(vcpu, 3)
        assert not rig.irq(3).active and vcpu.requests == {Request.VGIC_PROCESS_UPDATE}


def test_nobody_counts_the_spis_of_a_gicv2_guest(rig):
    """Section 4.3: no broadcast, active_spis stays 0."""
    rig.inj(40)
    assert rig.vm.dist.active_spis == 0
    assert [vcpu.kicks for vcpu in rig.vm.vcpus] == [1, 0, 0]
