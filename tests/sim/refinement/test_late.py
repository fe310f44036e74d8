"""Late exits: what the judge must allow, and whole runs that once went wrong with them."""

import pytest

from sim.refinement.late import LateEdges
from sim.refinement.run import soak

KEY = (1, 0)


def test_an_edge_that_finds_its_interrupt_pending_counts_after_the_acknowledge():
    late = LateEdges()
    late.pulse(KEY, pending=False)
    late.acknowledge(KEY)
    assert KEY not in late.maybe
    late.pulse(KEY, pending=False)
    late.pulse(KEY, pending=True)
    late.acknowledge(KEY)
    assert KEY in late.maybe


def test_a_third_edge_counts_behind_a_second_that_may_be_there():
    """The second was taken for the first, so the third may come after both."""
    late = LateEdges()
    late.pulse(KEY, pending=True)
    late.acknowledge(KEY)
    late.pulse(KEY, pending=False)
    assert KEY not in late.maybe
    late.acknowledge(KEY)
    assert KEY in late.maybe
    late.acknowledge(KEY)
    assert KEY not in late.maybe


@pytest.mark.parametrize(
    ("seed", "latency"),
    [
        pytest.param(
            600018, 6, id="acknowledged anew before the EOI of a handler that ICACTIVER ended is seen"
        ),
        pytest.param(
            700123, 7, id="WFI while one that preempts may be gone and one behind it does not preempt"
        ),
        pytest.param(7000314, 7, id="three SGIs, each beside the handler of the one before"),
        pytest.param(8000073, 8, id="the same with two senders"),
        pytest.param(8500065, 8, id="the priority of an active and pending one is rewritten"),
        pytest.param(7020433, 7, id="the priority of an active one that may be pending is rewritten"),
    ],
)
def test_runs_that_once_differed(seed, latency):
    assert soak(1, seed, latency, "fixed", strict=True).findings == []
