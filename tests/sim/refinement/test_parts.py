"""Every part runs the same guests to the same guest-visible result; what that costs differs."""

import pytest

from hw.errors import InputError
from sim.kvm import flush_sync
from sim.kvm.lr import vgic_irq_handle_resampling
from sim.machine.parts import PARTS
from sim.refinement.parts import describe_parts, part_guests, run_parts

GUESTS = 50


@pytest.fixture(scope="module")
def costs():
    """Run every guest on every part, once."""
    return run_parts(guests=GUESTS)


@pytest.fixture(scope="module")
def cured():
    """Run them with every cure."""
    return run_parts(guests=GUESTS, profile="fixed")


@pytest.mark.parametrize("name", PARTS)
def test_the_guests_see_what_the_ideal_shows(cured, name):
    """With the cures every guest sees it on every part, to its end."""
    cost = cured[name]
    assert cost.findings == []
    assert not cost.exceptions
    assert cost.same == GUESTS


@pytest.mark.parametrize("name", PARTS)
def test_what_differs_on_7_3_has_a_name(costs, name):
    """What ends a guest early is one of the kernel's known faults."""
    cost = costs[name]
    assert cost.findings == []
    assert cost.same + sum(cost.exceptions.values()) == GUESTS
    assert set(cost.exceptions) <= {"22.7", "R1", "R4", "R9"}


def test_a_cure_that_breaks_a_part_is_found(monkeypatch):
    """R4's cure by the fold's function is wrong where lines are resampled in software: a finding."""
    monkeypatch.setattr(
        flush_sync, "vgic_v3_sample_line", lambda irq: vgic_irq_handle_resampling(irq, False, True)
    )
    cost = run_parts(("apple-m1",), 12, profile="fixed")["apple-m1"]
    assert cost.findings
    assert not cost.exceptions


def test_what_the_missing_trap_costs(costs):
    """Section 15: without TDIR common registers are emulated; with everything trapped all of them are."""
    assert [name for name, cost in costs.items() if cost.emulated] == [
        "armv8.0-no-tdir",
        "thunderx",
        "apple-m1",
    ]
    # DIR of what is in a list register needs no full exit where hyp sees it first (m32).
    assert costs["armv8.0-no-tdir"].exits["TRAP"] < costs["cortex-a76"].exits["TRAP"]
    assert costs["armv8.0-no-tdir"].reads > costs["cortex-a76"].reads
    assert costs["thunderx"].emulated > 3 * costs["armv8.0-no-tdir"].emulated
    # GICv2 has no choice: DIR always exits; its SGIs are distributor writes.
    assert costs["gic-400"].exits["TRAP"] > costs["cortex-a76"].exits["TRAP"]
    assert not costs["gic-400"].exits["SGI"] and costs["cortex-a76"].exits["SGI"]


def test_the_table(costs):
    table = describe_parts(costs).splitlines()
    assert table[0].split()[:6] == ["part", "LRs", "same", "named", "found", "exits"]
    assert [line.split()[0] for line in table[1 : 1 + len(PARTS)]] == list(PARTS)


def test_guests_mean_the_same_everywhere():
    """No LPIs, which a GICv2 lacks; SGIs only where they have one source."""
    for setup, _ in part_guests(30):
        assert all(one.intid < 8192 for one in setup.interrupts)
        assert setup.vcpus == 1 or all(one.intid >= 16 for one in setup.interrupts)


@pytest.mark.parametrize(
    ("part", "switch"),
    [("gic-400", "v2_dir_device"), ("gic-400", "v2_eoicount_walk"), ("armv8.0-no-tdir", "detect_tdir")],
)
def test_a_kernel_that_lacks_the_patch_is_found(part, switch):
    cost = run_parts((part,), 12, profile=f"7.3,-{switch}")[part]
    assert cost.findings


def test_unknown_part():
    with pytest.raises(InputError, match="unknown part 'gic-500'; the parts are cortex-a76, gic-400"):
        run_parts(("gic-500",))
