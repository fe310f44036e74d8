"""What must hold of the golden model after any access whatever."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.config import GicConfig
from hw.errors import InputError
from sim.bench_golden import main, make_workload
from sim.golden import Golden
from sim.port import Outcome
from tests.sim.pe import CONFIG
from tests.sim.streams import streams

CONFIGS = [
    CONFIG,
    GicConfig(lrs=1),
    GicConfig(lrs=16, pri_bits=7, pre_bits=7, tds=False, nv4=False),
    GicConfig(lrs=2, pri_bits=8, pre_bits=6, id_bits=24, eoicnt_mode1=True),
]


def active_bits(golden: Golden) -> int:
    """Return how many priority levels are active."""
    return golden.ap0.bit_count() + golden.ap1.bit_count()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@settings(max_examples=40, deadline=None, print_blob=True)
@given(data=st.data())
def test_invariants(config: GicConfig, data):
    """Reserved bits read 0, status sets are disjoint, one line at most, faults change nothing (TRP-5)."""
    golden = Golden(config)
    for access in data.draw(streams(config)):
        before, requests = (golden.state(), golden.lines()), list(golden.deactivated)
        response = golden.access(access)
        state, lines = golden.state(), golden.lines()
        if response.outcome is not Outcome.OK:
            assert (state, lines) == before and golden.deactivated == requests
            assert response.value == 0 and response.esr
        assert not lines.virq or not lines.vfiq  # SIG-6
        assert not state.eisr & state.elrsr  # MNT-2
        assert (state.eisr | state.elrsr) >> config.lrs == 0
        assert lines.maintenance == bool(state.hcr & 1 and state.misr)  # MNT-3
        assert not any(
            lr & ~(0xF0 << 56 | config.pri_mask << 48 | 0x1FFF << 32 | config.id_mask) for lr in state.lr
        )
        assert state.vmcr & 0xC == 0x8 and state.vmcr >> 24 & ~config.pri_mask & 0xFF == 0  # REG-3, REG-4
        assert state.vmcr >> 21 & 7 >= config.min_bpr0 and state.vmcr >> 18 & 7 >= config.min_bpr1  # REG-2
        assert len(state.ap0r) == len(state.ap1r) == config.apr_words


@settings(max_examples=60, deadline=None, print_blob=True)
@given(data=st.data())
def test_guest_accesses_conserve(data):
    """IAR adds at most one active bit; EOIR drops at most one; DIR none; an active LR becomes empty once."""
    golden = Golden(CONFIG)
    for access in data.draw(streams(CONFIG)):
        bits, busy = active_bits(golden), sum(lr >> 63 for lr in golden.lr)
        response = golden.access(access)
        name = access.register.name
        if response.outcome is not Outcome.OK or access.el != 1:
            continue
        more, fewer = active_bits(golden) - bits, busy - sum(lr >> 63 for lr in golden.lr)
        if "_IAR" in name:
            acknowledged = response.value < 1020 or response.value > 1023
            assert fewer == -acknowledged and more in ((0, 1) if acknowledged else (0,))
        elif "_EOIR" in name:
            assert -1 <= more <= 0 and 0 <= fewer <= -more  # EOI-8: no drop, no deactivation
        elif "_DIR" in name:
            assert more == 0 and 0 <= fewer <= 1
        elif "_AP" not in name:
            assert (more, fewer) == (0, 0)


def test_the_benchmark_measures_working_code():
    """The workload is free of faults, and every kind of operation does its work in it."""
    golden = Golden(GicConfig())
    counts: dict[str, int] = {}
    for access in make_workload(GicConfig(), 4000):
        before = golden.state()
        assert golden.access(access).outcome is Outcome.OK
        name = access.register.name.split("_")[1]
        counts[name] = counts.get(name, 0) + (golden.state() != before)
    assert min(counts[name] for name in ("IAR1", "EOIR1", "DIR", "LR0")) > 80


def test_the_benchmark_prints_its_figure(capsys):
    """A short run prints operations a second; how many is not tested."""
    assert main(["0.01"]) == 0
    assert "register operations/s" in capsys.readouterr().out


@pytest.mark.parametrize("seconds", ["soon", "0", "-1", "nan", "1e9"])
def test_the_benchmark_refuses_nonsense(seconds: str):
    """Bad input is one line, not a traceback."""
    with pytest.raises(InputError, match="seconds must be a number"):
        main([seconds])
