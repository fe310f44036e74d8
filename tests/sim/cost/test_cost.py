"""What profiles cost: recorded guests, random guests, and the least number of exits."""

from pathlib import Path

import pytest

from sim.cost.meter import Cost
from sim.cost.optimum import measure_optimum, play_small, small_guest
from sim.cost.random_guests import measure_random
from sim.cost.recorded import is_complete, measure_recorded, read_guest
from sim.kvm.profile import PROFILES
from sim.refinement.actions import Action
from sim.refinement.setup import Setup
from sim.scenario.model import Interrupt

TRACES = Path(__file__).parents[2] / "data" / "traces"
RECORDED = sorted(path for path in TRACES.glob("kvm-real-7.3.4-*") if is_complete(path))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name.split(".jsonl")[0])
def test_no_more_exits_on_recorded_guests(path):
    """``fixed`` takes at most 5 % more exits; 7.3 takes those of the recording but for the host's ticks."""
    guest = read_guest(path)
    if guest is None:  # a timer, or registers emulated in hyp
        return
    base, fixed = (measure_recorded(guest, PROFILES[name]) for name in ("7.3", "fixed"))
    assert base.different == fixed.different == 0
    assert base.cost.delivered == fixed.cost.delivered > 0
    assert fixed.cost.exits <= 1.05 * base.cost.exits
    if "stockqemu" not in path.name:  # that one counts EOIs in EOImode 1, and exits for them (D2)
        assert base.cost.exits <= guest.exits <= 1.1 * base.cost.exits


def test_the_old_kernel_goes_another_way():
    """The differences are counted: before 6.19 this guest sticks at four active interrupts."""
    guest = read_guest(TRACES / "kvm-real-7.3.4-manyactive-eoimode1.jsonl.gz")
    found = measure_recorded(guest, PROFILES["legacy"])
    assert found.different > 0
    assert found.cost.delivered < 12


def test_random_guests_are_the_same_for_all():
    once = measure_random(["7.3", "fixed"], 6, seed=3)
    assert once == measure_random(["7.3", "fixed"], 6, seed=3)
    assert once["7.3"].guests == 6
    assert once["7.3"].operations == once["fixed"].operations > 0
    assert once["7.3"].delivered == once["fixed"].delivered > 0
    assert once["fixed"].exits <= 1.05 * once["7.3"].exits


def test_one_list_register_is_measured_where_nothing_overflows():
    """A guest that some profile serves wrong is drawn again: here every guest of 7.3 with a storm."""
    assert measure_random(["7.3"], 3)["7.3"].exits > 0


def nested(lrs, eoimode, text):
    """Return (cost of fixed, least exits) of a guest with SPIs 32 .. 35, each more urgent than the last."""
    interrupts = tuple(Interrupt(32 + n, 0x80 - 0x10 * n, False) for n in range(4))
    setup = Setup(lrs, 1, eoimode, profile="fixed", interrupts=interrupts)
    actions = [
        Action(word.rstrip("0123"), int(word[-1]) if word[-1].isdigit() else 0, 0, 1) for word in text.split()
    ]
    return play_small(setup, actions)


@pytest.mark.parametrize(
    ("lrs", "eoimode", "text", "least"),
    [
        (1, 0, "pulse0 ack eoi", 0),  # all there before the guest begins
        (1, 0, "nop pulse0 ack eoi", 1),  # it comes while the guest runs
        (1, 0, "pulse0 ack eoi exit nop", 1),  # an exit of the guest's own
        (2, 0, "pulse0 ack pulse1 ack eoi eoi", 1),
        (2, 0, "pulse0 pulse1 ack eoi ack eoi", 0),
        (1, 0, "pulse0 pulse1 ack eoi ack eoi", 1),  # one LR: it must be filled again
        (1, 0, "pulse0 ack nop pulse1 ack nop eoi eoi", 1),  # an EOI outside the LRs needs no exit
        (1, 1, "pulse0 ack eoi dir", 0),
    ],
)
def test_least_number_of_exits(lrs, eoimode, text, least):
    cost, found = nested(lrs, eoimode, text)
    assert found == least
    assert cost.exits >= least


@pytest.mark.parametrize("lrs", [1, 2])
def test_nobody_takes_less_than_the_least(lrs):
    for seed in range(12):
        setup, actions = small_guest(seed, lrs)
        played = play_small(setup, actions)
        assert played is None or played[0].exits >= played[1]


def test_totals_of_small_guests():
    found = measure_optimum(["7.3", "fixed"], 4, seed=1)
    assert found.guests == 4
    assert found.least <= found.taken["fixed"] <= found.taken["7.3"]


def test_costs_add_up():
    total = Cost(1, 10, 2, 4, 20)
    total += Cost(1, 10, 2, 6, 40)
    assert total == Cost(2, 20, 4, 10, 60)
    assert (total.exits_each, total.accesses_each) == (2.5, 15.0)
    assert Cost().exits_each == 0
