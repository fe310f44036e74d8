"""The mutation run: its sample, its count, what is argued, and that it tries what it says."""

import importlib
import tomllib
from collections import Counter

import pytest

from tests.mutation import MODELS, ROOT, Argued, Mutant, _changed, argued, sample, score, table

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
SEL_3 = Mutant("sim.golden.interrupts.xǁInterruptsǁselect__mutmut_9", "survived", "x < y", "x <= y")
KILLED = [Mutant(f"sim.golden.interrupts.xǁInterruptsǁselect__mutmut_{n}", "killed") for n in range(3)]
HANGS = Mutant("sim.kvm.lr.x_vgic_v3_populate_lr__mutmut_12", "timeout")


def test_a_seed_decides_the_sample():
    names = [str(n) for n in range(500)]
    assert sample(names, 20, 7) == sample(reversed(names), 20, 7)
    assert sample(names, 20, 7) != sample(names, 20, 8)
    assert len(set(sample(names, 20, 7))) == 20
    assert sorted(sample(names, 1000, 7)) == sorted(names)
    assert sample(names, 20, 7) == sample(names, 40, 7)[:20]


def test_names_of_mutmut_are_read():
    assert SEL_3.function == "sim.golden.interrupts.Interrupts.select"
    assert HANGS.function == "sim.kvm.lr.vgic_v3_populate_lr"
    assert (SEL_3.module, HANGS.module) == ("golden/interrupts", "kvm/lr")
    assert _changed("--- a\n+++ b\n@@ -1 +1 @@\n x = 1\n-    x < y\n+    x <= y\n") == ("x < y", "x <= y")


def test_an_argued_survivor_leaves_the_count_and_others_do_not():
    why = [Argued("", frozenset({(SEL_3.function, SEL_3.put)}))]
    assert score([*KILLED, SEL_3], []) == 0.75
    assert score([*KILLED, SEL_3], why) == 1
    assert score([SEL_3], why) == 1
    other = [Argued("", frozenset({(SEL_3.function, "x > y")}))]
    assert score([*KILLED, SEL_3], other) == 0.75


def test_the_table_has_a_row_for_each_module_and_model():
    drawn_from = Counter({"golden/interrupts": 50, "golden/core": 10, "kvm/lr": 7})
    lines = table([*KILLED, SEL_3, HANGS], [], drawn_from)
    assert "| `sim/golden/interrupts.py` | 50 | 4 | 3 | 0 | 0 | 1 | 75.0% |" in lines
    assert "| **golden** | 60 | 4 | 3 | 0 | 0 | 1 | 75.0% |" in lines
    assert "| **vgic** | 7 | 1 | 1 | 1 | 0 | 0 | 100.0% |" in lines


@pytest.mark.parametrize("one", argued(), ids=lambda one: one.why[:40])
def test_what_is_argued_is_there(one):
    """A class has a reason, and names functions that exist and lines that are not theirs already."""
    assert len(one.why) > 30 and one.mutants
    for name, _ in one.mutants:
        parts = name.split(".")
        owner = importlib.import_module(".".join(parts[:3]))
        for part in parts[3:]:
            owner = getattr(owner, part)
        assert callable(owner)


def test_the_settings_name_files_and_tests_that_exist():
    for pattern in SETTINGS["only_mutate"]:
        assert list(ROOT.glob(pattern)), pattern
    assert {pattern.split("/")[1] for pattern in SETTINGS["only_mutate"]} == {
        package for packages in MODELS.values() for package in packages
    }
    for entry in SETTINGS["pytest_add_cli_args_test_selection"]:
        path, _, name = entry.removeprefix("--deselect=").partition("::")
        assert (ROOT / path).exists(), entry
        assert not name or f"def {name}(" in (ROOT / path).read_text(), entry
