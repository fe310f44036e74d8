"""Every field of the distributors and redistributors, where a wrong shift or offset shows (section 14)."""

import pytest

from sim.kvm.deactivate import CactiveWrite, vgic_v2_deactivate
from sim.kvm.host import Host
from sim.kvm.irq import Config, VgicModel
from sim.kvm.lpi import vgic_add_lpi, vgic_enable_lpis
from sim.kvm.mmio import BITS_PER_IRQ_REGISTERS, irq_registers, vgic_mmio_read_raz
from sim.kvm.mmio_dist import vgic_mmio_read_v3_misc
from sim.kvm.mmio_redist import dispatch_mmio_read, dispatch_mmio_write, vgic_access_active_prepare
from sim.kvm.mmio_v2 import GICD_SGIR, SgirFilter, sgir_value
from sim.kvm.profile import PROFILES
from sim.kvm.regs import VMCR
from sim.kvm.vm import Request, Vm
from tests.sim.kvm.rig import GICD, GICR, Rig

SGI_FRAME = GICR + 0x10000
STRIDE = 0x20000


@pytest.fixture(params=[VgicModel.V3, VgicModel.V2], ids=["GICv3 guest", "GICv2 guest"])
def rig(request):
    """Three vCPUs that are not running; every field of every interrupt is zero."""
    rig = Rig(vcpus=3, enter=False, guest=request.param)
    for irq in [*rig.vm.dist.spis, *(irq for vcpu in rig.vm.vcpus for irq in vcpu.private_irqs)]:
        irq.enabled, irq.priority, irq.group, irq.config = False, 0, 0, Config.EDGE
    return rig


@pytest.fixture
def v2():
    return Rig(vcpus=3, enter=False, guest=VgicModel.V2)


@pytest.fixture
def v3():
    return Rig(vcpus=3, enter=False)


def write(rig, address, value, size=4, vcpu=0):
    assert dispatch_mmio_write(rig.vm.vcpus[vcpu], address, size, value)


def read(rig, address, size=4, vcpu=0):
    return dispatch_mmio_read(rig.vm.vcpus[vcpu], address, size)


def private(rig):
    """Return where the registers of vCPU 0's private interrupts are."""
    return GICD if rig.vm.vgic_model is VgicModel.V2 else SGI_FRAME


#: Register, bits an interrupt, field, what a written field of one interrupt becomes.
FIELDS = (
    ("IGROUPR", 0x080, 1, "group", 1, 1),
    ("ISENABLER", 0x100, 1, "enabled", 1, True),
    ("ISPENDR", 0x200, 1, "pending_latch", 1, True),
    ("ISACTIVER", 0x300, 1, "active", 1, True),
    ("IPRIORITYR", 0x400, 8, "priority", 0xFF, 0xF8),
)


@pytest.mark.parametrize(("offset", "bits", "field", "put", "stored"), [row[1:] for row in FIELDS],
                         ids=[row[0] for row in FIELDS])  # fmt: skip
@pytest.mark.parametrize("intid", [16, 19, 31, 32, 45, 64, 67, 127])
def test_a_field_belongs_to_one_interrupt(rig, intid, offset, bits, field, put, stored):
    """The write reaches this interrupt and no neighbour, and reads back where it was written."""
    base = private(rig) if intid < 32 else GICD
    byte = intid * bits // 8 & ~3
    shift = intid * bits - byte * 8
    write(rig, base + offset + byte, put << shift)
    everyone = [rig.irq(n) for n in range(16, 128)]
    assert [irq.intid for irq in everyone if getattr(irq, field)] == [intid]
    assert getattr(rig.irq(intid), field) == stored
    assert read(rig, base + offset + byte) == int(stored) << shift
    assert not any(getattr(irq, field) for irq in rig.vm.vcpus[1].private_irqs)


def test_several_fields_of_a_register_are_read_together(rig):
    """Section 14: one access reads all its interrupts, SPIs and private ones."""
    for intid, priority in ((40, 0x10), (41, 0x28), (43, 0xF8), (20, 0x40), (23, 0x80)):
        rig.irq(intid).priority = priority
    assert read(rig, GICD + 0x428) == 0xF8002810
    assert read(rig, GICD + 0x429, 1) == 0x28
    assert read(rig, private(rig) + 0x414) == 0x80000040
    for intid in (33, 40, 63):
        rig.irq(intid).enabled = rig.irq(intid).group = True
        rig.irq(intid).active = rig.irq(intid).pending_latch = True
    for offset in (0x80, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380):
        assert read(rig, GICD + offset + 4) == 1 << 31 | 1 << 8 | 1 << 1, hex(offset)


@pytest.mark.parametrize(
    ("offset", "field"), [(0x180, "enabled"), (0x280, "pending_latch"), (0x380, "active")]
)
def test_a_clearing_register_clears_the_bits_that_are_one(rig, offset, field):
    for intid in (34, 40, 41):
        setattr(rig.irq(intid), field, True)
    write(rig, GICD + offset + 4, 1 << 8 | 1 << 2)
    assert [getattr(rig.irq(n), field) for n in (34, 40, 41)] == [False, False, True]


def test_trigger_types_are_two_bits_wide_and_the_upper_one_counts(rig):
    write(rig, GICD + 0xC0C, 0b10_01_11_00 << 8)
    configs = [rig.irq(n).config for n in range(51, 57)]
    level, edge = Config.LEVEL, Config.EDGE
    assert configs == [level, level, edge, level, edge, level]
    assert read(rig, GICD + 0xC0C) >> 8 & 0xFF == 0b10_00_10_00


def test_interrupts_beyond_the_last_read_zero_and_take_no_write(rig):
    """96 SPIs: 128 is the first that is not there."""
    assert (read(rig, GICD + 0x110), read(rig, GICD + 0x480)) == (0, 0)
    write(rig, GICD + 0x110, 0xFFFF_FFFF)
    write(rig, GICD + 0x480, 0xFFFF_FFFF)
    assert not any(irq.enabled or irq.priority for irq in rig.vm.dist.spis)


def test_enabling_a_mapped_level_interrupt_whose_line_has_fallen_frees_the_physical_one(v3):
    """vgic_mmio_write_senable: high before and low now ends the physical active state."""
    v3.map(27)
    irq, physical = v3.irq(27), v3.machine.physical
    for was_high, active, freed in ((True, False, True), (False, False, False), (True, True, False)):
        physical.active[27] = True
        irq.line_level, irq.active = was_high, active
        write(v3, SGI_FRAME + 0x100, 1 << 27)
        assert irq.line_level is False
        assert physical.active[27] is not freed, (was_high, active)


def test_a_cleared_pending_bit_leaves_an_active_mapped_interrupt_to_its_guest(v3):
    """vgic_mmio_write_cpending: the physical active state goes only while the guest has not got it."""
    v3.map(27)
    irq, physical = v3.irq(27), v3.machine.physical
    for active in (True, False):
        irq.active = physical.active[27] = physical.pending[27] = True
        irq.active = active
        write(v3, SGI_FRAME + 0x280, 1 << 27)
        assert (physical.pending[27], physical.active[27]) == (False, active)


@pytest.mark.parametrize(("name", "on_lr", "noted"), [("7.3", True, False), ("fixed", True, True),
                                                        ("fixed", False, False)])  # fmt: skip
def test_icpendr_reaches_a_list_register_in_fixed_only(name, on_lr, noted):
    """Cure ``unpend_in_lr``: what is in a list register is kicked out of it; nothing else is."""
    rig = Rig(PROFILES[name], vcpus=2, enter=False)
    rig.inj(40)
    irq, kicks = rig.irq(40), rig.vm.vcpus[0].kicks
    irq.on_lr = on_lr
    write(rig, GICD + 0x284, 1 << 8)
    assert (irq.pending_latch, irq.unpended, rig.vm.vcpus[0].kicks - kicks) == (False, noted, int(noted))


@pytest.mark.parametrize(("name", "waits"), [("7.3", False), ("fixed", True)])
def test_icenabler_waits_for_a_list_register_in_fixed_only(name, waits):
    """Cure ``wait_when_disabling``: RWP stays 1 while the guest may still be offered it from an LR."""
    rig = Rig(PROFILES[name], vcpus=2, enter=False)
    for intid, on_lr in ((40, True), (41, False)):
        rig.inj(intid)
        rig.irq(intid).on_lr = on_lr
        rig.vm.vcpus[0].requests.clear()
        write(rig, GICD + 0x184, 1 << intid - 32)
        assert (Request.IRQ_PENDING in rig.vm.vcpus[0].requests) == (waits and on_lr)
        assert not rig.irq(intid).enabled


@pytest.mark.parametrize(("name", "kicked"), [("7.3", False), ("fixed", True)])
def test_rewriting_a_listed_interrupt_kicks_in_fixed_only(name, kicked):
    """Cure ``kick_after_rewrite``: another priority or group, and only of what is on a list."""
    rig = Rig(PROFILES[name], vcpus=2, enter=False)
    rig.inj(40)
    vcpu = rig.vm.vcpus[0]
    for offset, value, changes in (
        (0x428, 0xA0A0A048, True),
        (0x428, 0xA0A0A048, False),
        (0x428, 0xA0A05848, False),
    ):
        kicks = vcpu.kicks
        write(rig, GICD + offset, value)
        assert vcpu.kicks - kicks == int(kicked and changes), hex(value)
    rig.irq(40).enabled = False  # so that a write of its group does not queue it
    for value, changes in ((0xFFFF_FEFF, True), (0xFFFF_FEFF, False), (0xFFFF_FCFF, False)):
        kicks = vcpu.kicks
        write(rig, GICD + 0x84, value)
        assert vcpu.kicks - kicks == int(kicked and changes), hex(value)


@pytest.mark.parametrize(
    ("mode", "name", "kept"), [(0, "fixed", True), (1, "fixed", False), (0, "7.3", False)]
)
def test_icactiver_within_a_handler_keeps_what_it_was_acknowledged_with(mode, name, kept):
    """Cure ``walk_by_priority``: the EOI is still to come, but in EOImode 1, where it is not counted."""
    rig = Rig(PROFILES[name], vcpus=2, enter=False)
    rig.inj(40)
    rig.vm.vcpus[0].cpu_if.vgic_vmcr = mode * VMCR.VEOIM
    irq = rig.irq(40)
    irq.active, irq.acked = True, (0xA0, 1)
    write(rig, GICD + 0x384, 1 << 8)
    assert (irq.active, irq.acked) == (False, (0xA0, 1) if kept else None)
    other = rig.irq(41)
    other.active, other.acked = True, (0xA0, 1)
    write(rig, GICD + 0x384, 1 << 9)
    assert other.acked is None, "on no list"
    irq.acked = (0xA0, 1)
    write(rig, GICD + 0x304, 1 << 8)
    assert irq.acked == (0xA0, 1)


# -- GICv3 -------------------------------------------------------------------------------------------------


def test_typer_of_a_guest_with_lpis(v3):
    """GICD_TYPER.LPIS and IDbits 15; GICR_TYPER.PLPIS, number, affinity and Last."""
    vgic_add_lpi(v3.vm.vcpus[0], 8200)
    assert read(v3, GICD + 4) == 15 << 19 | 1 << 17 | 3
    assert read(v3, GICR + 8, 8) == 1
    assert read(v3, GICR + STRIDE + 8, 8) == 1 << 32 | 1 << 8 | 1
    assert read(v3, GICR + 2 * STRIDE + 8, 8) == 2 << 32 | 2 << 8 | 1 << 4 | 1
    assert read(v3, GICR + STRIDE + 8) == 1 << 8 | 1
    assert read(v3, GICR + 2 * STRIDE + 12) == 2


def test_lpis_are_switched_on_and_off(v3):
    """GICR_CTLR.EnableLPIs, of the redistributor that is written; without an ITS it is RAZ/WI."""
    write(v3, GICR, 1)
    assert read(v3, GICR) == 0b110
    vgic_add_lpi(v3.vm.vcpus[1], 8200)
    write(v3, GICR + STRIDE, 1)
    assert [vcpu.lpis_enabled for vcpu in v3.vm.vcpus] == [False, True, False]
    assert [read(v3, GICR + n * STRIDE) for n in range(3)] == [0b110, 0b111, 0b110]
    v3.inj(8200)
    assert v3.vm.vcpus[1].ap_list
    write(v3, GICR + STRIDE, 1)
    assert v3.vm.vcpus[1].ap_list, "enabling what is enabled changes nothing"
    write(v3, GICR + STRIDE, 0)
    assert not v3.vm.vcpus[1].ap_list and read(v3, GICR + STRIDE) == 0b110


def test_identification_of_every_frame(v3):
    assert read(v3, GICR + 4) == read(v3, GICD + 8) == 0x4B00343B
    assert read(v3, GICR + STRIDE + 0xFFE8) == 0x3B
    for offset in (0xFFD0, 0xFFE0, 0xFFEC, 0xFFFC):
        assert read(v3, GICD + offset) == read(v3, GICR + offset) == 0
    assert read(v3, GICR + 0x10) == read(v3, GICR + 0x14) == 0


def test_routes_of_neighbours_are_their_own(v3):
    """GICD_IROUTER<n>: eight bytes an SPI, halves by themselves; there is no Affinity 3 in the upper one."""
    write(v3, GICD + 0x6000 + 8 * 40, 2, size=8)
    write(v3, GICD + 0x6000 + 8 * 41, 0xFF01, size=4)
    targets = [v3.irq(n).target_vcpu for n in (39, 40, 41, 42)]
    assert targets == [v3.vm.vcpus[0], v3.vm.vcpus[2], None, v3.vm.vcpus[0]]
    assert read(v3, GICD + 0x6000 + 8 * 40, 8) == 2
    assert (read(v3, GICD + 0x6000 + 8 * 41), read(v3, GICD + 0x6004 + 8 * 41)) == (0xFF01, 0)
    write(v3, GICD + 0x6000 + 8 * 40, 0xAB_FF000001, size=8)
    assert read(v3, GICD + 0x6000 + 8 * 40, 8) == 1
    assert read(v3, GICD + 0x6000 + 8 * 200, 8) == 0
    write(v3, GICD + 0x6000 + 8 * 200, 1, size=8)


def test_cpus_are_sixteen_to_a_cluster():
    rig = Rig(vcpus=18, enter=False)
    write(rig, GICD + 0x6000 + 8 * 40, 1 << 8 | 1, size=8)
    assert rig.irq(40).target_vcpu.vcpu_id == 17
    assert read(rig, GICR + 17 * STRIDE + 8, 8) == 0x101 << 32 | 17 << 8 | 1 << 4


def test_ctlr_reads_are_ds_and_the_enable(v3):
    for enabled in (False, True):
        write(v3, GICD, enabled << 1)
        assert read(v3, GICD) == 0x50 | enabled << 1
        write(v3, GICD + 4, 2 - 2 * enabled)
        write(v3, GICD + 8, 2 - 2 * enabled)
        assert v3.vm.dist.enabled is enabled, "TYPER and IIDR take no write"


@pytest.mark.parametrize("name", ["7.3", "fixed"])
def test_disabling_the_distributor_waits_in_fixed_only(name):
    """Cure ``wait_when_disabling``: GICD_CTLR.RWP stays 1 until no guest can be offered anything."""
    rig = Rig(PROFILES[name], vcpus=2, enter=False)
    write(rig, GICD, 0)
    asked = [Request.IRQ_PENDING in vcpu.requests for vcpu in rig.vm.vcpus]
    assert asked == [name == "fixed"] * 2


def test_access_widths_and_alignment(v3):
    """A register takes the widths it has; anything else is RAZ/WI."""
    v3.irq(40).priority = 0x58
    assert (read(v3, GICD + 0x428, 1), read(v3, GICD + 0x428) & 0xFFFF, read(v3, GICD + 0x428, 2)) == (
        0x58, 0xA058, 0,
    )  # fmt: skip
    assert read(v3, GICD + 0x104, 8) == 0
    assert (read(v3, GICR + 8, 4), read(v3, GICR + 0xC, 8)) == (0, 0)
    assert not vgic_access_active_prepare(v3.vm.vcpus[0], GICD + 0x304, 1)
    assert not vgic_access_active_prepare(v3.vm.vcpus[0], 0x0A00_0000, 4)


def test_what_lies_next_to_the_frames_is_not_the_gic(v3, v2):
    for rig, below, above in ((v3, GICD - 4, GICD + 0x10000), (v2, GICD - 4, GICD + 0x1000)):
        assert read(rig, below) is None and read(rig, above) is None
        assert not dispatch_mmio_write(rig.vm.vcpus[0], above, 4, 1)
    assert read(v3, GICR - 4) is None and read(v3, GICR + 3 * STRIDE) is None
    assert read(v3, GICR + 3 * STRIDE - 4) == 0 and read(v3, GICD + 0xFFFC) == 0


# -- GICv2 -------------------------------------------------------------------------------------------------


def test_ctlr_of_gicv2_is_one_enable(v2):
    """Setting it kicks who lists something, once; nothing else of the word is there."""
    v2.vm.vcpus[0].cpu_if.vgic_vmcr = 0xF8 << 24
    v2.inj(40)
    for enabled in (False, True):
        kicks = [vcpu.kicks for vcpu in v2.vm.vcpus]
        write(v2, GICD, enabled)
        assert (v2.vm.dist.enabled, read(v2, GICD)) == (enabled, enabled)
        assert [vcpu.kicks - k for vcpu, k in zip(v2.vm.vcpus, kicks, strict=True)] == [int(enabled), 0, 0]
    write(v2, GICD, 1)
    assert v2.vm.vcpus[0].kicks == kicks[0] + 1, "enabling what is enabled kicks nobody"
    write(v2, GICD + 4, 0)
    write(v2, GICD + 8, 0)
    assert v2.vm.dist.enabled


def test_sgi_sources_are_a_byte_each(v2):
    """CPENDSGIR and SPENDSGIR: four SGIs a word, all sixteen reached."""
    write(v2, GICD + 0xF20, 0x04_00_02_01)
    write(v2, GICD + 0xF2C, 0x80_00_00_00)
    assert [v2.irq(n).source for n in (0, 1, 2, 3, 15)] == [1, 2, 0, 4, 0x80]
    assert [v2.irq(n).pending_latch for n in (0, 1, 2, 3, 15)] == [True, True, False, True, True]
    assert (read(v2, GICD + 0xF20), read(v2, GICD + 0xF1C)) == (0x04_00_02_01, 0x80_00_00_00)
    assert [irq.intid for irq in v2.vm.vcpus[0].ap_list] == [0, 1, 3, 15]
    write(v2, GICD + 0xF10, 0x04_00_00_01)
    assert [v2.irq(n).pending_latch for n in range(4)] == [False, True, False, False]
    assert [v2.irq(n).source for n in range(4)] == [0, 2, 0, 0]


def test_sgir_keeps_its_fields_apart(v2):
    """The list is eight bits, the INTID four; what is beyond the vCPUs reaches nobody."""
    assert sgir_value(0x15, SgirFilter.OTHERS, 0x1FF) == 1 << 24 | 0xFF << 16 | 5
    write(v2, GICD + GICD_SGIR, sgir_value(15, SgirFilter.LIST, 0xFA), vcpu=2)
    assert [vcpu.private_irqs[15].source for vcpu in v2.vm.vcpus] == [0, 1 << 2, 0]
    write(v2, GICD + GICD_SGIR, sgir_value(15, SgirFilter.OTHERS), vcpu=1)
    assert [vcpu.private_irqs[15].source for vcpu in v2.vm.vcpus] == [1 << 1, 1 << 2, 1 << 1]
    write(v2, GICD + GICD_SGIR, sgir_value(14, SgirFilter.SELF, 0xFF), vcpu=2)
    assert [vcpu.private_irqs[14].source for vcpu in v2.vm.vcpus] == [0, 0, 1 << 2]
    assert read(v2, GICD + GICD_SGIR) == 0


def test_targets_of_a_word_are_a_byte_each(v2):
    write(v2, GICD + 0x800 + 40, 0x04_02_FF_06)
    assert [v2.irq(n).targets for n in range(40, 44)] == [6, 7, 2, 4]
    assert [v2.irq(n).target_vcpu.vcpu_id for n in range(40, 44)] == [1, 0, 1, 2]
    assert read(v2, GICD + 0x800 + 40) == 0x04_02_07_06
    write(v2, GICD + 0x800 + 42, 0, 1)
    assert v2.irq(42).target_vcpu.vcpu_id == 0
    assert (read(v2, GICD + 0x800 + 31, 1, vcpu=1), read(v2, GICD + 0x800 + 128)) == (2, 0)
    write(v2, GICD + 0x800 + 128, 0x01010101)


def test_a_gicv3_guest_has_no_targets(v3):
    """ITARGETSR belongs to GICv2: a GICv3 guest's distributor has none, and nothing is kept there."""
    assert read(v3, GICD + 0x800 + 40) == 0
    assert not any(irq.targets for vcpu in v3.vm.vcpus for irq in vcpu.private_irqs)


def test_who_made_an_sgi_active_is_kept_for_sgis_only(v2):
    write(v2, GICD + 0x300, 1 << 15 | 1 << 16 | 1, vcpu=1)
    irqs = v2.vm.vcpus[1].private_irqs
    assert [(irqs[n].active, irqs[n].active_source) for n in (0, 1, 15, 16)] == [
        (True, 1), (False, 0), (True, 1), (True, 0),
    ]  # fmt: skip


@pytest.mark.parametrize("intid", [32, 70, 127])
def test_dir_of_what_another_vcpu_has_in_its_list_registers(intid):
    """Section 13: GICv2 asks the owner to prune, and leaves ICACTIVER to be written with all stopped."""
    rig = Rig(vcpus=2, enter=False, gicv2=True)
    vcpu, other = rig.vm.vcpus
    vcpu.cpu_if.vgic_vmcr = VMCR.VEOIM
    irq = rig.irq(intid)
    irq.active, irq.on_lr, irq.vcpu = True, True, other
    vcpu.requests.clear()
    other.requests.clear()
    assert vgic_v2_deactivate(vcpu, intid) == CactiveWrite(intid // 32 * 4, 1 << intid % 32)
    assert (vcpu.requests, other.requests) == (set(), {Request.VGIC_PROCESS_UPDATE})
    assert irq.active
    vcpu.cpu_if.vgic_vmcr = 0
    assert vgic_v2_deactivate(vcpu, intid) is None, "EOImode 0: DIR is nothing"


def test_what_an_interrupt_looks_like(v3):
    v3.inj(40)
    v3.setup(41, priority=0x20, active=True, on_lr=True, config=Config.LEVEL, line_level=True)
    assert repr(v3.irq(40)) == "<irq 40 a0 EDGE latch on vCPU0>"
    assert repr(v3.irq(41)) == "<irq 41 20 LEVEL line active on_lr>"
    v3.setup(42, hw=True, freed=True)
    assert repr(v3.irq(42)) == "<irq 42 a0 EDGE hw freed>"
    assert repr(v3.irq(43)) == "<irq 43 a0 EDGE>"
    assert repr(v3.vm.vcpus[2]) == "<vCPU2>"


def test_what_a_new_vm_holds(v3, v2):
    """kvm_vgic_vcpu_init: SGIs edge and enabled, PPIs level and not; group 1 of GICv3, group 0 of GICv2."""
    for rig in (v3, v2):
        fresh = type(rig.vm)(rig.vm.host, rig.vm.profile, 2, vgic_model=rig.vm.vgic_model)
        group = int(rig is v3)
        for vcpu in fresh.vcpus:
            assert [irq.enabled for irq in vcpu.private_irqs] == [True] * 16 + [False] * 16
            assert [irq.config for irq in vcpu.private_irqs] == [Config.EDGE] * 16 + [Config.LEVEL] * 16
            assert {(irq.group, irq.target_vcpu) for irq in vcpu.private_irqs} == {(group, vcpu)}
            assert {irq.targets for irq in vcpu.private_irqs} == {0 if rig is v3 else 1 << vcpu.vcpu_id}
            assert (vcpu.cpu, vcpu.nr_lr, vcpu.cpu_if.vgic_vmcr) == (vcpu.vcpu_id, 4, 0)
        assert {(irq.group, irq.target_vcpu.vcpu_id, irq.enabled) for irq in fresh.dist.spis} == {
            (group, 0, False)
        }
        assert [irq.intid for irq in fresh.dist.spis] == list(range(32, 128))


def test_lpis_of_another_redistributor_stay(v3):
    """GICR_CTLR cleared: only this vCPU's LPIs leave its list, and other interrupts stay on it."""
    for intid, vcpu in ((8200, 0), (8201, 1)):
        vgic_enable_lpis(v3.vm.vcpus[vcpu])
        vgic_add_lpi(v3.vm.vcpus[vcpu], intid)
        v3.inj(intid)
    v3.inj(40)
    write(v3, GICR, 0)
    assert [[irq.intid for irq in vcpu.ap_list] for vcpu in v3.vm.vcpus] == [[40], [8201], []]


def test_typer_without_an_its():
    """GICD_TYPER: lines in 32s less one, ten bits of INTID, no LPIs."""
    for spis, lines in ((32, 1), (64, 2), (96, 3)):
        assert vgic_mmio_read_v3_misc(Vm(Host(), nr_spis=spis).vcpus[0], 4, 4) == 9 << 19 | lines


def test_each_shared_register_ends_with_the_last_interrupt():
    """1,024 interrupts: a byte further is another register's."""
    regions = irq_registers(0, private=False)
    ends = {region.offset + region.length for region in regions if region.read is not vgic_mmio_read_raz}
    assert ends == {row[1] + 1024 * row[2] // 8 for row in BITS_PER_IRQ_REGISTERS}
