"""Checks for the patches of the merged series (spec sections 20.1, 20.2)."""

from hw.config import GicConfig
from hw.registers import BY_NAME
from sim.kvm.ap_list import summarize_ap_list, vgic_sort_ap_list
from sim.kvm.flush_sync import kvm_vgic_flush_hwstate
from sim.kvm.host import Host
from sim.kvm.irq import Config
from sim.kvm.lr import vgic_v3_compute_lr
from sim.kvm.regs import HCR, VMCR, hcr_eoicount, vmcr_pmr
from sim.kvm.vm import Vm
from sim.port import Access, run
from sim.world_switch import kvm_vgic_load, spurious_maintenance, sync_hwstate
from tests.sim.kvm.rig import GICD, Rig
from tests.sim.kvm.shows import shows


@shows("mi_report")
def a_stray_maintenance_interrupt_is_reported(profile):
    """m03: ICH_MISR_EL2 is reported, and En is cleared."""
    rig = Rig(profile)
    port = rig.ports[0]
    run(port.access(Access(2, BY_NAME["ICH_HCR_EL2"], True, HCR.En | HCR.NPIE)))
    assert run(spurious_maintenance(port, profile.mi_report)) == 1 << 3
    assert not rig.hcr() & HCR.En


@shows("constant_traps")
def trap_bits_are_those_of_boot(profile):
    """m04: an option changed later has no effect; the shadow never shows the bits."""
    rig = Rig(profile, group0_trap=True)
    rig.vm.host.group0_trap = False
    rig.inj(32)
    assert rig.hcr() & HCR.TALL0
    assert not rig.vm.vcpus[0].cpu_if.vgic_hcr & HCR.TALL0


@shows("pkvm_traps")
def a_protected_guest_has_its_common_registers(profile):
    """m05: with TC set, a protected guest reads RPR and gets a value, not UNDEFINED."""
    rig = Rig(profile, common_trap=True, protected=True)
    assert rig.fault("RPR") == 0


@shows("detect_tdir")
def without_tdir_the_common_trap_stands_in(profile):
    """m06, A31: VTR.TDS=0 gives TC at every entry."""
    rig = Rig(profile, tds=False)
    rig.inj(32)
    assert rig.hcr() & HCR.TC


@shows("track_on_lr")
def on_lr_marks_what_is_in_a_list_register(profile):
    """m08, I2, I3: set from flush to fold."""
    rig = Rig(profile, lrs=2)
    rig.inj(32, 33, 34)
    assert [rig.irq(n).on_lr for n in (32, 33, 34)] == [True, True, False]
    run(sync_hwstate(rig.ports[0], rig.vm.vcpus[0]))
    assert not any(irq.on_lr for irq in rig.vm.vcpus[0].ap_list)


@shows("lpi_drop_active")
def an_lpi_keeps_no_list_register(profile):
    """m10, A10: with one LR, a second LPI is delivered inside the first one."""
    rig = Rig(profile, lrs=1, slow=True)
    rig.setup(8192, 0xA0)
    rig.setup(8193, 0x80)
    rig.nest(8192, 8193)
    rig.eoi(8193, 8192)
    rig.exit()
    assert rig.vm.vcpus[0].ap_list == []


@shows("preserve_eoicount")
def eoicount_reaches_the_shadow(profile):
    """m11: two out-of-LR EOIs with LRENPIE set are counted and undone."""
    rig = Rig(profile, lrs=2, slow=True)
    for n in range(4):
        rig.setup(32 + n, 0x80 - 8 * n)
    rig.nest(32, 33, 34, 35)
    rig.exit()
    rig.eoi(35, 34, 33, 32)
    assert hcr_eoicount(rig.hcr()) == 2
    rig.mi()
    assert rig.active(32, 33, 34, 35) == [False] * 4


@shows("hcr_every_entry")
def hcr_is_written_without_list_registers(profile):
    """m12: an empty list still gets En and the group bits."""
    assert Rig(profile).hcr() & HCR.En


@shows("fold_primitive")
def one_value_is_folded_alone(profile):
    """m13: folding a made-up LR of an interrupt outside the LRs changes that interrupt only."""
    rig = Rig(profile, lrs=1, eoimode=1, slow=True)
    rig.setup(32, 0x80)
    rig.setup(33, 0x40)
    rig.nest(32, 33)
    rig.exit()
    rig.eoi(33, 32)
    rig.dir(32)
    assert rig.active(32, 33) == [False, True]


@shows("compute_primitive")
def computing_changes_nothing(profile):
    """m14: twice the same value, no field changed."""
    rig = Rig(profile, enter=False)
    rig.inj(32)
    irq, vcpu = rig.irq(32), rig.vm.vcpus[0]
    assert vgic_v3_compute_lr(vcpu, irq) == vgic_v3_compute_lr(vcpu, irq)
    assert irq.pending_latch


@shows("always_compute")
def an_empty_list_is_flushed_and_synced(profile):
    """m19: nothing listed, and yet HCR is rebuilt and VMCR refreshed."""
    rig = Rig(profile)
    rig.write("PMR", 0x80)
    rig.exit()
    assert vmcr_pmr(rig.vm.vcpus[0].cpu_if.vgic_vmcr) == 0x80
    assert rig.ports[0].accesses[-1][:2] == ("w", "HCR")


@shows("eager_vmcr")
def vmcr_is_fresh_after_each_exit(profile):
    """m20: EOImode and PMR, then an MMIO exit: the shadow shows both before any put."""
    rig = Rig(profile, slow=True)
    rig.write("CTLR", 2)
    rig.write("PMR", 0x80)
    rig.mmio(GICD)
    vmcr = rig.vm.vcpus[0].cpu_if.vgic_vmcr
    assert vmcr & VMCR.VEOIM and vmcr_pmr(vmcr) == 0x80


@shows("maintenance")
def maintenance_bits_follow_the_summary(profile):
    """m21, section 8.3: five pending PPIs on four LRs, and one SGI."""
    rig = Rig(profile)
    for n in range(16, 21):
        rig.line(n, True)
    bits = HCR.NPIE | HCR.UIE | HCR.vSGIEOICount
    assert rig.hcr() & (bits | HCR.LRENPIE) == bits
    rig.inj(3)
    assert not rig.hcr() & HCR.vSGIEOICount


@shows("reset_hook")
def reset_leaves_hcr_alone(profile):
    """m22: the first entry's HCR is section 8.3's last row, made by configure_hcr."""
    vm = Vm(Host(GicConfig(nv4=False)), profile)
    assert vm.vcpus[0].cpu_if.vgic_hcr == 0
    kvm_vgic_flush_hwstate(vm.vcpus[0])
    assert vm.vcpus[0].cpu_if.vgic_hcr == HCR.En | HCR.VGrp0EIE | HCR.VGrp1EIE | HCR.vSGIEOICount


@shows("pending_first")
def pending_interrupts_push_active_ones_out(profile):
    """m24, A02: six nested on four LRs; the fifth and sixth are taken at once."""
    rig = Rig(profile)
    for n in range(6):
        rig.setup(32 + n, 0x28 - 8 * n)
    rig.nest(32, 33, 34, 35, 36, 37)
    assert rig.lrs() == [37, 36, 35, 34]


@shows("undeliverable_last")
def a_disabled_group_does_not_starve_the_other(profile):
    """m25, A05: three urgent group 0 ones, disabled; the group 1 ones get the LRs."""
    rig = Rig(profile, lrs=2, slow=True)
    for n in (32, 33, 34):
        rig.setup(n, 0x10, group=0)
    rig.inj(32, 33, 34, 40, 41)
    assert rig.lrs() == [40, 41]


@shows("undeliverable_last")
def the_whole_comparator(profile):
    """m24, m25, A18: the order of all five keys in one list."""
    rig = Rig(profile, lrs=2, enter=False)
    rig.vm.vcpus[0].cpu_if.vgic_vmcr = VMCR.VENG1
    table = [
        (32, 0x80, {"active": True}), (33, 0x40, {"pending_latch": True, "group": 0}),
        (34, 0x90, {"pending_latch": True}), (35, 0x20, {"pending_latch": True, "enabled": False}),
        (36, 0x70, {"active": True, "pending_latch": True}), (37, 0x70, {"active": True, "hw": True}),
        (38, 0x88, {"pending_latch": True}), (39, 0x20, {"active": True, "group": 0}),
    ]  # fmt: skip
    vcpu = rig.vm.vcpus[0]
    for intid, priority, fields in table:
        rig.setup(intid, priority, vcpu=0, **fields)
        rig.irq(intid).vcpu = vcpu
        vcpu.ap_list.append(rig.irq(intid))
    vgic_sort_ap_list(vcpu)
    assert [irq.intid for irq in vcpu.ap_list] == [38, 34, 37, 36, 32, 33, 39, 35]
    als = summarize_ap_list(vcpu)
    assert (als.nr_pend, als.nr_act) == (3, 4)


@shows("group_maintenance")
def a_group_change_makes_an_exit(profile):
    """m26, A06: each IGRPEN change is one exit, and the next entry is sorted anew."""
    rig = Rig(profile, lrs=2, igrpen0=True)
    for n in (50, 51):
        rig.setup(n, 0x80, group=0)
    for n in (40, 41):
        rig.setup(n, 0x10)
    rig.inj(40, 41, 50, 51)
    before = len(rig.causes())
    rig.write("IGRPEN1", 0)
    assert rig.causes()[before:] == ["VGrp1D"]
    assert rig.lrs() == [50, 51]


@shows("eoicount_walk")
def out_of_lr_eois_are_carried_out(profile):
    """m27, A07: a late MI; 35 and 34 are deactivated from the count."""
    rig = Rig(profile, lrs=2, slow=True)
    for n in range(6):
        rig.setup(32 + n, 0x60 - 8 * n)
    rig.nest(32, 33, 34, 35, 36, 37)
    rig.exit()
    rig.eoi(37, 36, 35, 34)
    rig.mi()
    assert rig.active(32, 33, 34, 35) == [True, True, False, False]


@shows("dir_deactivation")
def a_trapped_dir_deactivates(profile):
    """m28, A12: DIR out of order on the own list."""
    rig = Rig(profile, lrs=2, eoimode=1)
    for n in range(3):
        rig.setup(32 + n, 0x60 - 16 * n)
    rig.nest(32, 33, 34)
    rig.eoi(34, 33, 32)
    rig.dir(33)
    assert rig.causes()[-1] == "TRAP"
    assert rig.active(32, 33, 34) == [True, False, True]


@shows("dir_cpuid")
def bits_12_to_10_of_dir_are_a_source(profile):
    """m29, 22.8: they are cut off, for GICv3 guests too, so DIR of 40 + 0x400 deactivates 40."""
    rig = Rig(profile, eoimode=1)
    rig.nest(40)
    rig.eoi(40)
    rig.dir(40 | 1 << 10)
    assert rig.active(40) == [False]


@shows("tdir_on_overflow")
def tdir_comes_and_goes_with_the_overflow(profile):
    """m30: private interrupts only, so that nothing else sets it."""
    rig = Rig(profile, lrs=2, slow=True)
    for n in range(3):
        rig.setup(n, 0x60 - 16 * n)
    rig.nest(0, 1)
    rig.exit()
    assert not rig.hcr() & HCR.TDIR
    rig.nest(2)
    assert rig.hcr() & HCR.TDIR
    rig.eoi(2, 1)
    rig.exit()
    assert not rig.hcr() & HCR.TDIR


@shows("track_spis")
def the_first_spi_makes_every_vcpu_trap_dir(profile):
    """m31, A11: active_spis 0 to 1 is broadcast; both vCPUs re-enter with TDIR."""
    rig = Rig(profile, vcpus=2)
    rig.inj(40)
    assert rig.vm.dist.active_spis == 1
    assert rig.hcr(0) & HCR.TDIR and rig.hcr(1) & HCR.TDIR


@shows("track_spis")
def a_dir_on_another_vcpu_works(profile):
    """m31, A11: acknowledged and EOIed on vCPU0, deactivated on vCPU1 while vCPU0 runs."""
    rig = Rig(profile, vcpus=2, eoimode=1)
    rig.inj(40)
    assert rig.iar() == 40
    rig.eoi(40)
    rig.dir(40, vcpu=1)
    rig.exit(0)
    assert rig.active(40) == [False]


@shows("dir_other_lr")
def a_dir_reaches_another_vcpus_list_register(profile):
    """m31, A11: the owner is stopped and folded first, and nothing stays active."""
    rig = Rig(profile, vcpus=2, eoimode=1)
    rig.inj(40)
    assert rig.iar() == 40
    rig.eoi(40)
    rig.dir(40, vcpu=1)
    rig.exit(0)
    assert rig.mmio(GICD + 0x304) == 0
    assert rig.machine.physical.deactivated == []


@shows("notify_needs_deact")
def a_level_spi_taken_in_one_run_is_not_notified(profile):
    """m31, A19, 22.4: a GICv3 host wants to have seen it active at an earlier fold."""
    rig = Rig(profile)
    rig.setup(32, 0x40, config=Config.LEVEL)
    rig.line(32, True)
    rig.iar()
    rig.line(32, False)
    acked = len(rig.vm.acked)
    rig = Rig(profile)
    rig.setup(32, 0x40, config=Config.LEVEL)
    rig.line(32, True)
    rig.iar()
    rig.eoi(32)
    assert (acked, rig.vm.acked) == (0, [])


@shows("dir_in_hyp")
def a_dir_of_an_lr_resident_interrupt_stays_in_hyp(profile):
    """m32, A15: hardware without TDIR; the DIR makes no exit to the kernel."""
    rig = Rig(profile, lrs=2, eoimode=1, tds=False)
    for n in range(3):
        rig.setup(32 + n, 0x60 - 16 * n)
    rig.nest(32, 33, 34)
    rig.eoi(34, 33, 32)
    rig.dir(34)
    assert "TRAP" not in rig.causes()
    assert rig.active(34) == [False]


@shows("broadcast_needs_tdir")
def without_tdir_nobody_is_broadcast_to(profile):
    """m33, A15: the first SPI kicks its target only, and active_spis stays 0."""
    rig = Rig(profile, vcpus=2, tds=False)
    before = rig.vm.vcpus[1].kicks
    rig.inj(32)
    assert rig.vm.vcpus[1].kicks == before
    assert rig.vm.dist.active_spis == 0
    assert rig.vm.vcpus[0].cpu_if.vgic_hcr & HCR.TDIR


@shows("misr_read_back")
def misr_is_read_after_hcr_is_cleared(profile):
    """m36: where HCR is only memory, MISR tells the level below that En is gone."""
    rig = Rig(profile)
    del rig.ports[0].accesses[:]
    rig.exit()
    names = [access[:2] for access in rig.ports[0].accesses]
    assert names == [("r", "VMCR"), ("w", "HCR"), ("r", "MISR"), ("w", "HCR")]


@shows("hcr_zero_on_exit")
def no_trap_bit_survives_the_exit(profile):
    """v3-2, 21.6: TDIR left behind would trap the host's own deactivations."""
    rig = Rig(profile)
    rig.inj(32)
    assert rig.hcr() & HCR.TDIR
    run(sync_hwstate(rig.ports[0], rig.vm.vcpus[0]))
    assert rig.hcr() == 0


@shows("no_vgic_stays_off")
def a_vm_without_vgic_finds_no_cpu_interface(profile):
    """v3-1, 21.7, A32: En stays 0."""
    vm = Vm(Host(), profile, irqchip_in_kernel=False)
    kvm_vgic_flush_hwstate(vm.vcpus[0])
    assert not vm.vcpus[0].cpu_if.vgic_hcr & HCR.En


@shows("split_overflow", base="v1")
def the_parked_tail_limits_the_walk(profile):
    """v1-25, A08: what overflowed is parked during the run; the walk does not touch the LRs' interrupts."""
    rig = Rig(profile, lrs=2, slow=True)
    for intid, priority in ((34, 0x50), (35, 0x40), (36, 0x60)):
        rig.setup(intid, priority)
    rig.nest(34, 35)
    rig.inj(36)
    assert [irq.intid for irq in rig.vm.vcpus[0].overflow_ap_list] == [34]
    rig.eoi(35, 34)
    assert rig.iar() == 36
    rig.mi()
    assert rig.active(34, 35, 36) == [False, False, True]


@shows("vtr_cached")
def the_vtr_is_read_at_boot_only(profile):
    """Register traffic: no read of ICH_VTR_EL2 around the active priorities."""
    rig = Rig(profile, enter=False)
    run(kvm_vgic_load(rig.ports[0], rig.vm.vcpus[0]))
    assert ("r", "VTR") not in [access[:2] for access in rig.ports[0].accesses]
