"""The testplan: which live tests meet each row of ``testplan.toml``."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from hw import distributor_rules
from sim.machine.invariants import TEXTS
from sim.scenario.parser import find_scenarios

__all__ = ["Row", "markdown", "rows", "test_names"]

ROOT = Path(__file__).parents[1]
_RULE = re.compile(r"\b(?:REG|SEL|SIG|IAR|HPP|EOI|DIR|HW|MNT|TRP|NMI|DIST|PHY|GICC|V2)-\d+\b")
_DIRECTED = {
    "sim/directed.toml": "tests/sim/test_directed.py",
    "sim/directed_physical.toml": "tests/sim/test_directed_physical.py",
    "sim/directed_v2.toml": "tests/sim/test_directed_v2.py",
}
#: What plays all scenarios, on golden and on the gateware.
_PLAYERS = ("tests/sim/scenario/test_scenarios.py", "tests/tb/test_scenarios_rtl.py")


@dataclass(frozen=True)
class Row:
    """One thing that has to be tested: its name, what it says, and the tests that name it.

    ``outside`` says why it is none of this hardware's, and is empty for all others.
    """

    name: str
    says: str
    tests: tuple[str, ...] = ()
    outside: str = ""


def test_names() -> dict[str, list[str]]:
    """Return the tests that name a rule or an invariant, by its name; skipped ones are none."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_") or _left_out(node):
                continue
            lines = [node.lineno, *(one.lineno for one in node.decorator_list)]
            source = "\n".join(text.splitlines()[min(lines) - 1 : node.end_lineno])
            for name in {*_RULE.findall(source), *_in_name(node.name)}:
                found.setdefault(name, []).append(f"{path.relative_to(ROOT)}::{node.name}")
    for table, player in _DIRECTED.items():
        for test in tomllib.loads((ROOT / table).read_text())["test"]:
            for name in test["rules"]:
                found.setdefault(name, []).append(f"{player} {test['number']}")
    return found


def _left_out(node: ast.FunctionDef) -> bool:
    return any("skip" in ast.unparse(one) or "xfail" in ast.unparse(one) for one in node.decorator_list)


def _in_name(name: str) -> list[str]:
    """Return the rules and invariants that a function's name begins with: test_eoi_1_13_x, test_i4_i5_x."""
    words = name.split("_")[1:]
    if re.fullmatch(r"i\d+", words[0]):
        return [word.upper() for word in words if re.fullmatch(r"i\d+", word)]
    numbers = []
    for word in words[1:]:
        if not word.isdigit():
            break
        numbers.append(word)
    return [name for number in numbers if _RULE.fullmatch(name := f"{words[0].upper()}-{number}")]


def rows() -> list[Row]:
    """Return every row of the plan, with the tests that name it."""
    plan = tomllib.loads((ROOT / "tests" / "testplan.toml").read_text())
    named = test_names()
    told = {**plan["rules"], **plan["gicv2"], **_physical_rules(), **TEXTS}
    found = [
        Row(name, says, (*named.get(name, ()), *plan["tests"].get(name, ()))) for name, says in told.items()
    ]
    found += [Row(name, "", (), why) for name, why in plan["outside"].items()]
    for path in find_scenarios(ROOT / "sim" / "scenarios"):
        text = path.read_text()
        reason = re.search(r"^open (.*)", text, re.MULTILINE)
        title = re.search(r"^scenario [^:]*: (.*)", text, re.MULTILINE)[1]
        found.append(Row(path.stem, title, () if reason else _PLAYERS, reason[1] if reason else ""))
    return found


def _physical_rules() -> dict[str, str]:
    """Return the rules of the physical side with the beginning of each."""
    said = re.findall(r"^((?:DIST|PHY|GICC)-\d+) +(.*)", distributor_rules.__doc__, re.MULTILINE)
    return {name: text.split(". ")[0].strip() for name, text in said}


def markdown() -> str:
    """Return the plan as a table."""
    lines = ["| row | says | tests |", "|---|---|---|"]
    for row in rows():
        tests = f"none: {row.outside}" if row.outside else f"{len(row.tests)}, first {row.tests[0]}"
        lines.append(f"| {row.name} | {row.says} | {tests} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(markdown())
