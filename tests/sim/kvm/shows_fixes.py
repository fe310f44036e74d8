"""Checks for the review's corrections and the later fixes (spec sections 20.4, 21)."""

from hw.config import GicConfig
from sim.kvm.ap_list import summarize_ap_list, vgic_prune_ap_list
from sim.kvm.flush_sync import kvm_vgic_flush_hwstate
from sim.kvm.host import Host
from sim.kvm.inject import kvm_vgic_inject_irq
from sim.kvm.lpi import vgic_add_lpi, vgic_disable_lpis, vgic_its_cmd_handle_movall, vgic_its_free_ite
from sim.kvm.mmio_redist import vgic_access_active_prepare
from sim.kvm.regs import HCR
from sim.kvm.vm import Vm
from tests.sim.kvm.rig import GICR, Rig
from tests.sim.kvm.shows import shows


@shows("detect_all_hosts")
def an_apple_core_can_trap_dir(profile):
    """21.4, A31: it does not say it has a GICv3 CPU interface."""
    host = Host(GicConfig(seis=True), apple=True, gicv3_cpuif=False)
    host.boot(profile)
    assert host.has_tdir
    assert host.trap_bits == HCR.TALL0 | HCR.TALL1 | HCR.TDIR


@shows("dir_owner")
def dir_goes_to_the_list_it_is_on(profile):
    """21.4: an interrupt that only pends in another vCPU's LR does not look active in memory."""
    rig = Rig(profile, vcpus=2, eoimode=1)
    rig.inj(40)
    assert rig.iar() == 40
    rig.eoi(40)
    assert rig.active(40) == [False]
    rig.dir(40, vcpu=1)
    rig.exit(0)
    assert rig.active(40) == [False]


@shows("icactiver_offset")
def dir_addresses_the_right_icactiver_word(profile):
    """21.4: with the wrong offset, SGI 8 loses its active state and SPI 40 keeps it."""
    rig = Rig(profile, vcpus=2, eoimode=1)
    rig.inj(40)
    assert rig.iar() == 40
    rig.eoi(40)
    rig.irq(16, vcpu=1).active = True
    rig.dir(40, vcpu=1)
    assert rig.active(40) == [False]
    assert rig.irq(16, vcpu=1).active


@shows("count_eligible_sgis")
def an_ineligible_sgi_is_not_counted(profile):
    """21.14: a listed SGI that has been disabled does not keep vSGIEOICount clear."""
    rig = Rig(profile, enter=False)
    rig.inj(3)
    rig.irq(3).enabled = False
    assert summarize_ap_list(rig.vm.vcpus[0]).nr_sgi == 0


@shows("early_cap")
def every_cpu_is_asked_for_tdir(profile):
    """earlycap, 21.12: CPU0 has it, CPU1 does not: nobody uses it, TC stands in."""
    host = Host(GicConfig(), other_cpus_tds=(False,))
    host.boot(profile)
    assert (host.has_tdir, host.trap_bits) == (False, HCR.TC)


@shows("gicv5_cpuif_traps")
def a_gicv5_host_emulates_what_it_traps(profile):
    """gicv5-1, 21.11: a trap option is on; the static key is too."""
    host = Host(GicConfig(), gicv5=True, gicv3_cpuif=False, common_trap=True)
    host.boot(profile)
    assert host.trap_bits & HCR.TC
    assert host.cpuif_trap


@shows("gicv5_tdir")
def a_gicv5_host_has_tdir(profile):
    """gicv5-2, 21.11: without reading TDS, and no TC."""
    host = Host(GicConfig(tds=False), gicv5=True, gicv3_cpuif=False)
    host.boot(profile)
    assert host.has_tdir
    assert not host.trap_bits & HCR.TC


@shows("walk_from_tail")
def the_walk_starts_behind_the_list_registers(profile):
    """tail, 21.5, A08: a late MI and a fresh acknowledge."""
    rig = Rig(profile, lrs=2, slow=True)
    for intid, priority in ((34, 0x50), (35, 0x40), (36, 0x60)):
        rig.setup(intid, priority)
    rig.nest(34, 35)
    rig.inj(36)
    rig.eoi(35, 34)
    assert rig.iar() == 36
    rig.mi()
    assert rig.active(34, 35, 36) == [False, False, True]


@shows("hotplug_answer")
def a_cpu_comes_up_under_pkvm(profile):
    """hotplug, 21.10: the HVC stub that tells TDS is gone by then."""
    host = Host(GicConfig(), protected=True)
    host.boot(profile)
    assert host.hotplug(profile)


@shows("prune_checks_owner")
def prune_looks_again_at_the_owner(profile):
    """prune, 21.15: the interrupt leaves the list while the locks are dropped, and is not moved twice."""
    rig = Rig(profile, vcpus=2, enter=False)
    first, second = rig.vm.vcpus
    rig.inj(40)
    rig.irq(40).target_vcpu = second

    def other_cpu(point, irq):
        if irq.vcpu is first:
            first.ap_list.remove(irq)
            second.ap_list.append(irq)
            irq.vcpu = second

    rig.vm.race = other_cpu
    second.kicks = 0
    vgic_prune_ap_list(first)
    assert second.ap_list == [rig.irq(40)]
    assert second.kicks == 0


@shows("inject_needs_init")
def an_early_injection_is_dropped(profile):
    """lazyinit: before the vgic is initialised it is no error, and nothing happens."""
    vm = Vm(Host(), profile)
    vm.dist.initialized = False
    assert kvm_vgic_inject_irq(vm, None, 32, True) == 0
    assert not vm.dist.spis[0].pending_latch


@shows("last_lr_on_overflow")
def last_lr_irq_is_not_set_without_overflow(profile):
    """lastnull: the pointer exists only while the LRs are full."""
    rig = Rig(profile)
    rig.inj(32)
    assert rig.vm.host.last_lr_irq == {}


def _lpi_freed_while_it_is_in_the_last_lr(profile):
    """Return the rig of A29: 32 active outside; both LPIs are in LRs, and freed as the guest runs."""
    rig = Rig(profile, lrs=2, vcpus=2, slow=True)
    rig.setup(32, 0x60)
    rig.setup(8192, 0x40)
    rig.setup(8193, 0x50)
    rig.nest(32)
    rig.inj(8192, 8193)
    vgic_disable_lpis(rig.vm.vcpus[0])
    for intid in (8192, 8193):
        vgic_its_free_ite(rig.vm, intid)
    return rig


@shows("last_lr_reference")
def last_lr_irq_is_not_freed(profile):
    """lastref, 21.9, A29: an exit without out-of-LR EOIs reads the entry's links, which must be alive."""
    rig = _lpi_freed_while_it_is_in_the_last_lr(profile)
    rig.exit()
    assert rig.active(32) == [True]


@shows("movall_source")
def movall_moves_its_sources_lpis_only(profile):
    """movall: the LPIs of a third redistributor stay where they are."""
    vm = Vm(Host(), profile, 3)
    irqs = [vgic_add_lpi(vcpu, 8192 + vcpu.vcpu_id) for vcpu in vm.vcpus]
    vgic_its_cmd_handle_movall(vm, vm.vcpus[0], vm.vcpus[1])
    assert [irq.target_vcpu.vcpu_id for irq in irqs] == [1, 1, 2]


@shows("stop_vm_for_lpis")
def disabling_lpis_stops_the_vm(profile):
    """stopvm, 21.9: nobody runs on a list that LPIs are taken off."""
    rig = Rig(profile, vcpus=2)
    assert vgic_access_active_prepare(rig.vm.vcpus[1], GICR, 4)
    assert not vgic_access_active_prepare(rig.vm.vcpus[1], GICR + 4, 4)


@shows("vcpu_nr_lr")
def a_vcpu_may_have_fewer_list_registers(profile):
    """cca-lrs: the others stay empty, and the maintenance interrupts know of the smaller number."""
    rig = Rig(profile, enter=False)
    rig.vm.vcpus[0].max_lrs = 2
    rig.inj(32, 33, 34)
    kvm_vgic_flush_hwstate(rig.vm.vcpus[0])
    cpu_if = rig.vm.vcpus[0].cpu_if
    assert cpu_if.used_lrs == 2
    assert cpu_if.vgic_hcr & HCR.NPIE


@shows("skip_in_lrs", base="6.19")
def the_walk_leaves_out_what_was_in_list_registers(profile):
    """skip-lrs: the same result as tail in A08."""
    the_walk_starts_behind_the_list_registers(profile)


@shows("serialise_replay")
def the_walk_needs_no_last_lr_irq(profile):
    """serialise, A29: the LPIs are gone, and 32, EOIed outside the LRs, is found all the same."""
    rig = _lpi_freed_while_it_is_in_the_last_lr(profile)
    rig.eoi(32)
    rig.exit()
    assert rig.active(32) == [False]
