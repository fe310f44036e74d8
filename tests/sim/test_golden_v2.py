"""The GICv2 golden model: its properties, and a test that fails for each rule that is broken by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.config_v2 import GicV2Config
from hw.mmio import Frame
from hw.mmio_map import MMIO_REGISTERS, lookup_mmio
from hw.registers import lookup
from sim.deviations_v2 import STRICT_V2, DeviationsV2
from sim.directed import DIRECTED_V2, load_directed, run_directed
from sim.engines.golden import GoldenV2Port, golden_port
from sim.golden_v2 import GoldenV2, bits
from sim.golden_v2.deviating import DeviatingV2, make_golden_v2
from sim.port import Access, Lines, MmioAccess, Outcome, run
from sim.stimulus import MOODS_V2, ListChoices, RandomChoices, Stimulus
from sim.stimulus.operations_v2 import OPERATIONS
from sim.stimulus.values_v2 import ValuesV2

CONFIGS = [GicV2Config(), GicV2Config(1), GicV2Config(64)]


def stream(config, choices, count, mood=None):
    """Yield the model, the state before, an access and its answer; ``count`` times."""
    golden, stimulus = GoldenV2(config), Stimulus(config, choices, mood)
    for _ in range(count):
        before = golden.state()
        access = stimulus.next(before)
        answer = golden.mmio(access) if isinstance(access, MmioAccess) else golden.access(access)
        yield golden, before, access, answer


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@settings(max_examples=25, deadline=None, print_blob=True)
@given(seed=st.integers(0, 1 << 32))
def test_invariants(config, seed):
    """Whatever is accessed: reserved bits read 0, minimums hold, status is disjoint, one line at most."""
    for golden, _before, _access, _answer in stream(config, RandomChoices(seed), 80):
        state, lines = golden.state(), golden.lines()
        assert not lines.virq or not lines.vfiq  # SIG-6
        assert not state.eisr & state.elrsr  # MNT-2
        assert (state.eisr | state.elrsr) >> config.lrs == 0  # V2-9
        assert lines.maintenance == bool(state.hcr & 1 and state.misr)  # MNT-3
        assert not any(lr & ~0xFF8FFFFF for lr in state.lr)  # REG-7
        assert state.vmcr & ~0xF8FC021F == 0 and state.hcr & ~0xF80000FF == 0  # REG-10
        assert state.vmcr >> 21 & 7 >= 2 and state.vmcr >> 18 & 7 >= 3  # REG-2
        assert (len(state.ap0r), state.ap1r) == (1, [])  # V2-1


@pytest.mark.parametrize("mood", MOODS_V2)
def test_conservation(mood):
    """EOI-*, IAR-*: a guest access moves at most one priority bit and one LR; bad bus accesses nothing."""
    taken = ended = 0
    for golden, before, access, answer in stream(GicV2Config(), RandomChoices(5), 3000, mood):
        after = golden.state()
        if isinstance(access, MmioAccess):
            if answer.error:
                assert (after, answer.value) == (before, 0)
            continue
        assert answer.outcome is Outcome.OK
        name = access.register.name
        changed = [n for n, (old, new) in enumerate(zip(before.lr, after.lr, strict=True)) if old != new]
        more = after.ap0r[0] & ~before.ap0r[0]
        less = before.ap0r[0] & ~after.ap0r[0]
        if not access.write:
            assert not less and more.bit_count() <= len(changed) <= (name in ("GICV_IAR", "GICV_AIAR"))
            taken += bool(changed)
        elif name in ("GICV_EOIR", "GICV_AEOIR"):
            assert not more and less.bit_count() <= 1 and len(changed) <= 1
            assert not less or less == before.ap0r[0] & -before.ap0r[0]  # EOI-3
            assert not changed or less  # EOI-8
            ended += len(changed)
        elif name == "GICV_DIR":
            assert after.ap0r == before.ap0r and len(changed) <= 1  # DIR-2
            assert not changed or before.vmcr & bits.CTLR_EOIMODE  # DIR-1
    assert taken > 10 and ended > 5


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_simplest_choice_is_an_ordinary_access(name):
    """With no decisions left, which is where shrinking ends, an operation is still an access."""
    config = GicV2Config()
    access = OPERATIONS[name](ValuesV2(config, ListChoices(())), GoldenV2(config).state())
    assert isinstance(access, Access | MmioAccess)


def test_a_seed_decides_everything():
    """The same seed gives the same stream, every operation belongs to a mood."""

    def accesses(seed):
        return [access for _, _, access, _ in stream(GicV2Config(), RandomChoices(seed), 400)]

    assert accesses(7) == accesses(7) != accesses(8)
    assert {name for weights in MOODS_V2.values() for name in weights} == set(OPERATIONS)


def test_system_registers_and_other_frames_are_not_there():
    """A GICv2 virtual interface has no system registers, and no distributor."""
    golden = GoldenV2(GicV2Config())
    assert golden.access(Access(2, lookup("ICH_HCR_EL2"))).outcome is Outcome.UNDEF
    for register in MMIO_REGISTERS:
        mine = register.frame in (Frame.GICH, Frame.GICV)
        assert golden.mmio(MmioAccess(register.frame, register.offset)).error is not mine
        assert (golden.access(Access(2, register)).outcome is Outcome.OK) is mine


def test_the_port_is_the_model():
    """The protocol's methods are the model's, the bus included."""
    port = golden_port(GicV2Config())
    assert isinstance(port, GoldenV2Port)
    run(port.mmio(MmioAccess(Frame.GICH, 0xF0, 4, True, 4)))
    assert run(port.state()).ap0r == [4]
    assert run(port.mmio(MmioAccess(Frame.GICH, 0xF0, 2))) == (True, 0)
    run(port.reset())
    assert run(port.state()) == port.golden.state()
    assert (run(port.lines()), run(port.deactivations())) == (Lines(False, False, False), [])


# -- deviations -------------------------------------------------------------------------------------------


def test_no_switch_no_difference():
    """A deviating model without an effect is the strict one, and says so."""
    assert type(make_golden_v2(GicV2Config(), STRICT_V2)) is GoldenV2
    strict, quiet = GoldenV2(GicV2Config()), DeviatingV2(GicV2Config(), STRICT_V2)
    stimulus = Stimulus(GicV2Config(), RandomChoices(3))
    for _ in range(1500):
        access = stimulus.next(strict.state())
        if isinstance(access, Access):
            assert strict.access(access) == quiet.access(access)
            assert (strict.stored, strict.lines(), quiet.effects) == (quiet.stored, quiet.lines(), set())


@pytest.mark.parametrize("switch", [name for name in DeviationsV2.names() if name != "w5_ghost_lr"])
def test_effects_name_the_switch_that_made_them(switch):
    """With one switch on, ``effects`` is that one exactly where answer, storage or lines differ."""
    deviations = DeviationsV2(**{switch: True})
    golden, stimulus = DeviatingV2(GicV2Config(), deviations), Stimulus(GicV2Config(), RandomChoices(2))
    twin, seen = DeviatingV2(GicV2Config(), STRICT_V2), 0
    for n in range(4000):
        access = stimulus.next(golden.state())
        if not isinstance(access, Access):
            continue
        for name in ("hcr", "apr", "ctlr", "pmr", "bpr", "abpr", "ghost_lr"):
            setattr(twin, name, getattr(golden, name))
        twin.lr, twin.deactivated, golden.deactivated = list(golden.lr), [], []
        same = twin.access(access) == golden.access(access) and twin.stored == golden.stored
        same &= twin.lines() == golden.lines()
        assert golden.effects == (set() if same else {deviations.name_of(switch)}), n
        seen += bool(golden.effects)
    assert seen


# -- the rules, broken by hand ----------------------------------------------------------------------------


def _any_group(self):
    ctlr, self.ctlr = self.ctlr, self.ctlr | bits.CTLR_GRP0 | bits.CTLR_GRP1
    best = GoldenV2.select(self)
    self.ctlr = ctlr
    return best


def _last_wins(self):
    found = [n for n, lr in enumerate(self.lr) if lr & bits.LR_STATE == bits.LR_PENDING]
    return found[-1] if found else -1


def _always_virq(self):
    lines = GoldenV2.lines(self)
    return lines._replace(virq=lines.virq or lines.vfiq, vfiq=False)


def _highest_level_first(self, value, group0, group1):
    if self.apr:
        self.apr ^= 1 << self.apr.bit_length() - 1


def _without_wrap(self):
    if self.hcr & bits.HCR_EOICOUNT != bits.HCR_EOICOUNT:
        GoldenV2.count(self)


def _deactivate_anything(self, index):
    lr = self.lr[index]
    self.lr[index] = lr & ~bits.LR_ACTIVE
    if lr & bits.LR_HW:
        self.deactivated.append((lr & bits.LR_PHYSICALID) >> bits.LR_PHYSICALID_LSB)


#: Broken rule -> (method, what it is replaced with, a directed test that must fail).
MUTANTS = {
    "SEL-2": ("select", _any_group, "G11"),
    "SEL-3": ("select", _last_wins, "G25"),
    "SIG-2": ("can_signal", lambda self, lr: bool(self.hcr & 1) and self.preempts(lr), "G22"),
    "SIG-4": ("preempts", lambda self, lr: True, "G22"),
    "V2-4": ("lines", _always_virq, "G05"),
    "V2-3 none": ("identifier", staticmethod(lambda lr: lr & bits.LR_VIRTUALID), "G02"),
    "V2-3 HW": (
        "identifier",
        staticmethod(lambda lr: lr & (bits.LR_VIRTUALID | bits.LR_CPUID_BITS)),
        "G20",
    ),
    "V2-2 IAR": ("read_iar", lambda self: self.read_aiar(), "G20"),
    "V2-2 AIAR": ("read_aiar", lambda self: self.read_iar(), "G04"),
    "V2-2 AHPPIR": ("read_ahppir", lambda self: self.read_hppir(), "G17"),
    "HPP-2": ("read_hppir", lambda self: 1023 if not self.hcr & 1 else GoldenV2.read_hppir(self), "G22"),
    "EOI-10 group": ("write_eoir", lambda self, value: self.complete(value, True, True), "G18"),
    "EOI-10 alias": ("write_aeoir", lambda self, value: self.complete(value, True, True), "G17"),
    "EOI-10 priority": ("group_mask", lambda self, group: 0, "G16"),
    "EOI-3": ("complete", _highest_level_first, "G16"),
    "EOI-4": ("find_active", lambda self, intid: -1, "G02"),
    "EOI-11": ("count", _without_wrap, "G08"),
    "DIR-2": ("write_dir", lambda self, value: None, "G20"),
    "HW-1": ("deactivate", lambda self, n: self.lr.__setitem__(n, self.lr[n] & ~bits.LR_ACTIVE), "G20"),
    "HW-3": ("deactivate", _deactivate_anything, "G20"),
    "MNT-1": ("eisr", lambda self: 0, "G09"),
    "MNT-2": ("elrsr", lambda self: (1 << self.config.lrs) - 1, "G09"),
    "V2-9": ("read_eisr", lambda self, word: self.eisr() & 0xFFFF_FFFF, "G23"),
    "MNT-3": ("maintenance", lambda self: False, "G09"),
    "REG-2": ("write_abpr", lambda self, value: setattr(self, "abpr", max(value & 7, 1)), "G12"),
    "REG-4": ("write_pmr", lambda self, value: setattr(self, "pmr", value & 0xFF), "G14"),
    "REG-6 read": ("read_abpr", lambda self: self.abpr, "G13"),
    "REG-6 write": ("write_abpr", lambda self, value: setattr(self, "abpr", max(value & 7, 3)), "G13"),
    "REG-7": ("write_lr", lambda self, n, value: self.lr.__setitem__(n, value & 0xFFFF_FFFF), "G15"),
    "V2-1": ("read_apr", lambda self: 0, "G16"),
    "bus": ("mmio", lambda self, access: GoldenV2.mmio(self, access)._replace(error=False), "G24"),
}


@pytest.mark.parametrize("rule", MUTANTS)
def test_a_broken_rule_fails_its_directed_test(rule):
    """Each rule is held by the directed test that names it."""
    method, replacement, number = MUTANTS[rule]
    broken = type("Broken", (GoldenV2,), {method: replacement})
    test = next(test for test in load_directed(DIRECTED_V2) if test.number == number)
    port = GoldenV2Port(test.config)
    port.golden = broken(test.config)
    assert run(run_directed(port, test)) != []


def test_every_gich_and_gicv_register_resets():
    """REG-13: after a reset every register reads as the table says, whatever was before."""
    config = GicV2Config(2)
    golden = GoldenV2(config)
    for register in MMIO_REGISTERS:
        if register.frame in (Frame.GICH, Frame.GICV):
            golden.access(Access(2, register, True, 0xFFFF_FFFF))
    golden.reset()
    computed = {
        "GICH_ELRSR0": 3,
        "GICV_IAR": 1023,
        "GICV_AIAR": 1023,
        "GICV_HPPIR": 1023,
        "GICV_AHPPIR": 1023,
    }
    for register in MMIO_REGISTERS:
        if register.frame in (Frame.GICH, Frame.GICV) and register.readable:
            expected = computed.get(register.name, register.reset_value(config))
            assert golden.access(Access(2, register)).value == expected, register.name
    assert lookup_mmio("GICV_CTLR").reset_value(config) == 0


@pytest.mark.parametrize("hw", [0, 1])
def test_hw_1_2_only_an_entry_with_hw_asks_for_a_physical_deactivation(hw):
    """HW-1, HW-2: the physical ID of a list register without HW is none."""
    golden = GoldenV2(GicV2Config())
    golden.write_lr(0, hw << 31 | 2 << 28 | 77 << 10 | 40)
    golden.deactivate(0)
    assert golden.lr[0] >> 28 & 3 == 0
    assert golden.deactivated == ([77] if hw else [])


@pytest.mark.parametrize(
    ("intid", "state", "apr"), [(1019, 2, 1 << 16), (1020, 0, 0), (1022, 0, 0), (1023, 0, 0)]
)
def test_iar_6_special_intids_begin_at_1020(intid, state, apr):
    """IAR-6: they leave the list register invalid and set no active priority."""
    golden = GoldenV2(GicV2Config())
    golden.write_vmcr(0xF84C0001)
    golden.write_hcr(1)
    golden.write_lr(0, 1 << 28 | 0x10 << 23 | intid)
    assert golden.read_iar() == intid
    assert (golden.lr[0] >> 28 & 3, golden.apr) == (state, apr)


@pytest.mark.parametrize(("valid", "underflow"), [(0, True), (1, True), (2, False), (4, False)])
@pytest.mark.parametrize("eoi", [False, True])
def test_mnt_1_4_underflow_is_at_most_one_valid_entry(valid, underflow, eoi):
    """MNT-4: U counts entries; MNT-1: it and EOI stand beside each other."""
    golden = GoldenV2(GicV2Config(5))
    golden.write_hcr(0b11)
    for n in range(valid):
        golden.write_lr(n, (1 + n % 3) << 28 | 40 + n)
    golden.write_lr(4, eoi << 19)
    assert golden.read_misr() == (bits.MISR_EOI if eoi else 0) | (bits.MISR_U if underflow else 0)


def test_sel_nothing_selected_is_minus_1():
    """SEL-1, SEL-2: no entry, an active one, and one of a disabled group."""
    golden = GoldenV2(GicV2Config())
    assert golden.select() == -1
    golden.write_lr(0, 2 << 28 | 40)
    golden.write_lr(1, 1 << 28 | 41)
    assert golden.select() == -1
    golden.write_vmcr(0xF84C0001)
    assert golden.select() == 1


@pytest.mark.parametrize("intid", [2, 40])
def test_hw_1_an_entry_with_hw_has_no_source(intid):
    """HW-1: bits [12:10] belong to the physical ID then, and the identifier is the virtual ID alone."""
    golden = GoldenV2(GicV2Config())
    golden.write_vmcr(0xF84C0001)
    golden.write_hcr(1)
    golden.write_lr(0, 1 << 31 | 1 << 28 | 0x10 << 23 | 0x3FF << 10 | intid)
    assert golden.read_hppir() == golden.read_iar() == intid


@pytest.mark.parametrize(("group", "level"), [(0, 0xA8), (1, 0x80)])
def test_iar_4_the_level_is_that_of_the_entrys_own_group(group, level):
    """IAR-4: GICV_ABPR for group 1, GICV_BPR for group 0."""
    golden = GoldenV2(GicV2Config())
    golden.write_vmcr(0xF84C0007)
    golden.write_abpr(6)
    golden.write_hcr(1)
    golden.write_lr(0, group << 30 | 1 << 28 | 0x15 << 23 | 40)
    assert golden.read_iar() == 40
    assert golden.apr == 1 << (level >> 3)


@pytest.mark.parametrize(("intid", "left"), [(1019, 0), (1020, 1 << 16), (1023, 1 << 16)])
def test_eoi_1_special_intids_drop_nothing(intid, left):
    golden = GoldenV2(GicV2Config())
    golden.apr = 1 << 16
    golden.complete(intid, True, True)
    assert golden.apr == left
