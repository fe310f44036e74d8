"""The stimulus: same seed, same stream; every kind of operation and every mood; simplest when shrunk."""

from collections import Counter

import pytest

from hw.config import GicConfig
from hw.errors import InputError
from sim.golden import Golden
from sim.port import Access, Outcome
from sim.stimulus import MOODS, ListChoices, RandomChoices, Stimulus
from sim.stimulus.operations import OPERATIONS
from sim.stimulus.values import Values


def stream(config, seed, count, mood=None):
    golden, stimulus = Golden(config), Stimulus(config, RandomChoices(seed), mood)
    for _ in range(count):
        access = stimulus.next(golden.state())
        yield access, golden.access(access)


@pytest.mark.parametrize("config", (GicConfig(), GicConfig(lrs=16, pri_bits=8, pre_bits=7, id_bits=24)))
def test_a_seed_decides_everything(config):
    first = list(stream(config, 7, 600))
    assert first == list(stream(config, 7, 600))
    assert first != list(stream(config, 8, 600))


@pytest.mark.parametrize("mood", MOODS)
def test_every_mood_gets_interrupts_acknowledged(mood):
    taken = sum(
        access.register.name.startswith("ICC_IAR") and response.outcome is Outcome.OK
        and 0 < response.value != 1023
        for access, response in stream(GicConfig(), 3, 4000, mood)
    )  # fmt: skip
    assert taken > 10


def test_every_operation_belongs_to_a_mood():
    assert {name for weights in MOODS.values() for name in weights} == set(OPERATIONS)


def test_the_stream_has_every_kind_of_trouble():
    """Traps, UNDEFINED, unknown encodings, LPIs, special INTIDs, every BPR, garbage above 32 bits."""
    seen = Counter()
    for access, response in stream(GicConfig(id_bits=24), 5, 30_000):
        name, value = access.register.name, access.value
        seen[response.outcome.name] += 1
        seen["unknown encoding"] += name.startswith("S")
        seen["LPI ended"] += "EOIR" in name and value >= 8192
        seen["special ended"] += "EOIR" in name and 1020 <= value & 0xFF_FFFF <= 1023
        seen["garbage above"] += access.write and access.register.width == 32 and value >> 32 > 0
        seen["no such LR"] += name == "ICH_LR4_EL2"
        if "_BPR" in name and access.write:
            seen[f"BPR {value & 7}"] += 1
    wanted = ["OK", "UNDEF", "TRAP_EL1", "TRAP_EL2", "unknown encoding", "LPI ended", "special ended"]
    wanted += ["garbage above", "no such LR", *(f"BPR {n}" for n in range(8))]
    assert {name: seen[name] for name in wanted if not seen[name]} == {}


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_simplest_choice_is_an_ordinary_access(name):
    """With no decisions left, which is where shrinking ends, an operation is still an access."""
    config = GicConfig()
    values = Values(config, ListChoices(()))
    access = OPERATIONS[name](values, Golden(config).state())
    assert isinstance(access, Access) and access.el in (1, 2)
    assert access.value < 1 << 64


def test_list_choices_end_simple():
    choices = ListChoices([5, 7])
    assert [choices.below(4), choices.among("abcdef"), choices.below(9), choices.one_in(2)] == [
        1,
        "b",
        0,
        False,
    ]


def test_random_choices_stay_below_their_limit():
    choices = RandomChoices(1)
    assert {choices.below(3) for _ in range(100)} == {0, 1, 2}
    wide = [choices.below(1 << 64) for _ in range(100)]
    assert max(wide) >> 63 == 1 and min(wide) >= 0
    assert 10 < sum(choices.one_in(4) for _ in range(100)) < 45


def test_an_unknown_mood_is_bad_input():
    with pytest.raises(InputError, match="unknown mood 'grumpy'; one of service, overflow"):
        Stimulus(GicConfig(), RandomChoices(1), "grumpy")
