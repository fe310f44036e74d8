"""Checks for the patches that concern a GICv2 host (spec sections 8.2, 9.2, 13, 17)."""

from sim.kvm.irq import Config
from sim.kvm.lr_v2 import vgic_v2_compute_lr
from sim.kvm.regs import HCR, hcr_eoicount
from sim.port import run
from sim.world_switch import kvm_vgic_load, kvm_vgic_put
from tests.sim.kvm.rig import Rig
from tests.sim.kvm.shows import shows


def outside(profile, **settings) -> Rig:
    """Return a machine whose guest has 32 to 35 active on two list registers, 32 and 33 outside."""
    rig = Rig(profile, lrs=2, slow=True, gicv2=True, **settings)
    for n in range(4):
        rig.setup(32 + n, 0x80 - 8 * n)
    rig.nest(32, 33, 34, 35)
    rig.exit()
    return rig


@shows("v2_gicc_va")
def a_mapped_interrupt_outside_is_deactivated_through_gicc(profile):
    """m02: exactly one write of GICC_DIR, with the physical INTID."""
    rig = Rig(profile, lrs=1, slow=True, gicv2=True)
    rig.setup(27, 0x80, config=Config.LEVEL)
    rig.setup(32, 0x40)
    rig.map(27)
    rig.phys(27, True)
    assert rig.iar() == 27
    rig.phys(27, False)
    rig.nest(32)
    rig.exit()
    rig.eoi(32, 27)
    assert rig.machine.physical.active[27]
    rig.mi()
    assert rig.machine.physical.deactivated == [27]
    assert not rig.machine.physical.active[27]


@shows("v2_preserve_eoicount")
def eoicount_of_gich_reaches_the_shadow(profile):
    """m15: two out-of-LR EOIs with LRENPIE set are counted and undone; the count is read once."""
    rig = outside(profile)
    rig.eoi(35, 34, 33, 32)
    assert hcr_eoicount(rig.hcr()) == 2
    rig.ports[0].accesses.clear()
    rig.mi()
    assert [name for way, name, _ in rig.ports[0].accesses if way == "r"].count("HCR") == 1
    assert rig.active(32, 33, 34, 35) == [False] * 4


@shows("v2_hcr_every_entry")
def gich_hcr_is_written_without_list_registers(profile):
    """m16: an empty list still gets En and the group bits."""
    assert Rig(profile, gicv2=True).hcr() & HCR.En


@shows("v2_fold_primitive")
def one_gich_lr_value_is_folded_alone(profile):
    """m17: folding a made-up LR of an interrupt outside the LRs changes that interrupt only."""
    rig = outside(profile, eoimode=1)
    rig.eoi(35, 34, 33, 32)
    rig.dir(33)
    assert rig.active(32, 33, 34, 35) == [True, False, True, True]


@shows("v2_compute_primitive")
def computing_a_gich_lr_changes_nothing(profile):
    """m18: twice the same value, no field changed."""
    rig = Rig(profile, enter=False, gicv2=True)
    rig.inj(32)
    irq, vcpu = rig.irq(32), rig.vm.vcpus[0]
    assert vgic_v2_compute_lr(vcpu, irq) == vgic_v2_compute_lr(vcpu, irq)
    assert irq.pending_latch


@shows("v2_eoicount_walk")
def what_is_ended_outside_is_deactivated(profile):
    """m37: an EOImode 0 overflow with a slow maintenance interrupt, in the order of the list."""
    rig = outside(profile)
    rig.eoi(35, 34, 33)
    rig.mi()
    assert rig.vm.walked == [33]
    assert rig.active(32, 33) == [True, False]


@shows("v2_dir_device")
def a_faulting_dir_deactivates_in_memory(profile):
    """m38, A22: the device behind GICV_DIR."""
    rig = Rig(profile, gicv2=True, eoimode=1)
    rig.nest(32)
    rig.eoi(32)
    rig.dir(32)
    rig.exit()
    assert rig.active(32) == [False]


@shows("v2_dir_trapped")
def dir_always_exits(profile):
    """m39, A22: with one interrupt in one list register."""
    rig = Rig(profile, gicv2=True, eoimode=1)
    rig.nest(32)
    rig.eoi(32)
    rig.dir(32)
    assert rig.causes()[-1] == "TRAP"


@shows("v2_hcr_every_entry")
@shows("v2_preserve_eoicount")
def the_world_switch_in_the_order_of_the_kernel(profile):
    """Section 9.2, 17: VMCR, list registers through ELRSR0, EOIcount, HCR; HCR first at entry."""
    rig = outside(profile)
    rig.ports[0].accesses.clear()
    rig.exit()
    assert [f"{way} {name}" for way, name, _ in rig.ports[0].accesses] == [
        "r VMCR", "r ELRSR0", "r LR0", "w LR0", "r LR1", "w LR1", "r HCR", "w HCR",
        "w HCR", "w LR0", "w LR1",
    ]  # fmt: skip
    rig.vm.vcpus[0].ap_list.clear()
    rig.ports[0].accesses.clear()
    rig.exit()
    rig.ports[0].accesses.clear()
    rig.exit()
    assert [f"{way} {name}" for way, name, _ in rig.ports[0].accesses] == ["r VMCR", "w HCR", "w HCR"]
    rig.ports[0].accesses.clear()
    vcpu = rig.vm.vcpus[0]
    run(kvm_vgic_put(rig.ports[0], vcpu))
    run(kvm_vgic_load(rig.ports[0], vcpu))
    assert [f"{way} {name}" for way, name, _ in rig.ports[0].accesses] == ["r APR", "w VMCR", "w APR"]
