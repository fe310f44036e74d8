"""The lockstep comparison: finds any difference at the operation that made it, tells it, and shrinks it."""

import pytest
from hypothesis import find, settings
from hypothesis import strategies as st

from hw.config import GicConfig
from hw.registers import lookup
from sim.engines.golden import GoldenPort
from sim.lockstep import Lockstep, apply, describe_access, random_job, shrinkable_job
from sim.port import Access, Lines, Outcome, PeContext, Response, run

CONFIG = GicConfig()
HCR, VMCR, LR0 = (lookup(f"ICH_{name}_EL2") for name in ("HCR", "VMCR", "LR0"))
IAR1, EOIR1 = lookup("ICC_IAR1_EL1"), lookup("ICC_EOIR1_EL1")


def host(register, value):
    return Access(2, register, True, value)


LIFE = [
    host(VMCR, 0xF84C_0003),
    host(HCR, 1),
    host(LR0, 0x7080_0030_0000_0028),
    Access(1, IAR1),
    Access(1, EOIR1, True, 40),
]


class Faulty(GoldenPort):
    """A golden port with one fault."""

    def __init__(self, fault):
        super().__init__(CONFIG)
        self.fault = fault

    async def access(self, access):
        """Answer wrong, or count too much."""
        response = await super().access(access)
        if self.fault == "value" and access.register is IAR1 and response.value == 40:
            return response._replace(value=41)
        if self.fault == "outcome" and access.register is IAR1:
            return Response(Outcome.TRAP_EL2, 0, 0x1234)
        if self.fault == "count" and access.register is EOIR1:
            self.golden.hcr |= 1 << 27
        return response

    async def lines(self):
        """Lose vIRQ."""
        lines = await super().lines()
        return Lines(False, *lines[1:]) if self.fault == "line" else lines

    async def deactivations(self):
        """Lose them all."""
        taken = await super().deactivations()
        return [] if self.fault == "deactivation" else taken


def test_equal_ports_have_no_difference():
    assert run(apply(GoldenPort(CONFIG), LIFE)) is None


@pytest.mark.parametrize(
    ("fault", "operation", "what", "texts"),
    (
        ("value", 4, "response value", ["expected 0x28, got 0x29"]),
        (
            "outcome",
            4,
            "response outcome",
            ["expected OK, got TRAP_EL2", "response esr: expected 0x0, got 0x1234"],
        ),
        ("count", 5, "ICH_HCR_EL2", ["expected 0x1 (En=1), got 0x8000001 (En=1 EOIcount=1)"]),
        ("line", 3, "line virq", ["expected 1, got 0"]),
        ("deactivation", 5, "deactivations", ["expected [48], got []"]),
    ),
)
def test_a_fault_is_found_where_it_happens(fault, operation, what, texts):
    difference = run(apply(Faulty(fault), LIFE))
    assert (difference.operation, difference.what) == (operation, what)  # operation 0 looks at reset
    for text in [*texts, "EL2 ICH_VMCR_EL2 := 0xf84c0003 (VENG0=1 VENG1=1", "storage before:"]:
        assert text in difference.report
    assert "ICH_LR0_EL2 = 0x" in difference.report


def test_reset_is_compared_reg13():
    port = GoldenPort(CONFIG)

    async def reset_badly():
        port.golden.reset()
        port.golden.pmr = 0x80

    port.reset = reset_badly
    difference = run(Lockstep(port).start())
    assert (difference.operation, difference.what) == (0, "ICH_VMCR_EL2")


def test_a_random_run_is_repeatable_and_stops_at_the_difference():
    first = run(random_job([Faulty("value")], 5000, seed=2))
    assert first == run(random_job([Faulty("value")], 5000, seed=2))
    assert first["operations"] < 5000
    assert first["difference"]["report"].startswith("seed 2, mood any: difference at operation")
    assert run(random_job([GoldenPort(CONFIG)] * 1, 500, seed=2, mood="traps"))["difference"] is None


def test_several_pes_have_a_stream_each():
    seen = []
    ports = [GoldenPort(CONFIG), GoldenPort(CONFIG)]
    result = run(random_job(ports, 100, seed=1, observe=lambda before, access, response: seen.append(access)))
    assert result == {"operations": 100, "difference": None}
    assert len(seen) == 100 and seen[0::2] != seen[1::2]


def test_a_difference_shrinks_to_the_few_accesses_that_matter():
    """The fault needs an acknowledge of INTID 40: VMCR, HCR and an LR before it, and little else."""
    decisions = st.lists(st.lists(st.integers(0, (1 << 64) - 1), max_size=8), max_size=30)
    smallest = find(
        decisions,
        lambda numbers: run(shrinkable_job([Faulty("value")], numbers)) is not None,
        settings=settings(max_examples=1000, database=None, derandomize=True),
    )
    assert len(smallest) <= 8


def test_an_access_is_told_in_one_line():
    access = Access(1, EOIR1, True, 40, 3, PeContext(nv=True, imo=False))
    text = describe_access(access, Response(Outcome.TRAP_EL2, 0, 0x6230_3079))
    assert text == "EL1 ICC_EOIR1_EL1 := 0x28 (INTID=0x28) rt=3 [imo=0 nv=1] -> TRAP_EL2 esr=0x62303079"
