"""configure_hcr, row by row (spec section 8.3): four LRs, group 1 on, group 0 off."""

from __future__ import annotations

import pytest

from sim.kvm.ap_list import summarize_ap_list
from sim.kvm.hcr import vgic_v3_configure_hcr
from sim.kvm.regs import HCR
from tests.sim.machine.world import World

_ROWS = (
    pytest.param((), (), ("vSGIEOICount",), id="empty"),
    pytest.param((32, 33, 34), (), ("vSGIEOICount", "TDIR"), id="3 pending SPIs"),
    pytest.param((16, 17, 18, 19, 20), (), ("NPIE", "UIE", "vSGIEOICount"), id="5 pending PPIs"),
    pytest.param(
        (32,), (33, 34, 35, 36), ("LRENPIE", "UIE", "TDIR", "vSGIEOICount"), id="1 pending, 4 active SPIs"
    ),
    pytest.param(
        (16, 17, 18, 19, 20), (1,), ("NPIE", "LRENPIE", "UIE", "TDIR"), id="5 pending, 1 active SGI"
    ),
    pytest.param((1, 2, 3, 4), (), (), id="4 pending SGIs"),
)


@pytest.mark.parametrize(("pending", "active", "bits"), _ROWS)
def test_hcr_follows_the_counts(pending, active, bits):
    world = World(dict.fromkeys((*pending, *active), 0x80))
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
    assert vcpu.cpu_if.vgic_hcr == want
