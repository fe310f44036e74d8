"""The sweep over registers, levels, contexts and traps: on the gateware and on models that forget."""

from collections import Counter

import pytest

from hw.config import GicConfig
from sim.engines.golden import golden_port
from sim.lockstep import apply, sweep_job
from sim.port import Outcome, run
from sim.stimulus.sweep import every_access, every_intid, every_level
from tb.runner import run_job

CONFIG = GicConfig()


class Forgetful:
    """A golden port that never looks at one part of the context."""

    def __init__(self, name, value):
        self._port, self._part = golden_port(CONFIG), {name: value}
        self.config = CONFIG

    def __getattr__(self, name):
        return getattr(self._port, name)

    async def access(self, access):
        """Execute an access in another context."""
        return await self._port.access(access._replace(context=access.context._replace(**self._part)))


class Careless:
    """A golden port in which a level of a group takes another with it when it becomes active, or inactive."""

    def __init__(self, name, level, other, appears):
        self._port, self._name, self._appears = golden_port(CONFIG), name, appears
        self._level, self._other = 1 << level, 1 << other
        self.config = CONFIG

    def __getattr__(self, name):
        return getattr(self._port, name)

    async def access(self, access):
        """Execute an access and, perhaps, too much."""
        golden = self._port.golden
        before = getattr(golden, self._name)
        response = await self._port.access(access)
        after = getattr(golden, self._name)
        if access.el == 1 and (before ^ after) & self._level and bool(after & self._level) == self._appears:
            setattr(golden, self._name, after | self._other if self._appears else after & ~self._other)
        return response


def test_the_gateware_agrees_with_golden_on_every_access():
    assert run_job("sim.lockstep:sweep_job", engine="verilator", config=CONFIG) is None


def test_each_part_of_the_context_matters():
    guest = next(iter(every_access())).context
    for name, value in guest._asdict().items():
        report = run(sweep_job([Forgetful(name, value)]))
        assert report and "response outcome" in report, name


def test_every_outcome_is_met():
    golden = golden_port(CONFIG).golden
    assert {golden.access(access).outcome for access in every_access()} == set(Outcome)


@pytest.mark.parametrize("config", (CONFIG, GicConfig(lrs=1, pri_bits=8, pre_bits=7)))
def test_every_level_of_each_group_is_taken_and_ended_in_both_modes(config):
    golden, seen = golden_port(config).golden, Counter()
    for access in every_level(config):
        before = (golden.ap0, golden.ap1)
        response = golden.access(access)
        assert response.outcome is Outcome.OK
        if access.el == 1 and (golden.ap0, golden.ap1) != before:
            kind = access.register.name[4:8]
            changed = (golden.ap0 ^ before[0]) << (1 << config.pre_bits) | golden.ap1 ^ before[1]
            seen[kind, golden.state().vmcr >> 9 & 1, changed] += 1
    bits = [1 << n for n in range(2 << config.pre_bits)]
    taken = {key: count for key, count in seen.items() if key[0].startswith("IAR")}
    # Without subpriorities the least urgent level is that of PMR's highest value, which masks it.
    masked = (bits[-1], bits[len(bits) // 2 - 1]) if config.pri_bits == config.pre_bits else ()
    assert taken == {
        (f"IAR{int(bit < bits[len(bits) // 2])}", mode, bit): 2
        for mode in (0, 1) for bit in bits if bit not in masked
    }  # fmt: skip
    assert {key[1:] for key in seen if key[0].startswith("EOI")} == {(m, bit) for m in (0, 1) for bit in bits}


@pytest.mark.parametrize("appears", (True, False))
@pytest.mark.parametrize(("level", "other"), ((24, 26), (26, 24), (0, 31), (30, 0)))
@pytest.mark.parametrize("name", ("ap0", "ap1"))
def test_no_level_takes_another_with_it(name, level, other, appears):
    """A drop of a more urgent level together with another never shows: it was dropped before."""
    report = run(apply(Careless(name, level, other, appears), every_level(CONFIG)))
    assert bool(report) == (appears or other > level)


class Short:
    """A golden port that looks at all bits of INTIDs but one, in EOIR and DIR."""

    def __init__(self, bit):
        self._port, self._bit = golden_port(CONFIG), 1 << bit
        self.config = CONFIG

    def __getattr__(self, name):
        return getattr(self._port, name)

    async def access(self, access):
        """Execute an access with the bit cleared."""
        if access.write and access.register.name in ("ICC_EOIR1_EL1", "ICC_DIR_EL1"):
            access = access._replace(value=access.value & ~self._bit)
        return await self._port.access(access)


@pytest.mark.parametrize("bit", range(CONFIG.id_bits))
def test_every_bit_of_an_intid_matters(bit):
    assert run(apply(Short(bit), every_intid(CONFIG)))


def test_intids_meet_every_rule_on_them():
    """IAR-6, EOI-1, EOI-7, HW-3: some are acknowledged and some not kept, some counted, some requested."""
    golden, counts, physical = golden_port(CONFIG).golden, set(), set()
    for access in every_intid(CONFIG):
        golden.access(access)
        counts.add(golden.state().hcr >> 27)
        physical.update(golden.take_deactivations())
    assert len(counts) == 32
    assert physical > {16, 17, 508, 1016} and max(physical) < 1020
