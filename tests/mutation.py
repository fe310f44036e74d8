"""Mutation testing of the golden models and of the KVM model, with mutmut.

``python -m tests.mutation`` draws a sample of mutants with a seed, runs each against the fast tests that
``pyproject.toml`` names under ``tool.mutmut``, and counts. A survivor is either a test that is missing or
a mutant that cannot be told from the original; the latter are argued, class by class, in
``tests/mutation.toml`` and leave the count.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import click

from sim.marked_page import read_page
from tb.cli.output import Bar

__all__ = ["MODELS", "Argued", "Mutant", "argued", "sample", "table"]

ROOT = Path(__file__).parents[1]
MUTANTS = ROOT / "mutants"
RESULTS = MUTANTS / "results.json"
#: What is mutated, by the name that the score is reported under.
MODELS = {"golden": ("golden", "golden_v2"), "vgic": ("kvm",)}
BEGIN, END = "<!-- table: make mutation-python -->", "<!-- end of the table of Python mutants -->"
#: What mutmut calls a mutant that some test noticed; a mutant that hangs is noticed as well.
_DETECTED = {"killed", "timeout", "segfault", "suspicious"}


@dataclass(frozen=True, order=True)
class Mutant:
    """One mutant: mutmut's name of it, its fate, and for a survivor the lines taken and put."""

    name: str
    status: str
    taken: str = ""
    put: str = ""

    @property
    def function(self) -> str:
        """Return the dotted name of what was mutated: sim.kvm.lr.vgic_v3_populate_lr."""
        module, _, rest = self.name.rpartition(".")
        name = re.sub(r"__mutmut_\d+$", "", rest)
        return f"{module}.{name.removeprefix('xǁ').replace('ǁ', '.').removeprefix('x_')}"

    @property
    def module(self) -> str:
        """Return the file's name below ``sim``: kvm/lr."""
        return "/".join(self.name.split(".")[1:3])

    @property
    def detected(self) -> bool:
        """Whether a test noticed it."""
        return self.status in _DETECTED


@dataclass(frozen=True)
class Argued:
    """A class of mutants that no test can tell from the original, and why."""

    why: str
    mutants: frozenset[tuple[str, str]]


def argued() -> list[Argued]:
    """Return the classes of ``tests/mutation.toml``; a mutant is a function and the line put into it."""
    classes = tomllib.loads((ROOT / "tests" / "mutation.toml").read_text())["class"]
    return [
        Argued(one["why"], frozenset((function, line) for function, line in one["mutants"]))
        for one in classes
    ]


def _is_argued(mutant: Mutant, classes: Iterable[Argued]) -> bool:
    return any((mutant.function, mutant.put) in one.mutants for one in classes)


def sample(names: Iterable[str], count: int, seed: int) -> list[str]:
    """Return ``count`` of the names, or all when there are fewer; more begin with the same ones."""
    ordered = sorted(names)
    random.Random(seed).shuffle(ordered)
    return ordered[:count]


def _names(model: str) -> list[str]:
    files = [file for package in MODELS[model] for file in (MUTANTS / "sim" / package).glob("*.meta")]
    return [name for file in files for name in json.loads(file.read_text())["exit_code_by_key"]]


def _driver(*arguments: str, names: Iterable[str] = ()) -> Iterator[str]:
    """Run ``tests/mutmut_driver.py`` and yield the lines it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, ROOT / "tests" / "mutmut_driver.py", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        process.stdin.write("\n".join(names))
        process.stdin.close()
        yield from process.stdout
    if process.returncode:
        raise click.ClickException(f"mutmut failed; its words are in {MUTANTS}/*.log")


def _described(name: str, status: str) -> Mutant:
    """Return a mutant with its result; a survivor with what was changed."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    mutant = Mutant(name, status)
    if mutant.detected:
        return mutant
    return Mutant(name, status, *_changed(get_diff_for_mutant(name, path=Path("sim", f"{mutant.module}.py"))))


def _changed(diff: str) -> tuple[str, str]:
    """Return the lines that a diff takes and puts, stripped and joined by a blank."""
    lines = diff.splitlines()
    taken = [line[1:].strip() for line in lines if line.startswith("-") and not line.startswith("---")]
    put = [line[1:].strip() for line in lines if line.startswith("+") and not line.startswith("+++")]
    return " ".join(taken), " ".join(put)


def score(mutants: Sequence[Mutant], classes: Sequence[Argued]) -> float:
    """Return the share of detected ones among those that can be told from the original, 0 to 1."""
    counted = [mutant for mutant in mutants if mutant.detected or not _is_argued(mutant, classes)]
    return sum(mutant.detected for mutant in counted) / len(counted) if counted else 1.0


def table(mutants: Sequence[Mutant], classes: Sequence[Argued], drawn_from: Counter[str]) -> list[str]:
    """Return a table of the modules and of each model, as Markdown.

    Parameters
    ----------
    mutants : sequence of Mutant
        The sample with its results.
    classes : sequence of Argued
        What is argued away.
    drawn_from : Counter
        Mutants that there are, by module.
    """
    head = ("module", "mutants", "tried", "noticed", "of these hanging", "argued", "surviving", "score")
    lines = [f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 1)]

    def row(name: str, total: int, some: list[Mutant]) -> str:
        noticed = [mutant for mutant in some if mutant.detected]
        away = sum(_is_argued(mutant, classes) for mutant in some if not mutant.detected)
        cells = (total, len(some), len(noticed), sum(one.status == "timeout" for one in noticed), away,
                 len(some) - len(noticed) - away, f"{score(some, classes):.1%}")  # fmt: skip
        return f"| {name} | {' | '.join(map(str, cells))} |"

    for model, packages in MODELS.items():
        inside = [mutant for mutant in mutants if mutant.name.split(".")[1] in packages]
        for module in sorted({mutant.module for mutant in inside}):
            some = [mutant for mutant in inside if mutant.module == module]
            lines.append(row(f"`sim/{module}.py`", drawn_from[module], some))
        total = sum(count for module, count in drawn_from.items() if module.split("/")[0] in packages)
        lines.append(row(f"**{model}**", total, inside))
    return lines


@click.command()
@click.option("--sample", "count", default=400, show_default=True, help="Mutants of each model.")
@click.option("--seed", default=7, show_default=True, help="Which ones.")
@click.option("--resume", is_flag=True, help="Keep what an earlier call has found.")
@click.option("--page", type=click.Path(path_type=Path), help="Put the table into this page.")
@click.option("--least", default=0.9, show_default=True, help="The score to reach.")
@click.option("--jobs", default=2, show_default=True, help="Processes.")
@click.option("--retry", is_flag=True, help="Keep it, but for survivors: new tests may notice them.")
def main(
    count: int, seed: int, resume: bool, retry: bool, jobs: int, page: Path | None, least: float
) -> None:
    """Try a sample of mutants of the golden models and of the KVM model; about a second each."""
    if importlib.util.find_spec("mutmut") is None:
        raise click.UsageError("mutmut is missing; pip install -e '.[mutation]'")
    os.chdir(ROOT)
    if not resume and not retry:
        shutil.rmtree(MUTANTS, ignore_errors=True)
    results = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    if retry or not MUTANTS.is_dir():
        click.echo("writing mutants, and running the tests once to see what each reaches")
        list(_driver("prepare"))
        results = {name: status for name, status in results.items() if Mutant(name, status).detected}
    samples = [sample(_names(model), count, seed) for model in MODELS]
    # In turns, so that what is there after an interruption is a sample of each, too.
    names = [name for several in zip_longest(*samples) for name in several if name]
    click.echo(f"{len(names)} mutants, seed {seed}")
    left = [name for name in names if name not in results]
    with Bar() as bar:
        lines = _driver("try", str(jobs), names=left) if left else ()
        for done, line in enumerate(lines, len(names) - len(left) + 1):
            name, _, status = line.strip().partition(" ")
            results[name] = status
            RESULTS.write_text(json.dumps(results, indent=1))
            bar("mutants", done, len(names))
    mutants, classes = sorted(_described(name, results[name]) for name in names), argued()
    drawn_from = Counter(Mutant(name, "").module for model in MODELS for name in _names(model))
    lines = table(mutants, classes, drawn_from)
    click.echo("\n".join(lines))
    for mutant in mutants:
        if not mutant.detected and not _is_argued(mutant, classes):
            click.echo(f"{mutant.status}: {mutant.name}\n  - {mutant.taken}\n  + {mutant.put}")
    if page:
        before, _, after = read_page(page, BEGIN, END)
        page.write_text("\n".join([before, "", f"Seed {seed}.", "", *lines, "", after]))
    scores = {
        model: score([one for one in mutants if one.name.split(".")[1] in packages], classes)
        for model, packages in MODELS.items()
    }
    sys.exit(any(value < least for value in scores.values()))


if __name__ == "__main__":
    main()
