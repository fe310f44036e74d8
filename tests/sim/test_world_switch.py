"""The world switch: accesses and their order, by profile (spec section 9; the table of the module)."""

import pytest

from sim.kvm.profile import PROFILES, profile_named
from sim.port import run
from sim.world_switch import kvm_vgic_load, kvm_vgic_put, sync_hwstate_aborted
from tests.sim.kvm.rig import Rig

LOAD = {
    "7.3": "w:VMCR w:AP0R0 w:AP1R0",
    "6.19": "w:VMCR r:VTR w:AP0R0 w:AP1R0",
    "legacy": "w:VMCR r:VTR w:AP0R0 w:AP1R0",
}
PUT = {
    "7.3": "r:AP0R0 r:AP1R0",
    "6.19": "r:VTR r:AP0R0 r:AP1R0",
    "legacy": "r:VTR r:AP0R0 r:AP1R0 r:VMCR",
    "legacy,+vmcr_before_aprs": "r:VMCR r:VTR r:AP0R0 r:AP1R0",
}
EMPTY = {"7.3": "r:VMCR w:HCR r:MISR w:HCR", "6.19": "r:VMCR w:HCR r:MISR w:HCR", "legacy": ""}
ONE_PENDING = {
    "7.3": "r:ELRSR r:LR0 w:LR0 r:VMCR w:HCR r:MISR w:HCR w:LR0",
    "legacy": "r:ELRSR w:HCR r:LR0 w:LR0 w:HCR w:LR0",
}


def order(rig, step):
    """Return the accesses of a step as text."""
    del rig.ports[0].accesses[:]
    result = step()
    if result is not None:
        run(result)
    return " ".join(f"{kind}:{name}" for kind, name, _ in rig.ports[0].accesses)


@pytest.mark.parametrize("profile", LOAD)
def test_load(profile):
    rig = Rig(PROFILES[profile], enter=False)
    assert order(rig, lambda: kvm_vgic_load(rig.ports[0], rig.vm.vcpus[0])) == LOAD[profile]


@pytest.mark.parametrize("profile", PUT)
def test_put(profile):
    rig = Rig(profile_named(profile), enter=False)
    assert order(rig, lambda: kvm_vgic_put(rig.ports[0], rig.vm.vcpus[0])) == PUT[profile]


@pytest.mark.parametrize("profile", EMPTY)
def test_exit_and_entry_with_an_empty_list(profile):
    rig = Rig(PROFILES[profile])
    assert order(rig, rig.exit) == EMPTY[profile]


@pytest.mark.parametrize("profile", ONE_PENDING)
def test_exit_and_entry_with_one_interrupt(profile):
    rig = Rig(PROFILES[profile])
    rig.inj(40)
    assert order(rig, rig.exit) == ONE_PENDING[profile]


def test_an_empty_list_register_is_not_read():
    rig = Rig(igrpen0=True, slow=True)
    rig.setup(3, 0x40)
    rig.inj(3)
    rig.iar()
    rig.eoi(3)
    assert order(rig, rig.exit) == "r:ELRSR w:LR0 r:VMCR w:HCR r:MISR w:HCR"


def test_the_count_is_read_only_if_it_can_have_moved():
    """LRENPIE in the shadow."""
    rig = Rig(lrs=2, slow=True)
    for n in range(3):
        rig.setup(32 + n, 0x60 - 16 * n)
    rig.nest(32, 33, 34)
    names = order(rig, rig.exit)
    assert "r:VMCR r:HCR w:HCR r:MISR w:HCR w:LR0 w:LR1" in names


def test_traps_are_activated_at_load_and_dropped_at_put():
    rig = Rig(enter=False, common_trap=True)
    port, vcpu = rig.ports[0], rig.vm.vcpus[0]
    assert order(rig, lambda: kvm_vgic_load(port, vcpu)).endswith("w:AP1R0 w:HCR")
    assert rig.hcr() == 1 << 10 | 1
    assert order(rig, lambda: kvm_vgic_put(port, vcpu)).endswith("r:AP1R0 w:HCR")
    assert rig.hcr() == 0


@pytest.mark.parametrize("vhe", [True, False])
def test_an_aborted_entry(vhe):
    """A28, section 9.3: on nVHE hyp never ran, so nothing is read; memory is the same after both."""
    rig = Rig(enter=False, vhe=vhe)
    rig.inj(40)
    vcpu = rig.vm.vcpus[0]
    run(rig.machine.enter(rig.machine.runners[0]))
    accesses = order(rig, lambda: sync_hwstate_aborted(rig.ports[0], vcpu))
    assert accesses == ("r:ELRSR r:LR0 w:LR0 r:VMCR w:HCR r:MISR" if vhe else "")
    assert rig.irq(40).pending_latch and not rig.irq(40).on_lr
