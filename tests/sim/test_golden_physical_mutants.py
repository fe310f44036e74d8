"""Rules of the golden physical side, broken one at a time: directed and random tests notice."""

from contextlib import contextmanager
from functools import cache
from unittest import mock

import pytest

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from sim.directed_physical import load_physical, run_physical
from sim.golden_physical import GoldenSystem
from sim.golden_physical.distributor import Distributor, Interrupt, Redistributor
from sim.golden_physical.frames import Frames
from sim.golden_physical.gicc import Gicc
from sim.golden_physical.interface import NONE, PhysicalInterface
from sim.golden_physical.pe import GoldenPe
from sim.lockstep_physical import _outputs, _perform
from sim.port import run
from sim.stimulus.choices import RandomChoices
from sim.stimulus.physical import PHYSICAL_MOODS, PhysicalStimulus

SEED = 11
OPERATIONS = 1000  # of each mood
V3, V2 = PhysicalConfig(), PhysicalConfig(are=False)


def _system(physical):
    return GoldenSystem(GicConfig() if physical.are else GicV2Config(), physical, 2)


@cache
def recorded(physical):
    """Return the operations of every mood and what golden did with them."""
    found = []
    for n, mood in enumerate(PHYSICAL_MOODS):
        system = _system(physical)
        run(system.reset())
        config = system.ports[0].config
        stimulus = PhysicalStimulus(physical, config, 2, RandomChoices(SEED + n), mood)
        state, steps = run(system.physical_state()), []
        for _ in range(OPERATIONS):
            step = stimulus.next(state)
            answer, outputs = run(_perform(system, step)), run(_outputs(system))
            state = run(system.physical_state())
            steps.append((step, answer, outputs, state))
        found.append(steps)
    return found


def first_difference(physical):
    """Replay the operations on the golden model as it is now; return the first that differs, or None."""
    for mood, steps in zip(PHYSICAL_MOODS, recorded(physical), strict=True):
        system = _system(physical)
        run(system.reset())
        for n, (step, *expected) in enumerate(steps):
            got = [run(_perform(system, step)), run(_outputs(system)), run(system.physical_state())]
            if got != expected:
                return mood, n
    return None


def test_the_recording_repeats():
    """Nothing broken, no difference: the same operations give the same answers."""
    assert first_difference(V3) is None


_REAL = {
    "goes_to": Distributor._goes_to, "activate": Interrupt.activate,
    "drive": Interrupt.drive, "deactivate": Distributor.deactivate,
    "signalled": PhysicalInterface.signalled, "running_group": PhysicalInterface.running_group,
    "sgi": Distributor.generate_sgi, "end": PhysicalInterface.end,
}  # fmt: skip


def _latch_only(self):
    return bool(self.latch)


def _no_edge(self, level):
    self.line = level


def _edge_only_when_enabled(self, level):
    if not self.enable:
        self.line = level
    else:
        _REAL["drive"](self, level)


def _keep_latch(self):
    self.active = True


def _all_sources(self):
    self.active, self.latch = True, 0


def _clear_any_latch(self, interrupt, value, lanes):
    if value:
        interrupt.latch, interrupt.line = 0, False


def _offer_active(interrupt, takes):
    return takes[interrupt.group] and interrupt.pending


def _offer_disabled_groups(interrupt, takes):
    return not interrupt.active and interrupt.pending


def _one_of_n_anywhere(self, interrupt, pe):
    if self.physical.are and interrupt.route.one_of_n:
        return pe == 0
    return _REAL["goes_to"](self, interrupt, pe)


def _routed_modulo(self, interrupt, pe):
    if self.physical.are and not interrupt.route.one_of_n:
        return interrupt.route.aff0 % self.pes == pe
    return _REAL["goes_to"](self, interrupt, pe)


def _first_target_only(self, interrupt, pe):
    if not self.physical.are:
        return interrupt.targets & -interrupt.targets == 1 << pe
    return _REAL["goes_to"](self, interrupt, pe)


def _drop_also_pending(self, intid, pe):
    _REAL["deactivate"](self, intid, pe)
    interrupt = self.interrupt(intid, pe)
    if interrupt:
        interrupt.latch = 0


def _own_spis_only(self, intid, pe):
    interrupt = self.interrupt(intid, pe)
    if interrupt and (intid < 32 or not self.physical.are or self._goes_to(interrupt, pe)):
        interrupt.active = False


def _sgi_any_group(self, intid, group, targets):
    for pe in targets:
        self.redistributors[pe].private[intid].latch = 1


def _sgi_enabled_only(self, intid, group, targets):
    _REAL["sgi"](self, intid, group, [t for t in targets if self.redistributors[t].private[intid].enable])


def _mask_of_the_other_group(self, group):
    return 0xFF << (self.bpr0 + 1 if group and not self.cbpr else self.stored_bpr1) & 0xFF


def _pmr_inclusive(self):
    self.pmr += 1
    try:
        return _REAL["signalled"](self)
    finally:
        self.pmr -= 1


def _equal_preempts(self):
    offer = self.offer()
    if offer is None or offer.priority >= self.pmr:
        return None
    mask = self.group_mask(offer.group)
    blocked = any(self.ap) and offer.priority & mask > self.running_priority() & mask
    return None if blocked else offer


def _end_any_group(self, group, intid):
    top = self.running_group()
    _REAL["end"](self, group if top is None else top, intid)


def _end_unknown_drops(self, group, intid):
    if self.running_group() == group:
        self.ap[group] &= self.ap[group] - 1
        if not self.eoimode:
            self.distributor.deactivate(intid, self.pe)


def _deactivate_in_any_mode(self, intid):
    self.distributor.deactivate(intid, self.pe)


def _group1_first(self):
    if self.ap[0] & -self.ap[0] == self.ap[1] & -self.ap[1] and any(self.ap):
        return 1
    return _REAL["running_group"](self)


def _no_hw(self, access):
    response = self.virtual.access(access)
    self._settle()
    return response


def _nothing(*args):
    return None


def _irq_and_fiq(self):
    irq, fiq = PhysicalInterface.lines(self)
    return irq, fiq


#: What is broken -> (class, attribute, replacement, directed test that notices, build of the random run).
MUTANTS = {
    "DIST-1 line not pending": (Interrupt, "pending", property(_latch_only), "DIST-1", V3),
    "DIST-2 no edges": (Interrupt, "drive", _no_edge, "DIST-2", V3),
    "DIST-2 disabled edges lost": (Interrupt, "drive", _edge_only_when_enabled, "DIST-2", V3),
    "DIST-3 no latch": (Frames, "_set_ispendr", _nothing, "DIST-3", V3),
    "DIST-4 line cleared": (Frames, "_set_icpendr", _clear_any_latch, "DIST-4", V3),
    "DIST-6 ICACTIVER": (Frames, "_set_icactiver", _nothing, "DIST-6", V3),
    "DIST-7 ICENABLER": (Frames, "_set_icenabler", _nothing, "DIST-7", V3),
    "DIST-9 fixed configuration": (Frames, "_set_icfgr", _nothing, "DIST-9", V3),
    "DIST-11 disabled group": (Distributor, "_ready", staticmethod(_offer_disabled_groups), "DIST-11", V3),
    "DIST-13 active offered": (Distributor, "_ready", staticmethod(_offer_active), "DIST-13", V3),
    "DIST-14 wrapped affinity": (Distributor, "_goes_to", _routed_modulo, "DIST-14", V3),
    "DIST-15 always PE 0": (Distributor, "_goes_to", _one_of_n_anywhere, "DIST-15", V3),
    "DIST-16 first target": (Distributor, "_goes_to", _first_target_only, "DIST-16a", V2),
    "DIST-17 never asleep": (Frames, "_write_gicr_waker", _nothing, "DIST-17", V3),
    "DIST-18 latch kept": (Interrupt, "activate", _keep_latch, "DIST-3", V3),
    "DIST-19 latch lost": (Distributor, "deactivate", _drop_also_pending, "DIST-2", V3),
    "DIST-19 routed PE only": (Distributor, "deactivate", _own_spis_only, "DIST-19b", V3),
    "DIST-20 no HW deactivation": (GoldenPe, "_execute", _no_hw, "DIST-20a", V3),
    "DIST-20 no HW deactivation, GICv2": (GoldenPe, "_execute", _no_hw, "DIST-20c", V2),
    "DIST-21 any group": (Distributor, "generate_sgi", _sgi_any_group, "DIST-21", V3),
    "DIST-21 enabled only": (Distributor, "generate_sgi", _sgi_enabled_only, "DIST-21", V3),
    "DIST-24 no maintenance interrupt": (GoldenPe, "_settle", _nothing, "DIST-24", V3),
    "DIST-26 all sources at once": (Interrupt, "activate", _all_sources, "DIST-25", V2),
    "DIST-27 no SGIR": (Distributor, "generate_sourced_sgi", _nothing, "DIST-27", V2),
    "DIST-28 SPENDSGIR": (Frames, "_set_spendsgir", _nothing, "DIST-28", V2),
    "PHY-1 masks swapped": (PhysicalInterface, "group_mask", _mask_of_the_other_group, "PHY-8b", V3),
    "PHY-1 PMR inclusive": (PhysicalInterface, "signalled", _pmr_inclusive, "PHY-1a", V3),
    "PHY-1 equal preempts": (PhysicalInterface, "signalled", _equal_preempts, "PHY-1b", V3),
    "PHY-5 any group": (PhysicalInterface, "end", _end_any_group, "PHY-5b", V3),
    "PHY-5 unknown INTID": (PhysicalInterface, "end", _end_unknown_drops, "PHY-5c", V3),
    "PHY-5 tie": (PhysicalInterface, "running_group", _group1_first, "PHY-5d", V3),
    "PHY-6 EOImode 0": (PhysicalInterface, "deactivate", _deactivate_in_any_mode, "PHY-6b", V3),
    "PHY-9 no APR": (PhysicalInterface, "write_apr", _nothing, "PHY-9", V3),
    "GICC-2 no 1022": (Gicc, "acknowledge_any", lambda self: NONE, "GICC-2", V2),
    "GICC-3 AIAR as IAR": (Gicc, "acknowledge_group1", Gicc.acknowledge_any, "GICC-3", V2),
    "GICC-5 FIQEn 0": (Gicc, "lines", _irq_and_fiq, "GICC-5", V2),
}  # fmt: skip


@contextmanager
def broken(name):
    """Break one rule; return the number of its directed test and the build of its random run."""
    owner, attribute, replacement, number, physical = MUTANTS[name]
    recorded(physical)  # by the whole model
    with mock.patch.object(owner, attribute, replacement):
        yield number, physical


@pytest.mark.parametrize("name", MUTANTS)
def test_the_directed_test_notices(name):
    """A model with the rule broken fails the directed test that names it."""
    test = next(test for test in load_physical() if test.number == MUTANTS[name][3])
    with broken(name):
        profile = test.profile
        system = GoldenSystem(profile.config, profile.physical, profile.pes)
        assert run(run_physical(system, test))


@pytest.mark.parametrize("name", MUTANTS)
def test_random_operations_notice(name):
    """A model with the rule broken differs within a few hundred random operations of some mood."""
    with broken(name) as (_, physical):
        found = first_difference(physical)
        assert found is not None
        print(f"seed {SEED}: {found}")


def test_the_redistributor_sleeps_after_reset():
    """DIST-17: and only with affinity routing."""
    assert Redistributor(are=True).asleep
    assert not Redistributor(are=False).asleep
