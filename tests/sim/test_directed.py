"""The directed tests of the specification on the golden model, and the reader of their data."""

from pathlib import Path

import pytest

from hw.config import GicConfig
from hw.errors import InputError
from sim.directed import Kind, load_directed, run_all, run_directed
from sim.engines.golden import GoldenPort
from sim.port import run

TESTS = load_directed()


def test_all_are_there():
    """52 tests of the default profile and 6 of the others; the numbering has gaps."""
    numbers = [test.number for test in TESTS]
    assert len(set(numbers)) == len(numbers) == 58
    assert sum(number.startswith("T") for number in numbers) == 52


@pytest.mark.parametrize("test", TESTS, ids=[f"{t.number}-{'-'.join(t.rules)}" for t in TESTS])
def test_golden(test):
    """Each directed test gives the architecture's values on golden."""
    assert [str(mismatch) for mismatch in run(run_directed(GoldenPort(test.config), test))] == []


def test_values_are_read_as_written():
    """The notation of T56: an LR value, a decimal EOIR operand, a physical interrupt."""
    test = next(test for test in TESTS if test.number == "T56")
    write = test.operations[2].access
    assert (write.el, write.register.name, write.write) == (2, "ICH_LR0_EL2", True)
    assert write.value == 1 << 62 | 1 << 61 | 1 << 60 | 0xA0 << 48 | 40 << 32 | 60
    eoir = test.operations[6].access
    assert (eoir.el, eoir.register.name, eoir.value) == (1, "ICC_EOIR1_EL1", 60)
    assert (test.operations[1].kind, test.operations[1].intid) == (Kind.SET_ACTIVE, 40)


def test_a_wrong_answer_is_reported_with_its_place():
    """A port that answers wrongly fails the test: here T65 on a golden model with D3 (MNT-7)."""
    from sim.deviations import Deviations

    test = next(test for test in TESTS if test.number == "T65")
    port = GoldenPort(test.config, Deviations(d3_vgrp0d_tests_veng1=True))
    assert [str(m) for m in run(run_directed(port, test))] == [
        "T65, operation 3 (MISR -> 20): expected 0x20, got 0x0",
    ]


def test_a_fault_that_has_an_effect_is_reported():
    """TRP-5: a port that executes a trapped access fails T68 even where the next reads do not show it."""

    class Leaky(GoldenPort):
        async def access(self, access):
            response = await super().access(access)
            if response.outcome:
                self.golden.ap1 ^= 1
            return response

    test = next(test for test in TESTS if test.number == "T68")
    mismatches = run(run_directed(Leaky(test.config), test))
    assert [m.place for m in mismatches if m.expected == "no effect"][:2] == [4, 5]


def test_job_runs_what_fits_the_build():
    """The job form runs the tests of the port's build only."""
    config = next(test.config for test in TESTS if test.number == "P06")
    assert run(run_all([GoldenPort(config)])) == {"P06": []}


def test_wrong_build_is_refused():
    """A test on a port of another build is bad input, not a failure."""
    with pytest.raises(InputError, match="T01 is for"):
        run(run_directed(GoldenPort(GicConfig(lrs=1)), TESTS[0]))


@pytest.mark.parametrize(
    ("operations", "complaint"),
    [
        ("LR0 == 3", "cannot understand 'LR0 == 3'"),
        ("HCRX = 1", "operation 1: unknown register 'ICH_HCRX_EL2'; did you mean ICH_HCR_EL2"),
        ("HCR = 1; v.EOIR1 := 2F", r"\(T1\), operation 2: '2F' is not a decimal number"),
        ("LR0 = P v40 z3", "'z3' is no part of an LR value"),
        ("HCR", "neither writes nor expects"),
        ("HCR = 1 -> 5", "a write can only be expected to TRAP"),
        ("ACT 40", "cannot understand 'ACT 40'|unknown register"),
    ],
)
def test_malformed_operation(tmp_path: Path, operations: str, complaint: str):
    """One line that names the file, the test and the operation."""
    file = tmp_path / "bad.toml"
    file.write_text(
        "[profile.default]\nlrs = 4\n"
        f'[[test]]\nnumber = "T1"\ntitle = "x"\nrules = []\noperations = "{operations}"\n'
    )
    with pytest.raises(InputError, match=complaint) as caught:
        load_directed(file)
    assert str(caught.value).startswith(f"{file}: test 1")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[test]", "cannot read directed tests"),
        ("", "there is no"),
        ("[profile.default]\nlrs = 99\n[[test]]\n", "profile: lrs must be"),
        ("[profile.default]\nbits = 5\n", "profile: .*bits"),
        ('[[test]]\nnumber = "T1"\n', "title is missing"),
        (
            '[[test]]\nnumber = "T1"\ntitle = "x"\nrules = []\noperations = "MI -> 1"\nprofile = "no"\n',
            "profile 'no'",
        ),
    ],
)
def test_malformed_file(tmp_path: Path, text: str, complaint: str):
    """Files that are no test files give one line too."""
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=complaint):
        load_directed(file)


def test_missing_file(tmp_path: Path):
    """A file that is not there is named."""
    with pytest.raises(InputError, match=r"none\.toml"):
        load_directed(tmp_path / "none.toml")
