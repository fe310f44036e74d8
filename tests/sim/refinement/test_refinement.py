"""The machine against the ideal GIC: nothing unexplained on today's kernel, much on others."""

import random

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from sim.refinement.__main__ import main
from sim.refinement.actions import KINDS, TROUBLE, Action, random_actions
from sim.refinement.run import refine, shrink, soak
from sim.refinement.setup import Setup, random_setup
from sim.scenario.model import Interrupt

#: Guest operations of each seeded share.
SHARE = 6_000


@pytest.mark.parametrize("latency", [0, 1, 4, 8])
def test_seeded_share_has_no_finding(latency):
    tally = soak(SHARE, seed=1, latency=latency)
    assert tally.findings == [], f"latency {latency}:\n" + "\n".join(map(str, tally.findings))
    assert tally.operations >= SHARE


@pytest.mark.parametrize("trouble", [False, True])
@settings(max_examples=40, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_random_guests_diverge_only_as_known(trouble, data):
    """Hypothesis draws machine and actions, and shrinks what has no name."""
    setup = random_setup(random.Random(data.draw(st.integers(0, 10_000), "setup")), trouble=trouble)
    kinds = sorted(KINDS | TROUBLE if trouble else KINDS)
    number = st.integers(0, 15)
    action = st.builds(Action, st.sampled_from(kinds), number, number, number)
    actions = data.draw(st.lists(action, max_size=40), "actions")
    outcome = refine(setup, actions)
    note(str(setup))
    assert not outcome.finding, str(outcome.divergence)


def test_without_trouble_only_three_exceptions_are_met():
    tally = soak(SHARE, seed=2, trouble=False)
    assert set(tally.exceptions) <= {"22.1", "22.2", "22.5", "R1"}


def test_more_vcpus_than_cpus():
    """Two vCPUs take turns on one CPU: every switch is an exit, a put, a load and an entry."""
    interrupts = tuple(Interrupt(32 + n, 0x80 - 8 * n, False, vcpu=n % 2) for n in range(6))
    operations = 0
    for seed in range(20):
        setup = Setup(vcpus=2, pcpus=1, interrupts=interrupts)
        outcome = refine(setup, random_actions(random.Random(seed), 60, False), log=40)
        assert outcome.divergence is None or outcome.name, f"{seed}: {outcome.divergence}\n{outcome.log}"
        operations += outcome.operations
    assert operations > 600


def test_random_machines_have_everything():
    setups = [random_setup(random.Random(seed)) for seed in range(200)]
    assert {(one.vcpus, one.pcpus or one.vcpus) for one in setups} == {(1, 1), (2, 1), (2, 2)}
    assert {one.lrs for one in setups} == {1, 2, 3, 4}
    assert {one.eoimode for one in setups} == {0, 1}
    assert any(one.trapped for one in setups)
    assert all(one.trouble for one in setups if one.trapped)


#: (profile, latency): hypervisors that are wrong, and must be found out.
WRONG = [
    ("legacy", 0),
    ("v1", 0),
    ("6.19", 4),
    *(
        (f"7.3,-{switch}", 0)
        for switch in (
            "lpi_drop_active",
            "preserve_eoicount",
            "hcr_every_entry",
            "always_compute",
            "eager_vmcr",
            "maintenance",
            "pending_first",
            "undeliverable_last",
            "group_maintenance",
            "eoicount_walk",
            "dir_deactivation",
            "tdir_on_overflow",
            "dir_other_lr",
            "icactiver_offset",
        )
    ),
]


@pytest.mark.parametrize(("profile", "latency"), WRONG)
def test_a_wrong_hypervisor_is_found_out(profile, latency):
    tally = soak(20_000, seed=0, latency=latency, profile=profile, trouble=False, most=1)
    (finding,) = tally.findings
    assert finding.actions
    assert f"profile {profile}" in str(finding)


def test_a_finding_is_shrunk():
    """Legacy, two list registers, two actives: the third interrupt is never seen."""
    setup = Setup(
        lrs=2, profile="legacy", interrupts=tuple(Interrupt(32 + n, 0x40 - 8 * n, False) for n in range(4))
    )
    busy = [Action("nop"), Action("pulse"), Action("ack"), Action("rpr"), Action("pulse", 1), Action("ack"),
            Action("exit"), Action("pulse", 2), Action("hppir", 0, 1)]  # fmt: skip
    short = shrink(setup, busy, lambda one: one.finding)
    assert [action.kind for action in short] == ["pulse", "ack", "pulse", "ack", "pulse"]


def test_runs_are_repeatable():
    def once():
        generator = random.Random(7)
        setup = random_setup(generator)
        outcome = refine(setup, random_actions(generator, 60, setup.trouble), log=500)
        return setup, outcome.operations, outcome.name, outcome.log

    assert once() == once()


def test_late_inversions_are_measured():
    """With a late kick the guest sees the old order for about as many operations as the kick takes."""
    tally = soak(SHARE, seed=3, latency=3, trouble=False)
    assert tally.widths
    assert 0 < max(tally.widths) <= 2 * 3 + 3


def test_entry_reports_and_refuses(capsys):
    assert main(["--operations", "500", "--seed", "5", "--latency", "0", "2"]) == 0
    printed = capsys.readouterr().out
    assert "seed 5, profile 7.3, latency 0:" in printed
    assert "latency 2:" in printed
    assert "0 findings" in printed
    assert main(["--profile", "9.9"]) == 2
    assert capsys.readouterr().err.startswith("spillway: unknown profile '9.9'")
