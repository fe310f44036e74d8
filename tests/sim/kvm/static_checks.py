"""Rows without an effect at run time: what can be said about them without running."""

from __future__ import annotations

import random
from collections.abc import Callable

import sim.kvm.ap_list
from hw.registers import BY_NAME
from sim.kvm.flush_sync import kvm_vgic_flush_hwstate
from sim.kvm.hcr import vgic_v3_configure_hcr
from sim.kvm.host import Host
from sim.kvm.irq import VgicIrq, irq_is_pending
from sim.kvm.profile import PROFILES, Profile
from sim.kvm.regs import HCR, LR_A, LR_P
from sim.kvm.vm import Vm, vgic_v3_reset
from tests.sim.machine.world import World

#: Row name -> its check.
STATIC: dict[str, Callable[[], None]] = {}


def _static(name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def register(function: Callable[[], None]) -> Callable[[], None]:
        STATIC[name] = function
        return function

    return register


@_static("v1-1")
def hcr_bits_are_those_of_section_2() -> None:
    """Bits 7:0 and 31:27, which GICH_HCR and ICH_HCR_EL2 share."""
    names = ("En", "UIE", "LRENPIE", "NPIE", "VGrp0EIE", "VGrp0DIE", "VGrp1EIE", "VGrp1DIE")
    fields = {field.name: field for field in BY_NAME["ICH_HCR_EL2"].fields}
    assert [fields[name].mask for name in names] == [1 << n for n in range(8)]
    assert (fields["EOIcount"].lsb, fields["EOIcount"].mask) == (27, 0x1F << 27)


@_static("v1-6")
def an_interrupt_has_these_fields() -> None:
    """Check for the fields of section 3.1, and that there is no room for others."""
    wanted = {
        "intid", "vcpu", "target_vcpu", "pending_latch", "line_level", "config", "enabled", "active", "group",
        "priority", "hw", "hwintid", "on_lr", "ops", "refcount", "owner",
    }  # fmt: skip
    assert wanted <= set(VgicIrq.__slots__)
    assert not hasattr(VgicIrq(32, Vm()), "__dict__")


@_static("v1-21")
def the_oracle_is_visible() -> None:
    assert "vgic_target_oracle" in sim.kvm.ap_list.__all__


@_static("v3-4")
def a_fresh_shadow_holds_nothing() -> None:
    vm = Vm(Host())
    vgic_v3_reset(vm.vcpus[0])
    assert vm.vcpus[0].cpu_if.vgic_hcr == 0


def broken_rules(profile: Profile, rounds: int = 60, seed: int = 1) -> set[str]:
    """Flush random lists and return which of I4, I5 and I13 do not hold of some."""
    generator = random.Random(seed)
    broken: set[str] = set()
    for _ in range(rounds):
        intids = generator.sample((*range(8), *range(16, 24)), generator.randint(1, 9))
        world = World({n: generator.randrange(32) * 8 for n in intids}, lrs=2, group0=True, profile=profile)
        vcpu, lrs = world.vm.vcpus[0], 2
        for intid in intids:
            world.inject(intid)
            vcpu.private_irqs[intid].group = generator.randrange(2)
            if generator.random() < 0.5:
                irq = vcpu.private_irqs[intid]
                irq.active, irq.pending_latch, irq.line_level = True, False, False
        kvm_vgic_flush_hwstate(vcpu)
        held = vcpu.cpu_if.vgic_lr[:lrs]
        waiting = [irq.priority for irq in vcpu.ap_list if not irq.active and irq_is_pending(irq)]
        waiting += [lr >> 48 & 0xFF for lr in held if lr & LR_P]
        pending = [lr >> 48 & 0xFF for lr in held if lr & LR_P]
        if waiting and min(waiting) not in pending:
            broken.add("I4")
            if all(lr & LR_A for lr in held):
                broken.add("I5")
        outside = [irq for irq in vcpu.ap_list if irq.active and not irq.on_lr]
        if outside and not vcpu.cpu_if.vgic_hcr & HCR.TDIR:
            broken.add("I13")
    return broken


@_static("v1-8")
def the_documented_rules_hold() -> None:
    """I4, I5 and I13 over random lists; and each fails where the patch behind it is missing."""
    today = PROFILES["7.3"]
    assert broken_rules(today) == set()
    assert {"I4", "I5"} <= broken_rules(today.with_(pending_first=False))
    assert broken_rules(today.with_(tdir_on_overflow=False)) == {"I13"}
    assert vgic_v3_configure_hcr.__doc__
