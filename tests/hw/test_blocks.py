"""Blocks on their own, against one line of Python each."""

import random

import pytest
from amaranth.sim import Simulator

from hw import active_priorities, selection
from hw.active_priorities import ActivePriorities
from hw.config import GicConfig
from hw.layouts import LRState
from hw.maintenance import LATENCY as MAINTENANCE_LATENCY
from hw.maintenance import Maintenance
from hw.selection import Selection


def simulate(dut, bench):
    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("lrs", [1, 2, 3, 5, 8, 11, 16])
@pytest.mark.parametrize("pri_bits", [5, 8])
def test_selection(lrs, pri_bits):
    """SEL-1..6: smallest priority of the enabled pending list registers, lowest index among equals."""
    config = GicConfig(lrs=lrs, pri_bits=pri_bits)
    seed = lrs * 10 + pri_bits
    rng = random.Random(seed)

    async def bench(ctx):
        for _ in range(150):
            enables = rng.randrange(2), rng.randrange(2)
            ctx.set(dut.enable0, enables[0])
            ctx.set(dut.enable1, enables[1])
            contenders = []
            for n in range(lrs):
                state, group = rng.choice(list(LRState)), rng.randrange(2)
                priority = rng.choice([0, 8, 0xF8, 0xFF, rng.randrange(256)]) & config.pri_mask
                ctx.set(dut.lr[n], {"State": state, "Group": group, "Priority": priority})
                if state == LRState.PENDING and enables[group] and priority != 0xFF:
                    contenders.append((priority >> 8 - pri_bits, n, group))
            await ctx.tick().repeat(selection.depth(config))
            best = ctx.get(dut.best)
            shown = (best.priority, best.index, best.group) if best.valid else None
            assert shown == min(contenders, default=None), f"seed {seed}"

    dut = Selection(config)
    simulate(dut, bench)


@pytest.mark.parametrize("pre_bits", [5, 6, 7])
def test_running_priority_and_drop(pre_bits):
    """REG-11, EOI-3: drops come most urgent first, Group 0 before Group 1 on a tie, until none is left."""
    config = GicConfig(pri_bits=7, pre_bits=pre_bits)
    rng = random.Random(pre_bits)
    levels = 1 << pre_bits

    async def bench(ctx):
        for _ in range(20):
            active = {(rng.randrange(levels), group) for group in (0, 1) for _ in range(4)}
            active.add((min(active)[0], 1))
            for group in (0, 1):
                for word in range(config.apr_words):
                    bits = sum(1 << level % 32 for level, g in active if g == group and level // 32 == word)
                    ctx.set(dut.write, 1 << group)
                    ctx.set(dut.write_index, word)
                    ctx.set(dut.write_data, bits)
                    await ctx.tick()
            ctx.set(dut.write, 0)
            for level, group in sorted(active):
                await ctx.tick().repeat(active_priorities.LATENCY)
                running = ctx.get(dut.running)
                assert (running.active, running.level, running.group0) == (1, level, group == 0)
                ctx.set(dut.drop, 1)
                await ctx.tick()
                ctx.set(dut.drop, 0)
            await ctx.tick().repeat(active_priorities.LATENCY)
            assert not ctx.get(dut.running.active)
            assert not any(ctx.get(word) for word in [*dut.word0, *dut.word1])

    dut = ActivePriorities(config)
    simulate(dut, bench)


@pytest.mark.parametrize("pre_bits", [5, 6, 7])
def test_acknowledge_sets_its_level(pre_bits):
    """IAR-4: bit i of the concatenated words of the right group, all levels."""
    config = GicConfig(pri_bits=7, pre_bits=pre_bits)

    async def bench(ctx):
        for group, words in ((0, dut.word0), (1, dut.word1)):
            for level in range(1 << pre_bits):
                ctx.set(dut.set, 1)
                ctx.set(dut.set_group, group)
                ctx.set(dut.set_level, level)
                await ctx.tick()
                whole = sum(ctx.get(word) << 32 * n for n, word in enumerate(words))
                assert whole == (2 << level) - 1

    dut = ActivePriorities(config)
    simulate(dut, bench)


@pytest.mark.parametrize("lrs", [1, 2, 5, 16])
def test_maintenance_counts(lrs):
    """MNT-1, MNT-2, MNT-4, MNT-5: for every number of valid and of pending list registers."""
    config = GicConfig(lrs=lrs)
    rng = random.Random(lrs)

    async def bench(ctx):
        ctx.set(dut.hcr, {"UIE": 1, "NPIE": 1})
        for _ in range(200):
            entries = []
            for n in range(lrs):
                state = rng.choice([LRState.INVALID, LRState.INVALID, *LRState])
                hw, eoi = rng.randrange(2), rng.randrange(2)
                ctx.set(dut.lr[n], {"State": state, "HW": hw, "pINTID": eoi << 9})
                entries.append((state, hw, eoi))
            await ctx.tick().repeat(MAINTENANCE_LATENCY)
            empty = [state == LRState.INVALID for state, _, _ in entries]
            eisr = [e and eoi and not hw for e, (_, hw, eoi) in zip(empty, entries, strict=True)]
            assert ctx.get(dut.eisr) == sum(bit << n for n, bit in enumerate(eisr))
            assert ctx.get(dut.elrsr) == sum(
                (e and not bit) << n for n, (e, bit) in enumerate(zip(empty, eisr, strict=True))
            )
            assert ctx.get(dut.misr.EOI) == any(eisr)
            assert ctx.get(dut.misr.U) == (empty.count(False) <= 1)
            assert ctx.get(dut.misr.NP) == all(state != LRState.PENDING for state, _, _ in entries)

    dut = Maintenance(config)
    simulate(dut, bench)
