"""The directed tests of the physical side on the golden model, and the reader of their data."""

import re
from pathlib import Path

import pytest

import hw.distributor_rules
from hw.errors import InputError
from sim.directed_physical import load_physical, run_all, run_physical
from sim.golden_physical import GoldenSystem
from sim.port import run

TESTS = load_physical()


def system(test):
    """Return a golden system of a test's build."""
    return GoldenSystem(test.profile.config, test.profile.physical, test.profile.pes)


@pytest.mark.parametrize("test", TESTS, ids=[f"{t.number}-{'-'.join(t.rules)}" for t in TESTS])
def test_golden(test):
    """Each directed test gives the rules' values on golden."""
    assert [str(mismatch) for mismatch in run(run_physical(system(test), test))] == []


def test_every_rule_is_named():
    """Each numbered rule is nailed by a directed test, and no test names a rule that there is not."""
    rules = set(re.findall(r"^((?:DIST|PHY|GICC)-\d+) ", hw.distributor_rules.__doc__, re.MULTILINE))
    named = {rule for test in TESTS for rule in test.rules}
    assert len(rules) == 57
    # PHY-7 says that there is nothing; reset and RPR of every test show it.
    assert rules - named == {"PHY-7"}
    assert named <= rules
    assert len({test.number for test in TESTS}) == len(TESTS)


def test_job_runs_what_fits_the_build():
    """The job form runs the tests of the system's build only, and one system serves them all in turn."""
    test = next(test for test in TESTS if test.number == "GICC-5")
    results = run(run_all(system(test)))
    assert "GICC-5" in results
    assert "PHY-2" not in results
    assert not any(results.values())
    assert run(run_all(system(test), ["GICC-2"])) == {"GICC-2": []}


def test_a_wrong_answer_is_reported_with_its_place():
    """A system that answers wrongly fails the test: a distributor that forgets to re-sample (DIST-13)."""
    test = next(test for test in TESTS if test.number == "DIST-13")
    wrong = system(test)
    deactivate = wrong.distributor.deactivate

    def forgetful(intid, pe):
        deactivate(intid, pe)
        wrong.distributor.interrupt(intid, pe).line = False

    wrong.distributor.deactivate = forgetful
    found = [str(mismatch) for mismatch in run(run_physical(wrong, test))]
    assert found[0] == "DIST-13, operation 18 (LINES -> IRQ): expected IRQ, got NONE"


def test_wrong_build_is_refused():
    with pytest.raises(InputError, match="PHY-1a is for 2 PEs of"):
        run(run_physical(system(next(t for t in TESTS if t.number == "GICC-5")), TESTS[0]))


@pytest.mark.parametrize(
    ("operations", "complaint"),
    [
        ("PMR == 3", "cannot understand 'PMR == 3'"),
        ("GICD_CTRL := 1", "operation 1: unknown register 'GICD_CTRL'; did you mean GICD_CTLR"),
        ("PMR := 1; EOIR1 := 2F", r"\(T1\), operation 2: '2F' is not a decimal number"),
        ("PMR := 1 -> 5", "must either write or expect"),
        ("PMR", "must either write or expect"),
        ("40 UP", "cannot understand"),
    ],
)
def test_malformed_operation(tmp_path: Path, operations: str, complaint: str):
    """One line that names the file, the test and the operation."""
    file = tmp_path / "bad.toml"
    file.write_text(
        "[profile.default]\npes = 2\n"
        f'[[test]]\nnumber = "T1"\ntitle = "x"\nrules = []\noperations = "{operations}"\n'
    )
    with pytest.raises(InputError, match=complaint) as caught:
        load_physical(file)
    assert str(caught.value).startswith(f"{file}: test 1")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[test]", "cannot read directed tests"),
        ("", r"there is no \[profile\]"),
        ("[profile.default]\npri_bits = 99\n", "physical pri_bits must be"),
        ("[profile.default]\nbits = 5\n", "bits"),
        ("[profile.default]\npes = 1\n", r"there is no \[test\]"),
        ('[profile.default]\npes = 1\n[[test]]\nnumber = "T1"\n', "title is missing"),
    ],
)
def test_malformed_file(tmp_path: Path, text: str, complaint: str):
    """Files that are no test files give one line too."""
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=complaint):
        load_physical(file)
