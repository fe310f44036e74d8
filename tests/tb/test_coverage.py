"""Functional coverage: situations land in their bins, holes are listed, everything can be reached."""

import pytest

from hw.config import GicConfig
from hw.registers import lookup
from sim.golden import Golden
from sim.port import Access
from sim.stimulus import RandomChoices, Stimulus
from tb.coverage import POINTS, Coverage


class Run:
    """A golden with a collector beside it."""

    def __init__(self, config=None):
        self.golden = Golden(config or GicConfig())
        self.coverage = Coverage(self.golden.config)

    def access(self, el, name, value=None):
        """Make one access."""
        before = self.golden.state()
        access = Access(el, lookup(name), value is not None, value or 0)
        self.coverage.sample(before, access, self.golden.access(access))

    def prepare(self, lr, hcr=1, vmcr=0xF84C_0003):
        """Set the scene, uncounted."""
        self.access(2, "ICH_VMCR_EL2", vmcr)
        self.access(2, "ICH_LR0_EL2", lr)
        self.access(2, "ICH_HCR_EL2", hcr)
        self.coverage.hits.clear()

    def subjects(self):
        """Return the bins of the main point that were hit."""
        return {name for point, name in self.coverage.hits if point == "subject"}


PENDING, ACTIVE, GROUP1, HW, PRIORITY = 1 << 62, 2 << 62, 1 << 60, 1 << 61, 0x80 << 48


@pytest.mark.parametrize(
    ("lr", "hcr", "vmcr", "access", "name"),
    (
        (PENDING | GROUP1 | PRIORITY | 40, 1, 0xF84C_0003, (1, "ICC_IAR1_EL1"),
         "IAR1 state=PENDING EOImode=0 group=1 HW=0 LPI=no trapped=no"),
        (PENDING | HW | PRIORITY | 40, 1, 0xF84C_0203, (1, "ICC_HPPIR1_EL1"),
         "HPPIR1 state=PENDING EOImode=1 group=0 HW=1 LPI=no trapped=no"),
        (PENDING | GROUP1 | PRIORITY | 40, 1, 0xF84C_0000, (1, "ICC_IAR0_EL1"),
         "IAR0 state=none EOImode=0 group=- HW=- LPI=- trapped=no"),
        (ACTIVE | GROUP1 | PRIORITY | 8200, 1, 0xF84C_0003, (1, "ICC_EOIR0_EL1", 8200),
         "EOIR0 state=ACTIVE EOImode=0 group=1 HW=0 LPI=yes trapped=no"),
        (ACTIVE | PENDING | PRIORITY | 40, 0x401, 0xF84C_0203, (1, "ICC_DIR_EL1", 40),
         "DIR state=PENDING_ACTIVE EOImode=1 group=0 HW=0 LPI=no trapped=yes"),
        (ACTIVE | PRIORITY | 40, 1, 0xF84C_0003, (1, "ICC_EOIR1_EL1", 8192),
         "EOIR1 state=none EOImode=0 group=- HW=- LPI=yes trapped=no"),
        (0, 1, 0xF84C_0003, (2, "ICH_LR3_EL2", HW | 40),
         "LR write state=INVALID EOImode=0 group=0 HW=1 LPI=no trapped=no"),
    ),
)  # fmt: skip
def test_the_subject_of_an_operation(lr, hcr, vmcr, access, name):
    run = Run()
    run.prepare(lr, hcr, vmcr)
    run.access(*access)
    assert run.subjects() == {name}


TRAPS = "operation and trap bits (TRP-1..3)"
MAINTENANCE = "list registers and maintenance bits (MNT-1..6)"


@pytest.mark.parametrize(
    ("hcr", "vmcr", "access", "name"),
    (
        (1, 0xF84C_0003, (1, "ICC_IAR1_EL1"), "IAR1 EOImode=0 in an LR=yes traps=none"),
        (0x401, 0xF84C_0203, (1, "ICC_DIR_EL1", 41), "DIR EOImode=1 in an LR=no traps=TC"),
        (
            0x5801,
            0xF84C_0003,
            (1, "ICC_EOIR0_EL1", 40),
            "EOIR0 EOImode=0 in an LR=yes traps=TALL0+TALL1+TDIR",
        ),
    ),
)  # fmt: skip
def test_trp_1_2_3_trap_bits_are_crossed_with_the_operation(hcr, vmcr, access, name):
    run = Run()
    run.prepare(PENDING | GROUP1 | PRIORITY | 40, hcr, vmcr)
    run.access(*access)
    assert [hit for point, hit in run.coverage.hits if point == TRAPS] == [name]


def test_mnt_4_5_6_states_are_crossed_with_maintenance_bits():
    run = Run()
    run.prepare(PENDING | ACTIVE | PRIORITY | 40, hcr=0xB, vmcr=0xF84C_0203)
    run.access(2, "ICH_LR1_EL2", PENDING | PRIORITY | 41)
    run.access(1, "ICC_PMR_EL1")
    assert [hit for point, hit in run.coverage.hits if point == MAINTENANCE] == [
        "LRs=PENDING_ACTIVE EOImode=1 HCR=En+UIE+NPIE",
        "LRs=PENDING+PENDING_ACTIVE EOImode=1 HCR=En+UIE+NPIE",
    ]


def test_corners_are_counted():
    run = Run()
    run.prepare(PENDING | GROUP1 | PRIORITY | 40, vmcr=0xF8D4_0003)
    run.access(2, "ICH_LR1_EL2", PENDING | GROUP1 | PRIORITY | 41)
    run.access(1, "ICC_IAR1_EL1")
    run.access(2, "ICH_HCR_EL2", 0xF800_0001)
    run.access(1, "ICC_EOIR1_EL1", 99)
    hits = run.coverage.hits
    assert hits["tie at acknowledge (SEL-4)", "2"] == 1
    assert hits["BPR1 at acknowledge", "5"] == 1
    assert not any(point.startswith("BPR0") for point, _ in hits)
    assert hits["active priorities at acknowledge", "0"] == 1
    assert hits["EOIcount before it moves (EOI-11)", "31"] == 1
    assert hits["levels in both groups at EOIR (EOI-3)", "no"] == 1


def test_an_undefined_access_covers_no_subject():
    run = Run()
    run.access(0, "ICC_IAR1_EL1")
    run.access(2, "ICC_IAR1_EL1")
    assert not run.subjects()
    assert run.coverage.hits["outcome", "EL0 UNDEF"] == 1


def test_holes_ratio_and_report_agree():
    run = Run()
    assert run.coverage.ratio() == 0
    run.access(1, "ICC_PMR_EL1")
    (hole,) = (n for n in ("read PMR OK", "read PMR TRAP_EL2") if not run.coverage.hits["guest register", n])
    holes = run.coverage.holes("guest register")
    assert hole == "read PMR TRAP_EL2" and f"guest register: {hole}" in holes
    assert len(holes) == len(POINTS["guest register"]) - 1
    report = run.coverage.report(holes=3)
    assert report.count("  hole: ") == 3 and "more holes" in report


def test_coverage_adds_up_over_runs():
    one, two = Run(), Run()
    one.access(1, "ICC_PMR_EL1")
    two.access(1, "ICC_PMR_EL1")
    two.access(1, "ICC_RPR_EL1")
    one.coverage.merge(two.coverage.to_json())
    assert one.coverage.hits["guest register", "read PMR OK"] == 2
    assert one.coverage.hits["guest register", "read RPR OK"] == 1


def test_the_stimulus_reaches_nearly_everything():
    """Four configurations of golden: the rest needs more operations, and the soak has them."""
    total = Coverage(GicConfig())
    for seed, config in enumerate((
        GicConfig(id_bits=24), GicConfig(lrs=1, nv4=False), GicConfig(lrs=8, pri_bits=7, pre_bits=7),
        GicConfig(lrs=2, pri_bits=6, pre_bits=5, tds=False),
    )):  # fmt: skip
        golden, stimulus = Golden(config), Stimulus(config, RandomChoices(seed))
        for _ in range(20_000):
            before = golden.state()
            access = stimulus.next(before)
            total.sample(before, access, golden.access(access))
    assert total.ratio() > 0.95, total.report()
    assert total.ratio("guest register") > 0.95
    rare = ("subject", TRAPS, MAINTENANCE, "guest register", "special INTID acknowledged (IAR-6)")
    smaller = [point for point in POINTS if point not in rare]
    assert [hole for point in smaller for hole in total.holes(point)] == []
