"""Distributor, redistributor and SGIs as a guest reaches them (spec section 14; vgic-mmio, vgic-mmio-v3)."""

import pytest

from sim.kvm.irq import Config
from sim.kvm.mmio_redist import dispatch_mmio_read, dispatch_mmio_write, vgic_access_active_prepare
from sim.kvm.sysreg import access_gic_sgi
from tests.sim.kvm.rig import GICD, GICR, Rig

SGI_FRAME = GICR + 0x10000


@pytest.fixture
def rig():
    return Rig(vcpus=2, enter=False)


def write(rig, address, value, size=4):
    assert dispatch_mmio_write(rig.vm.vcpus[0], address, size, value)


def read(rig, address, size=4):
    return dispatch_mmio_read(rig.vm.vcpus[0], address, size)


def test_identification(rig):
    assert read(rig, GICD) == 0x52
    assert read(rig, GICD + 4) == 0x480003
    assert read(rig, GICD + 8) == 0x4B00343B
    assert read(rig, GICR) == 0x6
    assert read(rig, GICD + 0xFFE8) == 0x3B
    assert read(rig, GICR + 8, 8) == 0
    assert read(rig, GICR + 0x20000 + 8, 8) == 1 << 32 | 1 << 8 | 1 << 4
    assert read(rig, GICR + 0x20000 + 12) == 1


def test_other_addresses_are_not_the_gic(rig):
    assert read(rig, 0x0A00_0000) is None
    assert not dispatch_mmio_write(rig.vm.vcpus[0], GICR + 0x40000, 4, 0)


@pytest.mark.parametrize("address", [GICD + 0x101, GICD + 0x104 + 2, GICD + 0x70])
def test_malformed_accesses_are_raz_wi(rig, address):
    write(rig, address, 0xFF, size=2 if address % 4 == 2 else 1)
    assert read(rig, address, 1) == 0


def test_private_words_of_the_distributor_are_raz_wi(rig):
    write(rig, GICD + 0x180, 0xFFFF_FFFF)
    assert rig.irq(3).enabled
    assert read(rig, GICD + 0x100) == 0


def test_enable_queues_what_is_pending(rig):
    write(rig, GICD + 0x184, 1 << 8)
    rig.inj(40)
    assert rig.irq(40).vcpu is None
    write(rig, GICD + 0x104, 1 << 8)
    assert rig.irq(40).vcpu is rig.vm.vcpus[0]
    assert read(rig, GICD + 0x104) == 0xFFFF_FFFF


def test_disable_leaves_it_to_the_next_prune(rig):
    """A17: ICENABLER kicks nobody."""
    rig.inj(40)
    kicks = rig.vm.vcpus[0].kicks
    write(rig, GICD + 0x184, 1 << 8)
    assert rig.irq(40).vcpu is rig.vm.vcpus[0]
    assert rig.vm.vcpus[0].kicks == kicks


def test_pending_bits(rig):
    write(rig, GICD + 0x204, 1 << 8)
    assert read(rig, GICD + 0x284) == 1 << 8
    assert rig.irq(40).vcpu is rig.vm.vcpus[0]
    write(rig, GICD + 0x284, 1 << 8)
    assert read(rig, GICD + 0x204) == 0


def test_pending_reads_the_line_of_a_level_interrupt(rig):
    rig.setup(40, config=Config.LEVEL)
    rig.line(40, True)
    assert read(rig, GICD + 0x204) == 1 << 8
    write(rig, GICD + 0x284, 1 << 8)
    assert read(rig, GICD + 0x204) == 1 << 8


def test_pending_bits_of_a_mapped_interrupt_reach_the_physical_one(rig):
    rig.map(27)
    write(rig, SGI_FRAME + 0x200, 1 << 27)
    assert rig.machine.physical.active[27]
    write(rig, SGI_FRAME + 0x280, 1 << 27)
    assert not rig.machine.physical.active[27]
    assert rig.machine.physical.pending[27] is False


def test_active_bits(rig):
    """Section 14: ISACTIVER queues; ICACTIVER notifies nobody and leaves active_spis alone."""
    write(rig, GICD + 0x304, 1 << 8)
    assert rig.irq(40).active and rig.irq(40).vcpu is rig.vm.vcpus[0]
    assert rig.vm.dist.active_spis == 1
    write(rig, GICD + 0x384, 1 << 8)
    assert not rig.irq(40).active
    assert (rig.vm.dist.active_spis, rig.vm.acked) == (1, [])


def test_active_bits_of_a_mapped_interrupt_reach_the_physical_one(rig):
    rig.map(27)
    write(rig, SGI_FRAME + 0x300, 1 << 27)
    assert rig.machine.physical.active[27]
    write(rig, SGI_FRAME + 0x380, 1 << 27)
    assert not rig.machine.physical.active[27]


@pytest.mark.parametrize(
    ("address", "halts"),
    [
        (GICD + 0x304, True),
        (GICD + 0x384, True),
        (SGI_FRAME + 0x300, True),
        (GICD + 0x204, False),
        (GICD, False),
    ],
)
def test_which_accesses_stop_the_vcpus(rig, address, halts):
    assert vgic_access_active_prepare(rig.vm.vcpus[0], address, 4) is halts


def test_priorities_keep_five_bits(rig):
    write(rig, GICD + 0x428, 0x01020344)
    assert read(rig, GICD + 0x428) == 0x00000040
    write(rig, GICD + 0x42B, 0xFF, size=1)
    assert rig.irq(43).priority == 0xF8


def test_trigger_type_of_spis_only(rig):
    write(rig, GICD + 0xC08, 0x0000_0002)
    assert [rig.irq(n).config for n in (32, 33)] == [Config.EDGE, Config.LEVEL]
    write(rig, SGI_FRAME + 0xC04, 0xFFFF_FFFF)
    assert rig.irq(20).config is Config.LEVEL
    assert read(rig, SGI_FRAME + 0xC00) == 0xAAAA_AAAA


def test_groups(rig):
    write(rig, GICD + 0x84, 0xFFFF_FEFF)
    assert (rig.irq(40).group, rig.irq(41).group) == (0, 1)


def test_routing(rig):
    """A16: a new target is used when something queues the interrupt again."""
    rig.inj(40)
    write(rig, GICD + 0x6140, 1, size=8)
    assert rig.irq(40).target_vcpu is rig.vm.vcpus[1]
    assert rig.irq(40).vcpu is rig.vm.vcpus[0]
    assert read(rig, GICD + 0x6140) == 1
    write(rig, GICD + 0x6144, 0xFF)
    assert rig.irq(40).target_vcpu is rig.vm.vcpus[1]
    write(rig, GICD + 0x6140, 7)
    assert rig.irq(40).target_vcpu is None


def test_enabling_the_distributor_kicks_who_lists_something(rig):
    """22.14: what was pruned meanwhile is not queued again."""
    rig.vm.vcpus[0].cpu_if.vgic_vmcr = 0xF8 << 24
    rig.inj(40)
    write(rig, GICD, 0)
    assert read(rig, GICD) == 0x50
    kicks = [vcpu.kicks for vcpu in rig.vm.vcpus]
    write(rig, GICD, 2)
    assert [vcpu.kicks for vcpu in rig.vm.vcpus] == [kicks[0] + 1, kicks[1]]


def test_another_vcpus_redistributor(rig):
    write(rig, SGI_FRAME + 0x20000 + 0x180, 1 << 5)
    assert (rig.irq(5, 0).enabled, rig.irq(5, 1).enabled) == (True, False)


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (1 << 24 | 0b1010, [1, 3]),
        (1 << 24 | 1 << 40, [1, 2, 3]),
        (1 << 24 | 0b0001, [0]),
        (1 << 24 | 1 << 16 | 0b1111, []),
        (1 << 24 | 1 << 44 | 0b0001, [16]),
    ],
)
def test_sgi_fan_out(value, got):
    """A33: target list, all but self, self, another cluster, range selector; a cluster has sixteen vCPUs."""
    rig = Rig(vcpus=4, enter=False)
    access_gic_sgi(rig.vm.vcpus[0], "ICC_SGI1R_EL1", value)
    assert [v.vcpu_id for v in rig.vm.vcpus if v.private_irqs[1].pending_latch] == [n for n in got if n < 4]
    assert rig.vm.dist.active_spis == 0


def test_sgi_groups():
    """A group 1 SGI cannot be sent as group 0."""
    rig = Rig(enter=False)
    rig.setup(2, group=0)
    for intid in (1, 2):
        access_gic_sgi(rig.vm.vcpus[0], "ICC_SGI0R_EL1", intid << 24 | 1)
    assert [rig.irq(n).pending_latch for n in (1, 2)] == [False, True]
