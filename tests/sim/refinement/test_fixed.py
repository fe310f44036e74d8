"""Profile ``fixed`` against the ideal GIC: no exception is known, and every cure is needed."""

from dataclasses import replace

import pytest

from sim.refinement.run import refine, soak
from sim.refinement.setup import Setup
from sim.scenario.model import Interrupt
from tests.sim.refinement.test_exceptions import EXAMPLES, actions

#: Guest operations of each seeded share.
SHARE = 5_000


@pytest.mark.parametrize("latency", [0, 1, 4, 8])
def test_seeded_share_agrees_everywhere(latency):
    """One to three vCPUs, one to four list registers, EOImode switched: nothing differs."""
    tally = soak(SHARE, seed=1, latency=latency, profile="fixed", strict=True)
    assert tally.findings == [], "\n".join(map(str, tally.findings))
    assert not tally.exceptions
    assert tally.operations >= SHARE


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_example_of_an_exception_diverges(name):
    setup, text = EXAMPLES[name]
    outcome = refine(replace(setup, profile="fixed", strict=True), actions(text), log=40)
    assert outcome.divergence is None, "\n".join(outcome.log)


#: Handlers that write the active state of their own interrupt, which is in no list register at its EOI.
ACTIVE_WRITTEN = {
    "ended and made active again": "raise 1; ack; raise 0; pulse 0; icactive 0 1; sactive 1 1; eoi",
    "ended": "raise 1; ack; raise 0; pulse 0; icactive 0 1; eoi",
    "made active by software alone": (
        "raise 1; ack; icactive 0 1; eoi; pulse 0; sactive 0 1; ack; raise 0; eoi"
    ),
}


@pytest.mark.parametrize("profile", ["fixed", "7.3,+walk_by_priority"])
@pytest.mark.parametrize("name", ACTIVE_WRITTEN)
def test_active_state_written_in_a_handler(name, profile):
    """22.6: EOIcount says only that there was an EOI; the level it dropped says whose."""
    setup = Setup(
        vcpus=2,
        trouble=True,
        profile=profile,
        interrupts=(
            Interrupt(33, 0x28, True, 0),
            Interrupt(34, 0x10, True),
            Interrupt(8192, 0x20, False),
        ),
        strict=True,
    )
    outcome = refine(setup, actions(ACTIVE_WRITTEN[name]), log=40)
    assert outcome.divergence is None, "\n".join(outcome.log)


def test_strict_knows_no_exception():
    """The same runs on 7.3: what is an exception otherwise is a finding."""
    tally = soak(SHARE, seed=1, profile="7.3", strict=True, most=1)
    assert len(tally.findings) == 1
    assert not tally.exceptions


@pytest.mark.parametrize(
    "switch",
    ["one_lr_refill", "npie_enabled_group", "walk_by_priority", "soft_pending_kept",
     "pending_if_enabled", "requeue_on_enable"],
)  # fmt: skip
def test_random_guests_find_a_missing_cure(switch):
    tally = soak(60_000, seed=7, profile=f"fixed,-{switch}", strict=True, trouble=True, most=1)
    assert len(tally.findings) == 1
