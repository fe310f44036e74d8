"""The table of parts: what the kernel finds on each (spec section 15)."""

import pytest

from sim.guest.language import Where
from sim.kvm.host import Host
from sim.kvm.irq import VgicModel
from sim.kvm.profile import PROFILES
from sim.kvm.vm import Vm
from sim.machine.parts import PARTS
from sim.notation import format_hcr
from sim.scenario.header import parse_machine
from sim.scenario.model import MachineSpec

#: Part -> TDIR found, constant traps, list registers KVM uses.
FOUND = {
    "cortex-a76": (True, "", 4),
    "gic-400": (False, "", 4),
    "armv8.0-no-tdir": (False, "TC", 4),
    "thunderx": (True, "TALL0 TALL1", 4),
    "apple-m1": (True, "TDIR TALL0 TALL1", 8),
    "16-lr-server": (True, "", 16),
}


@pytest.mark.parametrize("name", PARTS)
def test_what_the_kernel_finds(name):
    part = PARTS[name]
    host = Host(part.config, **dict(part.host))
    host.boot(PROFILES["7.3"])
    tdir, traps, lrs = FOUND[name]
    assert (host.has_tdir, host.nr_lr, host.cpuif_trap) == (tdir, lrs, bool(traps))
    assert set(format_hcr(host.trap_bits).split()) == set(traps.split())
    model = Vm(host).vgic_model
    assert model is (VgicModel.V2 if name == "gic-400" else VgicModel.V3)


def test_a_scenario_selects_a_part_and_changes_it():
    spec = parse_machine("part thunderx, lrs 2, vhe yes", MachineSpec(), Where("t", 1))
    assert spec.config.lrs == 2
    assert dict(spec.host) == {"cavium_30115": True, "vhe": True}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("part gic-500", "t:1: unknown part 'gic-500'; the parts are"),
        ("gic 2, tds no", "t:1: tds is not a choice of a GICv2"),
        ("gic 4", "t:1: expected the version of the GIC from 2 to 3, found 4"),
        ("gic 2, lrs 65", "t:1: expected lrs from 0 to 64, found 65"),
    ],
)
def test_bad_settings(text, message):
    with pytest.raises(Exception, match=message):
        parse_machine(text, MachineSpec(), Where("t", 1))
