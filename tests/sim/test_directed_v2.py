"""The directed tests of GICv2 on the golden model, and the reader of their notation."""

import re
from pathlib import Path

import pytest

from hw.errors import InputError
from sim.deviations_v2 import DeviationsV2
from sim.directed import DIRECTED_V2, load_directed, run_all, run_directed
from sim.engines.golden import GoldenV2Port, golden_port
from sim.port import run

TESTS = load_directed(DIRECTED_V2)
QEMU = DeviationsV2.qemu_stock()


@pytest.mark.parametrize("test", TESTS, ids=[f"{t.number}-{'-'.join(t.rules)}" for t in TESTS])
def test_golden(test):
    """Each directed test gives the architecture's values on golden."""
    assert [str(mismatch) for mismatch in run(run_directed(golden_port(test.config), test))] == []


def test_all_are_there():
    """G01 to G12 of the specification, and no number twice; every rule of GICv2 is named (V2-1 to V2-9)."""
    numbers = [test.number for test in TESTS]
    assert numbers == [f"G{n:02}" for n in range(1, len(TESTS) + 1)]
    assert len(numbers) >= 12
    assert {f"V2-{n}" for n in range(1, 10)} <= {rule for test in TESTS for rule in test.rules}


def test_recorded_qemu_fails_where_it_is_known_to():
    """Section 6.1's last column: QEMU answers these differently, the other seven alike."""
    failing = [test.number for test in TESTS[:12] if run(run_directed(GoldenV2Port(test.config, QEMU), test))]
    assert failing == ["G02", "G04", "G10", "G11", "G12"]


def test_the_job_takes_the_tests_of_the_build():
    """One job serves both generations, each with its own tests."""
    assert list(run(run_all([golden_port(TESTS[22].config)]))) == ["G23"]
    results = run(run_all([golden_port(TESTS[0].config)]))
    assert len(results) == len(TESTS) - 1 and not any(results.values())


def test_a_bad_access_that_has_an_effect_is_reported():
    """G24: an error answer alone is not enough."""

    class Leaky(GoldenV2Port):
        async def mmio(self, access):
            response = await super().mmio(access)
            if response.error:
                self.golden.apr ^= 1
            return response

    test = next(test for test in TESTS if test.number == "G24")
    mismatches = run(run_directed(Leaky(test.config), test))
    assert [m.place for m in mismatches if m.expected == "no effect"][:3] == [4, 5, 6]


def test_values_are_read_as_written():
    """The notation of G02 and G20: CPUID, 8-bit priority, HW."""
    access = {test.number: [op.access for op in test.operations] for test in TESTS}
    assert access["G02"][1].value == 1 << 28 | 0x10 << 23 | 3 << 10 | 5
    assert access["G20"][3].value == 1 << 31 | 1 << 28 | 0x10 << 23 | 45 << 10 | 5
    assert (access["G02"][3].el, access["G02"][3].register.name) == (1, "GICV_HPPIR")


@pytest.mark.parametrize(
    ("operations", "complaint"),
    [
        ("HCRX = 1", "unknown register 'GICH_HCRX'; did you mean GICH_HCR"),
        ("LR0 = P v40 c8", "'c8' is no part of an LR value"),
        ("GICV+C/3 -> ERROR", "cannot understand 'GICV+C/3 -> ERROR'"),
        ("v.EOIR := 2Z", "'2Z' is not a hexadecimal number"),
    ],
)
def test_malformed_operation(tmp_path: Path, operations: str, complaint: str):
    """One line that names the file, the test and the operation."""
    file = tmp_path / "bad.toml"
    file.write_text(
        "[profile.default]\ngic = 2\n"
        f'[[test]]\nnumber = "G1"\ntitle = "x"\nrules = []\noperations = "{operations}"\n'
    )
    with pytest.raises(InputError, match=re.escape(complaint)) as caught:
        load_directed(file)
    assert str(caught.value).startswith(f"{file}: test 1")


def test_unknown_generation_is_refused(tmp_path: Path):
    file = tmp_path / "bad.toml"
    file.write_text("[profile.default]\ngic = 4\n[[test]]\n")
    with pytest.raises(InputError, match="profile: gic must be 2 or 3, not 4"):
        load_directed(file)
