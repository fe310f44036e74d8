"""What each patch row claims, as functions of a profile: they pass with the patch and fail without it.

A row's scenario files are played as well; here is what no scenario says.
"""

from __future__ import annotations

from collections.abc import Callable

from hw.config import GicConfig
from hw.registers import BY_NAME
from sim.engines.golden import GoldenPort
from sim.kvm.ap_list import summarize_ap_list, vgic_prune_ap_list
from sim.kvm.flush_sync import kvm_vgic_flush_hwstate, kvm_vgic_sync_hwstate
from sim.kvm.hcr import vgic_v3_configure_hcr
from sim.kvm.host import Host, HotplugHangError
from sim.kvm.inject import kvm_vgic_inject_irq
from sim.kvm.lpi import (
    vgic_add_lpi,
    vgic_disable_lpis,
    vgic_its_cmd_handle_movall,
    vgic_its_free_ite,
    vgic_its_trigger_msi,
)
from sim.kvm.lr import vgic_v3_compute_lr
from sim.kvm.profile import Profile
from sim.kvm.regs import HCR, VMCR, hcr_eoicount
from sim.kvm.vm import Vm
from sim.port import Access, run, write
from sim.world_switch import flush_hwstate, kvm_vgic_load, spurious_maintenance, sync_hwstate
from tests.sim.machine.world import World

Check = Callable[[Profile], None]
#: Row name -> its checks.
CHECKS: dict[str, list[Check]] = {}

ICH_HCR = BY_NAME["ICH_HCR_EL2"]


def check(name: str) -> Callable[[Check], Check]:
    """Register a check of row ``name``."""

    def register(function: Check) -> Check:
        CHECKS.setdefault(name, []).append(function)
        return function

    return register


class Recorder(GoldenPort):
    """A golden port that keeps the accesses made at EL2."""

    def __init__(self, config: GicConfig | None = None) -> None:
        super().__init__(config or GicConfig())
        self.accesses: list[tuple[str, str, int]] = []

    async def access(self, access: Access):
        """Execute and note."""
        response = await super().access(access)
        if access.el == 2:
            value = access.value if access.write else response.value
            self.accesses.append(("w" if access.write else "r", access.register.name, value))
        return response


@check("v1-3")
def spurious_mi_is_reported(profile: Profile) -> None:
    port = GoldenPort(GicConfig())
    run(write(port, 2, ICH_HCR, HCR.En | HCR.VGrp1DIE))
    assert run(spurious_maintenance(port, Vm(Host(), profile))) == 1 << 7
    assert not run(port.state()).hcr & HCR.En


@check("v1-4")
def trap_bits_are_those_of_boot(profile: Profile) -> None:
    host = Host(common_trap=True)
    port, vm = Recorder(), Vm(host, profile)
    host.common_trap, host.group1_trap = False, True
    for _ in range(2):
        run(flush_hwstate(port, vm.vcpus[0]))
        run(sync_hwstate(port, vm.vcpus[0]))
        assert not vm.vcpus[0].cpu_if.vgic_hcr & (HCR.TC | HCR.TALL0 | HCR.TALL1)
    words = [value for way, name, value in port.accesses if (way, name) == ("w", "ICH_HCR_EL2") and value]
    assert words
    assert all(word & (HCR.TC | HCR.TALL1) == HCR.TC for word in words)


@check("v1-7")
def on_lr_lasts_from_populate_to_fold(profile: Profile) -> None:
    world = World({32: 0x40, 33: 0x48, 34: 0x50}, lrs=2, profile=profile)
    for intid in (32, 33, 34):
        world.inject(intid)
    vcpu = world.vm.vcpus[0]
    kvm_vgic_flush_hwstate(vcpu)
    assert [irq.on_lr for irq in vcpu.ap_list] == [True, True, False]
    kvm_vgic_sync_hwstate(vcpu)
    assert not any(irq.on_lr for irq in vcpu.ap_list)


@check("v1-10")
def eoicount_reaches_the_shadow(profile: Profile) -> None:
    world = World({n: 0x80 - 8 * n for n in range(4)}, lrs=2, profile=profile, mi=-1)
    world.enter()
    for intid in range(4):
        world.inject(intid)
        world.do("IAR")
    world.do("EXIT")
    for intid in (3, 2, 1, 0):
        world.do(f"EOI {intid}")
    vcpu = world.vm.vcpus[0]
    seen = []
    world.machine.observers.append(_AtSync(lambda: seen.append(hcr_eoicount(vcpu.cpu_if.vgic_hcr))))
    run(world.machine.exit(world.runners[0], frozenset({"EXIT"})))
    assert seen == [2]
    # Without LRENPIE the count is not even looked at.
    run(world.machine.enter(world.runners[0]))
    run(write(world.machine.ports[0], 2, ICH_HCR, vcpu.cpu_if.vgic_hcr | 3 << 27))
    run(world.machine.exit(world.runners[0], frozenset({"EXIT"})))
    assert seen == [2, 0]


class _AtSync:
    """An observer that calls a function after each sync."""

    def __init__(self, function: Callable[[], None]) -> None:
        self.function = function

    def synced(self, *args) -> None:
        self.function()

    def entering(self, *args) -> None: ...

    def entered(self, *args) -> None: ...

    def operated(self, *args) -> None: ...

    def stuck(self, *args) -> None: ...


@check("v1-11")
def hcr_is_written_with_nothing_to_present(profile: Profile) -> None:
    port, vm = Recorder(), Vm(Host(), profile)
    run(flush_hwstate(port, vm.vcpus[0]))
    assert run(port.state()).hcr & (HCR.En | HCR.VGrp0EIE | HCR.VGrp1EIE) == (
        HCR.En | HCR.VGrp0EIE | HCR.VGrp1EIE
    )


@check("v1-13")
def computing_changes_nothing(profile: Profile) -> None:
    world = World({32: 0x40, 33: 0x48, 27: 0x50}, lrs=4, profile=profile, level=(33,), hw=(27,))
    world.inject(32)
    world.inject(33)
    world.physical(27, True)
    vcpu = world.vm.vcpus[0]
    assert len(vcpu.ap_list) == 3
    for irq in vcpu.ap_list:
        before = {name: getattr(irq, name) for name in type(irq).__slots__}
        first = vgic_v3_compute_lr(vcpu, irq)
        assert vgic_v3_compute_lr(vcpu, irq) == first
        assert {name: getattr(irq, name) for name in type(irq).__slots__} == before


@check("v1-18")
def an_empty_list_is_worked_through(profile: Profile) -> None:
    world = World({}, profile=profile)
    vcpu, port = world.vm.vcpus[0], world.machine.ports[0]
    world.enter()
    vcpu.cpu_if.vgic_hcr = HCR.UIE
    world.do("PMR = 70")
    world.do("EXIT")
    assert vcpu.cpu_if.vgic_hcr & (HCR.En | HCR.UIE) == HCR.En
    assert vcpu.cpu_if.used_lrs == 0
    assert vcpu.cpu_if.vgic_vmcr >> 24 == 0x70
    assert run(port.state()).hcr & HCR.En


@check("v1-19")
def vmcr_is_fresh_after_an_exit(profile: Profile) -> None:
    world = World({32: 0x40}, profile=profile)
    vcpu = world.vm.vcpus[0]
    world.inject(32)
    world.enter()
    world.do("CTLR = 2")
    world.do("PMR = 70")
    world.do("ISENABLER 32")
    assert vcpu.cpu_if.vgic_vmcr & VMCR.VEOIM
    assert vcpu.cpu_if.vgic_vmcr >> 24 == 0x70


#: Section 8.3, 4 LRs, group 1 on: pending and active INTIDs -> bits beside En and the group bits.
_HCR_ROWS = (
    ((), (), ("vSGIEOICount",)),
    ((32, 33, 34), (), ("vSGIEOICount", "TDIR")),
    ((16, 17, 18, 19, 20), (), ("NPIE", "UIE", "vSGIEOICount")),
    ((32,), (33, 34, 35, 36), ("LRENPIE", "UIE", "TDIR", "vSGIEOICount")),
    ((16, 17, 18, 19, 20), (1,), ("NPIE", "LRENPIE", "UIE", "TDIR")),
    ((1, 2, 3, 4), (), ()),
)


@check("v1-20")
def hcr_follows_the_counts(profile: Profile) -> None:
    """Section 8.3, row by row."""
    for pending, active, bits in _HCR_ROWS:
        world = World(dict.fromkeys((*pending, *active), 0x80), profile=profile)
        vcpu = world.vm.vcpus[0]
        for intid in (*pending, *active):
            world.inject(intid)
        for irq in vcpu.ap_list:
            if irq.intid in active:
                irq.active, irq.pending_latch = True, False
        vgic_v3_configure_hcr(vcpu, summarize_ap_list(vcpu))
        want = HCR.En | HCR.VGrp0EIE | HCR.VGrp1DIE
        for name in bits:
            want |= getattr(HCR, name)
        assert vcpu.cpu_if.vgic_hcr == want, (pending, active, hex(vcpu.cpu_if.vgic_hcr))


@check("m05")
def protected_guests_reach_common_registers(profile: Profile) -> None:
    world = World({}, profile=profile)
    host = Host(config=world.spec.config, protected=True, common_trap=True, irqs=world.vm.host.irqs)
    host.boot(profile)
    world.vm.host, world.vm.protected = host, True
    world.enter()
    world.do("RPR -> idle")


@check("m22")
def reset_leaves_hcr_alone(profile: Profile) -> None:
    vm = Vm(Host(), profile)
    assert (vm.vcpus[0].cpu_if.vgic_hcr, vm.vcpus[0].cpu_if.vgic_vmcr) == (0, 0)
    kvm_vgic_flush_hwstate(vm.vcpus[0])
    assert vm.vcpus[0].cpu_if.vgic_hcr == HCR.En | HCR.VGrp0EIE | HCR.VGrp1EIE | HCR.vSGIEOICount


@check("m36")
def the_level_below_learns_that_en_went_away(profile: Profile) -> None:
    """Section 21.8: HCR of an L1 is memory, and only a read of MISR traps and moves the line."""

    class Below(GoldenPort):
        line = True  # raised by the guest

        async def access(self, access: Access):
            response = await super().access(access)
            if access.register.name == "ICH_MISR_EL2":
                self.line = (await self.lines()).maintenance
            return response

    port, vm = Below(GicConfig()), Vm(Host(), profile)
    run(kvm_vgic_load(port, vm.vcpus[0]))
    run(flush_hwstate(port, vm.vcpus[0]))
    run(sync_hwstate(port, vm.vcpus[0]))
    assert port.line is False


@check("v3-2")
def nothing_traps_the_host(profile: Profile) -> None:
    """Section 21.6: with nVHE, TDIR in HCR traps the host's own ICC_DIR, whatever En is."""
    world = World({40: 0x40}, profile=profile)
    world.enter()
    world.inject(40)
    port = world.machine.ports[0]
    assert run(port.state()).hcr & HCR.TDIR
    run(world.machine.exit(world.runners[0], frozenset({"EXIT"})))
    assert run(port.state()).hcr == 0


@check("earlycap")
def one_cpu_without_tds_decides(profile: Profile) -> None:
    host = Host(other_cpus_tds=(True, False))
    host.boot(profile)
    assert (host.has_tdir, host.trap_bits) == (False, HCR.TC)


@check("gicv5-1")
def a_gicv5_host_emulates_what_it_traps(profile: Profile) -> None:
    host = Host(gicv5=True, common_trap=True)
    host.boot(profile)
    assert host.trap_bits == HCR.TC
    assert host.cpuif_trap


@check("hotplug")
def a_protected_host_keeps_its_answer(profile: Profile) -> None:
    host = Host(protected=True)
    host.boot(profile)
    try:
        assert host.hotplug(profile) is True
    except HotplugHangError as error:
        raise AssertionError(str(error)) from None


@check("prune")
def an_interrupt_that_left_is_not_moved(profile: Profile) -> None:
    """Section 21.15: pruned by its owner's own sync while the locks were dropped, and queued elsewhere."""
    world = World({32: 0x40}, vcpus=3, profile=profile)
    first, second, third = world.vm.vcpus
    world.inject(32)
    irq = first.ap_list[0]
    irq.target_vcpu = second

    def race(point: str, moving) -> None:
        world.vm.race = None
        first.ap_list.remove(moving)
        moving.vcpu = third
        third.ap_list.append(moving)

    world.vm.race = race
    vgic_prune_ap_list(first)
    assert irq.vcpu is third
    assert third.ap_list == [irq]


@check("lazyinit")
def an_early_injection_is_dropped(profile: Profile) -> None:
    vm = Vm(Host(), profile)
    vm.dist.enabled, vm.dist.initialized = True, False
    assert kvm_vgic_inject_irq(vm, None, 40, True) == 0
    assert not vm.vcpus[0].ap_list


def _lpis(profile: Profile, lrs: int, *intids: int) -> Vm:
    vm = Vm(Host(config=GicConfig(lrs=lrs)), profile, nr_vcpus=3)
    vm.dist.enabled = True
    vm.vcpus[0].lpis_enabled = True
    vm.vcpus[0].cpu_if.vgic_vmcr = VMCR.VENG1 | VMCR.VPMR
    for intid in intids:
        vgic_add_lpi(vm.vcpus[0], intid)
        vgic_its_trigger_msi(vm, intid)
    return vm


@check("lastnull")
def last_lr_irq_needs_a_full_set(profile: Profile) -> None:
    vm = _lpis(profile, 2, 8192)
    kvm_vgic_flush_hwstate(vm.vcpus[0])
    assert vm.host.last_lr_irq.get(0) is None
    # NULL does not stop the fold.
    vm.vcpus[0].cpu_if.vgic_lr[0] &= (1 << 62) - 1
    kvm_vgic_sync_hwstate(vm.vcpus[0])
    assert not vm.vcpus[0].ap_list


@check("lastref")
def last_lr_irq_stays_alive(profile: Profile) -> None:
    """Section 21.9: the LPI is taken off the list and unmapped between flush and fold."""
    vm = _lpis(profile, 2, 8192, 8193, 8194)
    kvm_vgic_flush_hwstate(vm.vcpus[0])
    last = vm.host.last_lr_irq[0]
    vgic_disable_lpis(vm.vcpus[0])
    vgic_its_free_ite(vm, last.intid)
    assert not last.freed
    kvm_vgic_sync_hwstate(vm.vcpus[0])
    assert last.freed


@check("movall")
def movall_moves_its_source_only(profile: Profile) -> None:
    vm = _lpis(profile, 4)
    one, two, three = vm.vcpus
    mine, other = vgic_add_lpi(one, 8192), vgic_add_lpi(two, 8193)
    vgic_its_cmd_handle_movall(vm, one, three)
    assert (mine.target_vcpu, other.target_vcpu) == (three, two)
